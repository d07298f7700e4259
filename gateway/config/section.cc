#include "gateway/config/section.h"

#include <algorithm>

#include "gateway/config/values.h"

namespace grete::gateway {

std::string ConfigError::format(const std::string& file) const {
  return line == 0 ? fmt::format("{}: {}", file, text)
                   : fmt::format("{}:{}:{}: {}", file, line, column, text);
}

void config_error(ConfigErrors& errors, const YAML::Node& node, std::string text) {
  const YAML::Mark mark = node.Mark();
  errors.push_back({mark.line + 1, mark.column + 1, std::move(text)});
}

std::string what_is(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return fmt::format("'{}'", node.Scalar().substr(0, 80));
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return "nothing";
}

Section::Section(const YAML::Node& node, std::string name, ConfigErrors& errors)
    : node_(node), name_(std::move(name)), errors_(&errors) {
  if (!node.IsMap()) {
    error(node, fmt::format("{}: expected a mapping, found {}", name_, what_is(node)));
    node_ = YAML::Node(YAML::NodeType::Map);
    return;
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (entry.first.IsScalar() && !seen.insert(entry.first.Scalar()).second) {
      error(entry.first, fmt::format("{}: '{}' is there twice", name_, entry.first.Scalar()));
    }
  }
}

std::optional<YAML::Node> Section::value(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
    known_.emplace_back(key);
  }
  for (const auto& entry : node_) {
    if (entry.first.IsScalar() && entry.first.Scalar() == key) {
      if (entry.second.IsNull()) {
        return std::nullopt;
      }
      return entry.second;
    }
  }
  return std::nullopt;
}

std::optional<YAML::Node> Section::required(std::string_view key) {
  auto found = value(key);
  if (!found) {
    error(node_, fmt::format("{}: '{}' is missing", name_, key));
  }
  return found;
}

std::optional<std::string> Section::text(std::string_view key) {
  const auto found = value(key);
  if (!found) {
    return std::nullopt;
  }
  if (!found->IsScalar()) {
    expected_here(*found, key, "text");
    return std::nullopt;
  }
  return found->Scalar();
}

void Section::finish() {
  std::vector<std::string_view> words(known_.begin(), known_.end());
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) {
      error(entry.first, fmt::format("{}: expected a word as the key", name_));
      continue;
    }
    const std::string& key = entry.first.Scalar();
    if (std::find(words.begin(), words.end(), key) != words.end()) {
      continue;
    }
    const std::string_view meant = nearest(key, words);
    error(entry.first, meant.empty() ? fmt::format("{}: unknown key '{}'; expected one of: {}",
                                                   name_, key, fmt::join(words, ", "))
                                     : fmt::format("{}: unknown key '{}'; did you mean '{}'?",
                                                   name_, key, meant));
  }
}

void Section::expected_here(const YAML::Node& at, std::string_view key, std::string_view expected) {
  error(at, fmt::format("{}.{}: expected {}, found {}", name_, key, expected, what_is(at)));
}

void Section::unknown_word(const YAML::Node& at, std::string_view key,
                           const std::vector<std::string_view>& words) {
  const std::string_view meant = at.IsScalar() ? nearest(at.Scalar(), words) : std::string_view{};
  std::string text = fmt::format("{}.{}: expected one of {}, found {}", name_, key,
                                 fmt::join(words, ", "), what_is(at));
  if (!meant.empty()) {
    text += fmt::format("; did you mean '{}'?", meant);
  }
  error(at, std::move(text));
}

}  // namespace grete::gateway

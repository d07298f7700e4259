#include "sdk/cpp/config.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace grete::sdk {
namespace {

// How many letters are missing, superfluous, wrong, or swapped with their neighbour; of words up to
// 32 bytes.
std::size_t distance(std::string_view a, std::string_view b) {
  constexpr std::size_t kMax = 32;
  if (a.size() > kMax || b.size() > kMax) {
    return kMax;
  }
  std::size_t rows[3][kMax + 1];
  std::size_t* before = rows[0];
  std::size_t* last = rows[1];
  std::size_t* row = rows[2];
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = before[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> words) {
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : words) {
    const std::size_t away = distance(word, candidate);
    if (away < best_distance) {
      best = candidate;
      best_distance = away;
    }
  }
  return best;
}

std::string unknown_word(std::string_view what, std::string_view word,
                         std::span<const std::string_view> words) {
  std::string text(what);
  text += " \"";
  text += word;
  text += '"';
  if (const auto guess = nearest(word, words)) {
    text += "; did you mean \"";
    text += *guess;
    text += "\"?";
    return text;
  }
  text += "; there are:";
  for (const std::string_view candidate : words) {
    text += candidate == words.front() ? " " : ", ";
    text += candidate;
  }
  return text;
}

Config Config::parse(std::string_view text) {
  auto shared = std::make_shared<Shared>();
  shared->root.kind = Json::Kind::kObject;
  const bool blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (!blank) {
    if (auto json = parse_json(text)) {
      shared->root = *std::move(json);
    } else {
      shared->error = "not JSON: ";
      shared->error += json.error().what;
      shared->error += " at byte ";
      shared->error += std::to_string(json.error().offset);
    }
  }
  const Json* root = &shared->root;
  Config config(std::move(shared), root, "");
  if (root->kind == Json::Kind::kNull) {
    config.shared_->root.kind = Json::Kind::kObject;
  } else if (root->kind != Json::Kind::kObject) {
    config.fail("", std::string("expected an object, found ") + std::string(kind_name(root->kind)));
  }
  return config;
}

std::string Config::path_of(std::string_view name) const {
  std::string path = path_;
  if (!path.empty() && !name.empty() && name.front() != '[') {
    path += '.';
  }
  path += name;
  return path;
}

void Config::fail(std::string_view name, std::string_view what) {
  if (failed()) {
    return;
  }
  shared_->error = path_of(name);
  shared_->error += shared_->error.empty() ? "" : ": ";
  shared_->error += what;
}

const Json* Config::take(std::string_view name, Json::Kind kind) {
  known_.push_back(name);
  if (failed()) {
    return nullptr;
  }
  const Json* value = value_->find(name);
  if (value == nullptr || value->kind == Json::Kind::kNull) {
    return nullptr;
  }
  if (value->kind != kind) {
    std::string what = "expected ";
    what += kind_name(kind);
    what += ", found ";
    what += kind_name(value->kind);
    fail(name, what);
    return nullptr;
  }
  return value;
}

std::optional<bool> Config::boolean(std::string_view name) {
  const Json* value = take(name, Json::Kind::kBoolean);
  return value != nullptr ? std::optional(value->boolean) : std::nullopt;
}

std::optional<std::string> Config::string(std::string_view name) {
  const Json* value = take(name, Json::Kind::kString);
  return value != nullptr ? std::optional(value->text) : std::nullopt;
}

std::optional<std::int64_t> Config::integer(std::string_view name, std::int64_t least,
                                            std::int64_t most) {
  const Json* value = take(name, Json::Kind::kNumber);
  if (value == nullptr) {
    return std::nullopt;
  }
  const double number = value->number;
  if (std::floor(number) != number || number < static_cast<double>(least) ||
      number > static_cast<double>(most)) {
    fail(name,
         "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(number);
}

std::optional<std::vector<std::string>> Config::strings(std::string_view name) {
  if (const Json* one = value_->find(name); one != nullptr && one->kind == Json::Kind::kString) {
    known_.push_back(name);
    return failed() ? std::nullopt : std::optional(std::vector<std::string>{one->text});
  }
  const Json* value = take(name, Json::Kind::kArray);
  if (value == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> result;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const Json& item = value->items[i];
    if (item.kind != Json::Kind::kString) {
      std::string at(name);
      at += "[" + std::to_string(i) + "]";
      std::string what = "expected a string, found ";
      what += kind_name(item.kind);
      fail(at, what);
      return std::nullopt;
    }
    result.push_back(item.text);
  }
  return result;
}

std::optional<Config> Config::object(std::string_view name) {
  const Json* value = take(name, Json::Kind::kObject);
  return value != nullptr ? std::optional(Config(shared_, value, path_of(name))) : std::nullopt;
}

std::vector<Config> Config::objects(std::string_view name) {
  std::vector<Config> result;
  const Json* value = take(name, Json::Kind::kArray);
  for (std::size_t i = 0; value != nullptr && i < value->items.size(); ++i) {
    std::string at(name);
    at += "[" + std::to_string(i) + "]";
    if (value->items[i].kind != Json::Kind::kObject) {
      std::string what = "expected an object, found ";
      what += kind_name(value->items[i].kind);
      fail(at, what);
      return {};
    }
    result.push_back(Config(shared_, &value->items[i], path_of(at)));
  }
  return result;
}

std::optional<std::size_t> Config::choice(std::string_view name,
                                          std::span<const std::string_view> words) {
  const auto word = string(name);
  if (!word) {
    return std::nullopt;
  }
  const auto found = std::find(words.begin(), words.end(), *word);
  if (found == words.end()) {
    fail(name, unknown_word("unknown word", *word, words));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - words.begin());
}

std::optional<std::string> Config::finish() {
  if (!failed()) {
    for (const std::string& member : value_->names) {
      if (std::find(known_.begin(), known_.end(), member) == known_.end()) {
        fail("", unknown_word("unknown setting", member, known_));
        break;
      }
    }
  }
  return failed() ? std::optional(shared_->error) : std::nullopt;
}

}  // namespace grete::sdk

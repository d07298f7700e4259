// A mapping of the configuration file that is being read, key by key.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "gateway/config/config.h"

namespace grete::gateway {

using ConfigErrors = std::vector<ConfigError>;

// Adds an error at `node`'s place.
void config_error(ConfigErrors& errors, const YAML::Node& node, std::string text);

// Reads a mapping's values by key. At the end, finish() reports the keys that nobody asked for.
// Borrows the errors.
class Section {
 public:
  // `name` is for people: "listeners[0]".
  Section(const YAML::Node& node, std::string name, ConfigErrors& errors);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const YAML::Node& node() const { return node_; }

  // The value of `key`; nothing if it is absent. A present null counts as absent.
  [[nodiscard]] std::optional<YAML::Node> value(std::string_view key);
  // The same, and an error if it is absent.
  [[nodiscard]] std::optional<YAML::Node> required(std::string_view key);

  // The scalar at `key` as text, if there is one.
  [[nodiscard]] std::optional<std::string> text(std::string_view key);

  // Reads the scalar at `key` with `parse`; `expected` is for people: "a duration such as 100ms".
  // Keeps `into` as it is, and reports, if the value is not one.
  template <class T, class Parse>
  void read(std::string_view key, T& into, Parse parse, std::string_view expected) {
    const auto found = value(key);
    if (!found) {
      return;
    }
    if (found->IsScalar()) {
      if (auto parsed = parse(std::string_view(found->Scalar()))) {
        into = static_cast<T>(*std::move(parsed));
        return;
      }
    }
    expected_here(*found, key, expected);
  }

  // Reads one of a few words.
  template <class T>
  void read_word(std::string_view key, T& into,
                 const std::vector<std::pair<std::string_view, T>>& words) {
    const auto found = value(key);
    if (!found) {
      return;
    }
    std::vector<std::string_view> names;
    for (const auto& [word, meaning] : words) {
      if (found->IsScalar() && found->Scalar() == word) {
        into = meaning;
        return;
      }
      names.push_back(word);
    }
    unknown_word(*found, key, names);
  }

  // Reports every key that was not asked for.
  void finish();

  void error(const YAML::Node& at, std::string text) {
    config_error(*errors_, at, std::move(text));
  }

 private:
  void expected_here(const YAML::Node& at, std::string_view key, std::string_view expected);
  void unknown_word(const YAML::Node& at, std::string_view key,
                    const std::vector<std::string_view>& words);

  YAML::Node node_;
  std::string name_;
  ConfigErrors* errors_;
  std::vector<std::string> known_;
};

// What was written at `node`, for an error: "'x'", "a list", "a mapping".
[[nodiscard]] std::string what_is(const YAML::Node& node);

}  // namespace grete::gateway

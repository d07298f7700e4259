// Reading a plug-in's configuration strictly: every member is asked for by name, and what nobody
// asked for is an error that names the nearest member there is.
//
//   auto config = sdk::Config::parse(text);             // "" is an object without members
//   bool keys = config.boolean("keys").value_or(false);
//   if (auto error = config.finish()) return unexpected(*error);
//
// The first error is kept, later reads return nothing, and finish() tells it:
//   detect[1]: unknown detector "emial"; did you mean "email"?
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/cpp/json.h"

namespace grete::sdk {

// Of `words`, the one that is fewest typing errors away from `word`, if it is near at all.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> words);

// `what "word"`, and a guess at what was meant or else the list of words.
std::string unknown_word(std::string_view what, std::string_view word,
                         std::span<const std::string_view> words);

// One object of a configuration. Objects read from it share its first error, and may outlive it.
class Config {
 public:
  static Config parse(std::string_view text);

  // The member as a value of that kind; nothing if it is absent (or after an error).
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::string> string(std::string_view name);
  // A whole number from `least` to `most`.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  // A list of strings; one string alone counts as a list of one.
  std::optional<std::vector<std::string>> strings(std::string_view name);
  std::optional<Config> object(std::string_view name);
  std::vector<Config> objects(std::string_view name);
  // One of `words`, as its index.
  std::optional<std::size_t> choice(std::string_view name, std::span<const std::string_view> words);

  // Notes an error at the member `name` (at this object if empty), unless there is one already.
  void fail(std::string_view name, std::string_view what);
  // Whether an error was noted.
  [[nodiscard]] bool failed() const { return !shared_->error.empty(); }

  // Call it last, on every object: an unknown member is an error. The first error of all, if any.
  std::optional<std::string> finish();

 private:
  struct Shared {
    Json root;
    std::string error;
  };

  Config(std::shared_ptr<Shared> shared, const Json* value, std::string path)
      : shared_(std::move(shared)), value_(value), path_(std::move(path)) {}

  const Json* take(std::string_view name, Json::Kind kind);
  [[nodiscard]] std::string path_of(std::string_view name) const;

  std::shared_ptr<Shared> shared_;
  const Json* value_;
  std::string path_;
  std::vector<std::string_view> known_;
};

}  // namespace grete::sdk

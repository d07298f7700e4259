// A small JSON reader for plug-ins' configurations (RFC 8259), without exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace grete::sdk {

// A JSON value. A plain tree: configurations are small.
struct Json {
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;
  std::string text;                // kString, UTF-8
  std::vector<Json> items;         // of a list; or an object's values, in the order of the text
  std::vector<std::string> names;  // kObject: of the items

  // The member of that name, or null.
  [[nodiscard]] const Json* find(std::string_view name) const;
};

// "an object", "a string" and so on, for messages.
std::string_view kind_name(Json::Kind kind);

// What is wrong, and where: a byte offset in the text.
struct JsonError {
  std::size_t offset = 0;
  std::string_view what;
};

// Reads one value. Nesting is limited to 64; a name twice in an object is an error.
Result<Json, JsonError> parse_json(std::string_view text);

}  // namespace grete::sdk

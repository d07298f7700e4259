// JSON text as Jackson writes it, so that it compares equal to that of Kafka's tools.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "kafka/wire/types.h"

namespace grete::kafka::json {

// A quoted string. Bytes that are not UTF-8 become U+FFFD, as in Java.
void append_string(std::string& out, std::string_view text);

// A quoted string of base64 with padding.
void append_base64(std::string& out, Bytes bytes);

// A quoted string of Kafka's own form of a uuid: 22 characters of URL-safe base64.
void append_uuid(std::string& out, const Uuid& uuid);

void append_integer(std::string& out, std::int64_t value);

// A number as Java's Double.toString; "NaN" and infinities in quotes.
void append_double(std::string& out, double value);

// Puts line breaks and two spaces a level into compact JSON.
std::string indented(std::string_view compact);

}  // namespace grete::kafka::json

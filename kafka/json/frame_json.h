// A request, and its response where there is one, as JSON: what `grete decode` prints.
//
//   {"request":{"api":"Metadata","apiVersion":1,"header":{...},"body":{...}},
//    "response":{"header":{...},"body":{...}}}
//
// A response does not say what it answers, so it can only be read beside its request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "kafka/json/message_json.h"

namespace grete::kafka::json {

struct FrameOptions {
  Options message;
  // Line breaks and two spaces a level; else one line.
  bool indent = true;
};

// What is wrong, for people: "request, at byte 26: ProduceRequest.topicData: ...". Offsets count
// from the first byte that was given.
struct FrameError {
  std::string text;
};

// The request may begin with its 4-byte length, or not: if the first 4 bytes, read as a length, are
// exactly the number of bytes that follow, they are the length. (Without a length they are the API
// key and version; Produce, key 0, would have to be shorter than any Produce is, and others as long
// as 65,536 times their key.) The response has a length if the request has.
// Bytes after the message are an error. Decoding takes at most `budget`.
[[nodiscard]] Result<std::string, FrameError> frames_to_json(Bytes request,
                                                             std::optional<Bytes> response,
                                                             MemoryBudget& budget,
                                                             const FrameOptions& options = {});

// Bytes from text: pairs of hex digits, with spaces, line breaks, colons, commas and "0x" between
// bytes passed over. Null if there is anything else, or an odd number of digits.
[[nodiscard]] std::optional<std::vector<std::byte>> parse_hex(std::string_view text);

}  // namespace grete::kafka::json

// Messages from JSON, in the format that message_json.h prints with records as base64. For tests
// and tools: it parses into a tree first, and is not built for WebAssembly.
#pragma once

#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "kafka/messages.h"

namespace grete::kafka::json {

// For people: "MetadataRequest.topics[1].name: a string is expected".
struct ReadError {
  std::string text;
};

// Every field that the version has must be there, but for tagged ones, which default; others are an
// error. The message and all that it holds lie in `arena`.
[[nodiscard]] Result<AnyMessage, ReadError> read_message(std::string_view text,
                                                         const MessageInfo& info,
                                                         ApiVersion version, Arena& arena);

}  // namespace grete::kafka::json

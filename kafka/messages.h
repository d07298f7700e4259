// All generated messages, found by what a header says. Refers to every decoder and encoder: code
// that needs a few messages only includes those instead, and links no others.
#pragma once

#include <span>

#include "kafka/ids.h"
#include "kafka/wire/reflection.h"

namespace grete::kafka {

// Requests and responses in the order of their keys, then headers and data blobs.
std::span<const MessageInfo* const> all_messages();

// The request or response of an API; null if there is none.
const MessageInfo* find_message(ApiKey key, Direction direction);
// By its name, such as "ConsumerProtocolSubscription"; null if there is none.
const MessageInfo* find_message(std::string_view name);

// A message of a kind that is known only when the program runs. Lies in an arena.
struct AnyMessage {
  const MessageInfo* info = nullptr;
  void* value = nullptr;
};

// Decodes the request or response of (key, version) into the reader's arena.
[[nodiscard]] Result<AnyMessage, DecodeError> decode_any(Reader& reader, const MessageInfo& info,
                                                         ApiVersion version);

}  // namespace grete::kafka

// Whole reply frames to generated messages and back.
#pragma once

#include <string>
#include <utility>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "gateway/session/buffer.h"
#include "kafka/api_table.h"
#include "kafka/messages/response_header.h"
#include "kafka/wire/reader.h"
#include "kafka/wire/writer.h"

namespace grete::gateway {

inline constexpr std::size_t kLengthField = 4;

// `frame` begins with its length field; it and `arena` outlive `header` and `message`.
template <class Message>
[[nodiscard]] Result<void, std::string> decode_reply(Bytes frame, kafka::ApiVersion version,
                                                     Arena& arena, kafka::ResponseHeader& header,
                                                     Message& message) {
  kafka::Reader reader(frame.subspan(kLengthField), arena);
  const auto header_version = kafka::response_header_version(Message::kApiKey, version);
  if (auto read = decode(reader, header_version, header); !read) {
    return unexpected(read.error().text());
  }
  if (auto read = decode(reader, version, message); !read) {
    return unexpected(read.error().text());
  }
  if (auto end = reader.expect_end("the reply"); !end) {
    return unexpected(end.error().text());
  }
  return {};
}

// The frame with its length field, in memory of `budget`.
template <class Message>
[[nodiscard]] Result<Buffer, std::string> encode_reply(kafka::ApiVersion version, Arena& arena,
                                                       const kafka::ResponseHeader& header,
                                                       const Message& message,
                                                       MemoryBudget& budget) {
  kafka::Writer writer(arena);
  const auto header_version = kafka::response_header_version(Message::kApiKey, version);
  if (auto written = encode(writer, header_version, header); !written) {
    return unexpected(written.error().text());
  }
  if (auto written = encode(writer, version, message); !written) {
    return unexpected(written.error().text());
  }
  Buffer frame(budget);
  if (writer.size() > INT32_MAX || !frame.resize(kLengthField + writer.size())) {
    return unexpected(std::string("there is no memory for the changed reply"));
  }
  store_big(frame.data(), static_cast<std::int32_t>(writer.size()));
  writer.copy_to(frame.data() + kLengthField);
  return frame;
}

}  // namespace grete::gateway

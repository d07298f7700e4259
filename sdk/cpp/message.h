// One request or response that a filter subscribed to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/memory_budget.h"
#include "kafka/ids.h"
#include "kafka/lane/format.h"
#include "kafka/wire/reader.h"
#include "kafka/wire/writer.h"

namespace grete::sdk {

// Finds the generated message's own decode() and encode(), which the members below would hide.
template <class T>
auto decode_message(kafka::Reader& reader, kafka::ApiVersion version, T& message) {
  return decode(reader, version, message);
}
template <class T>
auto encode_message(kafka::Writer& writer, kafka::ApiVersion version, const T& message) {
  return encode(writer, version, message);
}

// A message during Filter::on_request or on_response. What it tells borrows from the call.
//
//   sdk::Verdict on_request(sdk::Message& message) override {
//     auto request = message.decode<kafka::CreateTopicsRequest>();
//     if (!request) return sdk::Verdict::reject(request.error().text());
//     ...
//     return sdk::Verdict::replace(*message.encode(*request));
//   }
class Message {
 public:
  // `call` and `arena` outlive the message. The arena holds what is decoded.
  Message(const kafka::lane::Call& call, Arena& arena) : call_(&call), arena_(&arena) {}

  [[nodiscard]] const kafka::lane::CallHead& head() const { return call_->head; }
  [[nodiscard]] kafka::ApiKey api_key() const { return kafka::ApiKey(call_->head.api_key); }
  [[nodiscard]] kafka::ApiVersion api_version() const {
    return kafka::ApiVersion(call_->head.api_version);
  }
  // Encoded in api_version(), without Kafka's request or response header; empty if only the header
  // was subscribed to.
  [[nodiscard]] Bytes body() const { return call_->body; }
  [[nodiscard]] Arena& arena() { return *arena_; }

  // The body as a generated message, which borrows from the body and the arena.
  template <class T>
  [[nodiscard]] Result<T, kafka::DecodeError> decode() {
    T message;
    kafka::Reader reader(body(), *arena_);
    GRETE_TRY(decode_message(reader, api_version(), message));
    GRETE_TRY(reader.expect_end("message"));
    return message;
  }

  // A generated message in this message's api version, for Verdict::replace and Verdict::reply.
  template <class T>
  [[nodiscard]] Result<std::vector<std::byte>, kafka::EncodeError> encode(const T& message) {
    kafka::Writer writer(*arena_);
    GRETE_TRY(encode_message(writer, api_version(), message));
    std::vector<std::byte> bytes(static_cast<std::size_t>(writer.size()));
    writer.copy_to(bytes.data());
    return bytes;
  }

 private:
  const kafka::lane::Call* call_;
  Arena* arena_;
};

}  // namespace grete::sdk

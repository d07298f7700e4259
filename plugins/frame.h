// What the gateway hands to a chain, and what it gets back: messages as borrowed and as owned
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "kafka/ids.h"
#include "kafka/wire/types.h"

namespace grete::plugins {

using kafka::Direction;

// What is known of a client connection. Values may change between two messages (the principal after
// authentication), not while a task of that connection is under way.
struct ConnectionInfo {
  // Unique in this process.
  std::uint64_t id = 0;
  // As Kafka writes it: "User:alice". Empty: not known.
  std::string principal;
  // The client's address and port: "127.0.0.1:50123".
  std::string address;
  // The gateway's own end of that connection, and the name of its listener.
  std::string local_address;
  std::string listener;
};

// Knows topics by id. Produce and Fetch name topics by id from v13 on.
class TopicNames {
 public:
  virtual ~TopicNames() = default;
  // Empty if the id is not known. Valid while the task that asks is under way.
  [[nodiscard]] virtual std::string_view name_of(const kafka::Uuid& id) const = 0;
};

enum class Answer : std::uint8_t {
  kExpected,
  kNone,  // Produce with acks=0: no response exists
};

// Bytes that stay valid and unchanged as long as `owner` lives.
struct SharedBytes {
  Bytes bytes;
  std::shared_ptr<const void> owner;
};

// One request or response, whole, without the four bytes of length before it: header, then body.
struct Frame {
  SharedBytes content;
  // Bytes of Kafka's request or response header at the start of `content`.
  std::size_t header_bytes = 0;

  [[nodiscard]] Bytes header() const { return content.bytes.first(header_bytes); }
  [[nodiscard]] Bytes body() const { return content.bytes.subspan(header_bytes); }
};

// What a chain must know of a message besides its bytes. Pointers and views outlive the task.
struct FrameContext {
  const ConnectionInfo* connection = nullptr;
  // Charged with everything that is decoded, decompressed or built for the message: the
  // connection's. Outlives also the frames that come out.
  MemoryBudget* budget = nullptr;
  // Null: no topic id is known.
  const TopicNames* topics = nullptr;
  kafka::ApiKey key;
  // Of the body; the same for a request and its response.
  kafka::ApiVersion version;
  kafka::CorrelationId correlation;
  std::optional<std::string_view> client_id;
  Answer answer = Answer::kExpected;
};

// A message to send: pieces in order, header first, without the four bytes of length.
struct ScatterFrame {
  std::vector<Bytes> pieces;
  // Of all pieces, in bytes; at most 2^31 - 1.
  std::uint32_t size = 0;
  // Keeps the pieces valid. Released on the worker's thread, before the budget ends.
  std::shared_ptr<const void> owner;

  [[nodiscard]] bool empty() const { return size == 0; }
  // Copies everything to `to`, which holds at least `size` bytes.
  void copy_to(std::byte* to) const;
};

}  // namespace grete::plugins

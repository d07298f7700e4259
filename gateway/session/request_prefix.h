// The first bytes of a request: what must be known of a frame that nobody looks into.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "kafka/ids.h"

namespace grete::gateway {

// Bytes of a frame's length field.
inline constexpr std::size_t kLengthPrefix = 4;
// Bytes of a request that are always read: length, API key, version, correlation id.
inline constexpr std::size_t kRequestPrefix = 12;
// Bytes of a response that are always read: length and correlation id.
inline constexpr std::size_t kResponsePrefix = 8;

struct RequestPrefix {
  std::uint64_t total = 0;  // bytes of the frame, its length field included
  kafka::ApiKey key;
  kafka::ApiVersion version;
  kafka::CorrelationId correlation_id;

  friend bool operator==(const RequestPrefix&, const RequestPrefix&) = default;
};

// Reads the prefix; `bytes` holds at least kRequestPrefix. Checks nothing.
[[nodiscard]] RequestPrefix read_request_prefix(Bytes bytes);

// Where a Produce request says whether it wants an answer. It comes after the client id, the tagged
// fields of a flexible header and the transactional id.
struct AcksLookup {
  enum class State : std::uint8_t { kFound, kNeedMore, kMalformed };

  State state = State::kMalformed;
  std::int16_t acks = 0;
  std::size_t needed = 0;  // with kNeedMore: bytes of the frame, from its length field on

  friend bool operator==(const AcksLookup&, const AcksLookup&) = default;
};

// `bytes` begin with the frame's length field and may reach beyond the frame's end.
[[nodiscard]] AcksLookup find_acks(const RequestPrefix& prefix, Bytes bytes);

}  // namespace grete::gateway

// The beginnings of frames: what can be told of a message before all of it is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "kafka/ids.h"

namespace grete::sdk {

// Length, API key, version, correlation id: the first bytes of every request.
inline constexpr std::size_t kRequestHeadBytes = 12;
// Length and correlation id.
inline constexpr std::size_t kResponseHeadBytes = 8;

struct RequestHead {
  kafka::ApiKey key;
  kafka::ApiVersion version;
  std::int32_t correlation = 0;
};

// `frame` holds at least kRequestHeadBytes.
RequestHead read_request_head(Bytes frame);

// `acks` of the Produce request that begins with `prefix`; nothing if it lies beyond.
std::optional<std::int16_t> read_acks(Bytes prefix, kafka::ApiVersion version);

}  // namespace grete::sdk

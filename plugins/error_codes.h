// Kafka's error codes that the gateway itself tells clients.
// Source: org.apache.kafka.common.protocol.Errors
#pragma once

#include <cstdint>

namespace grete::plugins::error_code {

inline constexpr std::int16_t kNone = 0;
inline constexpr std::int16_t kUnknownServerError = -1;
inline constexpr std::int16_t kCorruptMessage = 2;
inline constexpr std::int16_t kTopicAuthorizationFailed = 29;
inline constexpr std::int16_t kPolicyViolation = 44;
inline constexpr std::int16_t kInvalidRecord = 87;
inline constexpr std::int16_t kUnknownTopicId = 100;

}  // namespace grete::plugins::error_code

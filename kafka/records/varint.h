// Zigzag varints as in records of magic 2 (Kafka's ByteUtils.readVarint and readVarlong: the last
// byte that a value may have has its upper bits cut off, and must not ask for another byte).
#pragma once

#include <cstddef>
#include <cstdint>

namespace grete::kafka::records {

inline constexpr std::size_t kMaxVarintBytes = 5;
inline constexpr std::size_t kMaxVarlongBytes = 10;

enum class VarintStatus : std::uint8_t { kOk, kTruncated, kTooLong };

// Reads from `cursor`, which it moves past the varint, up to `end`.
template <class Unsigned, std::size_t kMaxBytes>
VarintStatus read_unsigned(const std::byte*& cursor, const std::byte* end, Unsigned& value) {
  if (cursor != end && std::to_integer<unsigned>(*cursor) < 0x80) [[likely]] {
    value = std::to_integer<Unsigned>(*cursor++);
    return VarintStatus::kOk;
  }
  Unsigned result = 0;
  const std::byte* at = cursor;
  for (std::size_t i = 0; i < kMaxBytes; ++i) {
    if (at == end) {
      return VarintStatus::kTruncated;
    }
    const auto byte = std::to_integer<Unsigned>(*at++);
    result |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      cursor = at;
      value = result;
      return VarintStatus::kOk;
    }
  }
  return VarintStatus::kTooLong;
}

inline VarintStatus read_varint(const std::byte*& cursor, const std::byte* end,
                                std::int32_t& value) {
  std::uint32_t raw = 0;
  const VarintStatus status = read_unsigned<std::uint32_t, kMaxVarintBytes>(cursor, end, raw);
  value = static_cast<std::int32_t>((raw >> 1) ^ (~(raw & 1) + 1));
  return status;
}

inline VarintStatus read_varlong(const std::byte*& cursor, const std::byte* end,
                                 std::int64_t& value) {
  std::uint64_t raw = 0;
  const VarintStatus status = read_unsigned<std::uint64_t, kMaxVarlongBytes>(cursor, end, raw);
  value = static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
  return status;
}

// Zigzag varints of 32-bit values and varlongs of the same value have the same bytes.
inline std::size_t varlong_size(std::int64_t value) {
  auto raw = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  std::size_t size = 1;
  while (raw >= 0x80) {
    raw >>= 7;
    ++size;
  }
  return size;
}

// Writes to `to`, which has room for kMaxVarlongBytes; returns the end of what it wrote.
inline std::byte* write_varlong(std::byte* to, std::int64_t value) {
  auto raw = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  while (raw >= 0x80) {
    *to++ = static_cast<std::byte>(raw | 0x80);
    raw >>= 7;
  }
  *to++ = static_cast<std::byte>(raw);
  return to;
}

}  // namespace grete::kafka::records

// Messages of magic 0 and 1 (KIP-31, KIP-32): what batch reader and builder need to know of them.
//
//   Message => Offset i64, Size i32, Crc u32 (CRC-32 of what follows), Magic i8, Attributes i8,
//              [magic 1: Timestamp i64], Key bytes, Value bytes       (i32 lengths, -1 is null)
//
// The value of a compressed message, a wrapper, is a message set of plain messages. In magic 1
// their offsets are relative and the wrapper's offset is that of the last; in magic 0 they are
// absolute.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "kafka/records/error.h"

namespace grete::kafka::records {

inline constexpr std::size_t kMessageCrcAt = 12;
inline constexpr std::size_t kMessageAttributesAt = 17;
inline constexpr std::size_t kMessageTimestampAt = 18;

// One message. Borrows.
struct Message {
  std::int64_t offset = 0;
  std::int8_t magic = 0;
  std::int8_t attributes = 0;
  std::int64_t timestamp = -1;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  Bytes encoded;
};

// Reads the message that `bytes` begins with; more may follow. Errors: kTruncated, kBadLength,
// kUnsupportedMagic, kBadField, positioned in `bytes`.
[[nodiscard]] Result<Message, Error> read_message(Bytes bytes);

// CRC-32 (IEEE 802.3), with `previous` as in crc32c().
std::uint32_t crc32(Bytes bytes, std::uint32_t previous = 0);

}  // namespace grete::kafka::records

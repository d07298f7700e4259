// Record batches on the wire: where one ends, and its header.
//
// Magic 2 is the record batch of KIP-98; magic 0 and 1 are the older message sets (KIP-31, KIP-32),
// in which each message, or each compressed wrapper around messages, counts as a batch here.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "kafka/records/compression.h"
#include "kafka/records/error.h"

namespace grete::kafka::records {

// The offsets of a batch's fields, the same in every magic up to kMagicAt.
inline constexpr std::size_t kLengthAt = 8;
inline constexpr std::size_t kMagicAt = 16;
// Magic 2: the CRC, and where the bytes under it begin.
inline constexpr std::size_t kCrcAt = 17;
inline constexpr std::size_t kCheckedFrom = 21;

// Bits of BatchHeader::attributes.
inline constexpr std::int16_t kCodecMask = 0x07;
inline constexpr std::int16_t kLogAppendTimeBit = 0x08;
inline constexpr std::int16_t kTransactionalBit = 0x10;
inline constexpr std::int16_t kControlBit = 0x20;
inline constexpr std::int16_t kDeleteHorizonBit = 0x40;

// Adds offsets and timestamps as Java does, which wraps around: a hostile delta is the sender's own
// trouble.
inline std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// The header of a batch. For magic 0 and 1 what those lack has the value that means "none".
struct BatchHeader {
  // Magic 0 and 1: the offset of the message, which for a compressed wrapper is that of its last
  // message.
  std::int64_t base_offset = 0;
  // Of everything after this field.
  std::int32_t length = 0;
  std::int32_t leader_epoch = -1;
  std::int8_t magic = 2;
  // CRC-32C of what follows; magic 0 and 1: CRC-32.
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  // Milliseconds since 1970. With kDeleteHorizonBit the base is the delete horizon.
  std::int64_t base_timestamp = -1;
  std::int64_t max_timestamp = -1;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  // Magic 0 and 1: 1 for a plain message, 0 for a wrapper (BatchReader counts its messages).
  std::int32_t count = 0;

  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;

  [[nodiscard]] Codec codec() const { return static_cast<Codec>(attributes & kCodecMask); }
  [[nodiscard]] bool is_log_append_time() const { return (attributes & kLogAppendTimeBit) != 0; }
  [[nodiscard]] bool is_transactional() const { return (attributes & kTransactionalBit) != 0; }
  // A batch of transaction markers, for clients' eyes only: never edited.
  [[nodiscard]] bool is_control() const { return (attributes & kControlBit) != 0; }
  // The producer numbers its records: none may be added or dropped.
  [[nodiscard]] bool is_idempotent() const { return producer_id >= 0; }
};

// Reads and validates the header of `batch`, which holds exactly one batch. Does not check the CRC.
// Errors: kTruncated, kBadLength, kUnsupportedMagic, kUnsupportedCodec, kBadRecordCount.
[[nodiscard]] Result<BatchHeader, Error> parse_header(Bytes batch);

// Writes the header of a batch of magic 2 to `to`, which has room for kBatchHeaderBytes.
void write_header(std::byte* to, const BatchHeader& header);

// Cuts the `records` field of a produce request or fetch response into batches. Borrows.
//
//   BatchSplitter splitter(*partition.records);
//   while (true) {
//     GRETE_TRY_ASSIGN(std::optional<Bytes> batch, splitter.next());
//     if (!batch) break;
//     ...
//   }
//   Bytes partial = splitter.rest();
class BatchSplitter {
 public:
  explicit BatchSplitter(Bytes blob) : blob_(blob) {}

  // The next whole batch; nullopt at the end, or before a partial batch, with which a fetch
  // response may end. Errors: kBadLength, kUnsupportedMagic, positioned in the blob.
  [[nodiscard]] Result<std::optional<Bytes>, Error> next();

  // What next() has not returned: after nullopt, nothing or the partial batch.
  [[nodiscard]] Bytes rest() const { return blob_.subspan(position_); }

 private:
  Bytes blob_;
  std::size_t position_ = 0;
};

}  // namespace grete::kafka::records

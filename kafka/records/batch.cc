#include "kafka/records/batch.h"

#include "kafka/records/limits.h"

namespace grete::kafka::records {
namespace {

constexpr std::int64_t kLargestMagic = 2;

// The least that the length field of a batch may say.
std::int32_t min_length(std::int8_t magic) {
  const std::size_t header =
      magic == 2 ? kBatchHeaderBytes
                 : kLogOverheadBytes + (magic == 1 ? kMessageOverheadV1 : kMessageOverheadV0);
  return static_cast<std::int32_t>(header - kLogOverheadBytes);
}

Result<BatchHeader, Error> parse_message_header(const std::byte* at, BatchHeader header) {
  header.crc = load_big<std::uint32_t>(at + 12);
  header.attributes = std::to_integer<std::uint8_t>(at[17]);
  if (header.magic == 1) {
    header.max_timestamp = load_big<std::int64_t>(at + 18);
    header.base_timestamp = header.max_timestamp;
  } else {
    header.attributes &= kCodecMask;
  }
  if ((header.attributes & kCodecMask) > static_cast<std::int16_t>(Codec::kLz4)) {
    return fail(ErrorCode::kUnsupportedCodec, 17);
  }
  header.attributes &= kCodecMask | kLogAppendTimeBit;
  header.count = header.codec() == Codec::kNone ? 1 : 0;
  return header;
}

}  // namespace

Result<BatchHeader, Error> parse_header(Bytes batch) {
  if (batch.size() <= kMagicAt) {
    return fail(ErrorCode::kTruncated, batch.size());
  }
  const std::byte* at = batch.data();
  BatchHeader header;
  header.base_offset = load_big<std::int64_t>(at);
  header.length = load_big<std::int32_t>(at + kLengthAt);
  header.magic = load_big<std::int8_t>(at + kMagicAt);
  if (header.magic < 0 || header.magic > kLargestMagic) {
    return fail(ErrorCode::kUnsupportedMagic, kMagicAt);
  }
  if (header.length < min_length(header.magic)) {
    return fail(ErrorCode::kBadLength, kLengthAt);
  }
  const std::uint64_t size = kLogOverheadBytes + static_cast<std::uint64_t>(header.length);
  if (size != batch.size()) {
    return size > batch.size() ? fail(ErrorCode::kTruncated, batch.size())
                               : fail(ErrorCode::kBadLength, kLengthAt);
  }
  if (header.magic < 2) {
    return parse_message_header(at, header);
  }
  header.leader_epoch = load_big<std::int32_t>(at + 12);
  header.crc = load_big<std::uint32_t>(at + 17);
  header.attributes = load_big<std::int16_t>(at + 21);
  header.last_offset_delta = load_big<std::int32_t>(at + 23);
  header.base_timestamp = load_big<std::int64_t>(at + 27);
  header.max_timestamp = load_big<std::int64_t>(at + 35);
  header.producer_id = load_big<std::int64_t>(at + 43);
  header.producer_epoch = load_big<std::int16_t>(at + 51);
  header.base_sequence = load_big<std::int32_t>(at + 53);
  header.count = load_big<std::int32_t>(at + 57);
  if ((header.attributes & kCodecMask) > static_cast<std::int16_t>(Codec::kZstd)) {
    return fail(ErrorCode::kUnsupportedCodec, 21);
  }
  const bool is_plain = header.codec() == Codec::kNone;
  if (header.count < 0 || (is_plain && static_cast<std::uint64_t>(header.count) * kMinRecordBytes >
                                           batch.size() - kBatchHeaderBytes)) {
    return fail(ErrorCode::kBadRecordCount, 57);
  }
  return header;
}

void write_header(std::byte* to, const BatchHeader& header) {
  store_big(to, header.base_offset);
  store_big(to + kLengthAt, header.length);
  store_big(to + 12, header.leader_epoch);
  store_big(to + kMagicAt, header.magic);
  store_big(to + 17, header.crc);
  store_big(to + 21, header.attributes);
  store_big(to + 23, header.last_offset_delta);
  store_big(to + 27, header.base_timestamp);
  store_big(to + 35, header.max_timestamp);
  store_big(to + 43, header.producer_id);
  store_big(to + 51, header.producer_epoch);
  store_big(to + 53, header.base_sequence);
  store_big(to + 57, header.count);
}

Result<std::optional<Bytes>, Error> BatchSplitter::next() {
  const Bytes left = rest();
  if (left.size() <= kMagicAt) {
    return std::nullopt;
  }
  const auto length = load_big<std::int32_t>(left.data() + kLengthAt);
  const auto magic = load_big<std::int8_t>(left.data() + kMagicAt);
  if (magic < 0 || magic > kLargestMagic) {
    return fail(ErrorCode::kUnsupportedMagic, position_ + kMagicAt);
  }
  if (length < min_length(magic)) {
    return fail(ErrorCode::kBadLength, position_ + kLengthAt);
  }
  const std::uint64_t size = kLogOverheadBytes + static_cast<std::uint64_t>(length);
  if (size > left.size()) {
    return std::nullopt;
  }
  position_ += static_cast<std::size_t>(size);
  return left.first(static_cast<std::size_t>(size));
}

}  // namespace grete::kafka::records

#include "kafka/records/message_set.h"

#include <zlib.h>

#include "kafka/records/batch.h"
#include "kafka/records/batch_reader.h"
#include "kafka/records/limits.h"

namespace grete::kafka::records {
namespace {

// Reads bytes with an i32 length at `position`, which moves past them.
Result<std::optional<Bytes>, Error> read_sized(Bytes message, std::size_t& position) {
  if (message.size() - position < 4) {
    return fail(ErrorCode::kBadField, position);
  }
  const auto size = load_big<std::int32_t>(message.data() + position);
  const std::size_t start = position + 4;
  if (size < 0) {
    position = start;
    return std::nullopt;
  }
  if (static_cast<std::size_t>(size) > message.size() - start) {
    return fail(ErrorCode::kBadField, position);
  }
  position = start + static_cast<std::size_t>(size);
  return message.subspan(start, static_cast<std::size_t>(size));
}

}  // namespace

std::uint32_t crc32(Bytes bytes, std::uint32_t previous) {
  return static_cast<std::uint32_t>(
      ::crc32_z(previous, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

Result<Message, Error> read_message(Bytes bytes) {
  if (bytes.size() < kLogOverheadBytes + kMessageOverheadV0) {
    return fail(ErrorCode::kTruncated, bytes.size());
  }
  const std::byte* at = bytes.data();
  Message message;
  message.offset = load_big<std::int64_t>(at);
  message.magic = load_big<std::int8_t>(at + kMagicAt);
  if (message.magic != 0 && message.magic != 1) {
    return fail(ErrorCode::kUnsupportedMagic, kMagicAt);
  }
  const std::size_t overhead = message.magic == 1 ? kMessageOverheadV1 : kMessageOverheadV0;
  const auto length = load_big<std::int32_t>(at + kLengthAt);
  if (length < static_cast<std::int32_t>(overhead)) {
    return fail(ErrorCode::kBadLength, kLengthAt);
  }
  if (static_cast<std::size_t>(length) > bytes.size() - kLogOverheadBytes) {
    return fail(ErrorCode::kTruncated, bytes.size());
  }
  message.encoded = bytes.first(kLogOverheadBytes + static_cast<std::size_t>(length));
  message.attributes = load_big<std::int8_t>(at + kMessageAttributesAt);
  std::size_t position = kMessageTimestampAt;
  if (message.magic == 1) {
    message.timestamp = load_big<std::int64_t>(at + kMessageTimestampAt);
    position += 8;
  }
  GRETE_TRY_ASSIGN(message.key, read_sized(message.encoded, position));
  GRETE_TRY_ASSIGN(message.value, read_sized(message.encoded, position));
  if (position != message.encoded.size()) {
    return fail(ErrorCode::kBadRecordLength, position);
  }
  return message;
}

Result<void, Error> RecordIterator::read_message() {
  auto read = records::read_message({at_, end_});
  if (!read) {
    return fail(read.error().code,
                static_cast<std::uint64_t>(at_ - begin_) + read.error().position);
  }
  if (read->magic != magic_) {
    return fail_at(ErrorCode::kMagicMismatch, at_ + kMagicAt);
  }
  record_.offset = wrapping_add(offset_base_, read->offset);
  record_.timestamp = log_append_time_ ? timestamp_base_ : read->timestamp;
  record_.key = read->key;
  record_.value = read->value;
  record_.encoded = read->encoded;
  at_ += read->encoded.size();
  return {};
}

// Finds the number of messages in a wrapper, and what their relative offsets are relative to.
Result<Progress, Error> BatchReader::number_messages() {
  for (std::size_t i = 0; i < kRecordsPerStep && numbered_ != records_.size(); ++i) {
    auto message = read_message(records_.subspan(numbered_));
    if (!message) {
      return fail(message.error().code, numbered_ + message.error().position);
    }
    if (message->magic != header_.magic) {
      return fail(ErrorCode::kMagicMismatch, numbered_ + kMagicAt);
    }
    if ((message->attributes & kCodecMask) != 0) {
      return fail(ErrorCode::kNestedCompression, numbered_ + kMessageAttributesAt);
    }
    last_offset_ = message->offset;
    ++header_.count;
    numbered_ += message->encoded.size();
  }
  if (numbered_ != records_.size()) {
    return Progress::kMore;
  }
  if (header_.count == 0) {
    return fail(ErrorCode::kBadRecordCount);
  }
  if (header_.magic == 1) {
    offset_base_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(header_.base_offset) -
                                             static_cast<std::uint64_t>(last_offset_));
  }
  state_ = State::kDone;
  return Progress::kDone;
}

}  // namespace grete::kafka::records

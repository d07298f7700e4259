#include "kafka/records/record.h"

#include "kafka/records/batch_reader.h"

namespace grete::kafka::records {
namespace {

ErrorCode as_error(VarintStatus status) {
  return status == VarintStatus::kTooLong ? ErrorCode::kBadVarint : ErrorCode::kTruncated;
}

// Reads bytes with a varint length before them; a negative length is null. Sets `value` and moves
// `at`; false if they pass `end`.
VarintStatus read_nullable(const std::byte*& at, const std::byte* end,
                           std::optional<Bytes>& value) {
  std::int32_t size = 0;
  if (const VarintStatus status = read_varint(at, end, size); status != VarintStatus::kOk) {
    return status;
  }
  if (size < 0) {
    value.reset();
    return VarintStatus::kOk;
  }
  if (size > end - at) {
    return VarintStatus::kTruncated;
  }
  value = Bytes{at, static_cast<std::size_t>(size)};
  at += size;
  return VarintStatus::kOk;
}

}  // namespace

// The range holds whole headers, so reading cannot fail.
void Headers::Iterator::read() {
  if (left_ == 0) {
    return;
  }
  std::optional<Bytes> key;
  read_nullable(at_, end_, key);
  header_.key = as_text(key.value_or(Bytes{}));
  read_nullable(at_, end_, header_.value);
}

RecordIterator::RecordIterator(const BatchHeader& header, Bytes encoded, std::int64_t offset_base)
    : begin_(encoded.data()),
      at_(encoded.data()),
      end_(encoded.data() + encoded.size()),
      offset_base_(header.magic == 2 ? header.base_offset : offset_base),
      timestamp_base_(header.is_log_append_time() ? header.max_timestamp : header.base_timestamp),
      left_(header.count),
      magic_(header.magic),
      log_append_time_(header.is_log_append_time()) {
  record_.index = -1;
}

std::unexpected<Error> RecordIterator::fail_at(ErrorCode code, const std::byte* at) const {
  return fail(code, static_cast<std::uint64_t>(at - begin_));
}

Result<const Record*, Error> RecordIterator::next() {
  if (left_ == 0) {
    if (at_ != end_) {
      return fail_at(ErrorCode::kTrailingBytes, at_);
    }
    return nullptr;
  }
  if (auto read = magic_ == 2 ? read_record() : read_message(); !read) {
    return std::unexpected(read.error());
  }
  --left_;
  ++record_.index;
  return &record_;
}

Result<void, Error> RecordIterator::read_record() {
  const std::byte* at = at_;
  std::int32_t size = 0;
  if (const auto status = read_varint(at, end_, size); status != VarintStatus::kOk) {
    return fail_at(as_error(status), at);
  }
  if (size < 0) {
    return fail_at(ErrorCode::kBadRecordLength, at_);
  }
  if (size > end_ - at) {
    return fail_at(ErrorCode::kTruncated, at_);
  }
  const std::byte* end = at + size;
  if (size == 0) {
    return fail_at(ErrorCode::kBadRecordLength, at_);
  }
  record_.attributes = std::to_integer<std::int8_t>(*at++);
  std::int32_t offset_delta = 0;
  VarintStatus status = read_varlong(at, end, record_.timestamp_delta);
  if (status == VarintStatus::kOk) {
    status = read_varint(at, end, offset_delta);
  }
  if (status == VarintStatus::kOk) {
    status = read_nullable(at, end, record_.key);
  }
  if (status == VarintStatus::kOk) {
    status = read_nullable(at, end, record_.value);
  }
  if (status != VarintStatus::kOk) {
    return fail_at(
        status == VarintStatus::kTooLong ? ErrorCode::kBadVarint : ErrorCode::kBadRecordLength, at);
  }
  GRETE_TRY(read_headers(at, end));
  record_.offset_delta = offset_delta;
  record_.offset = wrapping_add(offset_base_, offset_delta);
  record_.timestamp =
      log_append_time_ ? timestamp_base_ : wrapping_add(timestamp_base_, record_.timestamp_delta);
  record_.encoded = {at_, end};
  at_ = end;
  return {};
}

Result<void, Error> RecordIterator::read_headers(const std::byte* at, const std::byte* end) {
  std::int32_t count = 0;
  if (const auto status = read_varint(at, end, count); status != VarintStatus::kOk) {
    return fail_at(
        status == VarintStatus::kTooLong ? ErrorCode::kBadVarint : ErrorCode::kBadRecordLength, at);
  }
  if (count < 0 || count > (end - at) / 2) {
    return fail_at(ErrorCode::kBadField, at);
  }
  const std::byte* first = at;
  for (std::int32_t i = 0; i < count; ++i) {
    std::optional<Bytes> key;
    std::optional<Bytes> value;
    const std::byte* before = at;
    VarintStatus status = read_nullable(at, end, key);
    if (status == VarintStatus::kOk && !key) {
      return fail_at(ErrorCode::kBadField, before);
    }
    if (status == VarintStatus::kOk) {
      status = read_nullable(at, end, value);
    }
    if (status != VarintStatus::kOk) {
      return fail_at(
          status == VarintStatus::kTooLong ? ErrorCode::kBadVarint : ErrorCode::kBadRecordLength,
          at);
    }
  }
  if (at != end) {
    return fail_at(ErrorCode::kBadRecordLength, at);
  }
  record_.headers = Headers({first, end}, static_cast<std::uint32_t>(count));
  return {};
}

}  // namespace grete::kafka::records

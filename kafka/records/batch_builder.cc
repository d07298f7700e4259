#include "kafka/records/batch_builder.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <limits>

#include "kafka/records/crc32c.h"
#include "kafka/records/limits.h"
#include "kafka/records/message_set.h"
#include "kafka/records/varint.h"

namespace grete::kafka::records {
namespace {

constexpr std::uint64_t kMaxLength = std::numeric_limits<std::int32_t>::max();

// A key or value as it is to be written: null, or pieces one after the other.
struct Field {
  bool is_null = true;
  Bytes first;
  std::span<const Bytes> more;

  Field(const std::optional<Bytes>& old, const FieldEdit& edit)
      : is_null(edit.kind == FieldEdit::Kind::kKeep ? !old.has_value()
                                                    : edit.kind == FieldEdit::Kind::kNull),
        first(edit.kind == FieldEdit::Kind::kKeep ? old.value_or(Bytes{}) : edit.bytes),
        more(edit.kind == FieldEdit::Kind::kSet ? edit.more : std::span<const Bytes>{}) {}

  [[nodiscard]] std::uint64_t size() const {
    if (is_null) {
      return 0;
    }
    std::uint64_t total = first.size();
    for (const Bytes piece : more) {
      total += piece.size();
    }
    return total;
  }

  // As the wire has it: -1 is null.
  [[nodiscard]] std::int64_t wire_size() const {
    return is_null ? -1 : static_cast<std::int64_t>(size());
  }
};

std::byte* write_bytes(std::byte* to, Bytes bytes) {
  if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return to + bytes.size();
}

std::byte* write_field(std::byte* to, const Field& field) {
  if (field.is_null) {
    return to;
  }
  to = write_bytes(to, field.first);
  for (const Bytes piece : field.more) {
    to = write_bytes(to, piece);
  }
  return to;
}

std::uint64_t header_bytes(const HeaderView& header) {
  const std::size_t value = header.value ? header.value->size() : 0;
  return varlong_size(static_cast<std::int64_t>(header.key.size())) + header.key.size() +
         varlong_size(header.value ? static_cast<std::int64_t>(value) : -1) + value;
}

std::byte* write_header_view(std::byte* to, const HeaderView& header) {
  to = write_varlong(to, static_cast<std::int64_t>(header.key.size()));
  to = write_bytes(to, as_bytes(header.key));
  to = write_varlong(to, header.value ? static_cast<std::int64_t>(header.value->size()) : -1);
  return write_bytes(to, header.value.value_or(Bytes{}));
}

// What a compressed message has before its value.
std::size_t wrapper_overhead(std::int8_t magic) {
  return kLogOverheadBytes + (magic == 1 ? kMessageOverheadV1 : kMessageOverheadV0);
}

// Fills in the CRC of a message of `size` bytes.
void seal_message(std::byte* message, std::size_t size) {
  store_big(message + kMessageCrcAt, crc32({message + kMagicAt, size - kMagicAt}));
}

}  // namespace

ByteBuffer& BatchBuilder::records_out() {
  return header_.codec() == Codec::kNone ? built_ : plain_;
}

void BatchBuilder::begin(State state) {
  plain_.clear();
  moved_.clear();
  built_.clear();
  state_ = state;
  changed_ = state == State::kCreating;
  timestamps_changed_ = false;
  source_ = {};
  copied_ = nullptr;
  first_offset_ = 0;
  dropped_ = 0;
}

void BatchBuilder::edit(const BatchReader& original, Dropping dropping,
                        std::optional<Codec> codec) {
  begin(State::kEditing);
  dropping_ = dropping;
  header_ = original.header();
  if (codec && header_.magic == 2) {
    changed_ = *codec != header_.codec();
    header_.attributes = static_cast<std::int16_t>((header_.attributes & ~kCodecMask) |
                                                   static_cast<std::int16_t>(*codec));
  }
  source_ = original.encoded_records();
  copied_ = source_.data();
  if (header_.magic < 2) {
    first_offset_ = load_big<std::int64_t>(source_.data());
  }
}

void BatchBuilder::create(const BatchHeader& header) {
  begin(State::kCreating);
  header_ = header;
  header_.count = 0;
  if (!header_.is_log_append_time()) {
    header_.max_timestamp = -1;
  }
}

// Keeps the place of the header in front of records that are not compressed.
Result<void, Error> BatchBuilder::open() {
  return built_.size() == 0 ? open(built_) : Result<void, Error>{};
}

Result<void, Error> BatchBuilder::open(ByteBuffer& records) {
  if (const std::size_t size = header_room(); size != 0) {
    if (!records.reserve(size + source_.size())) {
      return fail(ErrorCode::kOutOfMemory);
    }
    records.commit(size);
  }
  return {};
}

std::size_t BatchBuilder::header_room() const {
  return header_.magic == 2 && header_.codec() == Codec::kNone ? kBatchHeaderBytes : 0;
}

Result<void, Error> BatchBuilder::copy_up_to(const std::byte* end) {
  GRETE_TRY(open());
  if (!records_out().append({copied_, end})) {
    return fail(ErrorCode::kOutOfMemory);
  }
  copied_ = end;
  return {};
}

// Copies what lies before `record`, and moves past it.
Result<void, Error> BatchBuilder::take(const Record& record) {
  assert(state_ == State::kEditing && "edit() first");
  const std::byte* start = record.encoded.data();
  const std::byte* source_end = source_.data() + source_.size();
  if (std::less<>{}(start, copied_) || std::less<>{}(source_end, start + record.encoded.size())) {
    return fail(ErrorCode::kEditOutOfOrder);
  }
  GRETE_TRY(copy_up_to(start));
  copied_ = start + record.encoded.size();
  changed_ = true;
  return {};
}

Result<void, Error> BatchBuilder::replace(const Record& record, const RecordEdit& edit) {
  if ((edit.headers && header_.magic < 2) || (edit.timestamp && header_.magic < 1)) {
    return fail(ErrorCode::kNotInThisMagic);
  }
  if (edit.timestamp && header_.is_log_append_time()) {
    return fail(ErrorCode::kTimestampFixed);
  }
  GRETE_TRY(take(record));
  timestamps_changed_ |= edit.timestamp.has_value();
  return header_.magic == 2 ? encode(records_out(), record, edit) : encode_message(record, edit);
}

Result<void, Error> BatchBuilder::drop(const Record& record) {
  if (header_.magic < 2 && dropping_ == Dropping::kLeaveHole) {
    return fail(ErrorCode::kMayNotDrop);
  }
  GRETE_TRY(take(record));
  ++dropped_;
  timestamps_changed_ |= !header_.is_log_append_time();
  return {};
}

Result<void, Error> BatchBuilder::append(const NewRecord& added) {
  assert(state_ == State::kCreating && "create() first");
  if (header_.magic < 2 && !added.headers.empty()) {
    return fail(ErrorCode::kNotInThisMagic);
  }
  if (header_.count == std::numeric_limits<std::int32_t>::max()) {
    return fail(ErrorCode::kBatchTooBig);
  }
  GRETE_TRY(open());
  if (header_.base_timestamp == -1 && header_.count == 0) {
    header_.base_timestamp = added.timestamp;
  }
  if (!header_.is_log_append_time()) {
    header_.max_timestamp = std::max(header_.max_timestamp, added.timestamp);
  }
  Record record;
  record.offset_delta = header_.count;
  record.offset = header_.count +
                  (header_.magic == 1 && header_.codec() != Codec::kNone ? 0 : header_.base_offset);
  record.key = added.key;
  record.value = added.value;
  const RecordEdit edit{
      .key = {}, .value = {}, .headers = added.headers, .timestamp = added.timestamp};
  header_.last_offset_delta = header_.count++;
  return header_.magic == 2 ? encode(records_out(), record, edit) : encode_message(record, edit);
}

Result<void, Error> BatchBuilder::encode(ByteBuffer& out, const Record& record,
                                         const RecordEdit& edit) {
  const Field key(record.key, edit.key);
  const Field value(record.value, edit.value);
  std::int64_t timestamp_delta = record.timestamp_delta;
  if (edit.timestamp &&
      __builtin_sub_overflow(*edit.timestamp, header_.base_timestamp, &timestamp_delta)) {
    return fail(ErrorCode::kBadField);
  }
  std::uint64_t header_size = record.headers.encoded().size();
  std::uint64_t header_count = record.headers.size();
  if (edit.headers) {
    header_size = 0;
    header_count = edit.headers->size();
    for (const HeaderView& header : *edit.headers) {
      header_size += header_bytes(header);
    }
  }
  const std::uint64_t body = 1 + varlong_size(timestamp_delta) + varlong_size(record.offset_delta) +
                             varlong_size(key.wire_size()) + key.size() +
                             varlong_size(value.wire_size()) + value.size() +
                             varlong_size(static_cast<std::int64_t>(header_count)) + header_size;
  if (body > kMaxLength) {
    return fail(ErrorCode::kBatchTooBig);
  }
  if (!out.reserve(kMaxVarintBytes + static_cast<std::size_t>(body))) {
    return fail(ErrorCode::kOutOfMemory);
  }
  std::byte* const start = out.room().data();
  std::byte* to = write_varlong(start, static_cast<std::int64_t>(body));
  *to++ = static_cast<std::byte>(record.attributes);
  to = write_varlong(to, timestamp_delta);
  to = write_varlong(to, record.offset_delta);
  to = write_field(write_varlong(to, key.wire_size()), key);
  to = write_field(write_varlong(to, value.wire_size()), value);
  to = write_varlong(to, static_cast<std::int64_t>(header_count));
  if (edit.headers) {
    for (const HeaderView& header : *edit.headers) {
      to = write_header_view(to, header);
    }
  } else {
    to = write_bytes(to, record.headers.encoded());
  }
  out.commit(static_cast<std::size_t>(to - start));
  return {};
}

Result<void, Error> BatchBuilder::encode_message(const Record& record, const RecordEdit& edit) {
  const Field key(record.key, edit.key);
  const Field value(record.value, edit.value);
  const std::uint64_t size = wrapper_overhead(header_.magic) + key.size() + value.size();
  if (size > kMaxLength) {
    return fail(ErrorCode::kBatchTooBig);
  }
  ByteBuffer& out = records_out();
  if (!out.reserve(static_cast<std::size_t>(size))) {
    return fail(ErrorCode::kOutOfMemory);
  }
  // A record of an original has bytes, whose offset may be relative; a new one has none.
  const bool is_new = record.encoded.empty();
  const std::byte* original = record.encoded.data();
  const std::int64_t offset = is_new ? record.offset : load_big<std::int64_t>(original);
  std::byte* const start = out.room().data();
  store_big(start, offset);
  store_big(start + kLengthAt, static_cast<std::int32_t>(size - kLogOverheadBytes));
  store_big(start + kMagicAt, header_.magic);
  start[kMessageAttributesAt] = is_new ? std::byte{0} : original[kMessageAttributesAt];
  std::byte* to = start + kMessageTimestampAt;
  if (header_.magic == 1) {
    store_big(to, edit.timestamp ? *edit.timestamp
                                 : load_big<std::int64_t>(original + kMessageTimestampAt));
    to += 8;
  }
  store_big(to, static_cast<std::int32_t>(key.wire_size()));
  to = write_field(to + 4, key);
  store_big(to, static_cast<std::int32_t>(value.wire_size()));
  write_field(to + 4, value);
  seal_message(start, static_cast<std::size_t>(size));
  out.commit(static_cast<std::size_t>(size));
  return {};
}

// Copies some of the rest of the original.
Result<Progress, Error> BatchBuilder::copy_rest() {
  const auto left = static_cast<std::size_t>(source_.data() + source_.size() - copied_);
  GRETE_TRY(copy_up_to(copied_ + std::min(left, kCopyStepBytes)));
  return left > kCopyStepBytes ? Progress::kMore : Progress::kDone;
}

// Settles count and offsets once all records are there; says whether they must be walked.
Result<Progress, Error> BatchBuilder::close_records() {
  GRETE_TRY(open());
  const bool is_wrapper = header_.magic < 2 && header_.codec() != Codec::kNone;
  if (state_ == State::kCreating) {
    // A wrapper has the offset of its last message.
    header_.base_offset += is_wrapper ? header_.last_offset_delta : 0;
    return Progress::kDone;
  }
  header_.count -= dropped_;
  const bool is_closing_up = dropping_ == Dropping::kCloseUp && dropped_ != 0;
  if (is_closing_up) {
    header_.last_offset_delta = header_.count - 1;
    header_.base_offset =
        wrapping_add(header_.base_offset, is_wrapper ? -std::int64_t{dropped_} : 0);
  }
  if (header_.count == 0) {
    if (header_.magic == 2) {
      GRETE_TRY(make_empty());
    }
    return Progress::kDone;
  }
  if (!timestamps_changed_ && !is_closing_up) {
    return Progress::kDone;
  }
  if (is_closing_up) {
    GRETE_TRY(open(moved_));
  }
  walk_ = RecordIterator(header_, records_out().bytes().subspan(header_room()));
  walked_max_timestamp_ = std::numeric_limits<std::int64_t>::min();
  return Progress::kMore;
}

// Walks some of the records, for the largest timestamp, and to number them anew.
Result<Progress, Error> BatchBuilder::walk_records() {
  const bool is_closing_up = dropping_ == Dropping::kCloseUp && dropped_ != 0;
  for (std::size_t i = 0; i < kRecordsPerStep; ++i) {
    GRETE_TRY_ASSIGN(const Record* record, walk_.next());
    if (record == nullptr) {
      if (timestamps_changed_) {
        header_.max_timestamp = walked_max_timestamp_;
      }
      if (is_closing_up) {
        moved_.swap(records_out());
      }
      return Progress::kDone;
    }
    walked_max_timestamp_ = std::max(walked_max_timestamp_, record->timestamp);
    if (is_closing_up) {
      GRETE_TRY(move_record(*record));
    }
  }
  return Progress::kMore;
}

// Copies a record with the offset that it has among those that stay.
Result<void, Error> BatchBuilder::move_record(Record record) {
  if (header_.magic == 2) {
    record.offset_delta = record.index;
    return encode(moved_, record, RecordEdit{});
  }
  const std::size_t start = moved_.size();
  if (!moved_.append(record.encoded)) {
    return fail(ErrorCode::kOutOfMemory);
  }
  // The CRC of a message does not cover its offset.
  store_big(moved_.data() + start, wrapping_add(first_offset_, record.index));
  return {};
}

// As DefaultRecordBatch.writeEmptyHeader: no codec, no horizon, no base timestamp.
Result<void, Error> BatchBuilder::make_empty() {
  header_.attributes &= static_cast<std::int16_t>(~(kCodecMask | kDeleteHorizonBit));
  header_.base_timestamp = -1;
  built_.clear();
  return open();
}

Result<Progress, Error> BatchBuilder::step() {
  auto progress = advance();
  if (!progress) {
    state_ = State::kIdle;
    built_.clear();
  }
  return progress;
}

Result<Progress, Error> BatchBuilder::advance() {
  switch (state_) {
    case State::kEditing: {
      GRETE_TRY_ASSIGN(const Progress progress, copy_rest());
      return progress == Progress::kMore ? progress : close_and_go_on();
    }
    case State::kCreating:
      return close_and_go_on();
    case State::kWalking: {
      GRETE_TRY_ASSIGN(const Progress progress, walk_records());
      return progress == Progress::kMore ? progress : start_payload();
    }
    case State::kCompressing: {
      GRETE_TRY_ASSIGN(const Progress progress, compressor_.step(built_));
      return progress == Progress::kMore ? progress : seal();
    }
    case State::kIdle:
    case State::kDone:
      break;
  }
  return Progress::kDone;
}

Result<Progress, Error> BatchBuilder::close_and_go_on() {
  GRETE_TRY_ASSIGN(const Progress progress, close_records());
  if (progress == Progress::kDone) {
    return start_payload();
  }
  state_ = State::kWalking;
  return advance();
}

Result<Progress, Error> BatchBuilder::start_payload() {
  if (header_.codec() == Codec::kNone || header_.count == 0) {
    return seal();
  }
  const std::size_t overhead =
      header_.magic == 2 ? kBatchHeaderBytes : wrapper_overhead(header_.magic);
  if (!built_.reserve(overhead)) {
    return fail(ErrorCode::kOutOfMemory);
  }
  built_.commit(overhead);
  compressor_.start(header_.codec(), plain_.bytes(),
                    header_.magic == 0 ? Lz4Header::kMagic0 : Lz4Header::kStandard);
  state_ = State::kCompressing;
  return advance();
}

// Writes what comes before the records.
Result<Progress, Error> BatchBuilder::seal() {
  if (built_.size() > kMaxLength) {
    return fail(ErrorCode::kBatchTooBig);
  }
  std::byte* const batch = built_.data();
  const std::size_t size = built_.size();
  if (header_.magic == 2) {
    header_.length = static_cast<std::int32_t>(size - kLogOverheadBytes);
    header_.crc = 0;
    write_header(batch, header_);
    header_.crc = crc32c({batch + kCheckedFrom, size - kCheckedFrom});
    store_big(batch + kCrcAt, header_.crc);
  } else if (header_.codec() != Codec::kNone && header_.count != 0) {
    seal_wrapper(batch, size);
  }
  state_ = State::kDone;
  return Progress::kDone;
}

void BatchBuilder::seal_wrapper(std::byte* batch, std::size_t size) {
  store_big(batch, header_.base_offset);
  store_big(batch + kLengthAt, static_cast<std::int32_t>(size - kLogOverheadBytes));
  store_big(batch + kMagicAt, header_.magic);
  batch[kMessageAttributesAt] = static_cast<std::byte>(header_.attributes);
  std::byte* to = batch + kMessageTimestampAt;
  if (header_.magic == 1) {
    store_big(to, header_.max_timestamp);
    to += 8;
  }
  store_big(to, std::int32_t{-1});
  store_big(to + 4, static_cast<std::int32_t>(size - wrapper_overhead(header_.magic)));
  seal_message(batch, size);
}

void BatchBuilder::finish() {
  state_ = State::kIdle;
  plain_.clear_and_trim(kMaxIdleBufferBytes);
  moved_.clear_and_trim(kMaxIdleBufferBytes);
  built_.clear_and_trim(kMaxIdleBufferBytes);
}

}  // namespace grete::kafka::records

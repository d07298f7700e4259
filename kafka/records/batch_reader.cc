#include "kafka/records/batch_reader.h"

#include <algorithm>

#include "kafka/records/crc32c.h"
#include "kafka/records/message_set.h"

namespace grete::kafka::records {
namespace {

// Where the bytes under the CRC begin.
std::size_t checked_from(std::int8_t magic) {
  return magic == 2 ? kCheckedFrom : kMagicAt;
}

}  // namespace

Result<void, Error> BatchReader::start(Bytes batch, CrcCheck crc) {
  state_ = State::kIdle;
  plain_.clear();
  offset_base_ = 0;
  GRETE_TRY_ASSIGN(header_, parse_header(batch));
  batch_ = batch;
  if (header_.magic == 2) {
    records_ = batch.subspan(kBatchHeaderBytes);
  } else if (header_.codec() == Codec::kNone) {
    records_ = batch;
  } else {
    GRETE_TRY_ASSIGN(const Message wrapper, read_message(batch));
    if (!wrapper.value) {
      return fail(ErrorCode::kBadField, kMessageTimestampAt);
    }
    records_ = *wrapper.value;
  }
  crc_ = 0;
  crc_at_ = crc == CrcCheck::kVerify ? checked_from(header_.magic) : batch.size();
  if (header_.codec() != Codec::kNone) {
    decompressor_.start(header_.codec(), records_, max_decompressed_,
                        header_.magic == 0 ? Lz4Header::kMagic0 : Lz4Header::kStandard);
  }
  state_ = State::kCrc;
  return {};
}

Result<Progress, Error> BatchReader::step() {
  Result<Progress, Error> progress = Progress::kDone;
  if (state_ == State::kCrc) {
    progress = step_crc();
  } else if (state_ == State::kDecompress) {
    progress = step_decompress();
  } else if (state_ == State::kNumber) {
    progress = number_messages();
  }
  if (!progress) {
    state_ = State::kIdle;
  }
  return progress;
}

Result<Progress, Error> BatchReader::step_crc() {
  if (crc_at_ != batch_.size()) {
    const Bytes part = batch_.subspan(crc_at_, std::min(kCrcStepBytes, batch_.size() - crc_at_));
    crc_ = header_.magic == 2 ? crc32c(part, crc_) : crc32(part, crc_);
    crc_at_ += part.size();
    if (crc_at_ != batch_.size()) {
      return Progress::kMore;
    }
    if (crc_ != header_.crc) {
      return fail(ErrorCode::kCrcMismatch, header_.magic == 2 ? kCrcAt : kMessageCrcAt);
    }
  }
  if (header_.codec() == Codec::kNone) {
    state_ = State::kDone;
    return Progress::kDone;
  }
  state_ = State::kDecompress;
  return step_decompress();
}

Result<Progress, Error> BatchReader::step_decompress() {
  GRETE_TRY_ASSIGN(const Progress progress, decompressor_.step(plain_));
  if (progress == Progress::kMore) {
    return Progress::kMore;
  }
  records_ = plain_.bytes();
  if (header_.magic < 2) {
    header_.count = 0;
    numbered_ = 0;
    state_ = State::kNumber;
    return number_messages();
  }
  if (static_cast<std::uint64_t>(header_.count) * kMinRecordBytes > records_.size()) {
    return fail(ErrorCode::kBadRecordCount, 57);
  }
  state_ = State::kDone;
  return Progress::kDone;
}

Result<void, Error> BatchReader::validate() const {
  RecordIterator iterator = records();
  while (true) {
    GRETE_TRY_ASSIGN(const Record* record, iterator.next());
    if (record == nullptr) {
      return {};
    }
  }
}

void BatchReader::finish() {
  state_ = State::kIdle;
  batch_ = {};
  records_ = {};
  plain_.clear_and_trim(kMaxIdleBufferBytes);
}

}  // namespace grete::kafka::records

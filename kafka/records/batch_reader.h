// Reads the records of a batch, of any magic and codec.
//
//   BatchReader reader(pool, budget);
//   GRETE_TRY(reader.start(batch));
//   while (true) {
//     GRETE_TRY_ASSIGN(const Progress progress, reader.step());
//     if (progress == Progress::kDone) break;   // else: let others work, then step again
//   }
//   RecordIterator records = reader.records();
//   while (true) {
//     GRETE_TRY_ASSIGN(const Record* record, records.next());
//     if (record == nullptr) break;
//     ...
//   }
//
// Records of a plain batch are views of the batch itself; those of a compressed one are views of
// the reader's buffer, into which the batch is decompressed once.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "kafka/records/batch.h"
#include "kafka/records/byte_buffer.h"
#include "kafka/records/compression.h"
#include "kafka/records/error.h"
#include "kafka/records/limits.h"
#include "kafka/records/record.h"

namespace grete::kafka::records {

// Walks encoded records. Cheap to copy and to restart; borrows. Every length is checked before it
// is used, so hostile bytes give an error and nothing else.
class RecordIterator {
 public:
  // `encoded` is the plain records section of a batch with this header (magic 2), or the messages
  // themselves (magic 0 and 1); `offset_base` is added to the offsets of messages.
  RecordIterator(const BatchHeader& header, Bytes encoded, std::int64_t offset_base = 0);

  // The next record, valid until the next call; null after the last. The error repeats.
  [[nodiscard]] Result<const Record*, Error> next();

 private:
  [[nodiscard]] Result<void, Error> read_record();
  [[nodiscard]] Result<void, Error> read_headers(const std::byte* at, const std::byte* end);
  [[nodiscard]] Result<void, Error> read_message();
  [[nodiscard]] std::unexpected<Error> fail_at(ErrorCode code, const std::byte* at) const;

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  std::int64_t offset_base_;
  std::int64_t timestamp_base_;
  std::int32_t left_;
  std::int8_t magic_;
  bool log_append_time_;
  Record record_;
};

// Whether the reader checks the CRC, which brokers and consumers do as well.
enum class CrcCheck : std::uint8_t { kVerify, kSkip };

// A reusable reader: one batch at a time, one thread. Keeps its buffer between batches.
class BatchReader {
 public:
  // `pool` and `budget` outlive the reader. The decompressed records are charged to `budget`.
  BatchReader(CodecPool& pool, MemoryBudget& budget,
              std::uint64_t max_decompressed = kDefaultMaxDecompressed)
      : decompressor_(pool), plain_(budget), max_decompressed_(max_decompressed) {}

  // Takes on `batch`, exactly one batch (see BatchSplitter), which stays valid as long as its
  // records are in use. Reads the header only. Records of an earlier batch dangle from here on.
  [[nodiscard]] Result<void, Error> start(Bytes batch, CrcCheck crc = CrcCheck::kVerify);

  // Works for well under a millisecond, mostly: checks a part of the CRC, or decompresses about
  // kStepBytes. The records can be read when it says kDone.
  [[nodiscard]] Result<Progress, Error> step();

  // After start(). For a compressed message set, `count` is right after kDone.
  [[nodiscard]] const BatchHeader& header() const { return header_; }

  // After start(): the batch itself, as it was given.
  [[nodiscard]] Bytes batch() const { return batch_; }

  // After kDone: the records, or messages, decompressed and still encoded.
  [[nodiscard]] Bytes encoded_records() const { return records_; }

  // After kDone: what the offsets of messages in a compressed message set are relative to; else 0.
  [[nodiscard]] std::int64_t offset_base() const { return offset_base_; }

  // After kDone: an iterator at the first record.
  [[nodiscard]] RecordIterator records() const { return {header_, records_, offset_base_}; }

  // After kDone: checks that every record can be read, and that nothing follows the last one. For
  // callers that must know before they act on the first record.
  [[nodiscard]] Result<void, Error> validate() const;

  // Lets go of the batch, and of the buffer if it is large.
  void finish();

 private:
  enum class State : std::uint8_t { kIdle, kCrc, kDecompress, kNumber, kDone };

  [[nodiscard]] Result<Progress, Error> step_crc();
  [[nodiscard]] Result<Progress, Error> step_decompress();
  [[nodiscard]] Result<Progress, Error> number_messages();

  Decompressor decompressor_;
  ByteBuffer plain_;
  std::uint64_t max_decompressed_;
  State state_ = State::kIdle;
  BatchHeader header_;
  Bytes batch_;
  Bytes records_;
  std::int64_t offset_base_ = 0;
  std::int64_t last_offset_ = 0;
  std::size_t numbered_ = 0;
  std::size_t crc_at_ = 0;
  std::uint32_t crc_ = 0;
};

}  // namespace grete::kafka::records

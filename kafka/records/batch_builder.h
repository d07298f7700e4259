// Makes a batch out of an edited one, or a new one.
//
// An edit walks the original's records in order and names only those that change; the stretches
// between them are copied as they are, so changing one record of a thousand costs a few copies:
//
//   BatchBuilder builder(pool, budget);
//   builder.edit(reader);
//   ... builder.replace(*record, {.value = FieldEdit::set(masked)});
//   if (builder.changed()) {
//     while (*builder.step() == Progress::kMore) {}   // errors and yielding left out
//     forward(builder.batch());
//   }
//
// What stays: base offset, leader epoch, producer id, epoch and sequence, attributes with their
// codec, and every delta. What is made anew: length, CRC, and, after a change of timestamps or a
// drop, the maximal timestamp. The builder makes batches that are well formed; which changes are
// legal for a given request (idempotence, transactions) is the caller's business.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "kafka/records/batch_reader.h"
#include "kafka/records/byte_buffer.h"
#include "kafka/records/compression.h"
#include "kafka/records/error.h"
#include "kafka/records/record.h"

namespace grete::kafka::records {

// What becomes of a key or value. Borrows; used only during the call it is passed to.
struct FieldEdit {
  enum class Kind : std::uint8_t { kKeep, kNull, kSet };

  Kind kind = Kind::kKeep;
  // kSet: the new contents are `bytes`, followed by each of `more`, so that a splice of the old
  // contents needs no copy of its own.
  Bytes bytes;
  std::span<const Bytes> more;

  static FieldEdit null() { return {.kind = Kind::kNull, .bytes = {}, .more = {}}; }
  static FieldEdit set(Bytes bytes) { return {.kind = Kind::kSet, .bytes = bytes, .more = {}}; }
  static FieldEdit set(std::span<const Bytes> pieces) {
    return {.kind = Kind::kSet, .bytes = {}, .more = pieces};
  }
};

// What becomes of a record. What is not named stays.
struct RecordEdit {
  FieldEdit key;
  FieldEdit value;
  // All headers of the record; an empty span removes them. Magic 2 only.
  std::optional<std::span<const HeaderView>> headers;
  // Milliseconds since 1970. Not in magic 0, nor where the batch has LogAppendTime.
  std::optional<std::int64_t> timestamp;
};

// A record for a new batch.
struct NewRecord {
  std::int64_t timestamp = -1;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::span<const HeaderView> headers;
};

// What a dropped record leaves behind.
enum class Dropping : std::uint8_t {
  // Fetch: a hole. Offsets and LastOffsetDelta stay; a batch without records is emitted empty, as
  // Kafka's compaction does, or consumers would ask for it for ever. Message sets cannot tell that
  // a message is missing, so dropping from them is refused (kMayNotDrop).
  kLeaveHole,
  // Produce: nothing. Later records move up, so that count == LastOffsetDelta + 1, which brokers
  // demand. A batch without records is not acceptable to brokers: do not send it.
  kCloseUp,
};

// Reusable: one batch at a time, one thread. Allocates nothing a record, and nothing a batch once
// its buffers have grown. After an error, start again with edit() or create().
class BatchBuilder {
 public:
  // `pool` and `budget` outlive the builder. The batch that is built, and its plain records if it
  // is compressed, are charged to `budget`.
  BatchBuilder(CodecPool& pool, MemoryBudget& budget)
      : compressor_(pool), plain_(budget), moved_(budget), built_(budget) {}

  // Begins a changed copy of the batch that `original` has read (it said kDone). The reader and
  // its batch stay as they are until step() says kDone.
  // The new batch has the original's codec, or `codec` where that is given and the magic is 2.
  void edit(const BatchReader& original, Dropping dropping = Dropping::kLeaveHole,
            std::optional<Codec> codec = std::nullopt);

  // Begins a new batch of `header.magic` with the codec of `header.attributes`. length, crc, count
  // and last_offset_delta are made; so is max_timestamp; and base_timestamp (that of the first
  // record) if it is -1. Offsets count up from base_offset.
  void create(const BatchHeader& header);

  // Changes `record`, of the batch that is being edited. Records are named in their order, each at
  // most once. Copies what lies between it and the one named before. Errors: kEditOutOfOrder,
  // kNotInThisMagic, kTimestampFixed, kOutOfMemory.
  [[nodiscard]] Result<void, Error> replace(const Record& record, const RecordEdit& edit);

  // Leaves `record` out. Errors: kEditOutOfOrder, kMayNotDrop, kOutOfMemory.
  [[nodiscard]] Result<void, Error> drop(const Record& record);

  // Adds a record to a batch begun with create().
  [[nodiscard]] Result<void, Error> append(const NewRecord& record);

  // False while an edit has changed nothing: then forward the original's own bytes.
  [[nodiscard]] bool changed() const { return changed_; }

  // Ends the batch: the first call closes the list of records; each copies, walks or compresses a
  // part of them (limits.h) and takes about a millisecond at most. Errors: kOutOfMemory,
  // kBatchTooBig; for records after the last edit those of RecordIterator.
  [[nodiscard]] Result<Progress, Error> step();

  // After kDone: the batch, valid until the next edit(), create() or finish(). Nothing, where the
  // only message of a message set was dropped.
  [[nodiscard]] Bytes batch() const { return built_.bytes(); }

  // After kDone: how many records it holds.
  [[nodiscard]] std::int32_t count() const { return header_.count; }

  // Lets go of the batch, and of large buffers.
  void finish();

 private:
  //  edit() -> kEditing --+-> kWalking --+-> kCompressing -> kDone
  //  create() -> kCreating +-------------+----------------> kDone      (not compressed)
  enum class State : std::uint8_t { kIdle, kEditing, kCreating, kWalking, kCompressing, kDone };

  void begin(State state);
  [[nodiscard]] Result<void, Error> open();
  [[nodiscard]] Result<void, Error> open(ByteBuffer& records);
  [[nodiscard]] std::size_t header_room() const;
  [[nodiscard]] Result<void, Error> take(const Record& record);
  [[nodiscard]] Result<void, Error> copy_up_to(const std::byte* end);
  [[nodiscard]] Result<void, Error> encode(ByteBuffer& out, const Record& record,
                                           const RecordEdit& edit);
  [[nodiscard]] Result<void, Error> encode_message(const Record& record, const RecordEdit& edit);
  [[nodiscard]] Result<Progress, Error> advance();
  [[nodiscard]] Result<Progress, Error> copy_rest();
  [[nodiscard]] Result<Progress, Error> close_and_go_on();
  [[nodiscard]] Result<Progress, Error> close_records();
  [[nodiscard]] Result<void, Error> make_empty();
  [[nodiscard]] Result<Progress, Error> walk_records();
  [[nodiscard]] Result<void, Error> move_record(Record record);
  [[nodiscard]] Result<Progress, Error> start_payload();
  [[nodiscard]] Result<Progress, Error> seal();
  void seal_wrapper(std::byte* batch, std::size_t size);
  [[nodiscard]] ByteBuffer& records_out();

  Compressor compressor_;
  ByteBuffer plain_;  // plain records, where the batch is to be compressed
  ByteBuffer moved_;  // the same with new offsets, where records closed up
  ByteBuffer built_;  // the batch
  State state_ = State::kIdle;
  Dropping dropping_ = Dropping::kLeaveHole;
  bool changed_ = false;
  bool timestamps_changed_ = false;
  BatchHeader header_;
  Bytes source_;                       // the original's plain records
  const std::byte* copied_ = nullptr;  // up to here they are in the new batch
  std::int64_t first_offset_ = 0;      // of the original's first message, as it is on the wire
  std::int32_t dropped_ = 0;
  RecordIterator walk_{BatchHeader{}, Bytes{}};
  std::int64_t walked_max_timestamp_ = 0;
};

}  // namespace grete::kafka::records

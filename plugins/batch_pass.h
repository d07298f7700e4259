// One record batch on its way through the Records hooks.
//
// The batch is decoded and decompressed once. Each hook sees the records in windows, as the hooks
// before it left them; its edits are applied when the last window's verdict is there. After the
// last hook the batch is compressed once, by its own codec, if anything changed.
//
//   kDecode -> per hook: kWindow -> kCall -> (kWindow ...) -> kApply -> kBuild -> kReread
//           -> kCompress, if the last change was not built with the batch's codec -> kEnd
//
// The rules of what may change in a batch hold here, whatever the plug-in: see docs/kafka-lane.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"
#include "plugins/apply_edits.h"
#include "plugins/edit_list.h"
#include "plugins/hook_call.h"

namespace grete::plugins {

// Where a batch stands.
struct BatchPlace {
  const FrameContext* context = nullptr;
  Direction direction = Direction::kRequest;
  std::string_view topic;
  kafka::Uuid topic_id;
  std::int32_t partition = 0;
  std::uint32_t batch = 0;
};

enum class BatchFate : std::uint8_t {
  kUnchanged,
  kChanged,   // batch() replaces it
  kEmptied,   // produce: every record was dropped
  kRejected,  // rejection() says why; its partition does not go on
  kClose,     // the connection is to be closed
};

// Reusable; one batch at a time, one thread.
class BatchPass {
 public:
  // `budget` is charged with all that is decompressed and built.
  BatchPass(Worker& worker, MemoryBudget& budget);

  // Takes on `batch`, exactly one. `slots` are the hooks that ask for records or batches, in order
  // of their turns. Everything outlives the pass of this batch.
  void start(const BatchPlace& place, Bytes batch, std::span<HookSlot*> slots);

  // One step of work.
  [[nodiscard]] Advance advance(Moment now);

  // After kDone:
  [[nodiscard]] BatchFate fate() const { return fate_; }
  // The new batch; valid until the next start().
  [[nodiscard]] Bytes batch() const { return changed_batch_; }
  [[nodiscard]] const Rejection& rejection() const { return rejection_; }
  // The slot whose verdict or failure rejected, or closes. An index of `slots`.
  [[nodiscard]] std::size_t decided_by() const { return slot_; }
  // The longest delay that a hook asked for.
  [[nodiscard]] Duration delay() const { return delay_; }

 private:
  enum class State : std::uint8_t {
    kStart,
    kDecode,
    kWindow,
    kCall,
    kApply,
    kBuild,
    kReread,
    kCompress,
    kEnd,
  };

  Advance begin();
  Advance decode();
  Advance open_window(Moment now);
  Advance call(Moment now);
  Advance apply();
  Advance build();
  Advance reread();
  Advance compress();

  Advance enter_slot();
  Advance next_slot();
  Advance start_edit();
  Advance obey(const Verdict& verdict);
  Advance failed(const Failure& failure);
  Advance answer_failure();
  Advance undecodable(const Failure& failure);
  Advance end(BatchFate fate);

  void fill_head(kafka::lane::Payload payload);
  [[nodiscard]] bool may_drop() const;
  [[nodiscard]] kafka::records::Dropping dropping() const;
  [[nodiscard]] Result<void, Failure> cut_window();
  [[nodiscard]] Result<void, Failure> rewrite_as_v2(const kafka::records::Record& record);
  [[nodiscard]] kafka::records::Codec codec() const { return original_header_.codec(); }

  kafka::records::BatchReader& reader() { return readers_[current_]; }
  kafka::records::BatchBuilder& builder() { return builders_[current_]; }

  HookCall hook_call_;
  // The batch as it is now is read by one pair, and its changed copy built by the same pair's
  // builder, which the other pair's reader reads then.
  std::array<kafka::records::BatchReader, 2> readers_;
  std::array<kafka::records::BatchBuilder, 2> builders_;
  std::size_t current_ = 0;
  EditApplier applier_;
  EditList edits_;
  kafka::records::ByteBuffer v2_;

  BatchPlace place_;
  Bytes original_;
  kafka::records::BatchHeader original_header_;
  std::span<HookSlot*> slots_;
  std::size_t slot_ = 0;
  bool decoded_ = false;
  bool changed_ = false;
  bool compressed_ = true;  // the batch as it is now has the original's codec
  bool builds_compressed_ = true;
  State state_ = State::kEnd;

  RecordsCall call_;
  kafka::records::RecordIterator records_{{}, {}};
  const kafka::records::Record* ahead_ = nullptr;  // read, and not in the window yet

  Failure failure_;
  BatchFate fate_ = BatchFate::kUnchanged;
  Bytes changed_batch_;
  Rejection rejection_;
  Duration delay_{};
};

}  // namespace grete::plugins

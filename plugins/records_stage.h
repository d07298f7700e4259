// Takes every batch of a message through the Records hooks, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kafka/records/batch.h"
#include "plugins/batch_pass.h"
#include "plugins/message.h"

namespace grete::plugins {

enum class StageFate : std::uint8_t {
  kGoOn,
  kUndecodable,  // the message itself; failure() says why
  kClose,
};

// One message, one thread. What a plug-in rejects is taken out of the message; partitions whose
// batches stay as they are keep their own bytes.
class RecordsStage {
 public:
  // `slots` are the hooks that ask for records or batches, in order of their turns. Message and
  // slots outlive the stage.
  RecordsStage(Worker& worker, Message& message, std::vector<HookSlot*> slots);

  [[nodiscard]] Advance advance(Moment now);

  // After kDone:
  [[nodiscard]] StageFate fate() const { return fate_; }
  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] Duration delay() const { return delay_; }
  // The slot that closes, or that rejected last.
  [[nodiscard]] const HookSlot& decided_by() const { return *slots_[decided_by_]; }
  [[nodiscard]] std::vector<HookSlot*>& slots() { return slots_; }

 private:
  Advance next_partition();
  Advance next_batch();
  Advance finish_batch();
  Advance end_partition();
  [[nodiscard]] bool keep(Bytes bytes);
  [[nodiscard]] bool begin_copy(Bytes before);
  [[nodiscard]] Bytes message_bytes_before() const;
  void reject(const Rejection& rejection);
  [[nodiscard]] Advance out_of_memory();

  Message* message_;
  std::vector<HookSlot*> slots_;
  BatchPass pass_;
  bool obeyed_;  // by at least one plug-in
  std::vector<PartitionRecords>* partitions_ = nullptr;
  std::size_t partition_ = 0;
  enum class State : std::uint8_t {
    kStart,
    kPartition,
    kBatch,
    kPass,
    kEnd
  } state_ = State::kStart;

  kafka::records::BatchSplitter splitter_{{}};
  Bytes batch_;
  bool malformed_ = false;  // batch_ is what could not be cut into batches
  std::uint32_t batch_index_ = 0;
  std::size_t passed_ = 0;  // bytes of the partition's records that were looked at
  kafka::records::ByteBuffer* copy_ = nullptr;

  StageFate fate_ = StageFate::kGoOn;
  Failure failure_;
  Duration delay_{};
  std::size_t decided_by_ = 0;
};

}  // namespace grete::plugins

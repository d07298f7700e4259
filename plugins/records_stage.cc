#include "plugins/records_stage.h"

#include <algorithm>
#include <utility>

#include "plugins/error_codes.h"
#include "plugins/limits.h"

namespace grete::plugins {
namespace {

constexpr kafka::Uuid kNoId{};

}  // namespace

RecordsStage::RecordsStage(Worker& worker, Message& message, std::vector<HookSlot*> slots)
    : message_(&message),
      slots_(std::move(slots)),
      pass_(worker, *message.context().budget),
      obeyed_(!std::ranges::all_of(slots_, [](const HookSlot* slot) { return slot->observed(); })) {
}

Advance RecordsStage::advance(Moment now) {
  switch (state_) {
    case State::kStart: {
      const auto partitions = message_->partitions();
      if (!partitions) {
        failure_ = partitions.error();
        fate_ = StageFate::kUndecodable;
        state_ = State::kEnd;
        return Advance::kDone;
      }
      partitions_ = *partitions;
      state_ = State::kPartition;
      return Advance::kContinue;
    }
    case State::kPartition:
      return next_partition();
    case State::kBatch:
      return next_batch();
    case State::kPass: {
      const Advance advance = pass_.advance(now);
      return advance == Advance::kDone ? finish_batch() : advance;
    }
    case State::kEnd:
      return Advance::kDone;
  }
  return Advance::kDone;
}

Advance RecordsStage::next_partition() {
  if (partition_ == partitions_->size()) {
    message_->drop_rejected();
    state_ = State::kEnd;
    return Advance::kDone;
  }
  PartitionRecords& partition = (*partitions_)[partition_];
  if (partition.records->empty()) {
    ++partition_;
    return Advance::kContinue;
  }
  // Plug-ins choose by topic, so one without a name is not for them to see or to miss. Clients ask
  // for metadata anew, from which the gateway learns the name.
  if (obeyed_ && partition.topic.empty() && partition.topic_id != kNoId) {
    reject({error_code::kUnknownTopicId, "the gateway does not know this topic id yet", {}});
    return Advance::kContinue;
  }
  splitter_ = kafka::records::BatchSplitter(*partition.records);
  batch_index_ = 0;
  passed_ = 0;
  copy_ = nullptr;
  malformed_ = false;
  state_ = State::kBatch;
  return Advance::kContinue;
}

Advance RecordsStage::next_batch() {
  const Bytes rest = splitter_.rest();
  const auto next = splitter_.next();
  const bool fetched = message_->direction() == Direction::kResponse;
  if (next && !next->has_value() && (rest.empty() || fetched)) {
    // A partial batch at the end of a fetch is of no use to consumers, and was seen by nobody.
    return end_partition();
  }
  // Whatever cannot be cut into batches is no batch either, and is refused as one.
  malformed_ = true;
  batch_ = rest;
  if (next && next->has_value() && batch_index_ < limits::kMaxBatches) {
    malformed_ = false;
    batch_ = next->value();
  }
  const PartitionRecords& partition = (*partitions_)[partition_];
  pass_.start({.context = &message_->context(),
               .direction = message_->direction(),
               .topic = partition.topic,
               .topic_id = partition.topic_id,
               .partition = partition.partition,
               .batch = batch_index_++},
              batch_, slots_);
  state_ = State::kPass;
  return Advance::kContinue;
}

Advance RecordsStage::finish_batch() {
  delay_ = std::max(delay_, pass_.delay());
  state_ = State::kBatch;
  bool kept = true;
  switch (pass_.fate()) {
    case BatchFate::kUnchanged:
      kept = keep(batch_);
      if (malformed_) {
        passed_ += batch_.size();
        return kept ? end_partition() : out_of_memory();
      }
      break;
    case BatchFate::kChanged:
      kept = begin_copy(message_bytes_before()) && copy_->append(pass_.batch());
      break;
    case BatchFate::kEmptied:
      kept = begin_copy(message_bytes_before());
      break;
    case BatchFate::kRejected:
      decided_by_ = pass_.decided_by();
      reject(pass_.rejection());
      return Advance::kContinue;
    case BatchFate::kClose:
      decided_by_ = pass_.decided_by();
      fate_ = StageFate::kClose;
      state_ = State::kEnd;
      return Advance::kDone;
  }
  passed_ += batch_.size();
  return kept ? Advance::kContinue : out_of_memory();
}

Bytes RecordsStage::message_bytes_before() const {
  return (*partitions_)[partition_].records->first(passed_);
}

// Until something changes the partition's own bytes serve; from then on they are copied.
bool RecordsStage::keep(Bytes bytes) {
  return copy_ == nullptr || copy_->append(bytes);
}

bool RecordsStage::begin_copy(Bytes before) {
  if (copy_ != nullptr) {
    return true;
  }
  copy_ = &message_->new_buffer();
  return copy_->append(before);
}

Advance RecordsStage::end_partition() {
  PartitionRecords& partition = (*partitions_)[partition_];
  if (copy_ == nullptr) {
    if (obeyed_ && passed_ != partition.records->size()) {
      message_->set_records(partition,
                            passed_ == 0 ? kafka::kEmptyBytes : partition.records->first(passed_));
    }
  } else if (copy_->size() == 0 && message_->direction() == Direction::kRequest) {
    // Brokers refuse a partition without a record; there is nothing to write, which is a success.
    message_->reject(partition, {error_code::kNone, "", {}});
  } else {
    message_->set_records(partition, copy_->bytes());
  }
  ++partition_;
  state_ = State::kPartition;
  return Advance::kContinue;
}

void RecordsStage::reject(const Rejection& rejection) {
  message_->reject((*partitions_)[partition_], rejection);
  ++partition_;
  state_ = State::kPartition;
}

Advance RecordsStage::out_of_memory() {
  const auto rejecting = std::ranges::find_if(
      slots_, [](const HookSlot* slot) { return slot->hook->on_failure() == OnFailure::kReject; });
  if (rejecting == slots_.end()) {
    // Whoever passes failures gets the partition as it came.
    copy_ = nullptr;
    passed_ = (*partitions_)[partition_].records->size();
    return end_partition();
  }
  decided_by_ = static_cast<std::size_t>(rejecting - slots_.begin());
  reject(rejection_of({FailureKind::kMemory, ""}, HookKind::kRecords, message_->context().key,
                      message_->direction()));
  return Advance::kContinue;
}

}  // namespace grete::plugins

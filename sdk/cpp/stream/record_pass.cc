#include "sdk/cpp/stream/record_pass.h"

#include <algorithm>

#include "sdk/cpp/stream/apply_edits.h"

namespace grete::sdk {
namespace {

using kafka::lane::VerdictKind;
using kafka::records::BatchHeader;
using kafka::records::BatchSplitter;
using kafka::records::Dropping;
using kafka::records::Progress;
using Kind = PartitionOutcome::Kind;

constexpr std::int16_t kCorruptMessage = 2;
constexpr std::int16_t kInvalidRecord = 87;

PartitionOutcome reject(std::string_view message, std::int16_t code) {
  PartitionOutcome outcome;
  outcome.kind = Kind::kRejected;
  outcome.verdict = Verdict::reject(std::string(message), code);
  return outcome;
}

void describe_batch(kafka::lane::RecordsHead& head, const BatchHeader& header) {
  head.batch_records = static_cast<std::uint32_t>(header.count);
  head.first = 0;
  head.count = head.batch_records;
  head.attributes = header.attributes;
  head.producer_epoch = header.producer_epoch;
  head.base_sequence = header.base_sequence;
  head.base_offset = header.base_offset;
  head.base_timestamp = header.base_timestamp;
  head.max_timestamp = header.max_timestamp;
  head.producer_id = header.producer_id;
}

}  // namespace

RecordPass::RecordPass(Plugin& plugin) : plugin_(&plugin) {}

PartitionOutcome RecordPass::run(const kafka::lane::CallHead& call, Bytes records, Arena& arena) {
  kafka::lane::CallHead head = call;
  const bool produced = head.direction == kafka::lane::Direction::kRequest;
  BatchSplitter splitter(records);
  PartitionOutcome outcome;
  bool changed = false;
  out_.clear();
  for (head.records.batch = 0;; ++head.records.batch) {
    const auto batch = splitter.next();
    if (!batch) {
      return reject(describe(batch.error().code), kCorruptMessage);
    }
    if (!*batch) {
      break;
    }
    const auto after = run_batch(head, **batch, arena, outcome);
    if (!after) {
      return outcome;
    }
    changed = changed || after->data() != (**batch).data();
    out_.insert(out_.end(), after->begin(), after->end());
  }
  // A Fetch response may end with a part of a batch, which clients ignore; nothing unseen goes on.
  if (!splitter.rest().empty()) {
    if (produced) {
      return reject("a batch that is not whole", kCorruptMessage);
    }
    changed = true;
  }
  if (!changed) {
    return outcome;
  }
  auto* copy = static_cast<std::byte*>(arena.allocate(out_.size() + 1, 1));
  if (copy == nullptr) {
    return reject("out of memory", kInvalidRecord);
  }
  std::copy(out_.begin(), out_.end(), copy);
  outcome.kind = Kind::kChanged;
  outcome.records = {copy, out_.size()};
  return outcome;
}

std::optional<Bytes> RecordPass::run_batch(kafka::lane::CallHead& head, Bytes batch, Arena& arena,
                                           PartitionOutcome& outcome) {
  const bool produced = head.direction == kafka::lane::Direction::kRequest;
  if (!read(batch)) {
    outcome = reject("a batch that cannot be read", kCorruptMessage);
    return std::nullopt;
  }
  const BatchHeader& header = reader_.header();
  if (header.is_control() || header.count == 0) {
    return batch;
  }
  const auto shown = as_v2();
  if (!shown) {
    outcome = reject("a batch whose records cannot be read", kCorruptMessage);
    return std::nullopt;
  }
  describe_batch(head.records, header);
  const bool may_drop = header.magic == 2 && (!produced || header.producer_id < 0);
  head.flags &= ~kafka::lane::flag::kMayDrop;
  head.flags |= kafka::lane::flag::kLastWindow | (may_drop ? kafka::lane::flag::kMayDrop : 0);
  outcome.verdict = plugin_->handle({head, *shown});
  switch (outcome.verdict.kind) {
    case VerdictKind::kPass:
    case VerdictKind::kDelay:
      break;
    case VerdictKind::kReject:
      outcome.kind = Kind::kRejected;
      return std::nullopt;
    default:
      outcome.kind = Kind::kClose;
      return std::nullopt;
  }
  if (plugin_->edits().empty()) {
    return batch;
  }
  const auto applied = apply_edits(plugin_->edits().arguments(head.token), reader_, builder_, arena,
                                   produced ? Dropping::kCloseUp : Dropping::kLeaveHole);
  if (!applied || !finish(builder_)) {
    outcome = reject(applied ? "the edited batch is too large" : applied.error(), kInvalidRecord);
    return std::nullopt;
  }
  if (produced && builder_.count() == 0) {
    return builder_.batch().first(0);
  }
  return builder_.batch();
}

bool RecordPass::read(Bytes batch) {
  if (!reader_.start(batch)) {
    return false;
  }
  while (true) {
    const auto progress = reader_.step();
    if (!progress) {
      return false;
    }
    if (*progress == Progress::kDone) {
      return reader_.validate().has_value();
    }
  }
}

std::optional<Bytes> RecordPass::as_v2() {
  if (reader_.header().magic == 2) {
    return reader_.encoded_records();
  }
  BatchHeader header;
  header.base_offset = reader_.header().base_offset;
  v2_builder_.create(header);
  auto records = reader_.records();
  while (true) {
    const auto record = records.next();
    if (!record) {
      return std::nullopt;
    }
    if (*record == nullptr) {
      break;
    }
    kafka::records::NewRecord copy;
    copy.timestamp = (*record)->timestamp;
    copy.key = (*record)->key;
    copy.value = (*record)->value;
    if (!v2_builder_.append(copy)) {
      return std::nullopt;
    }
  }
  if (!finish(v2_builder_)) {
    return std::nullopt;
  }
  return v2_builder_.batch().subspan(kafka::records::kBatchHeaderBytes);
}

bool RecordPass::finish(kafka::records::BatchBuilder& builder) {
  while (true) {
    const auto progress = builder.step();
    if (!progress) {
      return false;
    }
    if (*progress == Progress::kDone) {
      return true;
    }
  }
}

}  // namespace grete::sdk

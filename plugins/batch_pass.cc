#include "plugins/batch_pass.h"

#include <algorithm>

#include "kafka/records/limits.h"
#include "kafka/records/varint.h"
#include "plugins/error_codes.h"
#include "plugins/error_response.h"
#include "plugins/limits.h"

namespace grete::plugins {
namespace {

using kafka::lane::Payload;
using kafka::records::BatchHeader;
using kafka::records::Codec;
using kafka::records::CrcCheck;
using kafka::records::Dropping;
using kafka::records::ErrorCode;
using kafka::records::Progress;
using kafka::records::Record;

Failure failure_of(const kafka::records::Error& error) {
  const FailureKind kind =
      error.code == ErrorCode::kOutOfMemory ? FailureKind::kMemory : FailureKind::kUndecodable;
  return {kind, std::string(describe(error.code)) + " at byte " + std::to_string(error.position)};
}

}  // namespace

BatchPass::BatchPass(Worker& worker, MemoryBudget& budget)
    : hook_call_(worker),
      readers_{{{*worker.codecs, budget, limits::kMaxDecompressedBytes},
                {*worker.codecs, budget, limits::kMaxDecompressedBytes}}},
      builders_{{{*worker.codecs, budget}, {*worker.codecs, budget}}},
      applier_(budget),
      edits_(budget),
      v2_(budget) {}

void BatchPass::start(const BatchPlace& place, Bytes batch, std::span<HookSlot*> slots) {
  place_ = place;
  slots_ = slots;
  slot_ = 0;
  current_ = 0;
  decoded_ = false;
  changed_ = false;
  compressed_ = true;
  delay_ = {};
  changed_batch_ = {};
  rejection_ = {};
  edits_.clear();
  state_ = State::kStart;
  original_ = batch;
}

Advance BatchPass::advance(Moment now) {
  switch (state_) {
    case State::kStart:
      return begin();
    case State::kDecode:
      return decode();
    case State::kWindow:
      return open_window(now);
    case State::kCall:
      return call(now);
    case State::kApply:
      return apply();
    case State::kBuild:
      return build();
    case State::kReread:
      return reread();
    case State::kCompress:
      return compress();
    case State::kEnd:
      return Advance::kDone;
  }
  return Advance::kDone;
}

Advance BatchPass::begin() {
  if (auto started = reader().start(original_); !started) {
    return undecodable(failure_of(started.error()));
  }
  original_header_ = reader().header();
  const bool is_wrapper = original_header_.magic < 2 && original_header_.count == 0;
  if (original_header_.is_control() || slots_.empty() ||
      (original_header_.count == 0 && !is_wrapper)) {
    return end(BatchFate::kUnchanged);
  }
  const bool shown = std::ranges::any_of(
      slots_, [](const HookSlot* slot) { return slot->payloads.has(Payload::kRecords); });
  if (shown) {
    state_ = State::kDecode;
    return Advance::kContinue;
  }
  return enter_slot();
}

Advance BatchPass::decode() {
  const auto progress = reader().step();
  if (!progress) {
    return undecodable(failure_of(progress.error()));
  }
  if (*progress == Progress::kMore) {
    return Advance::kYield;
  }
  decoded_ = true;
  return enter_slot();
}

// Turns to the slot at hand, with the batch as it is now.
Advance BatchPass::enter_slot() {
  edits_.clear();
  const bool needs_records = slots_[slot_]->payloads.has(Payload::kRecords);
  state_ = State::kWindow;
  fill_head(needs_records ? Payload::kRecords : Payload::kBatches);
  if (decoded_) {
    records_ = reader().records();
    ahead_ = nullptr;
  }
  return Advance::kContinue;
}

void BatchPass::fill_head(Payload payload) {
  BatchHeader header = reader().header();
  header.attributes = static_cast<std::int16_t>((header.attributes & ~kafka::records::kCodecMask) |
                                                static_cast<std::int16_t>(codec()));
  header.magic = 2;
  call_ = {.context = place_.context,
           .direction = place_.direction,
           .payload = payload,
           .topic = place_.topic,
           .topic_id = place_.topic_id,
           .partition = place_.partition,
           .batch = place_.batch,
           .batch_records = static_cast<std::uint32_t>(header.count),
           .first = 0,
           .count = 0,
           .last = true,
           .may_drop = may_drop(),
           .header = header,
           .records = {}};
}

bool BatchPass::may_drop() const {
  return place_.direction == Direction::kRequest ? original_header_.producer_id == -1
                                                 : original_header_.magic == 2;
}

Advance BatchPass::open_window(Moment now) {
  if (call_.payload == Payload::kRecords) {
    call_.first += call_.count;
    if (auto cut = cut_window(); !cut) {
      return failed(cut.error());
    }
    if (call_.count == 0) {
      return next_slot();
    }
  }
  edits_.open({.first = call_.first,
               .count = call_.count,
               .may_drop = call_.may_drop,
               .has_headers = original_header_.magic == 2});
  hook_call_.start(*slots_[slot_], call_, edits_, now);
  state_ = State::kCall;
  return Advance::kContinue;
}

// Takes whole records until the window is full. Checks what it shows, so that a plug-in never sees
// malformed records.
Result<void, Failure> BatchPass::cut_window() {
  const bool is_v2 = original_header_.magic == 2;
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
  call_.count = 0;
  call_.last = false;
  v2_.clear();
  for (std::size_t size = 0;;) {
    if (ahead_ == nullptr) {
      const auto next = records_.next();
      if (!next) {
        return unexpected(failure_of(next.error()));
      }
      ahead_ = *next;
    }
    if (ahead_ == nullptr) {
      call_.last = true;
      break;
    }
    if (call_.count != 0 && size + ahead_->encoded.size() > kafka::lane::kMaxWindowBytes) {
      break;
    }
    begin = call_.count == 0 ? ahead_->encoded.data() : begin;
    end = ahead_->encoded.data() + ahead_->encoded.size();
    if (!is_v2) {
      GRETE_TRY(rewrite_as_v2(*ahead_));
    }
    size += ahead_->encoded.size();
    ++call_.count;
    ahead_ = nullptr;
  }
  const Bytes all = reader().encoded_records();
  if (is_v2 && call_.last && call_.count != 0 && end != all.data() + all.size()) {
    return unexpected(Failure{FailureKind::kUndecodable, "bytes follow the batch's last record"});
  }
  call_.records = is_v2 ? Bytes{begin, end} : v2_.bytes();
  return {};
}

// Appends a message of an old message set to the window, in the format of today's records.
Result<void, Failure> BatchPass::rewrite_as_v2(const Record& record) {
  using kafka::records::varlong_size;
  using kafka::records::write_varlong;
  if (call_.first == 0 && call_.count == 0) {
    call_.header.base_offset = record.offset;
    call_.header.base_timestamp = record.timestamp;
  }
  const auto wire_size = [](const std::optional<Bytes>& field) {
    return field ? static_cast<std::int64_t>(field->size()) : -1;
  };
  // Hostile offsets lie further apart than 63 bits tell: they wrap, here as where they are added.
  const auto delta = [](std::int64_t value, std::int64_t base) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) -
                                     static_cast<std::uint64_t>(base));
  };
  const std::int64_t timestamp = delta(record.timestamp, call_.header.base_timestamp);
  const std::int64_t offset = delta(record.offset, call_.header.base_offset);
  if (offset != static_cast<std::int32_t>(offset)) {
    return unexpected(Failure{FailureKind::kUndecodable, "the offsets lie too far apart"});
  }
  const std::size_t key_size = record.key.value_or(Bytes{}).size();
  const std::size_t value_size = record.value.value_or(Bytes{}).size();
  const std::size_t size = 1 + varlong_size(timestamp) + varlong_size(offset) +
                           varlong_size(wire_size(record.key)) + key_size +
                           varlong_size(wire_size(record.value)) + value_size + 1;
  if (!v2_.reserve(kafka::records::kMaxVarintBytes + size)) {
    return unexpected(Failure{FailureKind::kMemory, "no memory left for the records"});
  }
  std::byte* const start = v2_.room().data();
  std::byte* to = write_varlong(start, static_cast<std::int64_t>(size));
  *to++ = std::byte{0};
  to = write_varlong(write_varlong(to, timestamp), offset);
  for (const auto* field : {&record.key, &record.value}) {
    to = write_varlong(to, wire_size(*field));
    if (*field && !(*field)->empty()) {
      to = std::ranges::copy(**field, to).out;
    }
  }
  *to++ = std::byte{0};
  v2_.commit(static_cast<std::size_t>(to - start));
  return {};
}

Advance BatchPass::call(Moment now) {
  const Advance advance = hook_call_.advance(now);
  if (advance != Advance::kDone) {
    return advance;
  }
  const auto verdict = hook_call_.take(now);
  if (!verdict) {
    failure_ = verdict.error();
    return answer_failure();
  }
  return obey(*verdict);
}

Advance BatchPass::obey(const Verdict& verdict) {
  const bool passes = verdict.kind == VerdictKind::kPass || verdict.kind == VerdictKind::kDelay;
  if (slots_[slot_]->observed()) {
    edits_.clear();
    if (!passes || call_.last) {
      return next_slot();
    }
    state_ = State::kWindow;
    return Advance::kContinue;
  }
  switch (verdict.kind) {
    case VerdictKind::kPass:
    case VerdictKind::kDelay:
      delay_ = std::max(delay_, std::min(verdict.delay, limits::kMaxDelay));
      if (!call_.last) {
        state_ = State::kWindow;
        return Advance::kContinue;
      }
      return edits_.empty() ? next_slot() : start_edit();
    case VerdictKind::kReject: {
      const std::int16_t code = verdict.code == 0 ? error_code::kInvalidRecord : verdict.code;
      rejection_ = {code_for(place_.context->key, code), verdict.message, verdict.records};
      return end(BatchFate::kRejected);
    }
    case VerdictKind::kClose:
      return end(BatchFate::kClose);
    case VerdictKind::kReplace:
    case VerdictKind::kReply:
      break;
  }
  return failed({FailureKind::kTrap, "a verdict that records calls do not have"});
}

Advance BatchPass::start_edit() {
  const bool is_last = slot_ + 1 == slots_.size();
  builds_compressed_ = is_last || original_header_.magic < 2 || codec() == Codec::kNone;
  builder().edit(reader(), dropping(), builds_compressed_ ? codec() : Codec::kNone);
  applier_.start(edits_, reader(), builder());
  state_ = State::kApply;
  return Advance::kContinue;
}

Dropping BatchPass::dropping() const {
  return place_.direction == Direction::kRequest ? Dropping::kCloseUp : Dropping::kLeaveHole;
}

Advance BatchPass::apply() {
  const auto progress = applier_.step();
  if (!progress) {
    return failed(progress.error());
  }
  if (*progress == Progress::kMore) {
    return Advance::kYield;
  }
  state_ = State::kBuild;
  return Advance::kContinue;
}

Advance BatchPass::build() {
  const auto progress = builder().step();
  if (!progress) {
    return failed(failure_of(progress.error()));
  }
  if (*progress == Progress::kMore) {
    return Advance::kYield;
  }
  if (builder().count() == 0 && place_.direction == Direction::kRequest) {
    return end(BatchFate::kEmptied);
  }
  changed_ = true;
  compressed_ = builds_compressed_;
  if (builder().count() == 0 || slot_ + 1 == slots_.size()) {
    changed_batch_ = builder().batch();
    return end(BatchFate::kChanged);
  }
  const Bytes built = builder().batch();
  current_ = 1 - current_;
  // The bytes are ours: their CRC need not be checked.
  if (auto started = reader().start(built, CrcCheck::kSkip); !started) {
    return undecodable(failure_of(started.error()));
  }
  state_ = State::kReread;
  return Advance::kContinue;
}

Advance BatchPass::reread() {
  const auto progress = reader().step();
  if (!progress) {
    return undecodable(failure_of(progress.error()));
  }
  return *progress == Progress::kMore ? Advance::kYield : next_slot();
}

Advance BatchPass::next_slot() {
  if (++slot_ < slots_.size()) {
    return enter_slot();
  }
  if (!changed_) {
    return end(BatchFate::kUnchanged);
  }
  if (compressed_) {
    changed_batch_ = reader().batch();
    return end(BatchFate::kChanged);
  }
  builder().edit(reader(), dropping(), codec());
  state_ = State::kCompress;
  return Advance::kContinue;
}

Advance BatchPass::compress() {
  const auto progress = builder().step();
  if (!progress) {
    slot_ = slots_.size() - 1;
    return undecodable(failure_of(progress.error()));
  }
  if (*progress == Progress::kMore) {
    return Advance::kYield;
  }
  changed_batch_ = builder().batch();
  return end(BatchFate::kChanged);
}

Advance BatchPass::failed(const Failure& failure) {
  hook_call_.report(*slots_[slot_], *place_.context, place_.direction, HookKind::kRecords, failure);
  failure_ = failure;
  return answer_failure();
}

// The policy of the plug-in that failed answers.
Advance BatchPass::answer_failure() {
  edits_.clear();
  if (slots_[slot_]->hook->on_failure() != OnFailure::kReject) {
    return next_slot();
  }
  rejection_ = rejection_of(failure_, HookKind::kRecords, place_.context->key, place_.direction);
  return end(BatchFate::kRejected);
}

// Nobody can be shown a batch that cannot be read, or be sure that it went through changed.
Advance BatchPass::undecodable(const Failure& failure) {
  std::optional<std::size_t> rejecting;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    hook_call_.report(*slots_[i], *place_.context, place_.direction, HookKind::kRecords, failure);
    if (!rejecting && slots_[i]->hook->on_failure() == OnFailure::kReject) {
      rejecting = i;
    }
  }
  if (!rejecting) {
    return end(BatchFate::kUnchanged);
  }
  slot_ = *rejecting;
  rejection_ = rejection_of(failure, HookKind::kRecords, place_.context->key, place_.direction);
  return end(BatchFate::kRejected);
}

Advance BatchPass::end(BatchFate fate) {
  fate_ = fate;
  state_ = State::kEnd;
  return Advance::kDone;
}

}  // namespace grete::plugins

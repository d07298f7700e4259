#include "plugins/hook_call.h"

#include <algorithm>

#include "kafka/api_keys.h"
#include "plugins/error_codes.h"
#include "plugins/limits.h"

namespace grete::plugins {

std::string_view name_of(OnFailure policy) {
  switch (policy) {
    case OnFailure::kReject:
      return "reject";
    case OnFailure::kPass:
      return "pass";
    case OnFailure::kObserve:
      return "observe";
  }
  return "";
}

std::string_view name_of(HookKind kind) {
  switch (kind) {
    case HookKind::kByteStream:
      return "byte_stream";
    case HookKind::kMessage:
      return "message";
    case HookKind::kRecords:
      return "records";
    case HookKind::kTopicPolicy:
      return "topic_policy";
  }
  return "";
}

std::string_view name_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::kTrap:
      return "trap";
    case FailureKind::kDeadline:
      return "deadline";
    case FailureKind::kBusy:
      return "busy";
    case FailureKind::kQuarantined:
      return "quarantined";
    case FailureKind::kMemory:
      return "memory";
    case FailureKind::kUndecodable:
      return "undecodable";
  }
  return "";
}

Rejection rejection_of(const Failure& failure, HookKind kind, kafka::ApiKey key,
                       Direction direction) {
  const bool produced = (kind == HookKind::kRecords || key == kafka::api_key::kProduce) &&
                        direction == Direction::kRequest;
  Rejection rejection;
  rejection.code = produced ? error_code::kInvalidRecord : error_code::kUnknownServerError;
  rejection.message =
      failure.kind == FailureKind::kUndecodable
          ? "the gateway could not read the data: " + failure.detail
          : "a plug-in of the gateway failed (" + std::string(name_of(failure.kind)) + ")";
  return rejection;
}

bool HookCall::prepare(HookSlot& slot, const FrameContext& context, Direction direction,
                       HookKind kind, Moment now) {
  slot_ = &slot;
  context_ = &context;
  direction_ = direction;
  kind_ = kind;
  started_ = now;
  given_up_ = slot.failures >= limits::kMaxFailuresPerMessage;
  if (given_up_) {
    return false;
  }
  if (slot.visit == nullptr) {
    slot.visit = slot.runtime->visit();
  }
  return true;
}

void HookCall::start(HookSlot& slot, const MessageCall& call, Moment now) {
  if (prepare(slot, *call.context, call.direction, HookKind::kMessage, now)) {
    slot.visit->start(call);
  }
}

void HookCall::start(HookSlot& slot, const RecordsCall& call, EditList& edits, Moment now) {
  if (prepare(slot, *call.context, call.direction, HookKind::kRecords, now)) {
    slot.visit->start(call, edits);
  }
}

Advance HookCall::advance(Moment now) {
  if (given_up_) {
    return Advance::kDone;
  }
  switch (slot_->visit->poll(now)) {
    case CallState::kRunnable:
      return Advance::kYield;
    case CallState::kWaiting:
      return Advance::kWaiting;
    case CallState::kDone:
      return Advance::kDone;
  }
  return Advance::kDone;
}

void HookCall::report(HookSlot& slot, const FrameContext& context, Direction direction,
                      HookKind kind, const Failure& failure) {
  ++slot.failures;
  worker_->telemetry->call_ended({.plugin = slot.hook->name(),
                                  .kind = kind,
                                  .key = context.key,
                                  .direction = direction,
                                  .duration = {},
                                  .slices = 0,
                                  .failure = &failure,
                                  .verdict = VerdictKind::kPass,
                                  .obeyed = !slot.observed(),
                                  .connection = context.connection->id});
}

Result<Verdict, Failure> HookCall::take(Moment now) {
  Result<Verdict, Failure> result =
      given_up_ ? Result<Verdict, Failure>(
                      unexpected(Failure{FailureKind::kTrap, "it failed before with this message"}))
                : slot_->visit->take();
  CallReport report{.plugin = slot_->hook->name(),
                    .kind = kind_,
                    .key = context_->key,
                    .direction = direction_,
                    .duration = std::max(now - started_, Duration{}),
                    .slices = given_up_ ? 0 : slot_->visit->slices(),
                    .failure = nullptr,
                    .verdict = VerdictKind::kPass,
                    .obeyed = !slot_->observed(),
                    .connection = context_->connection->id};
  if (result) {
    report.verdict = result->kind;
  } else {
    report.failure = &result.error();
    ++slot_->failures;
    slot_->visit = nullptr;
  }
  worker_->telemetry->call_ended(report);
  return result;
}

}  // namespace grete::plugins

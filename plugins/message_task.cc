#include "plugins/message_task.h"

#include <algorithm>
#include <utility>

#include "plugins/error_codes.h"
#include "plugins/error_response.h"
#include "plugins/limits.h"

namespace grete::plugins {

using kafka::lane::Payload;

MessageTask::MessageTask(std::shared_ptr<ChainRuntime> runtime, Frame frame,
                         const FrameContext& context, Direction direction, std::size_t hooks,
                         std::unique_ptr<ResponseMerge> merge)
    : runtime_(std::move(runtime)),
      message_(std::make_shared<Message>(std::move(frame), context, direction)),
      merge_(std::move(merge)),
      hook_call_(runtime_->worker()) {
  add_slots(hooks);
}

MessageTask::~MessageTask() = default;

void MessageTask::add_slots(std::size_t hooks) {
  const FrameContext& context = message_->context();
  const auto add = [&](std::size_t index) {
    const Hook& hook = *runtime_->chain().hooks()[index];
    const Payloads payloads =
        hook.subscription().payloads(context.key, context.version, message_->direction());
    if (payloads.empty()) {
      return;
    }
    auto slot = std::make_unique<HookSlot>();
    slot->index = index;
    slot->hook = &hook;
    slot->runtime = &runtime_->hook(index);
    slot->payloads = payloads;
    add_stage(*slot);
    slots_.push_back(std::move(slot));
  };
  for (std::size_t i = 0; i < hooks; ++i) {
    add(message_->direction() == Direction::kRequest ? i : hooks - 1 - i);
  }
}

void MessageTask::add_stage(HookSlot& slot) {
  if (slot.payloads.asks_for_message()) {
    stages_.push_back({HookKind::kMessage, {&slot}});
  }
  if (slot.payloads.asks_for_records()) {
    if (stages_.empty() || stages_.back().kind != HookKind::kRecords) {
      stages_.push_back({HookKind::kRecords, {}});
    }
    stages_.back().slots.push_back(&slot);
  }
}

CallState MessageTask::poll(Moment now) {
  fresh_ = false;
  const Moment end = now + limits::kSlice;
  while (true) {
    switch (advance(now)) {
      case Advance::kContinue:
        now = runtime_->worker().machine->now();
        if (now >= end) {
          return CallState::kRunnable;
        }
        break;
      case Advance::kYield:
        return CallState::kRunnable;
      case Advance::kWaiting:
        return CallState::kWaiting;
      case Advance::kDone:
        return CallState::kDone;
    }
  }
}

Advance MessageTask::advance(Moment now) {
  if (merge_ != nullptr) {
    const auto merged = message_->merge(merge_->fragments);
    // What the merged message refers to lives as long as its frames.
    message_->keep(std::shared_ptr<const ResponseMerge>(std::move(merge_)));
    if (!merged) {
      return close("the broker's answer has no room for a rejection: " + merged.error().detail);
    }
  }
  if (stage_ == stages_.size()) {
    return finish();
  }
  if (!started_) {
    return start_stage(now);
  }
  return stages_[stage_].kind == HookKind::kMessage ? message_call(now) : records(now);
}

Advance MessageTask::start_stage(Moment now) {
  Stage& stage = stages_[stage_];
  started_ = true;
  if (stage.kind == HookKind::kRecords) {
    records_ = std::make_unique<RecordsStage>(runtime_->worker(), *message_, stage.slots);
    return Advance::kContinue;
  }
  HookSlot& slot = *stage.slots.front();
  const bool whole = slot.payloads.has(Payload::kMessage);
  call_ = {.context = &message_->context(),
           .direction = message_->direction(),
           .payload = whole ? Payload::kMessage : Payload::kHeader,
           .body = {}};
  if (whole) {
    const auto body = message_->body();
    if (!body) {
      hook_call_.report(slot, message_->context(), message_->direction(), HookKind::kMessage,
                        body.error());
      return fail(slot, body.error());
    }
    call_.body = *body;
  }
  hook_call_.start(slot, call_, now);
  return Advance::kContinue;
}

Advance MessageTask::message_call(Moment now) {
  const Advance advance = hook_call_.advance(now);
  if (advance != Advance::kDone) {
    return advance;
  }
  HookSlot& slot = *stages_[stage_].slots.front();
  auto verdict = hook_call_.take(now);
  if (!verdict) {
    return fail(slot, verdict.error());
  }
  return slot.observed() ? next_stage() : obey(slot, *std::move(verdict));
}

Advance MessageTask::obey(HookSlot& slot, Verdict verdict) {
  switch (verdict.kind) {
    case VerdictKind::kPass:
      return next_stage();
    case VerdictKind::kDelay:
      delay_ = std::max(delay_, std::min(verdict.delay, limits::kMaxDelay));
      return next_stage();
    case VerdictKind::kReplace:
      if (call_.payload == Payload::kMessage) {
        message_->replace_body(std::move(verdict.body));
        return next_stage();
      }
      break;
    case VerdictKind::kReply:
      if (call_.direction == Direction::kRequest &&
          message_->context().answer == Answer::kExpected) {
        return reply(slot, std::move(verdict));
      }
      break;
    case VerdictKind::kReject: {
      const std::int16_t code = verdict.code == 0 ? error_code::kPolicyViolation : verdict.code;
      return reject(slot, {code, std::move(verdict.message), {}});
    }
    case VerdictKind::kClose:
      return close("the plug-in '" + slot.hook->name() + "' asked for it");
  }
  const Failure failure{FailureKind::kTrap, "a verdict that this call does not have"};
  hook_call_.report(slot, message_->context(), message_->direction(), HookKind::kMessage, failure);
  return fail(slot, failure);
}

// The policy of the plug-in that failed answers.
Advance MessageTask::fail(HookSlot& slot, const Failure& failure) {
  if (slot.hook->on_failure() != OnFailure::kReject) {
    return next_stage();
  }
  return reject(slot, rejection_of(failure, HookKind::kMessage, message_->context().key,
                                   message_->direction()));
}

Advance MessageTask::reply(HookSlot& slot, Verdict verdict) {
  const Bytes body = verdict.body == nullptr ? Bytes{} : Bytes{*verdict.body};
  message_->keep(std::move(verdict.body));
  auto frame = message_->reply(message_, body);
  if (!frame) {
    return close(frame.error().detail);
  }
  return end(OutcomeKind::kReply, *std::move(frame), slot.index);
}

Advance MessageTask::reject(HookSlot& slot, const Rejection& told) {
  const FrameContext& context = message_->context();
  const Rejection rejection{code_for(context.key, told.code), told.message, told.records};
  if (message_->direction() == Direction::kResponse) {
    return reject_response(rejection);
  }
  if (context.answer == Answer::kNone) {
    return end(OutcomeKind::kDrop, {}, slot.index);
  }
  // Of the request as it came: the client waits for an answer about all that it asked for, also
  // about what other plug-ins took out.
  const auto response = make_error_response(context.key, context.version, message_->original_body(),
                                            rejection, message_->arena());
  if (response) {
    if (auto frame = message_->reply(message_, *response)) {
      message_->fragments().clear();
      return end(OutcomeKind::kReply, *std::move(frame), slot.index);
    }
  }
  return close("the plug-in '" + slot.hook->name() +
               "' rejected a request whose API cannot tell an error: " + rejection.message);
}

// The error takes the place of the broker's answer, and goes on to the plug-ins that follow.
Advance MessageTask::reject_response(const Rejection& rejection) {
  const FrameContext& context = message_->context();
  if (const auto body = message_->body()) {
    const auto response =
        make_error_instead(context.key, context.version, *body, rejection, message_->arena());
    if (response) {
      kafka::Writer writer(message_->arena());
      if (response->info->encode(writer, context.version, response->value)) {
        std::vector<std::byte> bytes(static_cast<std::size_t>(writer.size()));
        writer.copy_to(bytes.data());
        message_->replace_body(std::make_shared<const std::vector<std::byte>>(std::move(bytes)));
        return next_stage();
      }
    }
  }
  return close("a rejected response of an API that cannot tell an error");
}

Advance MessageTask::records(Moment now) {
  const Advance advance = records_->advance(now);
  if (advance != Advance::kDone) {
    return advance;
  }
  delay_ = std::max(delay_, records_->delay());
  switch (records_->fate()) {
    case StageFate::kGoOn:
      decided_by_ = records_->decided_by().index;
      return message_->nothing_left() ? finish() : next_stage();
    case StageFate::kClose:
      return close("the plug-in '" + records_->decided_by().hook->name() + "' asked for it");
    case StageFate::kUndecodable:
      break;
  }
  // No plug-in can be shown its batches: the strictest policy answers.
  HookSlot* strictest = records_->slots().front();
  for (HookSlot* slot : records_->slots()) {
    hook_call_.report(*slot, message_->context(), message_->direction(), HookKind::kRecords,
                      records_->failure());
    if (slot->hook->on_failure() == OnFailure::kReject) {
      strictest = slot;
    }
  }
  return fail(*strictest, records_->failure());
}

Advance MessageTask::next_stage() {
  records_ = nullptr;
  started_ = false;
  ++stage_;
  return Advance::kContinue;
}

Advance MessageTask::finish() {
  if (message_->nothing_left()) {
    return answer_in_full();
  }
  ScatterFrame frame;
  OutcomeKind kind = OutcomeKind::kForward;
  if (message_->changed()) {
    auto made = message_->frame(message_);
    if (!made) {
      return close(made.error().detail);
    }
    frame = *std::move(made);
    kind = OutcomeKind::kReplace;
  }
  return end(kind, std::move(frame), runtime_->chain().hooks().size());
}

// Every partition of a Produce request was taken out of it.
Advance MessageTask::answer_in_full() {
  if (message_->context().answer == Answer::kNone) {
    return end(OutcomeKind::kDrop, {}, decided_by_);
  }
  auto frame = message_->reply_from_fragments(message_);
  if (!frame) {
    return close(frame.error().detail);
  }
  return end(OutcomeKind::kReply, *std::move(frame), decided_by_);
}

Advance MessageTask::close(std::string reason) {
  outcome_.kind = OutcomeKind::kClose;
  outcome_.reason = std::move(reason);
  stage_ = stages_.size();
  return Advance::kDone;
}

Advance MessageTask::end(OutcomeKind kind, ScatterFrame frame, std::size_t hooks) {
  outcome_.kind = kind;
  outcome_.frame = std::move(frame);
  outcome_.delay = delay_;
  if (message_->direction() == Direction::kRequest && kind != OutcomeKind::kDrop) {
    auto merge = std::make_unique<ResponseMerge>();
    const bool owed = !message_->nothing_left() && !message_->fragments().empty() &&
                      message_->context().answer == Answer::kExpected;
    if (owed) {
      merge->fragments = std::move(message_->fragments());
    }
    outcome_.passage = Passage(runtime_, hooks, owed ? std::move(merge) : nullptr);
  }
  return Advance::kDone;
}

}  // namespace grete::plugins

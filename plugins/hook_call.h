// Runs the calls of one message's visits, reports them, and turns what went wrong into values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plugins/edit_list.h"
#include "plugins/hook.h"
#include "plugins/worker.h"

namespace grete::plugins {

// What one step of work on a message says.
enum class Advance : std::uint8_t {
  kContinue,  // there is more to do, and the slice is not used up
  kYield,     // the slice is used up
  kWaiting,   // only others' progress can help
  kDone,
};

// One plug-in on the way of one message.
struct HookSlot {
  std::size_t index = 0;  // in the chain
  const Hook* hook = nullptr;
  HookRuntime* runtime = nullptr;
  Payloads payloads;
  // Made when the first call begins, and anew after a failure.
  std::unique_ptr<Visit> visit;
  std::uint32_t failures = 0;

  [[nodiscard]] bool observed() const { return hook->on_failure() == OnFailure::kObserve; }
};

// Why a message or a partition does not go on, as a client is told.
struct Rejection {
  std::int16_t code = 0;
  std::string message;
  std::vector<std::uint32_t> records;
};

// What a failed plug-in's clients are told. `direction` and `kind` choose the code.
[[nodiscard]] Rejection rejection_of(const Failure& failure, HookKind kind, kafka::ApiKey key,
                                     Direction direction);

// One call after the other, of any slots. One thread. Dropping it abandons the call under way,
// together with the slot's visit.
class HookCall {
 public:
  explicit HookCall(Worker& worker) : worker_(&worker) {}

  // `slot`, the call and what they point at outlive the call.
  void start(HookSlot& slot, const MessageCall& call, Moment now);
  void start(HookSlot& slot, const RecordsCall& call, EditList& edits, Moment now);

  [[nodiscard]] Advance advance(Moment now);
  // After kDone, once. Counts and reports the call.
  [[nodiscard]] Result<Verdict, Failure> take(Moment now);

  // Reports a failure that happened outside a call: with what a plug-in is shown, or wants changed.
  void report(HookSlot& slot, const FrameContext& context, Direction direction, HookKind kind,
              const Failure& failure);

 private:
  [[nodiscard]] bool prepare(HookSlot& slot, const FrameContext& context, Direction direction,
                             HookKind kind, Moment now);

  Worker* worker_;
  HookSlot* slot_ = nullptr;
  const FrameContext* context_ = nullptr;
  Direction direction_ = Direction::kRequest;
  HookKind kind_ = HookKind::kMessage;
  Moment started_;
  bool given_up_ = false;
};

}  // namespace grete::plugins

// A message on its way through the hooks of a chain that asked for it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "plugins/chain.h"
#include "plugins/hook_call.h"
#include "plugins/message.h"
#include "plugins/records_stage.h"

namespace grete::plugins {

// The hooks in order of their turns are cut into stages: a message stage shows the encoded message
// to one hook; a records stage takes the batches through all hooks up to the next message stage, so
// that they are decoded and compressed once.
class MessageTask final : public Task {
 public:
  // The first `hooks` of the chain see the message. `merge` may be null.
  MessageTask(std::shared_ptr<ChainRuntime> runtime, Frame frame, const FrameContext& context,
              Direction direction, std::size_t hooks, std::unique_ptr<ResponseMerge> merge);
  ~MessageTask() override;

  CallState poll(Moment now) override;
  Outcome take() override { return std::move(outcome_); }
  [[nodiscard]] bool fresh() const override { return fresh_; }

 private:
  struct Stage {
    HookKind kind;
    std::vector<HookSlot*> slots;  // one, of a message stage
  };

  void add_slots(std::size_t hooks);
  void add_stage(HookSlot& slot);

  Advance advance(Moment now);
  Advance start_stage(Moment now);
  Advance message_call(Moment now);
  Advance records(Moment now);
  Advance next_stage();

  Advance obey(HookSlot& slot, Verdict verdict);
  Advance fail(HookSlot& slot, const Failure& failure);
  Advance reply(HookSlot& slot, Verdict verdict);
  Advance reject(HookSlot& slot, const Rejection& rejection);
  Advance reject_response(const Rejection& rejection);
  Advance close(std::string reason);
  Advance finish();
  Advance answer_in_full();
  Advance end(OutcomeKind kind, ScatterFrame frame, std::size_t hooks);

  std::shared_ptr<ChainRuntime> runtime_;
  std::shared_ptr<Message> message_;
  std::unique_ptr<ResponseMerge> merge_;
  std::vector<std::unique_ptr<HookSlot>> slots_;
  std::vector<Stage> stages_;
  std::size_t stage_ = 0;
  std::size_t decided_by_ = 0;  // the hook that rejected last
  bool started_ = false;        // the stage at hand
  MessageCall call_;
  HookCall hook_call_;
  std::unique_ptr<RecordsStage> records_;
  Duration delay_{};
  bool fresh_ = true;
  Outcome outcome_;
};

}  // namespace grete::plugins

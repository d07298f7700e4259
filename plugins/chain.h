// The plug-ins that a message passes, in order; and what comes out.
//
//   gateway, per worker:  auto runtime = ChainRuntime::create(snapshot.chain, worker);
//   a request:            if (runtime->interest(key, version, kRequest) != kNone)
//                           task = runtime->begin_request(frame, context);
//                         each turn of the loop, at most one slice of all tasks of the worker:
//                           if (task->poll(now) == CallState::kDone) outcome = task->take();
//                         otherwise the pending request keeps runtime->passage().
//   its response:         if (passage.interest(key, version) != kNone)
//                           task = std::move(passage).begin_response(frame, context);
//
// Requests pass the plug-ins in the chain's order, responses in the reverse order. A request that
// entered by a chain leaves by it: a Passage keeps its ChainRuntime alive, also over a reload.
// Dropping a task at any point is safe; do so before the connection's budget goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "plugins/frame.h"
#include "plugins/hook.h"
#include "plugins/subscription.h"
#include "plugins/worker.h"

namespace grete::plugins {

class ChainRuntime;
class ResponseMerge;

// Immutable, a part of a configuration's snapshot, shared by all workers.
class Chain {
 public:
  // At most limits::kMaxHooks. Shared, since chains may have plug-ins in common.
  explicit Chain(std::vector<std::shared_ptr<const Hook>> hooks);

  [[nodiscard]] const std::vector<std::shared_ptr<const Hook>>& hooks() const { return hooks_; }
  // The sum of all plug-ins' subscriptions.
  [[nodiscard]] const Subscription& subscription() const { return subscription_; }

 private:
  std::vector<std::shared_ptr<const Hook>> hooks_;
  Subscription subscription_;
};

enum class OutcomeKind : std::uint8_t {
  kForward,  // the frame goes on as it came
  kReplace,  // `frame` goes on instead
  kReply,    // request only: `frame` is the response; the request goes to no broker. It waits for
             // its turn, and goes back through `passage` as the broker's answer would
  kDrop,     // request only: nothing is sent and no response will come
  kClose,    // both sides of the connection are closed
};
[[nodiscard]] std::string_view name_of(OutcomeKind kind);

class Task;

// The way back of a request: to be kept with the pending request until its response is there.
// Movable. One thread.
class Passage {
 public:
  Passage();
  Passage(Passage&&) noexcept;
  Passage& operator=(Passage&&) noexcept;
  ~Passage();

  // How much of the response must be at hand. kNone: forward its bytes as they come.
  [[nodiscard]] Interest interest(kafka::ApiKey key, kafka::ApiVersion version) const;

  // Begins the response's way back. Precondition: interest() is not kNone. Once.
  [[nodiscard]] std::unique_ptr<Task> begin_response(Frame frame, const FrameContext& context) &&;

 private:
  friend class ChainRuntime;
  friend class MessageTask;

  Passage(std::shared_ptr<ChainRuntime> runtime, std::size_t hooks,
          std::unique_ptr<ResponseMerge> merge);

  std::shared_ptr<ChainRuntime> runtime_;
  // The first so many hooks of the chain see the response.
  std::size_t hooks_ = 0;
  // Errors to be merged into the broker's answer, or null.
  std::unique_ptr<ResponseMerge> merge_;
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::kForward;
  // kReplace, kReply. Without the four bytes of length.
  ScatterFrame frame;
  // To wait before the outcome takes effect, and before more of the sender's bytes are looked at.
  Duration delay{};
  // Of a request with kForward, kReplace or kReply.
  Passage passage;
  // kClose: why, and by which plug-in. For the log.
  std::string reason;
};

// A message on its way through a chain. One thread.
class Task {
 public:
  virtual ~Task() = default;
  Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // Runs at most one slice: about a tick (1 ms) of a plug-in, or of native work.
  virtual CallState poll(Moment now) = 0;
  // After kDone, once.
  virtual Outcome take() = 0;
  // Whether poll() was never called: fresh tasks have precedence over suspended ones.
  [[nodiscard]] virtual bool fresh() const = 0;
};

// A chain in one worker. One thread.
class ChainRuntime : public std::enable_shared_from_this<ChainRuntime> {
 public:
  // `worker` outlives the runtime and every passage and task.
  [[nodiscard]] static std::shared_ptr<ChainRuntime> create(std::shared_ptr<const Chain> chain,
                                                            Worker& worker);
  ~ChainRuntime();

  [[nodiscard]] Interest interest(kafka::ApiKey key, kafka::ApiVersion version,
                                  Direction direction) const {
    return chain_->subscription().payloads(key, version, direction).interest();
  }

  // Begins a request's way. Precondition: interest() of it is not kNone. With kHeader the frame may
  // hold the header alone; the outcome is then never kReplace.
  [[nodiscard]] std::unique_ptr<Task> begin_request(Frame frame, const FrameContext& context);

  // For a request that nobody subscribed to.
  [[nodiscard]] Passage passage();

  // Housekeeping of the plug-ins, once a turn of the worker's loop.
  void serve(Moment now);

  [[nodiscard]] const Chain& chain() const { return *chain_; }
  [[nodiscard]] Worker& worker() { return *worker_; }
  [[nodiscard]] HookRuntime& hook(std::size_t index) { return *hooks_[index]; }

 private:
  ChainRuntime(std::shared_ptr<const Chain> chain, Worker& worker);

  std::shared_ptr<const Chain> chain_;
  Worker* worker_;
  std::vector<std::unique_ptr<HookRuntime>> hooks_;
};

}  // namespace grete::plugins

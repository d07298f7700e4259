#include "plugins/lane/lane_hook.h"

#include <optional>
#include <utility>

#include "plugins/lane/lane_guest.h"
#include "plugins/limits.h"

namespace grete::plugins {
namespace {

using wasm::LeaseRefusal;
using wasm::TrapReason;

Failure failure_of(const wasm::Trap& trap) {
  const FailureKind kind =
      trap.reason == TrapReason::kDeadline ? FailureKind::kDeadline : FailureKind::kTrap;
  std::string detail{name_of(trap.reason)};
  if (!trap.detail.empty()) {
    detail += ": " + trap.detail;
  }
  return {kind, std::move(detail)};
}

class LaneRuntime final : public HookRuntime {
 public:
  LaneRuntime(std::shared_ptr<const WasmPlugin> plugin, Worker& worker)
      : plugin_(std::move(plugin)),
        worker_(&worker),
        pool_(
            [this] {
              return std::make_unique<LaneGuest>(*plugin_, *worker_->telemetry, *worker_->machine);
            },
            {.max_instances = plugin_->spec.max_instances}, *worker.queue) {
    pool_.warm_up(worker.machine->now());
  }

  std::unique_ptr<Visit> visit() override;
  void serve(Moment now) override { pool_.serve(now); }

  [[nodiscard]] const PluginSpec& spec() const { return plugin_->spec; }
  [[nodiscard]] wasm::Pool& pool() { return pool_; }
  [[nodiscard]] std::uint64_t next_token() { return ++last_token_; }

 private:
  std::shared_ptr<const WasmPlugin> plugin_;
  Worker* worker_;
  wasm::Pool pool_;
  std::uint64_t last_token_ = 0;
};

// Holds one instance from its first call on. A failure gives it up.
class LaneVisit final : public Visit {
 public:
  explicit LaneVisit(LaneRuntime& runtime) : runtime_(&runtime) {}
  ~LaneVisit() override { end_call(); }

  void start(const MessageCall& call) override {
    message_ = call;
    call_ = {.token = 0, .message = &message_, .records = nullptr, .edits = nullptr, .verdict = {}};
    begin();
  }
  void start(const RecordsCall& call, EditList& edits) override {
    records_ = call;
    call_ = {.token = 0, .message = nullptr, .records = &records_, .edits = &edits, .verdict = {}};
    begin();
  }

  CallState poll(Moment now) override {
    if (state_ == State::kAsk) {
      ask(now);
    }
    if (state_ == State::kWait) {
      if (now >= deadline_) {
        waiter_.reset();
        fail({FailureKind::kBusy, "no instance became free within the deadline"});
      }
    }
    if (state_ == State::kShow) {
      call_.token = runtime_->next_token();
      guest_call_ = guest().show(call_, {.deadline = now + runtime_->spec().deadline});
      state_ = State::kRun;
    }
    if (state_ == State::kRun) {
      run(now);
    }
    if (state_ == State::kEnded) {
      return CallState::kDone;
    }
    return state_ == State::kWait ? CallState::kWaiting : CallState::kRunnable;
  }

  Result<Verdict, Failure> take() override {
    if (failure_) {
      return unexpected(*std::move(failure_));
    }
    return call_.verdict ? *std::move(call_.verdict) : Verdict{};
  }

  [[nodiscard]] std::uint32_t slices() const override { return slices_; }

 private:
  enum class State : std::uint8_t { kAsk, kWait, kShow, kRun, kEnded };

  // Destroying it leaves the pool's queue.
  class Waiter final : public wasm::LeaseWaiter {
   public:
    explicit Waiter(LaneVisit& visit) : visit_(&visit) {}

   protected:
    void on_lease(Result<wasm::Lease, LeaseRefusal> lease, Moment) override {
      visit_->take_lease(std::move(lease));
    }

   private:
    LaneVisit* visit_;
  };

  void begin() {
    failure_.reset();
    slices_ = 0;
    state_ = lease_ ? State::kShow : State::kAsk;
  }

  void ask(Moment now) {
    deadline_ = now + runtime_->spec().deadline;
    waiter_.emplace(*this);
    take_lease(runtime_->pool().lease(*waiter_, now));
  }

  void take_lease(Result<wasm::Lease, LeaseRefusal> lease) {
    if (lease) {
      lease_ = *std::move(lease);
      state_ = State::kShow;
      return;
    }
    switch (lease.error()) {
      case LeaseRefusal::kWait:
        state_ = State::kWait;
        return;
      case LeaseRefusal::kBusy:
        fail({FailureKind::kBusy, "all instances are busy"});
        return;
      case LeaseRefusal::kQuarantined:
        fail({FailureKind::kQuarantined,
              "it failed too often; last: " + failure_of(runtime_->pool().last_failure()).detail});
        return;
    }
  }

  void run(Moment now) {
    const wasm::CallState state = guest_call_.poll(now);
    if (state == wasm::CallState::kSuspended) {
      return;
    }
    slices_ = guest_call_.slices();
    lease_.record(guest_call_, now);
    if (state == wasm::CallState::kTrapped) {
      fail(failure_of(guest_call_.trap()));
      end_call();
      lease_.release();
      return;
    }
    end_call();
    state_ = State::kEnded;
  }

  void fail(Failure failure) {
    failure_ = std::move(failure);
    state_ = State::kEnded;
  }

  // Abandons the guest's call if it is under way; the instance is of no further use then.
  void end_call() {
    guest_call_ = wasm::GuestCall{};
    if (lease_) {
      guest().end();
    }
  }

  [[nodiscard]] LaneGuest& guest() { return static_cast<LaneGuest&>(lease_.guest()); }

  LaneRuntime* runtime_;
  State state_ = State::kEnded;
  MessageCall message_;
  RecordsCall records_;
  LaneCall call_;
  Moment deadline_;
  std::optional<Failure> failure_;
  std::uint32_t slices_ = 0;
  std::optional<Waiter> waiter_;
  wasm::Lease lease_;
  wasm::GuestCall guest_call_;
};

std::unique_ptr<Visit> LaneRuntime::visit() {
  return std::make_unique<LaneVisit>(*this);
}

class LaneHook final : public Hook {
 public:
  LaneHook(std::shared_ptr<const WasmPlugin> plugin, Subscription subscription)
      : Hook({plugin->spec.name, plugin->spec.on_failure}, std::move(subscription)),
        plugin_(std::move(plugin)) {}

  [[nodiscard]] std::unique_ptr<HookRuntime> make_runtime(Worker& worker) const override {
    return std::make_unique<LaneRuntime>(plugin_, worker);
  }

 private:
  std::shared_ptr<const WasmPlugin> plugin_;
};

}  // namespace

std::shared_ptr<const Hook> make_lane_hook(std::shared_ptr<const WasmPlugin> plugin,
                                           Subscription subscription) {
  return std::make_shared<LaneHook>(std::move(plugin), std::move(subscription));
}

}  // namespace grete::plugins

// Leases, fairness between calls, replacement and quarantine: counted in slices, with time as an
// argument.
#include "wasm/pool/pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/engine/host_function.h"
#include "wasm/pool/run_queue.h"
#include "wasm/testing/wat.h"

namespace grete::wasm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr Moment kStart{};

// Work of a fixed number of slices.
class Work final : public Runnable {
 public:
  Work(std::string name, int slices, std::vector<std::string>& events)
      : name_(std::move(name)), left_(slices), events_(&events) {}

  SliceResult run_slice(Moment /*now*/) override {
    events_->push_back(name_);
    return --left_ == 0 ? SliceResult::kFinished : SliceResult::kSuspended;
  }

 private:
  std::string name_;
  int left_;
  std::vector<std::string>* events_;
};

Moment stopped_clock() {
  return kStart;
}

TEST(RunQueueTest, FreshWorkGoesBeforeSuspended) {
  RunQueue queue;
  std::vector<std::string> events;
  Work first{"a", 3, events};
  Work second{"b", 3, events};
  Work third{"c", 1, events};
  EXPECT_FALSE(queue.start(first, kStart)) << "runs at once";
  EXPECT_FALSE(queue.start(second, kStart)) << "the slice of this turn is used up";
  EXPECT_THAT(events, ElementsAre("a"));
  EXPECT_TRUE(queue.run(stopped_clock));
  EXPECT_THAT(events, ElementsAre("a", "b"));
  EXPECT_TRUE(queue.start(third, kStart));
  EXPECT_TRUE(queue.run(stopped_clock));
  EXPECT_TRUE(queue.run(stopped_clock));
  EXPECT_THAT(events, ElementsAre("a", "b", "c", "a", "b"));
  while (queue.run(stopped_clock)) {
  }
  EXPECT_THAT(events, ElementsAre("a", "b", "c", "a", "b", "a", "b"));
  EXPECT_EQ(queue.slices(), 7U);
  EXPECT_TRUE(queue.idle());
}

TEST(RunQueueTest, ATurnRunsOneSliceOfLongWorkAndAnyNumberOfShort) {
  RunQueue queue;
  std::vector<std::string> events;
  Work blocker{"x", 2, events};
  queue.start(blocker, kStart);
  std::vector<std::unique_ptr<Work>> fresh;
  for (const char* name : {"a", "b", "c"}) {
    fresh.push_back(std::make_unique<Work>(name, 1, events));
    EXPECT_FALSE(queue.start(*fresh.back(), kStart));
  }
  queue.run(stopped_clock);
  EXPECT_THAT(events, ElementsAre("x", "a", "b", "c", "x"));
}

TEST(RunQueueTest, ATurnEndsWhenItsTimeIsUp) {
  RunQueue queue;
  std::vector<std::string> events;
  Work blocker{"x", 9, events};
  queue.start(blocker, kStart);
  Work first{"a", 1, events};
  Work second{"b", 1, events};
  queue.start(first, kStart);
  queue.start(second, kStart);
  Moment now = kStart;
  EXPECT_TRUE(queue.run([&now] { return now += milliseconds{1}; }));
  EXPECT_THAT(events, ElementsAre("x", "a"));
}

TEST(RunQueueTest, AFloodOfFreshWorkDoesNotStarveSuspendedWork) {
  RunQueue queue;
  std::vector<std::string> events;
  Work patient{"p", 4, events};
  queue.start(patient, kStart);
  Moment now = kStart;
  for (int turn = 0; turn < 30; ++turn) {
    Work fresh{"f", 1, events};
    Work more{"f", 1, events};
    Work blocker{"b", 2, events};
    queue.start(blocker, now);
    queue.start(fresh, now);
    queue.start(more, now);
    queue.run([&now] { return now += milliseconds{1}; });
  }
  EXPECT_EQ(std::ranges::count(events, "p"), 4);
}

TEST(RunQueueTest, WorkMayLeaveAtAnyTime) {
  RunQueue queue;
  std::vector<std::string> events;
  {
    Work first{"a", 3, events};
    Work second{"b", 3, events};
    queue.start(first, kStart);
    queue.start(second, kStart);
    EXPECT_EQ(queue.length(), 2U);
    queue.remove(second);
    EXPECT_FALSE(second.queued());
  }
  EXPECT_TRUE(queue.idle());
}

// A guest whose run(n) ticks n times and then returns, or traps if n is 1000 or more. Its start
// ticks as often as told.
constexpr std::string_view kModule = R"((module
  (import "host" "tick" (func $tick))
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32) (local i32)
    (if (i32.ge_u (local.get 0) (i32.const 1000)) (then (unreachable)))
    (loop $again
      (if (i32.lt_u (local.get 1) (local.get 0)) (then
        (call $tick)
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (br $again))))
    (local.get 0))))";

class Ticking {
 public:
  static constexpr ImportSlot kSlot = ImportSlot::kAbi;
  explicit Ticking(Engine& engine) : engine_(&engine) {}
  void tick() { engine_->tick(); }

 private:
  Engine* engine_;
};

class TestGuest final : public PooledGuest {
 public:
  TestGuest(std::shared_ptr<const LinkedModule> module, Engine& engine,
            std::uint32_t start_argument)
      : instance_(std::move(module), {}), imports_(engine), start_argument_(start_argument) {
    instance_.set_imports(ImportSlot::kAbi, &imports_);
  }
  GuestCall start(const CallLimits& limits) override {
    return instance_.instantiate(
        [this](Instance& it) -> HostResult<std::uint64_t> {
          run_ = it.find<std::uint32_t(std::uint32_t)>("run");
          return it.invoke(run_, start_argument_);
        },
        limits);
  }
  Instance& instance() override { return instance_; }
  GuestCall call(std::uint32_t argument) {
    return instance_.start(
        [this, argument](Instance& it) -> HostResult<std::uint64_t> {
          return it.invoke(run_, argument);
        },
        {});
  }

 private:
  Instance instance_;
  Ticking imports_;
  GuestFunction<std::uint32_t(std::uint32_t)> run_;
  std::uint32_t start_argument_;
};

class Waiter final : public LeaseWaiter {
 public:
  void on_lease(Result<Lease, LeaseRefusal> answer, Moment /*now*/) override {
    answered = true;
    if (answer) {
      lease = *std::move(answer);
    } else {
      refusal = answer.error();
    }
  }
  bool answered = false;
  Lease lease;
  std::optional<LeaseRefusal> refusal;
};

class PoolTest : public ::testing::Test {
 protected:
  PoolTest() {
    define<&Ticking::tick>(imports_, "host", "tick");
    module_ = testing::link(*engine_, imports_, kModule);
  }

  Pool make(std::uint32_t max_instances) {
    return Pool{[this] { return std::make_unique<TestGuest>(module_, *engine_, start_argument_); },
                PoolOptions{.max_instances = max_instances, .start_timeout = seconds{2}}, queue_};
  }

  void turn(Pool& pool, Moment now) {
    queue_.run([now] { return now; });
    pool.serve(now);
  }

  // Leases and calls once; the call ends within its slices.
  void call_once(Pool& pool, std::uint32_t argument, Moment now) {
    Waiter waiter;
    auto lease = pool.lease(waiter, now);
    ASSERT_TRUE(lease) << static_cast<int>(lease.error());
    GuestCall call = static_cast<TestGuest&>(lease->guest()).call(argument);
    while (call.poll(now) == CallState::kSuspended) {
    }
    lease->record(call, now);
  }

  std::unique_ptr<Engine> engine_ = *Engine::create({.ticker = Ticker::kManual});
  ImportSet imports_{*engine_};
  std::shared_ptr<const LinkedModule> module_;
  RunQueue queue_;
  std::uint32_t start_argument_ = 0;
};

TEST_F(PoolTest, StartsAnInstanceWhenOneIsNeededAndUsesItAgain) {
  Pool pool = make(4);
  call_once(pool, 0, kStart);
  call_once(pool, 2, kStart);
  EXPECT_EQ(pool.gauges(kStart).instances, 1U);
  EXPECT_EQ(pool.gauges(kStart).memory_bytes, 65536U);
  EXPECT_EQ(pool.counters().calls, 2U);
  EXPECT_EQ(pool.counters().slices, 5U) << "with the one to start";
}

TEST_F(PoolTest, GrowsToItsLimitAndThenMakesCallersWait) {
  Pool pool = make(2);
  Waiter waiter;
  auto first = pool.lease(waiter, kStart);
  auto second = pool.lease(waiter, kStart);
  ASSERT_TRUE(first && second);
  const auto third = pool.lease(waiter, kStart);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error(), LeaseRefusal::kWait);
  turn(pool, kStart + milliseconds{1});
  EXPECT_FALSE(waiter.answered);
  first->release();
  turn(pool, kStart + milliseconds{2});
  EXPECT_TRUE(waiter.lease);
}

TEST_F(PoolTest, IsBusyWhenAllInstancesAreKeptTooLong) {
  Pool pool = make(2);
  Waiter waiter;
  auto first = pool.lease(waiter, kStart);
  auto second = pool.lease(waiter, kStart + milliseconds{5});
  EXPECT_EQ(pool.lease(waiter, kStart + milliseconds{6}).error(), LeaseRefusal::kWait);
  turn(pool, kStart + milliseconds{12});
  EXPECT_FALSE(waiter.answered) << "the second is leased for 7 ms";
  turn(pool, kStart + milliseconds{13});
  EXPECT_EQ(waiter.refusal, LeaseRefusal::kBusy);
  Waiter late;
  EXPECT_EQ(pool.lease(late, kStart + milliseconds{14}).error(), LeaseRefusal::kBusy);
  EXPECT_EQ(pool.counters().refused_busy, 2U);
}

TEST_F(PoolTest, AStartInSlicesSharesTheQueue) {
  start_argument_ = 3;
  Pool pool = make(1);
  pool.warm_up(kStart);
  Waiter waiter;
  EXPECT_EQ(pool.lease(waiter, kStart).error(), LeaseRefusal::kWait);
  EXPECT_EQ(pool.gauges(kStart).starting, 1U);
  turn(pool, kStart);
  turn(pool, kStart);
  EXPECT_FALSE(waiter.answered);
  turn(pool, kStart);
  EXPECT_TRUE(waiter.lease);
}

TEST_F(PoolTest, ATrappedInstanceIsReplaced) {
  Pool pool = make(1);
  call_once(pool, 1000, kStart);
  EXPECT_EQ(pool.counters().traps[static_cast<std::size_t>(TrapReason::kUnreachable)], 1U);
  EXPECT_EQ(pool.last_failure().reason, TrapReason::kUnreachable);
  call_once(pool, 0, kStart);
  EXPECT_EQ(pool.counters().instances_discarded, 1U);
  EXPECT_EQ(pool.counters().instances_started, 2U);
}

TEST_F(PoolTest, ADroppedCallCostsItsInstance) {
  Pool pool = make(1);
  {
    Waiter waiter;
    auto lease = pool.lease(waiter, kStart);
    GuestCall call = static_cast<TestGuest&>(lease->guest()).call(5);
    EXPECT_EQ(call.poll(kStart), CallState::kSuspended);
  }
  EXPECT_EQ(pool.gauges(kStart).instances, 0U);
  call_once(pool, 0, kStart);
}

TEST_F(PoolTest, FailuresInARowQuarantineForLongerAndLonger) {
  Pool pool = make(1);
  Moment now = kStart;
  for (std::uint32_t i = 0; i < limits::kFailuresToQuarantine; ++i) {
    EXPECT_FALSE(pool.quarantined(now));
    call_once(pool, 1000, now);
  }
  Waiter waiter;
  EXPECT_TRUE(pool.quarantined(now));
  EXPECT_EQ(pool.lease(waiter, now + milliseconds{999}).error(), LeaseRefusal::kQuarantined);
  for (const seconds back_off : {seconds{1}, seconds{2}, seconds{4}, seconds{8}, seconds{16},
                                 seconds{32}, seconds{60}, seconds{60}}) {
    EXPECT_EQ(pool.quarantined_until(), now + back_off);
    now = pool.quarantined_until();
    call_once(pool, 1000, now);
  }
  now = pool.quarantined_until();
  call_once(pool, 0, now);
  call_once(pool, 1000, now);
  EXPECT_FALSE(pool.quarantined(now)) << "one success forgives";
}

TEST_F(PoolTest, APluginThatCannotStartIsQuarantined) {
  start_argument_ = 1000;
  Pool pool = make(2);
  Waiter waiter;
  auto lease = pool.lease(waiter, kStart);
  for (int i = 0; i < 10 && !waiter.answered; ++i) {
    turn(pool, kStart);
  }
  EXPECT_EQ(waiter.refusal, LeaseRefusal::kQuarantined);
  EXPECT_EQ(pool.last_failure().reason, TrapReason::kUnreachable);
}

TEST_F(PoolTest, WaitersAndThePoolMayGoInAnyOrder) {
  Waiter outliving;
  {
    Pool pool = make(1);
    Waiter waiter;
    auto lease = pool.lease(waiter, kStart);
    {
      Waiter gone;
      EXPECT_EQ(pool.lease(gone, kStart).error(), LeaseRefusal::kWait);
    }
    EXPECT_EQ(pool.lease(outliving, kStart).error(), LeaseRefusal::kWait);
    EXPECT_EQ(pool.gauges(kStart).waiting, 1U);
  }
  EXPECT_FALSE(outliving.answered);
}

}  // namespace
}  // namespace grete::wasm

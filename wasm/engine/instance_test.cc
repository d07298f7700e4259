// Guest calls in slices, against guests that behave and guests that do not.
#include "wasm/engine/instance.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/engine/host_function.h"
#include "wasm/testing/wat.h"

namespace grete::wasm {
namespace {

using ::testing::HasSubstr;

constexpr Moment kNow{};

// Imports that let a guest tick the epoch itself, so that slices are counted and not timed.
class TestImports {
 public:
  static constexpr ImportSlot kSlot = ImportSlot::kAbi;
  static constexpr std::uint32_t kBadPointer = 6;

  explicit TestImports(Instance& instance) : instance_(&instance) {}

  void tick() { engine->tick(); }
  std::uint32_t take(Bytes bytes) {
    taken.emplace_back(as_text(bytes));
    return 0;
  }
  std::uint32_t give(Out<std::uint32_t> address, Out<std::uint32_t> size) {
    address.store(7);
    size.store(8);
    return 0;
  }
  std::uint64_t add(std::uint64_t a, std::uint32_t b) { return a + b; }
  // Allocates in the guest, and writes to what it got.
  HostResult<std::uint32_t> allocate(std::uint32_t size) {
    GRETE_TRY_ASSIGN(const std::optional<GuestAddress> address, instance_->allocate(size));
    if (!address) {
      return 0;
    }
    const auto range = instance_->memory().range(*address, size);
    std::ranges::fill(*range, std::byte{'x'});
    return value_of(*address);
  }

  Engine* engine = nullptr;
  std::vector<std::string> taken;

 private:
  Instance* instance_;
};

std::unique_ptr<ImportSet> make_test_imports(Engine& engine) {
  auto imports = std::make_unique<ImportSet>(engine);
  define<&TestImports::tick>(*imports, "host", "tick");
  define<&TestImports::take>(*imports, "host", "take");
  define<&TestImports::give>(*imports, "host", "give");
  define<&TestImports::add>(*imports, "host", "add");
  define<&TestImports::allocate>(*imports, "host", "allocate");
  return imports;
}

struct Guest {
  Guest(Engine& engine, const ImportSet& set, std::string_view text, InstanceLimits limits = {})
      : instance(testing::link(engine, set, text), limits), imports(instance) {
    imports.engine = &engine;
    instance.set_imports(ImportSlot::kAbi, &imports);
  }

  GuestCall instantiate(const CallLimits& limits = {}) {
    return instance.instantiate(
        [this](Instance& it) -> HostResult<std::uint64_t> {
          run = it.find<std::uint32_t(std::uint32_t)>("run");
          it.set_allocator(it.find<std::uint32_t(std::uint32_t)>("malloc"));
          return 0;
        },
        limits);
  }

  GuestCall call(std::uint32_t argument, const CallLimits& limits = {}) {
    return instance.start(
        [this, argument](Instance& it) -> HostResult<std::uint64_t> {
          return it.invoke(run, argument);
        },
        limits);
  }

  Instance instance;
  TestImports imports;
  GuestFunction<std::uint32_t(std::uint32_t)> run;
};

CallState finish(GuestCall& call) {
  while (call.poll(kNow) == CallState::kSuspended) {
  }
  return call.state();
}

class InstanceTest : public ::testing::Test {
 protected:
  explicit InstanceTest(Ticker ticker = Ticker::kManual)
      : engine_(*Engine::create({.max_instances = 600, .ticker = ticker})),
        imports_(make_test_imports(*engine_)) {}

  std::unique_ptr<Guest> make(std::string_view text, InstanceLimits limits = {}) {
    auto guest = std::make_unique<Guest>(*engine_, *imports_, text, limits);
    GuestCall call = guest->instantiate();
    EXPECT_EQ(finish(call), CallState::kDone) << call.trap().detail;
    return guest;
  }

  // Runs run(argument) to its end and expects a trap.
  Trap trap_of(std::string_view text, std::uint32_t argument = 0, InstanceLimits limits = {},
               const CallLimits& call_limits = {}) {
    const auto guest = make(text, limits);
    GuestCall call = guest->call(argument, call_limits);
    EXPECT_EQ(finish(call), CallState::kTrapped);
    EXPECT_FALSE(guest->instance.usable());
    return call.trap();
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<ImportSet> imports_;
};

class TickingInstanceTest : public InstanceTest {
 protected:
  TickingInstanceTest() : InstanceTest(Ticker::kThread) {}
};

// Ticks `argument` times, then returns it plus one.
constexpr std::string_view kTicker = R"((module
  (import "host" "tick" (func $tick))
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32) (local i32)
    (loop $again
      (if (i32.lt_u (local.get 1) (local.get 0)) (then
        (call $tick)
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (br $again))))
    (i32.add (local.get 0) (i32.const 1)))))";

constexpr std::string_view kEndless = R"((module
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32) (loop $again (br $again)) (unreachable))))";

TEST_F(InstanceTest, ReturnsWhatTheGuestReturns) {
  const auto guest = make(kTicker);
  GuestCall call = guest->call(0);
  EXPECT_EQ(call.poll(kNow), CallState::kDone);
  EXPECT_EQ(call.result(), 1U);
  EXPECT_EQ(call.slices(), 1U);
}

TEST_F(InstanceTest, IsSuspendedAtEveryTick) {
  const auto guest = make(kTicker);
  GuestCall call = guest->call(5);
  for (std::uint32_t slice = 1; slice <= 5; ++slice) {
    ASSERT_EQ(call.poll(kNow), CallState::kSuspended);
    EXPECT_EQ(call.slices(), slice);
    EXPECT_TRUE(guest->instance.call_in_progress());
  }
  EXPECT_EQ(call.poll(kNow), CallState::kDone);
  EXPECT_EQ(call.result(), 6U);
  EXPECT_FALSE(guest->instance.call_in_progress());
  EXPECT_EQ(guest->instance.slices(), 7U) << "one to instantiate";
}

TEST_F(InstanceTest, EndsACallThatUsedUpItsSlices) {
  const Trap trap = trap_of(kTicker, 100, {}, {.max_slices = 3});
  EXPECT_EQ(trap.reason, TrapReason::kDeadline);
  EXPECT_THAT(trap.detail, HasSubstr("3 slices"));
}

TEST_F(InstanceTest, EndsACallAtItsDeadline) {
  const auto guest = make(kTicker);
  GuestCall call = guest->call(100, {.deadline = kNow + std::chrono::milliseconds{10}});
  EXPECT_EQ(call.poll(kNow), CallState::kSuspended);
  EXPECT_EQ(call.poll(kNow + std::chrono::milliseconds{9}), CallState::kSuspended);
  EXPECT_EQ(call.poll(kNow + std::chrono::milliseconds{10}), CallState::kTrapped);
  EXPECT_EQ(call.trap().reason, TrapReason::kDeadline);
  EXPECT_EQ(call.slices(), 2U);
  EXPECT_FALSE(guest->instance.usable());
}

TEST_F(InstanceTest, ACallThatNeverBeganLeavesTheInstanceUsable) {
  const auto guest = make(kTicker);
  {
    GuestCall late = guest->call(1, {.deadline = kNow});
    EXPECT_EQ(late.poll(kNow), CallState::kTrapped);
    EXPECT_EQ(late.slices(), 0U);
  }
  {
    const GuestCall dropped = guest->call(1);
  }
  EXPECT_TRUE(guest->instance.usable());
  GuestCall call = guest->call(1);
  EXPECT_EQ(finish(call), CallState::kDone);
}

TEST_F(InstanceTest, DroppingASuspendedCallLeavesItsFrames) {
  const auto guest = make(kTicker);
  std::vector<std::string> events;
  struct Frame {
    std::vector<std::string>* events;
    ~Frame() { events->push_back("left"); }
  };
  {
    GuestCall call = guest->instance.start(
        [&](Instance& it) -> HostResult<std::uint64_t> {
          const Frame frame{&events};
          const auto result = it.invoke(guest->run, 10U);
          events.push_back(result ? "returned" : "unwinding");
          // A body that goes on regardless gets nowhere.
          events.push_back(it.invoke(guest->run, 0U) ? "entered again" : "refused");
          return result;
        },
        {});
    EXPECT_EQ(call.poll(kNow), CallState::kSuspended);
  }
  EXPECT_EQ(events, (std::vector<std::string>{"unwinding", "refused", "left"}));
  EXPECT_FALSE(guest->instance.usable());
  EXPECT_FALSE(guest->instance.call_in_progress());
}

TEST_F(InstanceTest, AMovedCallGoesOn) {
  const auto guest = make(kTicker);
  GuestCall first = guest->call(2);
  EXPECT_EQ(first.poll(kNow), CallState::kSuspended);
  GuestCall second = std::move(first);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(finish(second), CallState::kDone);
  EXPECT_EQ(second.result(), 3U);
}

TEST_F(InstanceTest, ManySuspendedCallsInterleave) {
  constexpr std::uint32_t kGuests = 500;
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  const auto linked = testing::link(*engine_, *imports_, kTicker);
  std::vector<std::unique_ptr<Guest>> guests;
  std::vector<GuestCall> calls;
  for (std::uint32_t i = 0; i < kGuests; ++i) {
    guests.push_back(make(kTicker));
    calls.push_back(guests.back()->call(i % 7));
  }
  std::uint32_t done = 0;
  while (done < kGuests) {
    const std::uint32_t i = random() % kGuests;
    if (calls[i].state() == CallState::kSuspended && calls[i].poll(kNow) == CallState::kDone) {
      EXPECT_EQ(calls[i].result(), i % 7 + 1);
      ++done;
    }
  }
}

TEST_F(TickingInstanceTest, InterruptsAnEndlessLoop) {
  const Trap trap = trap_of(kEndless, 0, {}, {.max_slices = 3});
  EXPECT_EQ(trap.reason, TrapReason::kDeadline);
}

TEST_F(TickingInstanceTest, TheTickerWakesAfterAPause) {
  const auto guest = make(kEndless);
  std::this_thread::sleep_for(limits::kTick * limits::kIdleTicks * 3);
  GuestCall call = guest->call(0, {.max_slices = 2});
  EXPECT_EQ(finish(call), CallState::kTrapped);
}

TEST_F(TickingInstanceTest, InterruptsAnEndlessStartFunction) {
  Guest guest{*engine_, *imports_,
              R"((module (func $start (loop $again (br $again))) (start $start)))"};
  GuestCall call = guest.instantiate({.max_slices = 3});
  EXPECT_EQ(finish(call), CallState::kTrapped);
  EXPECT_EQ(call.trap().reason, TrapReason::kDeadline);
}

TEST_F(TickingInstanceTest, DroppingACallThatLoopsInItsStartFunction) {
  Guest guest{*engine_, *imports_,
              R"((module (func $start (loop $again (br $again))) (start $start)))"};
  GuestCall call = guest.instantiate();
  EXPECT_EQ(call.poll(kNow), CallState::kSuspended);
}

TEST_F(InstanceTest, TrapsAreValues) {
  const auto run = [](std::string_view body) {
    return R"((module (memory (export "memory") 1) (table 1 funcref) (type $f (func))
      (func (export "run") (param i32) (result i32) )" +
           std::string{body} + " (i32.const 0)))";
  };
  EXPECT_EQ(trap_of(run("(unreachable)")).reason, TrapReason::kUnreachable);
  EXPECT_EQ(trap_of(run("(drop (i32.load (i32.const -4)))")).reason, TrapReason::kOutOfBounds);
  EXPECT_EQ(trap_of(run("(drop (i32.div_u (i32.const 1) (local.get 0)))")).reason,
            TrapReason::kArithmetic);
  EXPECT_EQ(trap_of(run("(call_indirect (type $f) (i32.const 0))")).reason, TrapReason::kBadCall);
}

TEST_F(InstanceTest, DeepRecursionTraps) {
  const Trap trap = trap_of(R"((module
    (func $deep (export "run") (param i32) (result i32)
      (i32.add (i32.const 1) (call $deep (local.get 0))))))");
  EXPECT_EQ(trap.reason, TrapReason::kStackOverflow);
}

constexpr std::string_view kMemoryBomb = R"((module
  (memory (export "memory") 1)
  (func (export "run") (param i32) (result i32) (local i32)
    (loop $again
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1))
        (then (if (local.get 0) (then (unreachable))) (return (local.get 1))))
      (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (br $again))
    (unreachable))))";

TEST_F(InstanceTest, MemoryGrowsToItsLimitAndNoFurther) {
  const auto guest = make(kMemoryBomb, {.memory_bytes = 16 * 65536});
  GuestCall call = guest->call(0);
  EXPECT_EQ(finish(call), CallState::kDone);
  EXPECT_EQ(call.result(), 15U);
  EXPECT_EQ(guest->instance.memory_bytes(), 16U * 65536);
}

TEST_F(InstanceTest, AGuestThatGivesUpForLackOfMemoryIsOutOfMemory) {
  EXPECT_EQ(trap_of(kMemoryBomb, 1, {.memory_bytes = 16 * 65536}).reason, TrapReason::kOutOfMemory);
}

TEST_F(InstanceTest, AMemoryThatStartsAboveTheLimitIsRefused) {
  Guest guest{
      *engine_, *imports_, R"((module (memory (export "memory") 100)))", {.memory_bytes = 65536}};
  GuestCall call = guest.instantiate();
  EXPECT_EQ(finish(call), CallState::kTrapped);
  EXPECT_EQ(call.trap().reason, TrapReason::kInstantiation);
  EXPECT_THAT(call.trap().detail, HasSubstr("memory"));
}

// run(0): take 5 bytes at 16; run(1): take beyond the end; run(2): a result address beyond the end;
// run(3): take nothing, from nowhere; run(4): give.
constexpr std::string_view kPointers = R"((module
  (import "host" "take" (func $take (param i32 i32) (result i32)))
  (import "host" "give" (func $give (param i32 i32) (result i32)))
  (import "host" "add" (func $add (param i64 i32) (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello")
  (func (export "run") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (call $take (i32.const 16) (i32.const 5)))))
    (if (i32.eq (local.get 0) (i32.const 1))
      (then (return (call $take (i32.const 65535) (i32.const 2)))))
    (if (i32.eq (local.get 0) (i32.const 2))
      (then (return (call $give (i32.const 0) (i32.const 65533)))))
    (if (i32.eq (local.get 0) (i32.const 3))
      (then (return (call $take (i32.const -1) (i32.const 0)))))
    (if (i32.eq (local.get 0) (i32.const 5))
      (then (return (call $take (i32.const 16) (i32.const -1)))))
    (if (i32.eq (local.get 0) (i32.const 6))
      (then (return (i32.wrap_i64 (i64.shr_u
        (call $add (i64.const 0x1_0000_0000) (i32.const -1)) (i64.const 32))))))
    (drop (call $give (i32.const 100) (i32.const 65532)))
    (i32.add (i32.load (i32.const 100)) (i32.load (i32.const 65532))))))";

TEST_F(InstanceTest, HostFunctionsSeeCheckedMemory) {
  const auto guest = make(kPointers);
  const auto run = [&](std::uint32_t which) {
    GuestCall call = guest->call(which);
    EXPECT_EQ(finish(call), CallState::kDone);
    return call.result();
  };
  EXPECT_EQ(run(0), 0U);
  EXPECT_EQ(run(1), TestImports::kBadPointer);
  EXPECT_EQ(run(2), TestImports::kBadPointer);
  EXPECT_EQ(run(3), 0U);
  EXPECT_EQ(run(4), 15U);
  EXPECT_EQ(run(5), TestImports::kBadPointer);
  EXPECT_EQ(run(6), 1U) << "i64 and i32 arguments, unsigned";
  EXPECT_EQ(guest->imports.taken, (std::vector<std::string>{"hello", ""}));
}

std::string allocating(std::string_view allocator) {
  return R"((module
    (import "host" "allocate" (func $allocate (param i32) (result i32)))
    (import "host" "tick" (func $tick))
    (memory (export "memory") 1)
    (func (export "malloc") (param i32) (result i32) )" +
         std::string{allocator} + R"()
    (func (export "run") (param i32) (result i32) (call $allocate (i32.const 100)))))";
}

TEST_F(InstanceTest, TheHostAllocatesInTheGuest) {
  const auto guest = make(allocating("(i32.const 1024)"));
  GuestCall call = guest->call(0);
  EXPECT_EQ(finish(call), CallState::kDone);
  EXPECT_EQ(call.result(), 1024U);
}

TEST_F(InstanceTest, AnAllocatorThatReturnsForeignMemoryGetsNothing) {
  for (const std::string_view address : {"(i32.const 0)", "(i32.const -1)", "(i32.const 65437)"}) {
    const auto guest = make(allocating(address));
    GuestCall call = guest->call(0);
    EXPECT_EQ(finish(call), CallState::kDone);
    EXPECT_EQ(call.result(), 0U) << address;
  }
  const auto guest = make(allocating("(i32.const 65436)"));
  GuestCall call = guest->call(0);
  EXPECT_EQ(finish(call), CallState::kDone);
  EXPECT_EQ(call.result(), 65436U) << "the last 100 bytes are the guest's";
}

TEST_F(InstanceTest, AnAllocatorThatAllocatesTraps) {
  EXPECT_EQ(trap_of(allocating("(call $allocate (i32.const 8))")).reason, TrapReason::kReentrance);
}

TEST_F(InstanceTest, AnAllocatorThatRecursesTraps) {
  const Trap trap = trap_of(R"((module
    (import "host" "allocate" (func $allocate (param i32) (result i32)))
    (memory (export "memory") 1)
    (func $deep (export "malloc") (param i32) (result i32)
      (i32.add (i32.const 1) (call $deep (local.get 0))))
    (func $use_stack (export "run") (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (return (call $allocate (i32.const 100)))))
      (i32.add (i32.const 1) (call $use_stack (i32.sub (local.get 0) (i32.const 1)))))))",
                            5000);
  EXPECT_EQ(trap.reason, TrapReason::kStackOverflow);
}

TEST_F(TickingInstanceTest, AnAllocatorThatLoopsIsInterrupted) {
  EXPECT_EQ(trap_of(allocating("(loop $again (br $again)) (unreachable)"), 0, {}, {.max_slices = 3})
                .reason,
            TrapReason::kDeadline);
}

TEST_F(InstanceTest, YieldsInsideTheAllocator) {
  const std::string text = allocating("(call $tick) (loop) (call $tick) (loop) (i32.const 512)");
  const auto guest = make(text);
  GuestCall call = guest->call(0);
  EXPECT_EQ(call.poll(kNow), CallState::kSuspended);
  EXPECT_EQ(call.poll(kNow), CallState::kSuspended);
  EXPECT_EQ(call.poll(kNow), CallState::kDone);
  EXPECT_EQ(call.result(), 512U);

  const auto other = make(text);
  GuestCall dropped = other->call(0);
  EXPECT_EQ(dropped.poll(kNow), CallState::kSuspended);
  dropped = GuestCall{};
  EXPECT_FALSE(other->instance.usable());
}

TEST_F(InstanceTest, FunctionsOfAnotherTypeAreAbsent) {
  const auto guest = make(R"((module (func (export "run") (param i64))))");
  EXPECT_TRUE(guest->run.absent());
}

TEST_F(InstanceTest, AGuestWithoutMemoryHasNoValidAddress) {
  const auto guest = make(R"((module
    (import "host" "take" (func $take (param i32 i32) (result i32)))
    (func (export "run") (param i32) (result i32) (call $take (i32.const 0) (i32.const 1)))))");
  GuestCall call = guest->call(0);
  EXPECT_EQ(finish(call), CallState::kDone);
  EXPECT_EQ(call.result(), TestImports::kBadPointer);
}

TEST_F(InstanceTest, TooManyInstancesAreRefused) {
  const auto engine = *Engine::create({.max_instances = 2, .ticker = Ticker::kManual});
  const auto imports = make_test_imports(*engine);
  Guest first{*engine, *imports, kTicker};
  Guest second{*engine, *imports, kTicker};
  Guest third{*engine, *imports, kTicker};
  GuestCall call = first.instantiate();
  EXPECT_EQ(finish(call), CallState::kDone);
  call = second.instantiate();
  EXPECT_EQ(finish(call), CallState::kDone);
  call = third.instantiate();
  EXPECT_EQ(finish(call), CallState::kTrapped);
  EXPECT_EQ(call.trap().reason, TrapReason::kInstantiation);
}

}  // namespace
}  // namespace grete::wasm

// Instances of one plug-in on one worker, leased for a call each.
//
//     lease() -> instance now            the usual case
//             -> wait                    one will be free or is being started: on_lease() follows
//             -> busy | quarantined      the plug-in's failure policy answers
//
// A pool starts instances as they are needed, up to max_instances; starting one is guest work and
// goes through the run queue. An instance that trapped is thrown away. Failures in a row quarantine
// the plug-in, each time for twice as long, up to a minute; one success forgives.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "wasm/engine/instance.h"
#include "wasm/limits.h"
#include "wasm/pool/run_queue.h"

namespace grete::wasm {

// What a pool holds: an instance with the state that its ABI keeps beside it.
class PooledGuest {
 public:
  virtual ~PooledGuest() = default;
  // Instantiates and configures the module. Called once, first.
  virtual GuestCall start(const CallLimits& limits) = 0;
  [[nodiscard]] virtual Instance& instance() = 0;
};

// Makes a guest that is not started yet; a closure over the linked module and its configuration.
using GuestFactory = std::function<std::unique_ptr<PooledGuest>()>;

struct PoolOptions {
  std::uint32_t max_instances = 4;
  // What an instance may take to start: Go's runtime needs tens of milliseconds.
  Duration start_timeout = std::chrono::seconds{2};
};

// Monotonic counters of one pool. Calls are those of leases; slices and traps include starts.
struct PoolCounters {
  std::uint64_t calls = 0;
  std::uint64_t slices = 0;
  std::array<std::uint64_t, kTrapReasons> traps{};
  std::uint64_t instances_started = 0;
  std::uint64_t instances_discarded = 0;
  std::uint64_t quarantines = 0;
  std::uint64_t refused_busy = 0;
  std::uint64_t refused_quarantined = 0;
  std::uint64_t waited = 0;
};

// How a pool is at this moment.
struct PoolGauges {
  std::uint32_t instances = 0;
  std::uint32_t idle = 0;
  std::uint32_t starting = 0;
  std::uint64_t memory_bytes = 0;
  std::size_t waiting = 0;
  bool quarantined = false;
};

class Pool;
class PoolSlot;

// A guest for the time of one call (or several in a row). Returns it when destroyed. Movable. Its
// calls end before it does; it ends before its pool.
class [[nodiscard]] Lease {
 public:
  Lease() = default;
  ~Lease() { release(); }
  Lease(Lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), slot_(other.slot_) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      release();
      pool_ = std::exchange(other.pool_, nullptr);
      slot_ = other.slot_;
    }
    return *this;
  }

  explicit operator bool() const { return pool_ != nullptr; }
  [[nodiscard]] PooledGuest& guest() const;

  // Tells the pool how a call of this lease ended, for counters and quarantine: once a call.
  void record(const GuestCall& call, Moment now);

  // Gives the guest back: to be used again if it is usable, else thrown away.
  void release();

 private:
  friend class Pool;
  Lease(Pool& pool, PoolSlot& slot) : pool_(&pool), slot_(&slot) {}

  Pool* pool_ = nullptr;
  PoolSlot* slot_ = nullptr;
};

enum class LeaseRefusal : std::uint8_t {
  kWait,         // told through the waiter
  kBusy,         // every instance has been leased for over limits::kBusyAfter, or too many wait
  kQuarantined,  // the plug-in failed too often; Pool::last_failure() tells how
};

// Waits for a lease. Leaves the pool's queue on destruction.
class LeaseWaiter {
 public:
  LeaseWaiter() = default;
  LeaseWaiter(const LeaseWaiter&) = delete;
  LeaseWaiter& operator=(const LeaseWaiter&) = delete;
  virtual ~LeaseWaiter();

 protected:
  // A lease, or why there is none (never kWait). Called once, from Pool::serve().
  virtual void on_lease(Result<Lease, LeaseRefusal> lease, Moment now) = 0;

 private:
  friend class Pool;
  Pool* pool_ = nullptr;
};

// One thread. The run queue outlives the pool.
class Pool {
 public:
  Pool(GuestFactory factory, const PoolOptions& options, RunQueue& queue);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Starts the first instance, if there is none, so that the first call does not wait for it.
  void warm_up(Moment now);

  // An idle instance, or kWait and `waiter` is told later, or a refusal.
  Result<Lease, LeaseRefusal> lease(LeaseWaiter& waiter, Moment now);
  // An idle instance or nothing; changes nothing else.
  [[nodiscard]] std::optional<Lease> try_lease(Moment now);

  // Hands free instances to those who wait, starts instances, and refuses those who wait in vain.
  // Called by the owner once a turn.
  void serve(Moment now);

  // Whether every instance has been leased for over limits::kBusyAfter.
  [[nodiscard]] bool busy(Moment now) const;
  [[nodiscard]] bool quarantined(Moment now) const { return now < quarantined_until_; }
  [[nodiscard]] Moment quarantined_until() const { return quarantined_until_; }

  [[nodiscard]] const PoolCounters& counters() const { return counters_; }
  [[nodiscard]] PoolGauges gauges(Moment now) const;
  // The trap that last failed a call or a start; reason kOther and no text if there was none.
  [[nodiscard]] const Trap& last_failure() const { return last_failure_; }

 private:
  friend class Lease;
  friend class LeaseWaiter;
  friend class PoolSlot;

  void record(const GuestCall& call, Moment now);
  void record_start(const GuestCall& call, Moment now);
  void note_failure(const Trap& trap, Moment now);
  void start_instance(Moment now);
  void drop_gone();
  [[nodiscard]] std::size_t starting() const;
  void forget(LeaseWaiter& waiter);

  GuestFactory factory_;
  PoolOptions options_;
  RunQueue* queue_;
  std::vector<std::unique_ptr<PoolSlot>> slots_;
  std::deque<LeaseWaiter*> waiters_;
  PoolCounters counters_;
  Trap last_failure_;
  std::uint32_t failures_in_row_ = 0;
  std::uint32_t quarantines_in_row_ = 0;
  Moment quarantined_until_ = Moment::min();
};

}  // namespace grete::wasm

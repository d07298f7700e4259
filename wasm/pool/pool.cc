#include "wasm/pool/pool.h"

#include <algorithm>
#include <cassert>

namespace grete::wasm {

// A place for one instance: being started, idle, or leased.
class PoolSlot final : public Runnable {
 public:
  PoolSlot(Pool& pool, std::unique_ptr<PooledGuest> guest, Moment now)
      : pool_(&pool), guest_(std::move(guest)) {
    starting_ = guest_->start({.deadline = now + pool.options_.start_timeout,
                               .max_slices = std::numeric_limits<std::uint32_t>::max()});
  }

  enum class State : std::uint8_t { kStarting, kIdle, kLeased, kGone };

  SliceResult run_slice(Moment now) override {
    switch (starting_.poll(now)) {
      case CallState::kSuspended:
        return SliceResult::kSuspended;
      case CallState::kDone:
        state_ = State::kIdle;
        ++pool_->counters_.instances_started;
        break;
      case CallState::kTrapped:
        state_ = State::kGone;
        break;
    }
    pool_->record_start(starting_, now);
    return SliceResult::kFinished;
  }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] PooledGuest& guest() const { return *guest_; }
  [[nodiscard]] bool leased_since(Moment then) const {
    return state_ == State::kLeased && leased_at_ <= then;
  }

  void lease(Moment now) {
    assert(state_ == State::kIdle);
    state_ = State::kLeased;
    leased_at_ = now;
  }

  void give_back() {
    assert(state_ == State::kLeased);
    state_ = guest_->instance().usable() ? State::kIdle : State::kGone;
  }

 private:
  Pool* pool_;
  std::unique_ptr<PooledGuest> guest_;
  GuestCall starting_;
  State state_ = State::kStarting;
  Moment leased_at_;
};

LeaseWaiter::~LeaseWaiter() {
  if (pool_ != nullptr) {
    pool_->forget(*this);
  }
}

void Lease::record(const GuestCall& call, Moment now) {
  assert(pool_ != nullptr);
  pool_->record(call, now);
}

void Lease::release() {
  if (pool_ != nullptr) {
    pool_ = nullptr;
    slot_->give_back();
  }
}

PooledGuest& Lease::guest() const {
  return slot_->guest();
}

Pool::Pool(GuestFactory factory, const PoolOptions& options, RunQueue& queue)
    : factory_(std::move(factory)), options_(options), queue_(&queue) {
  slots_.reserve(options.max_instances);
}

Pool::~Pool() {
  for (LeaseWaiter* waiter : waiters_) {
    waiter->pool_ = nullptr;
  }
  for (const auto& slot : slots_) {
    assert(slot->state() != PoolSlot::State::kLeased && "leases end before their pool");
  }
}

void Pool::warm_up(Moment now) {
  if (slots_.empty() && !quarantined(now)) {
    start_instance(now);
  }
}

std::optional<Lease> Pool::try_lease(Moment now) {
  if (quarantined(now)) {
    return std::nullopt;
  }
  for (const auto& slot : slots_) {
    if (slot->state() == PoolSlot::State::kIdle) {
      slot->lease(now);
      return Lease{*this, *slot};
    }
  }
  return std::nullopt;
}

Result<Lease, LeaseRefusal> Pool::lease(LeaseWaiter& waiter, Moment now) {
  if (quarantined(now)) {
    ++counters_.refused_quarantined;
    return unexpected(LeaseRefusal::kQuarantined);
  }
  // Those who wait already come first.
  if (waiters_.empty()) {
    if (auto lease = try_lease(now)) {
      return *std::move(lease);
    }
  }
  drop_gone();
  if (slots_.size() < options_.max_instances && starting() <= waiters_.size()) {
    start_instance(now);
    // A module that starts quickly is ready now.
    if (waiters_.empty()) {
      if (auto lease = try_lease(now)) {
        return *std::move(lease);
      }
    }
    if (quarantined(now)) {
      ++counters_.refused_quarantined;
      return unexpected(LeaseRefusal::kQuarantined);
    }
  }
  if (busy(now) || waiters_.size() >= limits::kMaxWaiters) {
    ++counters_.refused_busy;
    return unexpected(LeaseRefusal::kBusy);
  }
  assert(waiter.pool_ == nullptr && "waits once at a time");
  waiter.pool_ = this;
  waiters_.push_back(&waiter);
  ++counters_.waited;
  return unexpected(LeaseRefusal::kWait);
}

void Pool::serve(Moment now) {
  drop_gone();
  while (!waiters_.empty()) {
    Result<Lease, LeaseRefusal> answer = unexpected(LeaseRefusal::kWait);
    if (quarantined(now)) {
      ++counters_.refused_quarantined;
      answer = unexpected(LeaseRefusal::kQuarantined);
    } else if (auto lease = try_lease(now)) {
      answer = *std::move(lease);
    } else if (busy(now)) {
      ++counters_.refused_busy;
      answer = unexpected(LeaseRefusal::kBusy);
    } else {
      break;
    }
    LeaseWaiter* const waiter = waiters_.front();
    waiters_.pop_front();
    waiter->pool_ = nullptr;
    waiter->on_lease(std::move(answer), now);
  }
  if (starting() < waiters_.size() && slots_.size() < options_.max_instances && !quarantined(now)) {
    start_instance(now);
  }
}

bool Pool::busy(Moment now) const {
  return slots_.size() >= options_.max_instances &&
         std::ranges::all_of(slots_, [then = now - limits::kBusyAfter](const auto& slot) {
           return slot->leased_since(then);
         });
}

PoolGauges Pool::gauges(Moment now) const {
  PoolGauges gauges;
  for (const auto& slot : slots_) {
    if (slot->state() == PoolSlot::State::kGone) {
      continue;
    }
    ++gauges.instances;
    gauges.idle += slot->state() == PoolSlot::State::kIdle ? 1 : 0;
    gauges.starting += slot->state() == PoolSlot::State::kStarting ? 1 : 0;
    gauges.memory_bytes += slot->guest().instance().memory_bytes();
  }
  gauges.waiting = waiters_.size();
  gauges.quarantined = quarantined(now);
  return gauges;
}

std::size_t Pool::starting() const {
  return static_cast<std::size_t>(std::ranges::count(
      slots_, PoolSlot::State::kStarting, [](const auto& slot) { return slot->state(); }));
}

void Pool::start_instance(Moment now) {
  PoolSlot& slot = *slots_.emplace_back(std::make_unique<PoolSlot>(*this, factory_(), now));
  queue_->start(slot, now);
}

// Destroys instances that are of no further use. Not from within their own calls.
void Pool::drop_gone() {
  counters_.instances_discarded += std::erase_if(
      slots_, [](const auto& slot) { return slot->state() == PoolSlot::State::kGone; });
}

void Pool::record(const GuestCall& call, Moment now) {
  if (call.slices() == 0) {
    return;  // Never begun: no fault of the guest.
  }
  ++counters_.calls;
  counters_.slices += call.slices();
  if (call.state() == CallState::kDone) {
    failures_in_row_ = 0;
    quarantines_in_row_ = 0;
  } else if (call.state() == CallState::kTrapped) {
    note_failure(call.trap(), now);
  }
}

// A plug-in that starts well but fails every call is not forgiven for its start.
void Pool::record_start(const GuestCall& call, Moment now) {
  counters_.slices += call.slices();
  if (call.state() == CallState::kTrapped && call.slices() > 0) {
    note_failure(call.trap(), now);
  }
}

void Pool::note_failure(const Trap& trap, Moment now) {
  last_failure_ = trap;
  ++counters_.traps[static_cast<std::size_t>(trap.reason)];
  // While quarantined, the calls that were under way still end.
  if (quarantined(now) || ++failures_in_row_ < limits::kFailuresToQuarantine) {
    return;
  }
  // After the quarantine, one more failure begins the next.
  failures_in_row_ = limits::kFailuresToQuarantine - 1;
  const Duration back_off = limits::kFirstQuarantine * (1U << std::min(quarantines_in_row_, 16U));
  ++quarantines_in_row_;
  ++counters_.quarantines;
  quarantined_until_ = now + std::min(back_off, limits::kLastQuarantine);
}

void Pool::forget(LeaseWaiter& waiter) {
  std::erase(waiters_, &waiter);
  waiter.pool_ = nullptr;
}

}  // namespace grete::wasm

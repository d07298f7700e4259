// A call into a guest that runs in slices.
//
//     GuestCall call = instance.start(body, limits);
//     while (call.poll(now) == CallState::kSuspended) { /* serve others for a turn */ }
//     if (call.state() == CallState::kDone) use(call.result()); else report(call.trap());
//
// The body runs on a fiber of its own and enters the guest as often as it needs. When the epoch
// ticks the whole fiber is suspended, host frames included, and poll() returns; the next poll()
// goes on from there. So no guest holds its thread for longer than a tick.
#pragma once

#include <cstdint>
#include <limits>

#include "base/clock.h"
#include "wasm/error.h"

namespace grete::wasm {

class Instance;

// How far a call may go. What is exceeded first ends it with TrapReason::kDeadline.
struct CallLimits {
  // Checked whenever the call is polled.
  Moment deadline = Moment::max();
  // Slices it may begin, each at most a tick long.
  std::uint32_t max_slices = std::numeric_limits<std::uint32_t>::max();
};

enum class CallState : std::uint8_t {
  kSuspended,  // not begun, or interrupted: poll again
  kDone,       // result() holds what the body returned
  kTrapped,    // trap() tells why; the instance is of no further use
};

// Owns one activity of an instance. Movable. One thread; the instance outlives it. Destroying a
// call that is suspended ends it: the guest's frames are left, and the instance is of no further
// use (if the call was begun at all).
class [[nodiscard]] GuestCall {
 public:
  GuestCall() = default;
  ~GuestCall() { drop(); }

  GuestCall(GuestCall&& other) noexcept { take(other); }
  GuestCall& operator=(GuestCall&& other) noexcept {
    if (this != &other) {
      drop();
      take(other);
    }
    return *this;
  }

  // Runs at most one slice. A call that has ended stays as it is.
  CallState poll(Moment now);

  [[nodiscard]] CallState state() const { return state_; }
  // What the body returned. State kDone.
  [[nodiscard]] std::uint64_t result() const { return result_; }
  // State kTrapped.
  [[nodiscard]] const Trap& trap() const { return trap_; }
  // Slices begun so far.
  [[nodiscard]] std::uint32_t slices() const { return slices_; }
  // Whether this is a call at all (not default-made or moved from).
  [[nodiscard]] bool valid() const { return instance_ != nullptr; }

 private:
  friend class Instance;

  GuestCall(Instance& instance, const CallLimits& limits) : instance_(&instance), limits_(limits) {}

  void drop();
  void take(GuestCall& other);

  Instance* instance_ = nullptr;
  CallLimits limits_;
  CallState state_ = CallState::kSuspended;
  std::uint32_t slices_ = 0;
  std::uint64_t result_ = 0;
  Trap trap_;
};

}  // namespace grete::wasm

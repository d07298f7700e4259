// Shares a thread between I/O and work that comes in slices.
//
// The owner, an event loop, calls run() once between two turns of I/O. I/O may start() calls inline
// until one of them uses up a slice of about a tick, and run() gives one slice to what is queued:
// so a turn is never longer than two slices. What has not begun yet goes first, so a short call
// never waits behind a long one; what was suspended goes on in a circle, and once every few turns
// even under a flood of fresh work.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace grete::wasm {

class RunQueue;

enum class SliceResult : std::uint8_t { kSuspended, kFinished };

// Work in slices: a guest call, or native work that is too long for one turn. Lives in at most one
// queue; leaves it when it finishes, and on destruction. May start() other work from run_slice().
class Runnable {
 public:
  Runnable() = default;
  Runnable(const Runnable&) = delete;
  Runnable& operator=(const Runnable&) = delete;
  virtual ~Runnable();

  [[nodiscard]] bool queued() const { return queue_ != nullptr; }

 protected:
  // Works for at most about a tick. After kFinished the queue does not touch this object again, so
  // it may destroy itself.
  virtual SliceResult run_slice(Moment now) = 0;

 private:
  friend class RunQueue;

  RunQueue* queue_ = nullptr;
  Runnable* previous_ = nullptr;
  Runnable* next_ = nullptr;
  bool begun_ = false;
};

// One a worker; one thread. Borrows what it runs.
class RunQueue {
 public:
  RunQueue() = default;
  RunQueue(const RunQueue&) = delete;
  RunQueue& operator=(const RunQueue&) = delete;
  ~RunQueue();

  // Runs the first slice of `work` at once if this turn's slice is not used up, and queues what
  // remains. True if it has finished. `work` is in no queue.
  bool start(Runnable& work, Moment now);

  // Takes `work` out, finished or not.
  void remove(Runnable& work);

  // Begins a new turn and runs at most one slice of what is queued; a fresh call that finishes
  // within the slice leaves the rest to the next. True if there is more to do: come back soon,
  // without waiting for I/O. `clock` is read between calls.
  template <class Clock>
  bool run(Clock&& clock) {
    used_ = false;
    Moment now = clock();
    const Moment end = now + kTurn;
    begin_turn(now);
    while (!used_ && now < end && step(now)) {
      now = clock();
    }
    used_ = false;
    return !idle();
  }

  [[nodiscard]] bool idle() const { return fresh_.first == nullptr && suspended_.first == nullptr; }
  // Slices that ran, in all.
  [[nodiscard]] std::uint64_t slices() const { return slices_; }
  [[nodiscard]] std::size_t length() const { return fresh_.length + suspended_.length; }

 private:
  struct List {
    Runnable* first = nullptr;
    Runnable* last = nullptr;
    std::size_t length = 0;
  };

  // One turn's time.
  static constexpr Duration kTurn = std::chrono::milliseconds{1};
  // Turns that suspended work waits for fresh work at most.
  static constexpr std::uint32_t kPatience = 4;

  // Runs a suspended slice if it is overdue.
  void begin_turn(Moment now);

  // Runs one slice of the next in line; false if nobody is.
  bool step(Moment now);
  bool run_one(Runnable& work, Moment now);
  void append(List& list, Runnable& work);

  List fresh_;
  List suspended_;
  // Whether a slice was used up in this turn.
  bool used_ = false;
  // Turns since suspended work last ran.
  std::uint32_t waited_turns_ = 0;
  std::uint64_t slices_ = 0;
};

}  // namespace grete::wasm

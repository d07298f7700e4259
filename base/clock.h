// Time as an argument: everything above the sockets is told what time it is.
#pragma once

#include <chrono>
#include <cstdint>

namespace grete {

// A point on a monotonic clock. One type for the whole program, so that a test
// can make any moment from a number.
struct MonotonicClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;

  // Reads the machine's clock. Called by event loops and at start-up, never by protocol code.
  static time_point now() {
    return time_point{
        std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch())};
  }
};

using Moment = MonotonicClock::time_point;
using Duration = MonotonicClock::duration;

}  // namespace grete

// Which sockets can be read or written: epoll, level-triggered.
//
// Level-triggered, since then a turn of an unloaded connection costs one wait, one read and one
// write, and no call beside these: nothing has to be armed again, and no read is needed to learn
// that there is nothing more.
#pragma once

#include <cstdint>
#include <span>

#include <sys/epoll.h>

#include "base/clock.h"

namespace grete::gateway {

// What a socket is waited for; bits of epoll.
using Interest = std::uint32_t;
inline constexpr Interest kReadable = EPOLLIN;
inline constexpr Interest kWritable = EPOLLOUT;

// Told when its socket is ready.
class PollHandler {
 public:
  virtual ~PollHandler() = default;
  // `events` are those of epoll_wait; EPOLLHUP and EPOLLERR come unasked.
  virtual void on_ready(std::uint32_t events) = 0;
};

// One thread. Handlers outlive their registration, and a turn in which they are removed.
class Poller {
 public:
  // Throws std::system_error if the machine has no descriptors left.
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // False if the machine refuses.
  [[nodiscard]] bool add(int descriptor, PollHandler& handler, Interest interest);
  void change(int descriptor, PollHandler& handler, Interest interest);
  void remove(int descriptor);

  // Waits, at most for `timeout` (negative: for ever), and fills `events`; returns those filled.
  // The handlers are in data.ptr.
  std::span<epoll_event> wait(std::span<epoll_event> events, Duration timeout);

 private:
  int epoll_ = -1;
};

}  // namespace grete::gateway

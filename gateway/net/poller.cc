#include "gateway/net/poller.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

#include <unistd.h>

namespace grete::gateway {

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
}

Poller::~Poller() {
  ::close(epoll_);
}

bool Poller::add(int descriptor, PollHandler& handler, Interest interest) {
  epoll_event event{};
  event.events = interest;
  event.data.ptr = &handler;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::change(int descriptor, PollHandler& handler, Interest interest) {
  epoll_event event{};
  event.events = interest;
  event.data.ptr = &handler;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::remove(int descriptor) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

std::span<epoll_event> Poller::wait(std::span<epoll_event> events, Duration timeout) {
  int milliseconds = -1;
  if (timeout >= Duration::zero()) {
    const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    milliseconds = static_cast<int>(std::min<std::int64_t>(rounded_up, INT_MAX));
  }
  const int ready =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
  return events.first(ready > 0 ? static_cast<std::size_t>(ready) : 0);
}

}  // namespace grete::gateway

#include "gateway/net/worker.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace grete::gateway {

namespace {

constexpr std::size_t kEventsPerTurn = 256;
// How often timeouts are looked at, and how often if somebody waits.
constexpr Duration kTick = std::chrono::milliseconds{500};
constexpr Duration kHurriedTick = std::chrono::milliseconds{20};
constexpr Duration kForever{-1};

std::atomic<std::uint64_t> g_next_connection = 1;

// The address, if `target` is one and not a name.
std::vector<SocketAddress> literal_address(const HostPort& target) {
  SocketAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  if (inet_pton(AF_INET, target.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(target.port);
    address.size = sizeof v4;
    return {address};
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  address.storage = {};
  if (inet_pton(AF_INET6, target.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(target.port);
    address.size = sizeof v6;
    return {address};
  }
  return {};
}

}  // namespace

void Worker::Wakeup::on_ready(std::uint32_t) {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto got = ::read(descriptor, &ignored, sizeof ignored);
}

Worker::Worker(unsigned index, const LimitsConfig& limits, std::uint64_t memory,
               const std::vector<std::string>& plugins, AddressLookup& lookup)
    : index_(index), lookup_(&lookup), context_(memory) {
  for (const std::string& plugin : plugins) {
    context_.stats.plugins.push_back(std::make_unique<PluginStats>(plugin));
  }
  context_.limits = limits;
  context_.scratch.resize(kReadSize);
  context_.look_up = [this](std::uint64_t connection, const HostPort& target) {
    look_up(connection, target);
  };
  context_.hurry = [this] { hurried_ = true; };
  context_.in_chain = [this](Connection& connection) { plugins_->add(connection); };
  wakeup_.descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wakeup_.descriptor < 0 || !context_.poller.add(wakeup_.descriptor, wakeup_, kReadable)) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
}

Worker::~Worker() {
  stop();
  if (thread_.joinable()) {
    thread_.join();
  }
  connections_.clear();
  ::close(wakeup_.descriptor);
}

void Worker::start(std::vector<std::shared_ptr<const Listener>> listeners) {
  thread_ = std::thread([this, listeners = std::move(listeners)] {
    plugins_ = std::make_unique<WorkerPlugins>(context_);
    for (const auto& listener : listeners) {
      static_cast<void>(plugins_->runtime(*listener));
    }
    run();
    connections_.clear();
    plugins_ = nullptr;
  });
  pthread_setname_np(thread_.native_handle(), fmt::format("worker-{}", index_).c_str());
}

void Worker::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(wakeup_.descriptor, &one, sizeof one);
}

void Worker::accept(AcceptedClient client) {
  load_.fetch_add(1, std::memory_order_relaxed);
  auto shared = std::make_shared<AcceptedClient>(std::move(client));
  post([this, shared] {
    const Moment now = MonotonicClock::now();
    const std::uint64_t id = g_next_connection.fetch_add(1, std::memory_order_relaxed);
    auto chain = plugins_->runtime(*shared->listener);
    auto streams = plugins_->streams(*shared->listener);
    auto connection = std::make_unique<Connection>(context_, id, std::move(*shared),
                                                   std::move(chain), std::move(streams), now);
    context_.stats.connections_accepted.add();
    context_.stats.connections_open.add();
    Connection& started = *connection;
    connections_.emplace(id, std::move(connection));
    started.start(now);
    if (draining_) {
      started.drain(CloseCause::kDrain);
    }
  });
}

void Worker::on_topology() {
  post([this] {
    for (const auto& [id, connection] : connections_) {
      connection->on_topology();
    }
  });
}

void Worker::drain() {
  post([this] {
    draining_ = true;
    for (const auto& [id, connection] : connections_) {
      connection->drain(CloseCause::kDrain);
    }
  });
}

void Worker::stop() {
  post([this] { stopping_ = true; });
}

void Worker::look_up(std::uint64_t connection, const HostPort& target) {
  const auto answer = [this, connection](std::vector<SocketAddress> addresses, std::string error) {
    post([this, connection, addresses = std::move(addresses), error = std::move(error)]() mutable {
      if (const auto found = connections_.find(connection); found != connections_.end()) {
        found->second->on_addresses(std::move(addresses), error, MonotonicClock::now());
      }
    });
  };
  if (auto literal = literal_address(target); !literal.empty()) {
    answer(std::move(literal), {});
    return;
  }
  lookup_->look_up(target, answer);
}

void Worker::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) {
    task();
  }
}

void Worker::tick(Moment now) {
  hurried_ = false;
  for (auto it = connections_.begin(); it != connections_.end();) {
    it->second->on_tick(now);
    if (it->second->closed()) {
      plugins_->forget(*it->second);
      it = connections_.erase(it);
      context_.stats.connections_open.subtract();
      load_.fetch_sub(1, std::memory_order_relaxed);
    } else {
      ++it;
    }
  }
  context_.stats.memory_used.set(context_.memory.used());
}

void Worker::run() {
  std::array<epoll_event, kEventsPerTurn> events;
  Moment next_tick = MonotonicClock::now() + kTick;
  Duration plugins_sleep = kForever;
  while (!stopping_) {
    const Moment before = MonotonicClock::now();
    Duration timeout = kForever;
    if (!connections_.empty()) {
      const Moment wanted = hurried_ ? std::min(next_tick, before + kHurriedTick) : next_tick;
      timeout = std::max(wanted - before, Duration::zero());
      next_tick = wanted;
    }
    if (plugins_sleep >= Duration::zero()) {
      timeout = timeout < Duration::zero() ? plugins_sleep : std::min(timeout, plugins_sleep);
    }
    const auto ready = context_.poller.wait(events, timeout);
    const Moment now = MonotonicClock::now();
    bool woken = false;
    for (const epoll_event& event : ready) {
      auto* handler = static_cast<PollHandler*>(event.data.ptr);
      woken |= handler == &wakeup_;
      handler->on_ready(event.events);
    }
    if (woken) {
      run_posted();
    }
    plugins_sleep = plugins_->run();
    if (now >= next_tick || connections_.empty()) {
      tick(now);
      next_tick = now + kTick;
    }
    if (!ready.empty()) {
      context_.stats.turn.observe(MonotonicClock::now() - now);
    }
  }
  context_.stats.connections_open.set(0);
}

}  // namespace grete::gateway

#include "gateway/net/server.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sched.h>

#include "gateway/telemetry/log.h"

namespace grete::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// Cores that this process may run on. std::thread::hardware_concurrency() counts all of the
// machine's, and workers that share a core only get in each other's way.
unsigned usable_cores() {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) {
    return 1;
  }
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cores)));
}

constexpr int kBacklog = 1024;
// After a failed accept, such as without a free descriptor.
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::milliseconds kDrainPoll{20};

}  // namespace

struct Server::Acceptor {
  Acceptor(asio::io_context& io, std::shared_ptr<const Listener> its_listener,
           kafka::NodeId its_node)
      : socket(io), pause(io), listener(std::move(its_listener)), node(its_node) {}

  tcp::acceptor socket;
  asio::steady_timer pause;
  std::shared_ptr<const Listener> listener;
  kafka::NodeId node;
};

Server::Server(asio::io_context& io, std::shared_ptr<const Config> config, MakePlugin plugins)
    : io_(&io),
      config_(std::move(config)),
      make_plugin_(std::move(plugins)),
      resolver_(io),
      timer_(io) {}

Server::~Server() {
  acceptors_.clear();
  workers_.clear();
}

Result<void, std::string> Server::start() {
  for (const auto& [name, cluster] : config_->clusters) {
    clusters_.push_back(std::make_shared<Cluster>(name, cluster.bootstrap));
    clusters_.back()->on_change([this] {
      for (const auto& worker : workers_) {
        worker->on_topology();
      }
    });
  }
  const LimitsConfig& limits = config_->limits;
  std::vector<std::shared_ptr<const Listener>> listeners;
  for (const ListenerConfig& configured : config_->listeners) {
    auto listener = std::make_shared<Listener>();
    listener->name = configured.name;
    GRETE_TRY(add_plugins(configured, *listener));
    listeners.push_back(listener);
    listener->settings.ports = configured.ports;
    listener->settings.max_frame = limits.max_frame;
    listener->settings.max_in_flight = limits.in_flight;
    listener->cluster = *std::find_if(clusters_.begin(), clusters_.end(), [&](const auto& cluster) {
      return cluster->name() == configured.cluster;
    });
    GRETE_TRY(listen(listener, configured.bind, kafka::NodeId{-1}));
    bound_ports_.push_back(acceptors_.back()->socket.local_endpoint().port());
    for (int port = configured.ports.first; port <= configured.ports.last; ++port) {
      GRETE_TRY(listen(listener, {configured.bind.host, static_cast<std::uint16_t>(port)},
                       kafka::NodeId{port - configured.ports.first}));
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, plugin] : config_->plugins) {
    names.push_back(name);
  }
  const unsigned count = limits.workers != 0 ? limits.workers : usable_cores();
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, limits, limits.memory / count, names, *this));
  }
  for (const auto& worker : workers_) {
    worker->start(listeners);
  }
  for (const auto& acceptor : acceptors_) {
    accept_next(*acceptor);
  }
  ready_.store(true, std::memory_order_relaxed);
  return {};
}

Result<void, std::string> Server::add_plugins(const ListenerConfig& configured,
                                              Listener& listener) {
  std::vector<std::shared_ptr<const plugins::Hook>> hooks;
  for (const std::string& name : configured.chain) {
    auto found = plugins_.find(name);
    if (found == plugins_.end()) {
      auto made = make_plugin_(config_->plugins.at(name));
      if (!made) {
        return unexpected(fmt::format("plug-in '{}': {}", name, made.error()));
      }
      found = plugins_.emplace(name, *std::move(made)).first;
    }
    if (found->second.hook != nullptr) {
      hooks.push_back(found->second.hook);
    } else {
      listener.streams.push_back(found->second.plugin);
    }
  }
  if (!hooks.empty()) {
    listener.chain = std::make_shared<const plugins::Chain>(std::move(hooks));
  }
  return {};
}

Result<void, std::string> Server::listen(const std::shared_ptr<const Listener>& listener,
                                         const HostPort& bind, kafka::NodeId node) {
  const auto failed = [&](const error_code& error) {
    return unexpected(fmt::format("listener '{}' cannot listen on {}: {}", listener->name,
                                  bind.text(), error.message()));
  };
  error_code error;
  const auto found = tcp::resolver(*io_).resolve(bind.host, std::to_string(bind.port),
                                                 tcp::resolver::passive, error);
  if (error) {
    return failed(error);
  }
  auto acceptor = std::make_unique<Acceptor>(*io_, listener, node);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor->socket.open(endpoint.protocol(), error);
  if (!error) {
    acceptor->socket.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor->socket.bind(endpoint, error);
  }
  if (!error) {
    acceptor->socket.listen(kBacklog, error);
  }
  if (error) {
    return failed(error);
  }
  acceptors_.push_back(std::move(acceptor));
  return {};
}

void Server::accept_next(Acceptor& acceptor) {
  acceptor.socket.async_accept([this, &acceptor](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) {
      return;
    }
    if (error) {
      Log::error("cannot accept",
                 {{"listener", acceptor.listener->name}, {"error", error.message()}});
      acceptor.pause.expires_after(kAcceptPause);
      acceptor.pause.async_wait([this, &acceptor](const error_code& aborted) {
        if (!aborted) {
          accept_next(acceptor);
        }
      });
      return;
    }
    place(acceptor, socket.release());
    accept_next(acceptor);
  });
}

void Server::place(Acceptor& acceptor, int descriptor) {
  Socket socket(descriptor);
  std::size_t total = 0;
  Worker* least = nullptr;
  for (const auto& worker : workers_) {
    total += worker->load();
    if (least == nullptr || worker->load() < least->load()) {
      least = worker.get();
    }
  }
  const bool full = total >= config_->limits.connections;
  if (full && !full_) {
    Log::error("too many connections: new ones are closed",
               {{"limits.connections", config_->limits.connections}});
  }
  full_ = full;
  if (!full) {
    least->accept({std::move(socket), acceptor.listener, acceptor.node});
  }
}

void Server::look_up(const HostPort& target, Found found) {
  asio::post(*io_, [this, target, found = std::move(found)] {
    resolver_.async_resolve(
        target.host, std::to_string(target.port),
        [found](const error_code& error, const tcp::resolver::results_type& results) {
          std::vector<SocketAddress> addresses;
          for (const auto& result : results) {
            const auto endpoint = result.endpoint();
            SocketAddress address;
            address.size = static_cast<socklen_t>(endpoint.size());
            std::memcpy(&address.storage, endpoint.data(), endpoint.size());
            addresses.push_back(address);
          }
          found(std::move(addresses), error ? error.message() : std::string());
        });
  });
}

void Server::drain(std::function<void()> done) {
  ready_.store(false, std::memory_order_relaxed);
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor->socket.close(ignored);
    acceptor->pause.cancel();
  }
  for (const auto& worker : workers_) {
    worker->drain();
  }
  await_drained(MonotonicClock::now() + config_->limits.drain_timeout, std::move(done));
}

void Server::await_drained(Moment deadline, std::function<void()> done) {
  std::size_t left = 0;
  for (const auto& worker : workers_) {
    left += worker->load();
  }
  if (left == 0 || MonotonicClock::now() >= deadline) {
    if (left != 0) {
      Log::warning("drain_timeout is over; closing what is left", {{"connections", left}});
    }
    done();
    return;
  }
  timer_.expires_after(kDrainPoll);
  timer_.async_wait([this, deadline, done = std::move(done)](const error_code& error) mutable {
    if (!error) {
      await_drained(deadline, std::move(done));
    }
  });
}

}  // namespace grete::gateway

// A broker that stores nothing: answers ApiVersions, Metadata, Produce (acks=1) and Fetch from
// canned tables, so that a bench measures what stands before it. It knows one topic, "bench", of
// one partition; a Fetch of any offset returns the same 1 MiB from offset 0. Request bodies are
// discarded in the kernel.
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include <CLI/CLI.hpp>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "bench/frames.h"
#include "bench/sockets.h"
#include "bench/wire.h"

namespace grete::bench {
namespace {

class Sink {
 public:
  Sink(const Address& bind, Broker broker)
      : broker_(std::move(broker)),
        records_(make_fetch_records(std::chrono::system_clock::now().time_since_epoch() /
                                    std::chrono::milliseconds(1))),
        listener_(listen_on(bind)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
  }

  [[noreturn]] void run();

 private:
  struct Connection {
    Fd fd;
    FrameSkimmer received;
    SendQueue<Response::kPrefixBytes> unsent;
    bool waits_to_write = false;
  };
  // What to do with a connection after an event.
  enum class Fate : std::uint8_t { kKeep, kClose };

  void accept_all();
  Fate serve(Connection& connection, std::uint32_t events);
  Fate answer(Connection& connection, std::string_view head);
  void wait_for(Connection& connection, bool write);

  Broker broker_;
  std::string records_;
  Fd listener_;
  Fd epoll_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::map<std::pair<int, int>, Response> responses_;  // made at first use; node-stable
};

void Sink::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        accept_all();
      } else if (serve(*connection, events[i].events) == Fate::kClose) {
        connections_.erase(connection);
      }
    }
  }
}

void Sink::accept_all() {
  for (;;) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) {
      return;
    }
    auto connection = std::make_unique<Connection>();
    connection->fd = std::move(fd);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = connection.get()}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->fd.get(), &event);
    connections_.emplace(connection.get(), std::move(connection));
  }
}

Sink::Fate Sink::serve(Connection& connection, std::uint32_t events) {
  if ((events & ~EPOLLOUT) != 0) {
    Fate fate = Fate::kKeep;
    const Io result = connection.received.read(connection.fd.get(), [&](std::string_view head) {
      if (fate == Fate::kKeep) {
        fate = answer(connection, head);
      }
    });
    if (result == Io::kClosed || fate == Fate::kClose) {
      return Fate::kClose;
    }
  }
  const Io result = connection.unsent.flush(connection.fd.get());
  if (result == Io::kClosed) {
    return Fate::kClose;
  }
  if ((result == Io::kBlocked) != connection.waits_to_write) {
    wait_for(connection, result == Io::kBlocked);
  }
  return Fate::kKeep;
}

Sink::Fate Sink::answer(Connection& connection, std::string_view head) {
  Reader in(head);
  const int key = in.i16();
  const int version = in.i16();
  const std::int32_t correlation_id = in.i32();
  auto found = responses_.find({key, version});
  if (found == responses_.end()) {
    std::optional<Response> made =
        in.ok() ? canned_response(key, version, broker_, records_) : std::nullopt;
    if (!made) {
      std::fprintf(stderr, "bench-sink: no answer to API key %d version %d\n", key, version);
      return Fate::kClose;
    }
    found = responses_.emplace(std::pair{key, version}, std::move(*made)).first;
  }
  connection.unsent.push(found->second.prefix(correlation_id), found->second.rest);
  return Fate::kKeep;
}

// While answers wait to be written, nothing more is read: a slow reader holds up only itself.
void Sink::wait_for(Connection& connection, bool write) {
  connection.waits_to_write = write;
  epoll_event event{.events = write ? EPOLLOUT : EPOLLIN, .data = {.ptr = &connection}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
}

}  // namespace
}  // namespace grete::bench

int main(int argc, char** argv) try {
  using namespace grete::bench;
  CLI::App app("A Kafka broker that stores nothing, for benches.");
  std::string bind;
  std::string advertise;
  Broker broker;
  app.add_option("--bind", bind, "HOST:PORT to listen on")->required();
  app.add_option("--advertise", advertise, "HOST:PORT to name in Metadata (default: --bind)");
  app.add_option("--node", broker.node_id, "the node id to name in Metadata");
  CLI11_PARSE(app, argc, argv);

  const Address address = parse_address(advertise.empty() ? bind : advertise);
  broker.host = address.host;
  broker.port = address.port;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  std::make_unique<Sink>(parse_address(bind), broker)->run();
} catch (const std::exception& error) {
  grete::bench::die(error.what());
}

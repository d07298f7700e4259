// Sends valid Kafka requests to a broker, or to a proxy before one, and says how fast they are
// answered: a closed loop (each connection keeps as many requests in flight as its work says) or an
// open one (a fixed rate; latency counts from the moment a request was due, so a stall is not
// hidden by sending less).
//
// It connects as a client does: bootstrap, ApiVersions, Metadata, then the leader that Metadata
// names. Prints one line of JSON. Exits 1 if an answer carries an error or a connection breaks.
#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench/batches.h"
#include "bench/frames.h"
#include "bench/histogram.h"
#include "bench/sockets.h"

namespace grete::bench {
namespace {

constexpr int kFetchBytes = 1 << 20;
constexpr std::int64_t kSecond = 1'000'000'000;

struct Work {
  std::string_view name;
  int connections;
  int in_flight;  // a connection, in the closed loop
  int rate;       // requests a second in all; 0 = closed loop
  int records;    // of 1 KiB in a request; 0 = Fetch
  Codec codec = Codec::kNone;
};
constexpr std::array<Work, 7> kWorks = {{
    {"produce-1k", 16, 2, 0, 1},
    {"produce-16k", 16, 2, 0, 16},
    {"produce-16k-lz4", 16, 2, 0, 16, Codec::kLz4},
    {"produce-1m", 2, 2, 0, 1000},  // with keys and framing still within a broker's 1 MiB
    {"fetch-1m", 2, 2, 0, 0},
    {"rate-16k", 4, 0, 1000, 16},
    {"idle-1000", 1000, 0, 0, 1},
}};

struct Options {
  std::string connect;
  std::string work;
  double seconds = 1.5;
  double warm_up = 0.3;
  int rate = 0;
  int connections = 0;
  int in_flight = 0;
};

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

std::int64_t wall_ms() {
  return std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
}

// Asks what the broker speaks; ends the program if it is not what the bench sends.
void greet(int fd) {
  constexpr std::int32_t kCorrelation = 1;
  const std::string answer = exchange_frames(fd, api_versions_request().whole(kCorrelation));
  // Correlation id, then the error code.
  if (answer.size() < 6 || answer.substr(3, 3) != std::string("\1\0\0", 3)) {
    die("ApiVersions was answered with an error");
  }
}

// Where the topic's leader is. A broker that makes the topic first needs some tries.
Leader bootstrap(const Address& address) {
  const Fd fd = connect_to(address);
  greet(fd.get());
  for (int tries = 0; tries < 100; ++tries) {
    const std::string answer = exchange_frames(fd.get(), metadata_request().whole(2 + tries));
    if (answer.size() > 4) {
      if (std::optional<Leader> leader = find_leader(std::string_view(answer).substr(4))) {
        return *leader;
      }
    }
    usleep(100'000);
  }
  die("Metadata names no leader for topic '" + std::string(kTopic) + "'");
}

std::vector<Request> make_requests(const Work& work, const TopicId& topic) {
  if (work.records == 0) {
    return {fetch_request(topic, kFetchBytes)};
  }
  // A few different ones, so that a proxy's work on the bytes is not always the very same.
  std::vector<Request> requests;
  for (std::uint32_t seed = 1; seed <= (work.records > 100 ? 2u : 8u); ++seed) {
    requests.push_back(produce_request(make_batch(
        {.records = work.records, .codec = work.codec, .seed = seed, .timestamp_ms = wall_ms()})));
  }
  return requests;
}

class Load {
 public:
  Load(const Options& options, const Work& work);
  void run();

 private:
  struct Connection {
    Fd fd;
    SendQueue<Request::kPrefixBytes> unsent;
    FrameSkimmer received;
    std::deque<std::int64_t> due;  // of the requests in flight, in order; ns
    std::int32_t sent = 0;
    std::int32_t answered = 0;
    bool waits_to_write = false;
  };

  void open_connections();
  void stay_idle();
  void send(Connection& connection, std::int64_t due);
  void flush(Connection& connection);
  void receive(Connection& connection);
  void answered(Connection& connection, std::string_view head);
  void send_what_is_due();
  // When the open loop's next request is due.
  [[nodiscard]] std::int64_t next_due() const { return start_ + scheduled_ * kSecond / work_.rate; }
  [[nodiscard]] bool more_is_due() const {
    return (work_.rate > 0 ? next_due() : now_ns()) < stop_;
  }
  void print() const;

  Options options_;
  Work work_;
  Leader leader_;
  std::vector<Request> requests_;
  std::vector<std::unique_ptr<Connection>> connections_;
  Fd epoll_;
  Fd timer_;
  Histogram latency_;
  std::int64_t start_ = 0, measure_from_ = 0, stop_ = 0, last_answer_ = 0;
  std::int64_t scheduled_ = 0;  // requests of the open loop
  std::int64_t total_ = 0;      // answered in all
  std::int64_t measured_ = 0;   // answered within the measured time
  std::int64_t in_flight_ = 0;
};

Load::Load(const Options& options, const Work& work)
    : options_(options), work_(work), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  work_.rate = options.rate > 0 ? options.rate : work_.rate;
  work_.connections = options.connections > 0 ? options.connections : work_.connections;
  work_.in_flight = options.in_flight > 0 ? options.in_flight : work_.in_flight;
}

void Load::run() {
  leader_ = bootstrap(parse_address(options_.connect));
  requests_ = make_requests(work_, leader_.topic);
  open_connections();
  if (work_.name.starts_with("idle")) {
    return stay_idle();
  }
  start_ = now_ns();
  measure_from_ = start_ + static_cast<std::int64_t>(options_.warm_up * kSecond);
  stop_ = measure_from_ + static_cast<std::int64_t>(options_.seconds * kSecond);
  if (work_.rate > 0) {
    send_what_is_due();
  } else {
    for (auto& connection : connections_) {
      for (int i = 0; i < work_.in_flight; ++i) {
        send(*connection, start_);
      }
      flush(*connection);
    }
  }
  std::array<epoll_event, 64> events;
  while (in_flight_ > 0 || more_is_due()) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 1000);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        send_what_is_due();
        continue;
      }
      if ((events[i].events & ~EPOLLOUT) != 0) {
        receive(*connection);
      }
      flush(*connection);
    }
    if (now_ns() > stop_ + 10 * kSecond) {
      die(std::to_string(in_flight_) + " requests were not answered within 10 s");
    }
  }
  print();
}

void Load::open_connections() {
  for (int i = 0; i < work_.connections; ++i) {
    auto connection = std::make_unique<Connection>();
    connection->fd = connect_to({leader_.host, leader_.port});
    greet(connection->fd.get());
    set_non_blocking(connection->fd.get());
    epoll_event event{.events = EPOLLIN, .data = {.ptr = connection.get()}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->fd.get(), &event);
    connections_.push_back(std::move(connection));
  }
  if (work_.rate > 0) {
    prctl(PR_SET_TIMERSLACK, 1);
    timer_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &event);
  }
}

// Keeps the connections open, unused, until standard input ends.
void Load::stay_idle() {
  std::printf("{\"ready\": true}\n");
  std::fflush(stdout);
  std::array<char, 64> ignored;
  while (read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
  }
  for (const auto& connection : connections_) {
    pollfd state{.fd = connection->fd.get(), .events = POLLIN, .revents = 0};
    if (poll(&state, 1, 0) != 0) {
      die("an idle connection was closed, or got bytes it did not ask for");
    }
  }
  std::printf("{\"requests\": %zu}\n", connections_.size());
}

void Load::send(Connection& connection, std::int64_t due) {
  const Request& request = requests_[static_cast<std::size_t>(connection.sent) % requests_.size()];
  connection.unsent.push(request.prefix(connection.sent++), request.rest);
  connection.due.push_back(due);
  ++in_flight_;
}

void Load::flush(Connection& connection) {
  const Io result = connection.unsent.flush(connection.fd.get());
  if (result == Io::kClosed) {
    die("the peer closed a connection");
  }
  const bool blocked = result == Io::kBlocked;
  if (blocked != connection.waits_to_write) {
    connection.waits_to_write = blocked;
    epoll_event event{.events = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN,
                      .data = {.ptr = &connection}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
  }
}

void Load::receive(Connection& connection) {
  const Io result = connection.received.read(
      connection.fd.get(), [&](std::string_view head) { answered(connection, head); });
  if (result == Io::kClosed) {
    die("the peer closed a connection with " + std::to_string(connection.due.size()) +
        " requests in flight");
  }
}

void Load::answered(Connection& connection, std::string_view head) {
  const auto expected = requests_.front().prefix(connection.answered++);
  if (connection.due.empty() || head.size() < 4 ||
      head.substr(0, 4) != std::string_view(expected.data() + 8, 4)) {
    die("an answer's correlation id is not that of the oldest request in flight");
  }
  if (const int error = response_error(requests_.front().key, head.substr(4)); error != 0) {
    die("an answer carries error code " + std::to_string(error));
  }
  const std::int64_t now = now_ns();
  const std::int64_t due = connection.due.front();
  connection.due.pop_front();
  --in_flight_;
  ++total_;
  if (due >= measure_from_ && (now <= stop_ || work_.rate > 0)) {
    latency_.record(static_cast<std::uint64_t>(now - due));
  }
  if (now >= measure_from_ && now <= stop_) {
    ++measured_;
    last_answer_ = now;
  }
  if (work_.rate == 0 && now < stop_) {
    send(connection, now);
  }
}

void Load::send_what_is_due() {
  std::uint64_t expired = 0;
  [[maybe_unused]] const ssize_t ignored = read(timer_.get(), &expired, sizeof expired);
  for (const std::int64_t now = now_ns(); more_is_due() && next_due() <= now; ++scheduled_) {
    Connection& connection =
        *connections_[static_cast<std::size_t>(scheduled_) % connections_.size()];
    send(connection, next_due());
    flush(connection);
  }
  if (more_is_due()) {
    const std::int64_t next = next_due();
    const itimerspec when{.it_interval = {},
                          .it_value = {.tv_sec = next / kSecond, .tv_nsec = next % kSecond}};
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
  }
}

void Load::print() const {
  const double seconds = static_cast<double>(last_answer_ - measure_from_) / kSecond;
  const std::size_t bytes = work_.records == 0 ? kFetchBytes : requests_.front().frame_bytes();
  const auto microseconds = [&](double quantile) {
    return static_cast<double>(latency_.at(quantile)) / 1000;
  };
  std::printf(
      "{\"requests\": %ld, \"requests_per_s\": %.1f, \"mb_per_s\": %.1f, \"bytes\": %zu, "
      "\"p50_us\": %.1f, \"p99_us\": %.1f}\n",
      static_cast<long>(total_), static_cast<double>(measured_) / seconds,
      static_cast<double>(measured_) / seconds * static_cast<double>(bytes) / 1e6, bytes,
      microseconds(0.5), microseconds(0.99));
}

}  // namespace
}  // namespace grete::bench

int main(int argc, char** argv) try {
  using namespace grete::bench;
  CLI::App app("Sends Kafka requests in one of the bench's works and prints what it measured.");
  Options options;
  std::vector<std::string> names;
  names.reserve(kWorks.size());
  for (const Work& work : kWorks) {
    names.emplace_back(work.name);
  }
  app.add_option("--connect", options.connect, "HOST:PORT to bootstrap from")->required();
  app.add_option("--work", options.work, "what to send")->required()->check(CLI::IsMember(names));
  app.add_option("--seconds", options.seconds, "how long to measure");
  app.add_option("--warm-up", options.warm_up, "seconds to send before measuring");
  app.add_option("--rate", options.rate, "requests a second, instead of the work's own pace");
  app.add_option("--connections", options.connections, "instead of the work's own number");
  app.add_option("--in-flight", options.in_flight, "requests in flight on each connection");
  CLI11_PARSE(app, argc, argv);

  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  for (const Work& work : kWorks) {
    if (work.name == options.work) {
      std::make_unique<Load>(options, work)->run();
    }
  }
} catch (const std::exception& error) {
  grete::bench::die(error.what());
}

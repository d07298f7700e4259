#include "gateway/net/connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "gateway/session/protocol.h"
#include "gateway/telemetry/log.h"

namespace grete::gateway {

namespace {

constexpr Duration kClosingTime = std::chrono::seconds{1};

}  // namespace

Connection::Connection(WorkerContext& worker, std::uint64_t id, AcceptedClient accepted,
                       std::shared_ptr<plugins::ChainRuntime> chain,
                       std::vector<plugins::StreamRuntime*> streams, Moment now)
    : worker_(&worker),
      id_(id),
      listener_(std::move(accepted.listener)),
      node_(accepted.node),
      memory_(worker.limits.connection_memory, &worker.memory),
      client_(*this, memory_),
      broker_(*this, memory_),
      session_(listener_->settings, memory_, *this, std::move(chain),
               {.id = id,
                .principal = {},
                .address = accepted.socket.peer().text(),
                .local_address = accepted.socket.local().text(),
                .listener = listener_->name}),
      stream_runtimes_(std::move(streams)),
      last_activity_(now) {
  client_.socket = std::move(accepted.socket);
}

Connection::~Connection() {
  close_streams();
  detach(client_);
  detach(broker_);
}

void Connection::start(Moment now) {
  const Cluster& cluster = *listener_->cluster;
  const auto topology = cluster.topology();
  const HostPort* known = topology->find(node_);
  if (known != nullptr) {
    targets_.push_back(*known);
  } else {
    by_guess_ = node_.value() >= 0;
    const auto& bootstrap = cluster.bootstrap();
    const std::size_t first = listener_->cluster->next_bootstrap();
    for (std::size_t i = 0; i < bootstrap.size(); ++i) {
      targets_.push_back(bootstrap[(first + i) % bootstrap.size()]);
    }
  }
  set_interest(client_, 0);
  if (!client_.registered) {
    close(CloseCause::kReset);
    return;
  }
  if (Log::enabled(LogLevel::kDebug)) {
    Log::debug("connection accepted", {{"connection", id_},
                                       {"listener", listener_->name},
                                       {"client", client_.socket.peer().text()},
                                       {"node", node_.value()}});
  }
  last_activity_ = now;
  worker_->look_up(id_, targets_[target_]);
}

void Connection::on_addresses(std::vector<SocketAddress> addresses, const std::string& error,
                              Moment now) {
  if (!std::holds_alternative<Resolving>(state_)) {
    return;
  }
  if (addresses.empty()) {
    target_failed(error, now);
    return;
  }
  state_ = Connecting{now + worker_->limits.connect_timeout, std::move(addresses)};
  connect_next(now);
}

void Connection::connect_next(Moment now) {
  auto& connecting = std::get<Connecting>(state_);
  std::string error = "no address";
  while (connecting.next < connecting.addresses.size()) {
    auto socket = Socket::connect(connecting.addresses[connecting.next++]);
    if (!socket) {
      error = std::strerror(socket.error());
      continue;
    }
    broker_.socket = *std::move(socket);
    set_interest(broker_, kWritable);
    return;
  }
  target_failed(error, now);
}

void Connection::target_failed(std::string_view what, Moment now) {
  worker_->stats.connect_failures.add();
  Log::warning("broker not reached", {{"connection", id_},
                                      {"cluster", listener_->cluster->name()},
                                      {"broker", targets_[target_].text()},
                                      {"error", what}});
  if (++target_ == targets_.size()) {
    begin_closing(CloseCause::kConnect, now);
    return;
  }
  state_ = Resolving{};
  worker_->look_up(id_, targets_[target_]);
}

void Connection::connect_decided(Moment now) {
  if (const int error = broker_.socket.connect_error(); error != 0) {
    detach(broker_);
    auto& connecting = std::get<Connecting>(state_);
    if (connecting.next < connecting.addresses.size()) {
      connect_next(now);
    } else {
      target_failed(std::strerror(error), now);
    }
    return;
  }
  state_ = Open{};
  last_activity_ = now;
  open_streams(now);
  on_topology();
  after_turn(now);
}

void Connection::side_ready(Side& side, std::uint32_t events) {
  const Moment now = MonotonicClock::now();
  if (std::holds_alternative<Connecting>(state_) && &side == &broker_) {
    connect_decided(now);
    return;
  }
  if (std::holds_alternative<Closing>(state_)) {
    closing_ready(events);
    return;
  }
  if (!std::holds_alternative<Open>(state_)) {
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      close(CloseCause::kClient);
    }
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    flush(side);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !closed()) {
    if (wants(side)) {
      pump(side, now);
    } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
      // It reports its end again and again; it is read, and told to the session, once there is
      // room for what it sent before.
      detach_from_poller(side);
    }
  }
  after_turn(now);
}

void Connection::pump(Side& side, Moment now) {
  for (int i = 0; i < kReadsPerTurn && std::holds_alternative<Open>(state_) && wants(side); ++i) {
    const std::size_t limit = readable_bytes();
    const Transfer got = side.socket.read(MutableBytes(worker_->scratch).first(limit));
    switch (got.state) {
      case Transfer::State::kWouldBlock:
        return;
      case Transfer::State::kFailed:
        close(CloseCause::kReset);
        return;
      case Transfer::State::kEnd:
        side.ended = true;
        if (&side == &client_) {
          client_ended_ = now;
        }
        if (!streams_.empty()) {
          feed_streams(side, {}, now);
        }
        return;
      case Transfer::State::kDone:
        break;
    }
    (&side == &client_ ? worker_->stats.bytes_from_clients : worker_->stats.bytes_from_brokers)
        .add(got.bytes);
    last_activity_ = now;
    const MutableBytes bytes = MutableBytes(worker_->scratch).first(got.bytes);
    if (streams_.empty()) {
      feed(side, bytes, now);
    } else {
      feed_streams(side, bytes, now);
    }
    if (got.bytes < limit) {
      return;
    }
  }
}

void Connection::feed(Side& side, MutableBytes bytes, Moment now) {
  Outputs& out = worker_->outputs;
  const auto result = &side == &client_ ? session_.client_bytes(bytes, now, out)
                                        : session_.broker_bytes(bytes, now, out);
  deliver();
  if (!result) {
    refuse(result.error(), now);
    return;
  }
  if (bytes.empty() || !std::holds_alternative<Open>(state_)) {
    return;
  }
  Buffer rest(memory_);
  if (!rest.append(bytes)) {
    refuse({SessionFailure::kMemory, "no memory for bytes that have to wait"}, now);
    return;
  }
  side.held = std::move(rest);
  side.held_used = 0;
}

void Connection::feed_held(Side& side, Moment now) {
  Buffer held = std::exchange(side.held, Buffer(memory_));
  feed(side, held.bytes().subspan(side.held_used), now);
}

void Connection::deliver() {
  Outputs& out = worker_->outputs;
  bool failed = false;
  if (!out.to_broker.empty() && broker_.socket.open()) {
    failed |= broker_.queue.send(broker_.socket, out.to_broker).state == Transfer::State::kFailed;
  }
  if (!out.to_client.empty()) {
    failed |= client_.queue.send(client_.socket, out.to_client).state == Transfer::State::kFailed;
  }
  out.clear();
  if (failed) {
    close(CloseCause::kReset);
  }
}

void Connection::flush(Side& side) {
  if (side.queue.flush(side.socket).state == Transfer::State::kFailed) {
    close(CloseCause::kReset);
  }
}

void Connection::after_turn(Moment now) {
  bool progress = true;
  while (progress && std::holds_alternative<Open>(state_)) {
    progress = false;
    if (!client_.held.empty() && broker_.queue.empty() && session_.takes_client_bytes()) {
      feed_held(client_, now);
      progress = true;
    } else if (!broker_.held.empty() && client_.queue.empty() && session_.takes_broker_bytes()) {
      feed_held(broker_, now);
      progress = true;
    }
  }
  if (!std::holds_alternative<Open>(state_)) {
    return;
  }
  if (!told_in_chain_ && chain_state() != ChainState::kEmpty) {
    told_in_chain_ = true;
    worker_->in_chain(*this);
  }
  if (broker_.ended && client_.queue.empty() && broker_.held.empty() && !streams_busy() &&
      session_.takes_broker_bytes()) {
    begin_closing(CloseCause::kBroker, now);
    return;
  }
  // A client that ends within a request has crashed: nobody waits for what is outstanding.
  const bool crashed = session_.within_request() && client_.held.empty() && broker_.queue.empty();
  if (client_.ended && (crashed || nothing_under_way())) {
    begin_closing(CloseCause::kClient, now);
    return;
  }
  if (draining_ && nothing_under_way()) {
    begin_closing(cause_, now);
    return;
  }
  update_interest();
}

bool Connection::nothing_under_way() const {
  return session_.idle() && client_.queue.empty() && broker_.queue.empty() && !streams_busy();
}

std::size_t Connection::readable_bytes() const {
  return std::min<std::uint64_t>(
      {worker_->scratch.size(), memory_.available(), worker_->memory.available()});
}

bool Connection::wants(const Side& side) const {
  if (side.ended || !side.held.empty() || (!streams_.empty() && streams_full(side))) {
    return false;
  }
  if (&side == &client_) {
    return broker_.queue.empty() && session_.takes_client_bytes();
  }
  return client_.queue.empty() && session_.takes_broker_bytes();
}

void Connection::run_chain(Moment now) {
  if (!std::holds_alternative<Open>(state_)) {
    return;
  }
  if (!streams_.empty()) {
    move_streams(now);
    if (!std::holds_alternative<Open>(state_)) {
      return;
    }
  }
  const auto result = session_.run_chain(now, worker_->outputs);
  deliver();
  if (!result) {
    refuse(result.error(), now);
    return;
  }
  last_activity_ = now;
  after_turn(now);
}

ChainState Connection::chain_state() const {
  if (!std::holds_alternative<Open>(state_)) {
    return ChainState::kEmpty;
  }
  const ChainState state = session_.chain_state();
  if (state != ChainState::kEmpty || streams_.empty() || !streams_busy()) {
    return state;
  }
  return stream_changed_ ? ChainState::kRunnable : ChainState::kWaiting;
}

void Connection::update_interest() {
  const bool short_of_memory = readable_bytes() < kMinReadSize;
  if (short_of_memory) {
    worker_->stats.reads_paused.add();
    worker_->hurry();
  }
  for (Side* side : {&client_, &broker_}) {
    Interest interest = side->queue.empty() ? 0 : kWritable;
    if (!short_of_memory && wants(*side)) {
      interest |= kReadable;
    }
    if ((interest & kReadable) == 0 && (side->interest & kReadable) != 0 && !side->ended) {
      worker_->stats.reads_paused.add();
    }
    set_interest(*side, interest);
  }
}

void Connection::set_interest(Side& side, Interest interest) {
  if (!side.registered) {
    if (side.hung && interest == 0) {
      return;
    }
    side.registered = worker_->poller.add(side.socket.descriptor(), side, interest);
    side.hung = false;
  } else if (interest != side.interest) {
    worker_->poller.change(side.socket.descriptor(), side, interest);
  }
  side.interest = interest;
}

void Connection::detach_from_poller(Side& side) {
  if (side.registered) {
    worker_->poller.remove(side.socket.descriptor());
    side.registered = false;
    side.hung = true;
    side.interest = 0;
  }
}

void Connection::detach(Side& side) {
  detach_from_poller(side);
  side.hung = false;
  side.socket.close();
}

void Connection::refuse(const SessionError& error, Moment now) {
  worker_->stats.refused[static_cast<std::size_t>(error.failure)].add();
  Log::warning("connection refused", {{"connection", id_},
                                      {"listener", listener_->name},
                                      {"client", client_.socket.peer().text()},
                                      {"reason", name_of(error.failure)},
                                      {"detail", error.text}});
  if (!closed()) {
    begin_closing(CloseCause::kRefused, now);
  }
}

void Connection::begin_closing(CloseCause cause, Moment now) {
  cause_ = cause;
  detach(broker_);
  broker_.queue.clear();
  if (client_.ended && client_.queue.empty()) {
    close(cause);
    return;
  }
  state_ = Closing{now + kClosingTime};
  worker_->hurry();
  closing_ready(0);
}

void Connection::closing_ready(std::uint32_t events) {
  auto& closing = std::get<Closing>(state_);
  if (!client_.queue.empty()) {
    flush(client_);
  }
  if (closed()) {
    return;
  }
  if (client_.queue.empty() && !closing.end_sent) {
    client_.socket.shutdown_write();
    closing.end_sent = true;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    const Transfer got = client_.socket.read(worker_->scratch);
    client_.ended |= got.state == Transfer::State::kEnd || got.state == Transfer::State::kFailed;
  }
  if (client_.ended && client_.queue.empty()) {
    close(cause_);
    return;
  }
  set_interest(client_, (client_.queue.empty() ? 0 : kWritable) | (client_.ended ? 0 : kReadable));
}

void Connection::close(CloseCause cause) {
  if (closed()) {
    return;
  }
  if (Log::enabled(LogLevel::kDebug)) {
    Log::debug(
        "connection closed",
        {{"connection", id_}, {"cause", name_of(cause)}, {"in_flight", session_.in_flight()}});
  }
  worker_->stats.closed[static_cast<std::size_t>(cause)].add();
  detach(client_);
  detach(broker_);
  client_.queue.clear();
  broker_.queue.clear();
  state_ = Closed{};
  worker_->hurry();
}

void Connection::drain(CloseCause cause) {
  if (draining_ || closed()) {
    return;
  }
  draining_ = true;
  cause_ = cause;
  session_.drain();
  if (std::holds_alternative<Closing>(state_)) {
    return;
  }
  if (!std::holds_alternative<Open>(state_)) {
    close(cause);
    return;
  }
  worker_->hurry();
}

void Connection::on_topology() {
  if (node_.value() < 0 || draining_ || !std::holds_alternative<Open>(state_)) {
    return;
  }
  const auto topology = listener_->cluster->topology();
  const HostPort* known = topology->find(node_);
  if (known == nullptr || *known == targets_[target_]) {
    return;
  }
  Log::info(by_guess_ ? "connection was paired with the wrong broker" : "broker has moved",
            {{"connection", id_},
             {"node", node_.value()},
             {"paired_with", targets_[target_].text()},
             {"broker", known->text()}});
  drain(CloseCause::kWrongBroker);
}

void Connection::on_tick(Moment now) {
  if (auto* closing = std::get_if<Closing>(&state_)) {
    if (now >= closing->deadline) {
      close(cause_);
    }
    return;
  }
  if (auto* connecting = std::get_if<Connecting>(&state_)) {
    if (now >= connecting->deadline) {
      detach(broker_);
      target_failed("no answer within connect_timeout", now);
    }
    return;
  }
  if (!std::holds_alternative<Open>(state_)) {
    return;
  }
  if (now - last_activity_ >= worker_->limits.idle_timeout) {
    begin_closing(CloseCause::kIdle, now);
    return;
  }
  if (client_.ended && now - client_ended_ >= kHalfCloseLinger) {
    close(CloseCause::kClient);
    return;
  }
  after_turn(now);
}

void Connection::on_request(kafka::ApiKey key, kafka::ApiVersion, std::uint64_t bytes) {
  ApiStats& api = worker_->stats.api(key);
  api.requests.add();
  api.request_bytes.add(bytes);
}

void Connection::on_reply(kafka::ApiKey key, std::uint64_t bytes, Duration took) {
  ApiStats& api = worker_->stats.api(key);
  api.replies.add();
  api.reply_bytes.add(bytes);
  api.duration.observe(took);
}

void Connection::on_brokers(std::span<const BrokerAddress> brokers) {
  listener_->cluster->learn(brokers);
}

void Connection::on_topics(std::span<const TopicId> topics) {
  listener_->cluster->learn(topics);
}

void Connection::on_unreachable_broker(kafka::NodeId node) {
  Log::error(
      "a broker has no port in this listener's range; clients cannot reach it",
      {{"listener", listener_->name}, {"node", node.value()}, {"advice", "widen broker_ports"}});
}

void Connection::on_principal(std::string_view user) {
  if (Log::enabled(LogLevel::kDebug)) {
    Log::debug("client authenticated", {{"connection", id_}, {"user", user}});
  }
}

void Connection::on_plugins(kafka::ApiKey key, Duration held) {
  worker_->stats.api(key).in_chain.observe(held);
}

std::shared_ptr<const plugins::TopicNames> Connection::topics() {
  return listener_->cluster->topics();
}

}  // namespace grete::gateway

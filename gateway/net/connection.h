// A client's socket, a broker's socket, and the session between them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "gateway/net/poller.h"
#include "gateway/net/send_queue.h"
#include "gateway/net/socket.h"
#include "gateway/net/worker_context.h"
#include "gateway/session/session.h"
#include "plugins/stream/stream_filter.h"

namespace grete::gateway {

// A state is one of
//
//              addresses          connected             one side ended, refused, drained
//   Resolving ----------> Connecting --------> Open ------------------------------------+
//       ^                    |                   |                                      v
//       |  next candidate    |                   | nothing left to tell the client   Closing
//       +--------------------+                   v                                      |
//       |  none left, client gone, timeout     Closed <---------------------------------+
//       +---------------------------------------> ^        told, and the client is gone
//
// Bytes that the client sends before Open wait in the kernel. In Open each read goes through the
// session and at once to the other side's socket; only what that does not take is copied, and as
// long as there is such a rest the sending side is not read. In Closing the client is sent what is
// left, then the end of the stream, and its own bytes are thrown away, so that the kernel does not
// reset the connection before the client has read why it was closed.
//
// Owned by a worker, on its thread; destroyed between two turns of its loop.
class Connection final : public SessionObserver, private plugins::StreamListener {
 public:
  // `chain` is the listener's on this worker, or null; `streams` are its plug-ins on the byte
  // stream, which outlive the connection.
  Connection(WorkerContext& worker, std::uint64_t id, AcceptedClient accepted,
             std::shared_ptr<plugins::ChainRuntime> chain,
             std::vector<plugins::StreamRuntime*> streams, Moment now);
  ~Connection() override;

  // Begins to look for the broker.
  void start(Moment now);
  // The answer to the worker's look_up.
  void on_addresses(std::vector<SocketAddress> addresses, const std::string& error, Moment now);
  // Time has passed: timeouts, and whatever waits for memory.
  void on_tick(Moment now);
  // Lets plug-ins work for at most a slice, if they hold a message.
  void run_chain(Moment now);
  [[nodiscard]] ChainState chain_state() const;
  // The worker no longer looks whether plug-ins hold a message.
  void left_chain() { told_in_chain_ = false; }
  // The cluster's topology has changed: a connection to the wrong broker is drained.
  void on_topology();
  // No new requests; closes when the outstanding ones are answered.
  void drain(CloseCause cause);
  void close(CloseCause cause);

  [[nodiscard]] bool closed() const { return std::holds_alternative<Closed>(state_); }
  [[nodiscard]] std::uint64_t id() const { return id_; }

  void on_request(kafka::ApiKey key, kafka::ApiVersion version, std::uint64_t bytes) override;
  void on_reply(kafka::ApiKey key, std::uint64_t bytes, Duration took) override;
  void on_brokers(std::span<const BrokerAddress> brokers) override;
  void on_topics(std::span<const TopicId> topics) override;
  void on_unreachable_broker(kafka::NodeId node) override;
  void on_principal(std::string_view user) override;
  void on_plugins(kafka::ApiKey key, Duration held) override;
  std::shared_ptr<const plugins::TopicNames> topics() override;

 private:
  // One of the two ends.
  struct Side final : PollHandler {
    Side(Connection& owner, MemoryBudget& budget)
        : connection(&owner), queue(budget), held(budget) {}
    void on_ready(std::uint32_t events) override { connection->side_ready(*this, events); }

    Connection* connection;
    Socket socket;
    Interest interest = 0;
    bool registered = false;
    bool hung = false;   // taken off the poller, since its end was reported while it waits
    bool ended = false;  // it will send nothing more
    SendQueue queue;     // bytes for it
    Buffer held;         // bytes of it that the session does not take yet
    std::size_t held_used = 0;
  };

  struct Resolving {};
  struct Connecting {
    Moment deadline;
    std::vector<SocketAddress> addresses;
    std::size_t next = 0;
  };
  struct Open {};
  struct Closing {
    Moment deadline;
    bool end_sent = false;
  };
  struct Closed {};

  // connection_streams.cc
  void open_streams(Moment now);
  void close_streams();
  void feed_streams(const Side& side, Bytes bytes, Moment now);
  void move_streams(Moment now);
  void feed_or_hold(Side& side, MutableBytes bytes, Moment now);
  [[nodiscard]] bool streams_busy() const;
  [[nodiscard]] bool streams_full(const Side& side) const;
  void on_stream_changed() override { stream_changed_ = true; }

  void side_ready(Side& side, std::uint32_t events);
  void connect_next(Moment now);
  void connect_decided(Moment now);
  void target_failed(std::string_view what, Moment now);
  void pump(Side& side, Moment now);
  void feed(Side& side, MutableBytes bytes, Moment now);
  void feed_held(Side& side, Moment now);
  void deliver();
  void after_turn(Moment now);
  void flush(Side& side);
  void begin_closing(CloseCause cause, Moment now);
  void closing_ready(std::uint32_t events);
  void refuse(const SessionError& error, Moment now);
  [[nodiscard]] bool wants(const Side& side) const;
  [[nodiscard]] std::size_t readable_bytes() const;
  void update_interest();
  void set_interest(Side& side, Interest interest);
  void detach_from_poller(Side& side);
  void detach(Side& side);
  [[nodiscard]] bool nothing_under_way() const;
  [[nodiscard]] Side& other(const Side& side) { return &side == &client_ ? broker_ : client_; }

  WorkerContext* worker_;
  std::uint64_t id_;
  std::shared_ptr<const Listener> listener_;
  kafka::NodeId node_;
  MemoryBudget memory_;
  Side client_;
  Side broker_;
  Session session_;
  std::variant<Resolving, Connecting, Open, Closing, Closed> state_;
  std::vector<plugins::StreamRuntime*> stream_runtimes_;
  std::vector<std::unique_ptr<plugins::StreamFilter>> streams_;  // from the client to the broker
  bool stream_changed_ = false;
  std::vector<HostPort> targets_;  // candidates, best first
  std::size_t target_ = 0;
  bool by_guess_ = false;
  bool told_in_chain_ = false;  // the worker knows that plug-ins hold a message
  bool draining_ = false;
  CloseCause cause_ = CloseCause::kClient;  // why it drains or closes
  Moment last_activity_;
  Moment client_ended_;
};

}  // namespace grete::gateway

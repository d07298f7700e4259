// One client's conversation with one broker, without sockets and clocks: bytes and the time come in
// as arguments, and bytes go out through Outputs. Whatever can happen to a connection can therefore
// happen in a unit test.
//
// Bytes of frames that nobody wants to look into pass on as they arrive; of these only the first
// few are read. What must be looked into, or changed, is held until it is whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "gateway/limits.h"
#include "gateway/session/broker_ports.h"
#include "gateway/session/fetch_walker.h"
#include "gateway/session/frame_reader.h"
#include "gateway/session/output.h"
#include "gateway/session/pending_requests.h"
#include "gateway/session/request_prefix.h"
#include "gateway/session/sasl.h"
#include "kafka/ids.h"
#include "plugins/chain.h"
#include "plugins/frame.h"

namespace grete::gateway {

// Why a session cannot go on. The connection is to be closed after what is in Outputs is sent.
enum class SessionFailure : std::uint8_t {
  kTlsOnPlainPort,
  kHttp,
  kNotKafka,  // what the client sends is no Kafka request
  kFrameTooLarge,
  kUnknownVersion,   // of an API that must be looked into
  kUnexpectedReply,  // the broker's answer belongs to no request
  kMalformedReply,
  kMemory,      // a frame needs more memory than the connection may have
  kPlugin,      // a plug-in closes the connection
  kUnreadable,  // a SASL mechanism makes the connection opaque, and plug-ins must see it
};

// A short name, for metrics and logs: "tls-on-plain-port".
[[nodiscard]] std::string_view name_of(SessionFailure failure);

struct SessionError {
  SessionFailure failure{};
  // For the log: what was seen and what to do about it.
  std::string text;
};

// What a session needs to know. Const, shared by the connections of a listener, outlives them.
struct SessionSettings {
  BrokerPorts ports;
  std::uint64_t max_frame = kDefaultMaxFrame;
  std::uint32_t max_in_flight = kDefaultMaxInFlight;
};

// Whoever wants to know what a session sees. Called synchronously; calls nothing of the session.
class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  // A request of `bytes` in all has begun to arrive.
  virtual void on_request(kafka::ApiKey key, kafka::ApiVersion version, std::uint64_t bytes) = 0;
  // Its reply of `bytes` has passed, `took` after the request's first bytes arrived.
  virtual void on_reply(kafka::ApiKey key, std::uint64_t bytes, Duration took) = 0;
  // The broker told where brokers listen.
  virtual void on_brokers(std::span<const BrokerAddress> brokers) = 0;
  // The broker named topics by their ids. Only told if there are plug-ins.
  virtual void on_topics(std::span<const TopicId> topics) = 0;
  // A broker has no port in the listener's range; clients cannot reach it.
  virtual void on_unreachable_broker(kafka::NodeId node) = 0;
  // The broker accepted the client as this user.
  virtual void on_principal(std::string_view user) = 0;
  // Plug-ins are done with a message of that API, `held` after it was given to them.
  virtual void on_plugins(kafka::ApiKey key, Duration held) = 0;
  // The topics that are known by id; null if none are.
  virtual std::shared_ptr<const plugins::TopicNames> topics() = 0;
};

// Messages that plug-ins hold.
enum class ChainState : std::uint8_t {
  kEmpty,     // there are none
  kFresh,     // one has not been worked on yet
  kRunnable,  // work goes on with the next slice
  kWaiting,   // for an instance, or for a moment
};

// A state is one of
//
//            SaslHandshake v0          accepted, PLAIN or SCRAM
//   Framed -------------------> AwaitingTokens ------------> Tokens
//     ^                          |   |                         |
//     |          refused         |   | accepted, any other     | as many as the mechanism has
//     +--------------------------+   v                         |
//     |                            Opaque                      |
//     +--------------------------------------------------------+
//
// Messages that plug-ins asked for are given to the chain, one request and one reply at a time. As
// long as a request is there, no more of the client's bytes are taken; replies go on, and likewise
// the other way round. So the order of requests and of replies is never in question.
//
// Owned by a connection; one thread. Everything passed to the constructor by reference outlives it.
class Session {
 public:
  // `chain` is null if there are no plug-ins.
  Session(const SessionSettings& settings, MemoryBudget& budget, SessionObserver& observer,
          std::shared_ptr<plugins::ChainRuntime> chain = nullptr,
          plugins::ConnectionInfo info = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes bytes of the client off the front of `input`; what is left stays with the caller, to be
  // offered again before any later bytes once takes_client_bytes(). The bytes may be changed in
  // place, and `out` may borrow from them: they live until the caller has written `out`.
  [[nodiscard]] Result<void, SessionError> client_bytes(MutableBytes& input, Moment now,
                                                        Outputs& out);

  // The same for bytes of the broker.
  [[nodiscard]] Result<void, SessionError> broker_bytes(MutableBytes& input, Moment now,
                                                        Outputs& out);

  // Whether bytes of the broker are of use now: false while plug-ins hold a reply.
  [[nodiscard]] bool takes_broker_bytes() const { return reply_in_chain_ == nullptr; }

  // Lets plug-ins work for at most one slice, and sends what they are done with. While
  // chain_state() is not kEmpty, to be called between turns of I/O.
  [[nodiscard]] Result<void, SessionError> run_chain(Moment now, Outputs& out);
  [[nodiscard]] ChainState chain_state() const;

  // Whether bytes of the client are of use now. False while a reply is awaited that decides how to
  // read them, while too many replies are outstanding, and at a frame's end when draining.
  [[nodiscard]] bool takes_client_bytes() const;

  // Takes no new requests from here on.
  void drain() { draining_ = true; }

  // Whether no request is half sent and no reply outstanding: a good moment to close.
  [[nodiscard]] bool idle() const;
  // Whether the client has sent a part of a frame only.
  [[nodiscard]] bool within_request() const { return !client_.at_boundary(); }

  // Requests whose replies are outstanding.
  [[nodiscard]] std::size_t in_flight() const { return pending_.size(); }
  // The user that the broker accepted; empty before that.
  [[nodiscard]] std::string_view principal() const { return principal_; }
  // What plug-ins are told of the connection.
  [[nodiscard]] const plugins::ConnectionInfo& info() const { return info_; }

 private:
  struct Framed {};
  struct AwaitingTokens {};
  struct Tokens {
    std::uint8_t client_left = 0;
    std::uint8_t broker_left = 0;
  };
  struct Opaque {};
  using State = std::variant<Framed, AwaitingTokens, Tokens, Opaque>;
  using Status = Result<void, SessionError>;

  // What becomes of a request frame.
  enum class Route : std::uint8_t {
    kForward,
    kSaslHandshake,
    kSaslAuthenticate,
    kToken,
    kChain,  // to the plug-ins alone
  };

  // A message that plug-ins hold.
  struct InChain;

  // session_requests.cc
  Status request_prefix(Moment now, Outputs& out);
  Status begin_request(const RequestPrefix& request, plugins::Answer answer, Moment now);
  Status refuse_api_versions(const RequestPrefix& request, Moment now, Outputs& out);
  Status token_prefix();
  [[nodiscard]] PendingRequest new_pending();
  Status whole_request(Moment now, Outputs& out);
  Status inspect_request(Bytes frame);
  Status check_first_bytes(Bytes prefix, Outputs& out);
  Status check_request(const RequestPrefix& request) const;
  // `size` without the length field; `api` for the error's text.
  Status check_length(std::uint64_t size, std::string_view api) const;
  [[nodiscard]] SessionError not_kafka() const;
  [[nodiscard]] bool reads_client_tokens() const;

  // session_replies.cc
  Status reply_prefix();
  Status reply_chunk(Moment now, Outputs& out);
  Status whole_reply(Moment now, Outputs& out);
  Status broker_token(Outputs& out);
  [[nodiscard]] Result<Buffer, SessionError> change_reply();
  [[nodiscard]] Result<Buffer, SessionError> rewrite_reply();
  [[nodiscard]] Result<Buffer, SessionError> intersect_reply();
  Status sasl_handshake_reply();
  void sasl_accepted();
  void end_reply(std::uint64_t bytes, Moment now);
  Status send_ready_replies(Moment now, Outputs& out);
  [[nodiscard]] bool reads_broker_tokens() const;

  // session_chain.cc
  Status request_to_chain(Buffer frame, Moment now);
  Status reply_to_chain(Buffer frame, Moment now);
  Status work_on(std::unique_ptr<InChain>& message, Moment now, Outputs& out);
  Status request_outcome(InChain& message, Moment now, Outputs& out);
  Status reply_outcome(InChain& message, Moment now, Outputs& out);
  [[nodiscard]] std::unique_ptr<InChain> make_in_chain(Buffer frame, kafka::ApiKey key,
                                                       kafka::ApiVersion version,
                                                       kafka::CorrelationId correlation_id,
                                                       Moment now);
  Status emit(Output& out, plugins::ScatterFrame frame);

  const SessionSettings* settings_;
  MemoryBudget* budget_;
  SessionObserver* observer_;
  State state_;
  Route route_ = Route::kForward;
  bool first_request_ = true;
  bool draining_ = false;
  FrameReader client_;
  FrameReader broker_;
  RequestPrefix request_;                                // the one whose frame is arriving
  plugins::Answer answer_ = plugins::Answer::kExpected;  // what it wants
  bool for_chain_ = false;                               // whether plug-ins see it
  Moment request_arrived_;
  std::uint64_t reply_total_ = 0;  // bytes of the reply that is arriving
  FetchWalker walker_;
  PendingRequests pending_;
  std::optional<SaslExchange> sasl_;
  std::string principal_;
  std::shared_ptr<plugins::ChainRuntime> chain_;
  plugins::ConnectionInfo info_;
  std::shared_ptr<const std::string> client_id_;  // as the latest request for plug-ins had it
  std::unique_ptr<InChain> request_in_chain_;
  std::unique_ptr<InChain> reply_in_chain_;
};

}  // namespace grete::gateway

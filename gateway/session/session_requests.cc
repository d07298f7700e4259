// The client's half of a session.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "gateway/session/api_versions.h"
#include "gateway/session/in_chain.h"
#include "gateway/session/protocol.h"
#include "gateway/session/session.h"

namespace grete::gateway {

namespace {

constexpr std::uint64_t kMinRequest = kRequestPrefix - 4;
constexpr std::byte kTlsHandshake{0x16};
constexpr std::byte kTlsMajorVersion{0x03};
constexpr std::array<std::string_view, 9> kHttpStarts = {"GET ", "HEAD", "POST", "PUT ", "DELE",
                                                         "OPTI", "PATC", "CONN", "TRAC"};
constexpr std::string_view kHttpAnswer =
    "This port speaks the Apache Kafka protocol. Metrics and health are on the admin port.\n";

SessionError error(SessionFailure failure, std::string text) {
  return {failure, std::move(text)};
}

std::string printable(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += fmt::format("{:02x}", std::to_integer<int>(byte));
  }
  return text;
}

}  // namespace

Result<void, SessionError> Session::check_first_bytes(Bytes prefix, Outputs& out) {
  if (prefix[0] == kTlsHandshake && prefix[1] == kTlsMajorVersion) {
    return unexpected(error(SessionFailure::kTlsOnPlainPort,
                            "the client speaks TLS to a plaintext listener: set its "
                            "security.protocol to PLAINTEXT or SASL_PLAINTEXT"));
  }
  const std::string_view start = as_text(prefix.first(4));
  for (const std::string_view method : kHttpStarts) {
    if (start == method) {
      Buffer answer(*budget_);
      const std::string text = fmt::format(
          "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
          "Content-Length: {}\r\n\r\n{}",
          kHttpAnswer.size(), kHttpAnswer);
      if (answer.append(as_bytes(text))) {
        out.to_client.own(std::move(answer));
      }
      return unexpected(error(SessionFailure::kHttp,
                              "the client speaks HTTP to a Kafka listener: metrics and health are "
                              "on the port of the configuration's admin section"));
    }
  }
  return {};
}

Result<void, SessionError> Session::check_length(std::uint64_t size, std::string_view api) const {
  if (size < kMinRequest || size > INT32_MAX) {
    return unexpected(not_kafka());
  }
  if (size > settings_->max_frame) {
    return unexpected(error(
        SessionFailure::kFrameTooLarge,
        fmt::format("the client announces a {} request of {} bytes, above limits.max_frame = {}",
                    api, size, settings_->max_frame)));
  }
  return {};
}

SessionError Session::not_kafka() const {
  const Bytes begin = client_.prefix();
  return error(SessionFailure::kNotKafka,
               fmt::format("what the client sends is no Kafka request: it begins with {}",
                           printable(begin.first(std::min(begin.size(), kRequestPrefix)))));
}

Result<void, SessionError> Session::check_request(const RequestPrefix& request) const {
  if (request.key.value() < 0 || request.version.value() < 0) {
    return unexpected(not_kafka());
  }
  GRETE_TRY(check_length(request.total - 4, name_of(request.key)));
  if (const auto known = must_know_versions(request.key);
      known && request.version.value() > known->max) {
    return unexpected(error(
        SessionFailure::kUnknownVersion,
        fmt::format("the client sends {} version {}, and this gateway knows versions up to {}: the "
                    "client does not follow ApiVersions",
                    name_of(request.key), request.version.value(), known->max)));
  }
  return {};
}

Result<void, SessionError> Session::request_prefix(Moment now, Outputs& out) {
  if (first_request_) {
    GRETE_TRY(check_first_bytes(client_.prefix(), out));
  }
  if (client_.prefix().size() < kRequestPrefix) {
    // The length alone may be all that ever comes of a peer that speaks something else.
    GRETE_TRY(check_length(load_big<std::uint32_t>(client_.prefix().data()), "Kafka"));
    client_.want(kRequestPrefix);
    return {};
  }
  const RequestPrefix request = read_request_prefix(client_.prefix());
  if (request.key == kApiVersionsKey && is_too_new_for_us(request)) {
    GRETE_TRY(check_request({request.total, request.key, {}, request.correlation_id}));
    first_request_ = false;
    return refuse_api_versions(request, now, out);
  }
  GRETE_TRY(check_request(request));
  auto answer = plugins::Answer::kExpected;
  if (request.key == kProduceKey) {
    const AcksLookup found = find_acks(request, client_.prefix());
    switch (found.state) {
      case AcksLookup::State::kNeedMore:
        client_.want(found.needed);
        return {};
      case AcksLookup::State::kMalformed:
        return unexpected(error(SessionFailure::kNotKafka,
                                "the client sends a Produce request whose header is malformed"));
      case AcksLookup::State::kFound:
        answer = found.acks != 0 ? plugins::Answer::kExpected : plugins::Answer::kNone;
        break;
    }
  }
  first_request_ = false;
  return begin_request(request, answer, now);
}

Result<void, SessionError> Session::begin_request(const RequestPrefix& request,
                                                  plugins::Answer answer, Moment now) {
  observer_->on_request(request.key, request.version, request.total);
  request_ = request;
  answer_ = answer;
  request_arrived_ = now;
  route_ = Route::kForward;
  for_chain_ = chain_ != nullptr &&
               chain_->interest(request.key, request.version, plugins::Direction::kRequest) !=
                   plugins::Interest::kNone;
  if (request.key == kSaslHandshakeKey) {
    route_ = Route::kSaslHandshake;
  } else if (request.key == kSaslAuthenticateKey && sasl_ && request.total <= kMaxSaslFrame) {
    route_ = Route::kSaslAuthenticate;
  } else if (for_chain_) {
    route_ = Route::kChain;
  }
  if (!for_chain_ && answer == plugins::Answer::kExpected) {
    pending_.push(new_pending());
  }
  if (route_ == Route::kForward) {
    client_.forward(request.total);
    return {};
  }
  const std::uint64_t most = route_ == Route::kChain ? budget_->limit() : kMaxSaslFrame;
  if (request.total > most) {
    return unexpected(error(
        SessionFailure::kMemory,
        fmt::format("the client announces a {} request of {} bytes, which has to be looked into, "
                    "above {}",
                    name_of(request.key), request.total,
                    route_ == Route::kChain ? "limits.connection_memory" : "what SASL needs")));
  }
  client_.buffer(request.total);
  return {};
}

PendingRequest Session::new_pending() {
  PendingRequest pending;
  pending.key = request_.key;
  pending.version = request_.version;
  pending.correlation_id = request_.correlation_id;
  pending.mode = reply_mode(request_.key, request_.version);
  pending.arrived = request_arrived_;
  if (chain_ != nullptr &&
      chain_->interest(request_.key, request_.version, plugins::Direction::kResponse) !=
          plugins::Interest::kNone) {
    pending.passage = chain_->passage();
    pending.for_chain = true;
  }
  return pending;
}

Result<void, SessionError> Session::refuse_api_versions(const RequestPrefix& request, Moment now,
                                                        Outputs& out) {
  observer_->on_request(request.key, request.version, request.total);
  Buffer reply = unsupported_api_versions(request.correlation_id, *budget_);
  if (reply.empty()) {
    return unexpected(error(SessionFailure::kMemory, "no memory for an ApiVersions reply"));
  }
  PendingRequest pending;
  pending.key = request.key;
  pending.version = request.version;
  pending.correlation_id = request.correlation_id;
  pending.mode = ReplyMode::kReady;
  pending.arrived = now;
  pending.reply = scatter(std::make_shared<Buffer>(std::move(reply)));
  pending_.push(std::move(pending));
  client_.discard(request.total);
  return send_ready_replies(now, out);
}

Result<void, SessionError> Session::token_prefix() {
  const auto size = load_big<std::int32_t>(client_.prefix().data());
  if (size < 0 || static_cast<std::uint64_t>(size) > kMaxSaslFrame) {
    return unexpected(error(SessionFailure::kNotKafka,
                            fmt::format("the client sends a SASL token of {} bytes", size)));
  }
  route_ = Route::kToken;
  client_.buffer(std::uint64_t{4} + static_cast<std::uint64_t>(size));
  return {};
}

Result<void, SessionError> Session::whole_request(Moment now, Outputs& out) {
  GRETE_TRY(inspect_request(client_.frame()));
  if (!for_chain_ || route_ == Route::kToken) {
    client_.emit_frame(out.to_broker);
    return {};
  }
  Buffer frame = client_.take_frame();
  if (frame.empty()) {
    return unexpected(error(SessionFailure::kMemory, "no memory for a request for plug-ins"));
  }
  return request_to_chain(std::move(frame), now);
}

Result<void, SessionError> Session::inspect_request(Bytes frame) {
  switch (route_) {
    case Route::kForward:
    case Route::kChain:
      break;
    case Route::kSaslHandshake: {
      const auto mechanism = read_sasl_handshake(frame);
      if (!mechanism) {
        return unexpected(
            error(SessionFailure::kNotKafka, "the client sends a malformed SaslHandshake request"));
      }
      sasl_.emplace(sasl_mechanism(*mechanism));
      if (request_.version.value() == 0) {
        state_ = AwaitingTokens{};
      }
      break;
    }
    case Route::kSaslAuthenticate:
      if (const auto token = read_sasl_authenticate(frame, request_.version.value())) {
        sasl_->on_client_token(*token);
      }
      break;
    case Route::kToken: {
      sasl_->on_client_token(frame.subspan(4));
      auto& tokens = std::get<Tokens>(state_);
      if (--tokens.client_left == 0) {
        if (tokens.broker_left == 0) {
          state_ = Framed{};
        }
      }
      break;
    }
  }
  return {};
}

}  // namespace grete::gateway

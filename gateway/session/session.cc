#include "gateway/session/session.h"

#include <utility>

#include "gateway/session/in_chain.h"

namespace grete::gateway {

std::string_view name_of(SessionFailure failure) {
  switch (failure) {
    case SessionFailure::kTlsOnPlainPort:
      return "tls-on-plain-port";
    case SessionFailure::kHttp:
      return "http";
    case SessionFailure::kNotKafka:
      return "not-kafka";
    case SessionFailure::kFrameTooLarge:
      return "frame-too-large";
    case SessionFailure::kUnknownVersion:
      return "unknown-version";
    case SessionFailure::kUnexpectedReply:
      return "unexpected-reply";
    case SessionFailure::kMalformedReply:
      return "malformed-reply";
    case SessionFailure::kMemory:
      return "memory";
    case SessionFailure::kPlugin:
      return "plugin";
    case SessionFailure::kUnreadable:
      return "unreadable";
  }
  return "unknown";
}

Session::Session(const SessionSettings& settings, MemoryBudget& budget, SessionObserver& observer,
                 std::shared_ptr<plugins::ChainRuntime> chain, plugins::ConnectionInfo info)
    : settings_(&settings),
      budget_(&budget),
      observer_(&observer),
      client_(budget, kLengthPrefix),
      broker_(budget, kResponsePrefix),
      chain_(std::move(chain)),
      info_(std::move(info)) {}

Result<void, SessionError> Session::client_bytes(MutableBytes& input, Moment now, Outputs& out) {
  while (takes_client_bytes()) {
    switch (client_.next(input)) {
      case FrameReader::Event::kNeedInput:
        return {};
      case FrameReader::Event::kPrefix:
        GRETE_TRY(reads_client_tokens() ? token_prefix() : request_prefix(now, out));
        break;
      case FrameReader::Event::kChunk:
        client_.emit(out.to_broker);
        break;
      case FrameReader::Event::kFrame:
        GRETE_TRY(whole_request(now, out));
        break;
      case FrameReader::Event::kNoMemory:
        return unexpected(SessionError{SessionFailure::kMemory,
                                       "no memory for a request that has to be looked into"});
    }
  }
  return {};
}

Result<void, SessionError> Session::broker_bytes(MutableBytes& input, Moment now, Outputs& out) {
  while (takes_broker_bytes()) {
    switch (broker_.next(input)) {
      case FrameReader::Event::kNeedInput:
        return {};
      case FrameReader::Event::kPrefix:
        GRETE_TRY(reply_prefix());
        break;
      case FrameReader::Event::kChunk:
        GRETE_TRY(reply_chunk(now, out));
        break;
      case FrameReader::Event::kFrame:
        GRETE_TRY(whole_reply(now, out));
        break;
      case FrameReader::Event::kNoMemory:
        return unexpected(SessionError{SessionFailure::kMemory,
                                       "no memory for a reply that has to be looked into"});
    }
  }
  return {};
}

bool Session::takes_client_bytes() const {
  if (!client_.at_boundary() || std::holds_alternative<Opaque>(state_)) {
    return true;
  }
  return !draining_ && request_in_chain_ == nullptr &&
         !std::holds_alternative<AwaitingTokens>(state_) &&
         pending_.size() < settings_->max_in_flight;
}

bool Session::idle() const {
  return chain_state() == ChainState::kEmpty && pending_.empty() && client_.at_boundary() &&
         broker_.at_boundary() && !std::holds_alternative<Tokens>(state_) &&
         !std::holds_alternative<Opaque>(state_);
}

bool Session::reads_client_tokens() const {
  const auto* tokens = std::get_if<Tokens>(&state_);
  return tokens != nullptr && tokens->client_left != 0;
}

bool Session::reads_broker_tokens() const {
  const auto* tokens = std::get_if<Tokens>(&state_);
  return tokens != nullptr && tokens->broker_left != 0;
}

}  // namespace grete::gateway

// The broker's half of a session.
#include <utility>

#include <fmt/format.h>

#include "gateway/session/addresses.h"
#include "gateway/session/api_versions.h"
#include "gateway/session/in_chain.h"
#include "gateway/session/protocol.h"
#include "gateway/session/reply_codec.h"
#include "gateway/session/session.h"

namespace grete::gateway {

namespace {

SessionError error(SessionFailure failure, std::string text) {
  return {failure, std::move(text)};
}

SessionError malformed(kafka::ApiKey key, kafka::ApiVersion version, std::string_view what) {
  return error(SessionFailure::kMalformedReply,
               fmt::format("the broker's {} reply (version {}) cannot be read: {}", name_of(key),
                           version.value(), what));
}

}  // namespace

Result<void, SessionError> Session::reply_prefix() {
  const auto size = load_big<std::int32_t>(broker_.prefix().data());
  if (reads_broker_tokens()) {
    if (size < 0 || static_cast<std::uint64_t>(size) > kMaxSaslFrame) {
      return unexpected(error(SessionFailure::kMalformedReply,
                              fmt::format("the broker sends a SASL token of {} bytes", size)));
    }
    broker_.buffer(std::uint64_t{4} + static_cast<std::uint64_t>(size));
    return {};
  }
  const auto correlation_id = load_big<std::int32_t>(broker_.prefix().data() + 4);
  if (size < 4) {
    return unexpected(error(SessionFailure::kMalformedReply,
                            fmt::format("the broker announces a reply of {} bytes", size)));
  }
  if (pending_.empty()) {
    return unexpected(error(SessionFailure::kUnexpectedReply,
                            fmt::format("the broker sends a reply with correlation id {}, and no "
                                        "request is outstanding",
                                        correlation_id)));
  }
  PendingRequest& request = pending_.front();
  if (request.correlation_id.value() != correlation_id) {
    return unexpected(
        error(SessionFailure::kUnexpectedReply,
              fmt::format("the broker sends correlation id {} where {} (a {} request)"
                          " is next",
                          correlation_id, request.correlation_id.value(), name_of(request.key))));
  }
  reply_total_ = std::uint64_t{4} + static_cast<std::uint64_t>(size);
  walker_ = FetchWalker();
  if (!request.for_chain &&
      (request.mode == ReplyMode::kForward || request.mode == ReplyMode::kWalkFetch)) {
    broker_.forward(reply_total_);
    return {};
  }
  if (reply_total_ > settings_->max_frame || reply_total_ > budget_->limit()) {
    return unexpected(error(SessionFailure::kMemory,
                            fmt::format("the broker's {} reply of {} bytes has to be looked into, "
                                        "above limits.max_frame or limits.connection_memory",
                                        name_of(request.key), reply_total_)));
  }
  broker_.buffer(reply_total_);
  return {};
}

Result<void, SessionError> Session::reply_chunk(Moment now, Outputs& out) {
  if (std::holds_alternative<Opaque>(state_)) {
    broker_.emit(out.to_client);
    return {};
  }
  const PendingRequest& request = pending_.front();
  if (request.mode == ReplyMode::kWalkFetch) {
    if (!walker_.walk(broker_.chunk()) || (broker_.last() && !walker_.complete())) {
      return unexpected(
          malformed(request.key, request.version, "its lengths contradict each other"));
    }
  }
  broker_.emit(out.to_client);
  if (broker_.last()) {
    end_reply(reply_total_, now);
    return send_ready_replies(now, out);
  }
  return {};
}

Result<void, SessionError> Session::whole_reply(Moment now, Outputs& out) {
  if (reads_broker_tokens()) {
    return broker_token(out);
  }
  GRETE_TRY_ASSIGN(Buffer changed, change_reply());
  if (pending_.front().for_chain) {
    Buffer frame = changed.empty() ? broker_.take_frame() : std::move(changed);
    if (frame.empty()) {
      return unexpected(error(SessionFailure::kMemory, "no memory for a reply for plug-ins"));
    }
    return reply_to_chain(std::move(frame), now);
  }
  if (changed.empty()) {
    broker_.emit_frame(out.to_client);
  } else {
    out.to_client.own(std::move(changed));
  }
  end_reply(reply_total_, now);
  if (std::holds_alternative<Opaque>(state_)) {
    client_.forward_everything();
    broker_.forward_everything();
    return {};
  }
  return send_ready_replies(now, out);
}

Result<void, SessionError> Session::broker_token(Outputs& out) {
  broker_.emit_frame(out.to_client);
  sasl_accepted();
  auto& tokens = std::get<Tokens>(state_);
  if (--tokens.broker_left == 0) {
    broker_.set_first_prefix(kResponsePrefix);
    if (tokens.client_left == 0) {
      state_ = Framed{};
    }
  }
  return {};
}

// What the gateway itself does to a reply: a new frame, or an empty one if the old one is right.
Result<Buffer, SessionError> Session::change_reply() {
  const PendingRequest& request = pending_.front();
  switch (request.mode) {
    case ReplyMode::kForward:
    case ReplyMode::kReady:
      break;
    case ReplyMode::kWalkFetch:
      if (!walker_.walk(broker_.frame()) || !walker_.complete()) {
        return unexpected(
            malformed(request.key, request.version, "its lengths contradict each other"));
      }
      break;
    case ReplyMode::kRewrite:
      return rewrite_reply();
    case ReplyMode::kApiVersions:
      return intersect_reply();
    case ReplyMode::kSaslHandshake:
      GRETE_TRY(sasl_handshake_reply());
      break;
    case ReplyMode::kSaslAuthenticate:
      if (read_error_code(broker_.frame(), reply_header_tags(request.key, request.version)) == 0) {
        sasl_accepted();
      }
      break;
  }
  return Buffer();
}

Result<Buffer, SessionError> Session::rewrite_reply() {
  const PendingRequest& request = pending_.front();
  auto rewritten =
      rewrite_addresses(request.key, request.version, broker_.frame(), settings_->ports,
                        chain_ == nullptr ? TopicIds::kIgnore : TopicIds::kLearn, *budget_);
  if (!rewritten) {
    return unexpected(malformed(request.key, request.version, rewritten.error()));
  }
  if (!rewritten->learned.empty()) {
    observer_->on_brokers(rewritten->learned);
  }
  if (!rewritten->topics.empty()) {
    observer_->on_topics(rewritten->topics);
  }
  for (const kafka::NodeId node : rewritten->unreachable) {
    observer_->on_unreachable_broker(node);
  }
  return std::move(rewritten->frame);
}

Result<Buffer, SessionError> Session::intersect_reply() {
  const PendingRequest& request = pending_.front();
  auto intersected = intersect_api_versions(request.version, broker_.frame(), *budget_);
  if (!intersected) {
    return unexpected(malformed(request.key, request.version, intersected.error()));
  }
  return *std::move(intersected);
}

Result<void, SessionError> Session::sasl_handshake_reply() {
  const PendingRequest& request = pending_.front();
  const auto code = read_error_code(broker_.frame(), HeaderTags::kNone);
  if (!code) {
    return unexpected(malformed(request.key, request.version, "it is too short"));
  }
  const bool raw_tokens_follow = request.version.value() == 0;
  if (*code != 0) {
    sasl_.reset();
    if (raw_tokens_follow) {
      state_ = Framed{};
    }
    return {};
  }
  if (!raw_tokens_follow) {
    return {};
  }
  if (const auto tokens = sasl_tokens(sasl_->mechanism())) {
    state_ = Tokens{*tokens, *tokens};
    broker_.set_first_prefix(4);
    return {};
  }
  if (chain_ != nullptr) {
    return unexpected(error(SessionFailure::kUnreadable,
                            "a SASL mechanism other than PLAIN and SCRAM after a SaslHandshake of "
                            "version 0 hides the requests that follow from the plug-ins: use a "
                            "client that speaks SaslHandshake version 1"));
  }
  state_ = Opaque{};
  return {};
}

void Session::sasl_accepted() {
  if (!sasl_) {
    return;
  }
  if (auto user = sasl_->on_accepted()) {
    principal_ = *std::move(user);
    observer_->on_principal(principal_);
  }
}

void Session::end_reply(std::uint64_t bytes, Moment now) {
  const PendingRequest& request = pending_.front();
  observer_->on_reply(request.key, bytes, now - request.arrived);
  pending_.pop();
}

Result<void, SessionError> Session::send_ready_replies(Moment now, Outputs& out) {
  while (!pending_.empty() && pending_.front().mode == ReplyMode::kReady &&
         reply_in_chain_ == nullptr) {
    PendingRequest& request = pending_.front();
    plugins::ScatterFrame reply = std::move(request.reply);
    if (request.for_chain) {
      Buffer frame(*budget_);
      if (!frame.resize(kLengthField + reply.size)) {
        return unexpected(error(SessionFailure::kMemory, "no memory for a reply for plug-ins"));
      }
      store_big(frame.data(), static_cast<std::int32_t>(reply.size));
      reply.copy_to(frame.data() + kLengthField);
      return reply_to_chain(std::move(frame), now);
    }
    const std::uint64_t bytes = kLengthField + reply.size;
    GRETE_TRY(emit(out.to_client, std::move(reply)));
    end_reply(bytes, now);
  }
  return {};
}

}  // namespace grete::gateway

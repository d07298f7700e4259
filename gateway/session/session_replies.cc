// The broker's half of a session.
#include <utility>

#include <fmt/format.h>

#include "gateway/session/addresses.h"
#include "gateway/session/api_versions.h"
#include "gateway/session/protocol.h"
#include "gateway/session/session.h"

namespace grete::gateway {

namespace {

SessionError error(SessionFailure failure, std::string text) {
  return {failure, std::move(text)};
}

SessionError malformed(kafka::ApiKey key, kafka::ApiVersion version, std::string_view what) {
  return error(SessionFailure::kMalformedReply,
               fmt::format("the broker's {} reply (version {}) cannot be read: {}", api_name(key),
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
                          correlation_id, request.correlation_id.value(), api_name(request.key))));
  }
  reply_total_ = std::uint64_t{4} + static_cast<std::uint64_t>(size);
  if (request.mode == ReplyMode::kForward) {
    broker_.forward(reply_total_);
    return {};
  }
  if (request.mode == ReplyMode::kWalkFetch) {
    walker_ = FetchWalker();
    broker_.forward(reply_total_);
    return {};
  }
  if (reply_total_ > settings_->max_frame || reply_total_ > budget_->limit()) {
    return unexpected(error(SessionFailure::kMemory,
                            fmt::format("the broker's {} reply of {} bytes has to be looked into, "
                                        "above limits.max_frame or limits.connection_memory",
                                        api_name(request.key), reply_total_)));
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
    send_ready_replies(now, out);
  }
  return {};
}

Result<void, SessionError> Session::whole_reply(Moment now, Outputs& out) {
  if (reads_broker_tokens()) {
    auto& tokens = std::get<Tokens>(state_);
    broker_.emit_frame(out.to_client);
    sasl_accepted();
    if (--tokens.broker_left == 0) {
      broker_.set_first_prefix(kResponsePrefix);
      if (tokens.client_left == 0) {
        state_ = Framed{};
      }
    }
    return {};
  }
  const PendingRequest& request = pending_.front();
  switch (request.mode) {
    case ReplyMode::kForward:
    case ReplyMode::kWalkFetch:
    case ReplyMode::kReady:
      break;
    case ReplyMode::kRewrite:
      GRETE_TRY(rewrite_reply(out));
      end_reply(reply_total_, now);
      break;
    case ReplyMode::kApiVersions:
      GRETE_TRY(intersect_reply(out));
      end_reply(reply_total_, now);
      break;
    case ReplyMode::kSaslHandshake: {
      const Status status = sasl_handshake_reply();
      broker_.emit_frame(out.to_client);
      end_reply(reply_total_, now);
      GRETE_TRY(status);
      if (std::holds_alternative<Opaque>(state_)) {
        client_.forward_everything();
        broker_.forward_everything();
      }
      break;
    }
    case ReplyMode::kSaslAuthenticate:
      if (const auto code =
              read_error_code(broker_.frame(), reply_header_tags(request.key, request.version));
          code && *code == 0) {
        sasl_accepted();
      }
      broker_.emit_frame(out.to_client);
      end_reply(reply_total_, now);
      break;
  }
  send_ready_replies(now, out);
  return {};
}

Result<void, SessionError> Session::rewrite_reply(Outputs& out) {
  const PendingRequest& request = pending_.front();
  auto rewritten =
      rewrite_addresses(request.key, request.version, broker_.frame(), settings_->ports, *budget_);
  if (!rewritten) {
    return unexpected(malformed(request.key, request.version, rewritten.error()));
  }
  if (!rewritten->learned.empty()) {
    observer_->on_brokers(rewritten->learned);
  }
  for (const kafka::NodeId node : rewritten->unreachable) {
    observer_->on_unreachable_broker(node);
  }
  if (rewritten->frame.empty()) {
    broker_.emit_frame(out.to_client);
  } else {
    out.to_client.own(std::move(rewritten->frame));
  }
  return {};
}

Result<void, SessionError> Session::intersect_reply(Outputs& out) {
  const PendingRequest& request = pending_.front();
  auto intersected = intersect_api_versions(request.version, broker_.frame(), *budget_);
  if (!intersected) {
    return unexpected(malformed(request.key, request.version, intersected.error()));
  }
  out.to_client.own(*std::move(intersected));
  return {};
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

void Session::send_ready_replies(Moment now, Outputs& out) {
  while (!pending_.empty() && pending_.front().mode == ReplyMode::kReady) {
    Buffer reply = std::move(pending_.front().reply);
    const std::uint64_t bytes = reply.size();
    out.to_client.own(std::move(reply));
    end_reply(bytes, now);
  }
}

}  // namespace grete::gateway

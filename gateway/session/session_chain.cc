// What plug-ins hold: requests on their way to the broker, replies on their way to the client.
#include <utility>

#include <fmt/format.h>

#include "gateway/session/cursor.h"
#include "gateway/session/in_chain.h"
#include "gateway/session/protocol.h"
#include "gateway/session/session.h"
#include "kafka/api_table.h"

namespace grete::gateway {

namespace {

struct RequestHeader {
  std::size_t bytes = 0;  // without the length field
  std::optional<std::string> client_id;
};

// nullopt if the header is malformed.
std::optional<RequestHeader> read_header(const RequestPrefix& request, Bytes frame) {
  const auto version = kafka::request_header_version(request.key, request.version).value();
  Cursor cursor(frame, kRequestPrefix);
  RequestHeader header;
  if (version >= 1) {
    const bool null = frame.size() >= kRequestPrefix + 2 &&
                      load_big<std::int16_t>(frame.data() + kRequestPrefix) < 0;
    const std::string_view client_id = cursor.read_string();
    if (!null) {
      header.client_id = std::string(client_id);
    }
  }
  if (version >= 2) {
    cursor.skip_tags(kMaxHeaderTags);
  }
  if (cursor.failed()) {
    return std::nullopt;
  }
  header.bytes = cursor.at() - kLengthField;
  return header;
}

std::optional<std::size_t> reply_header_bytes(kafka::ApiKey key, kafka::ApiVersion version,
                                              Bytes frame) {
  Cursor cursor(frame, kResponsePrefix);
  if (reply_header_tags(key, version) == HeaderTags::kPresent) {
    cursor.skip_tags(kMaxHeaderTags);
  }
  if (cursor.failed()) {
    return std::nullopt;
  }
  return cursor.at() - kLengthField;
}

plugins::Frame frame_of(const std::shared_ptr<Buffer>& frame, std::size_t header_bytes) {
  const Buffer& bytes = *frame;
  return {.content = {.bytes = bytes.bytes().subspan(kLengthField), .owner = frame},
          .header_bytes = header_bytes};
}

}  // namespace

Session::~Session() = default;

ChainState Session::chain_state() const {
  ChainState state = ChainState::kEmpty;
  for (const InChain* message : {request_in_chain_.get(), reply_in_chain_.get()}) {
    if (message == nullptr) {
      continue;
    }
    if (message->task != nullptr && message->task->fresh()) {
      return ChainState::kFresh;
    }
    if (message->task != nullptr && !message->waiting) {
      state = ChainState::kRunnable;
    } else if (state == ChainState::kEmpty) {
      state = ChainState::kWaiting;
    }
  }
  return state;
}

std::unique_ptr<Session::InChain> Session::make_in_chain(Buffer frame, kafka::ApiKey key,
                                                         kafka::ApiVersion version,
                                                         kafka::CorrelationId correlation_id,
                                                         Moment now) {
  if (request_in_chain_ == nullptr && reply_in_chain_ == nullptr && !principal_.empty()) {
    info_.principal = "User:" + principal_;
  }
  auto message = std::make_unique<InChain>();
  message->client_id = client_id_;
  message->topics = observer_->topics();
  message->frame = std::make_shared<Buffer>(std::move(frame));
  message->begun = now;
  message->context.connection = &info_;
  message->context.budget = budget_;
  message->context.topics = message->topics.get();
  message->context.key = key;
  message->context.version = version;
  message->context.correlation = correlation_id;
  if (message->client_id != nullptr) {
    message->context.client_id = *message->client_id;
  }
  return message;
}

Result<void, SessionError> Session::request_to_chain(Buffer frame, Moment now) {
  auto header = read_header(request_, frame.bytes());
  if (!header || !kafka::is_known(request_.key, request_.version)) {
    return unexpected(SessionError{
        SessionFailure::kNotKafka,
        fmt::format("plug-ins have to see {} requests, and this one (version {}) cannot be read",
                    name_of(request_.key), request_.version.value())});
  }
  if (!header->client_id) {
    client_id_ = nullptr;
  } else if (client_id_ == nullptr || *client_id_ != *header->client_id) {
    client_id_ = std::make_shared<const std::string>(*std::move(header->client_id));
  }
  auto message =
      make_in_chain(std::move(frame), request_.key, request_.version, request_.correlation_id, now);
  message->context.answer = answer_;
  message->task = chain_->begin_request(frame_of(message->frame, header->bytes), message->context);
  request_in_chain_ = std::move(message);
  return {};
}

Result<void, SessionError> Session::reply_to_chain(Buffer frame, Moment now) {
  PendingRequest& request = pending_.front();
  const auto header = reply_header_bytes(request.key, request.version, frame.bytes());
  if (!header) {
    return unexpected(
        SessionError{SessionFailure::kMalformedReply,
                     fmt::format("the header of a {} reply cannot be read", name_of(request.key))});
  }
  auto message =
      make_in_chain(std::move(frame), request.key, request.version, request.correlation_id, now);
  message->task = std::move(request.passage)
                      .begin_response(frame_of(message->frame, *header), message->context);
  reply_in_chain_ = std::move(message);
  return {};
}

Result<void, SessionError> Session::run_chain(Moment now, Outputs& out) {
  const bool reply_first = reply_in_chain_ != nullptr && reply_in_chain_->task != nullptr &&
                           reply_in_chain_->task->fresh();
  auto& first = reply_first ? reply_in_chain_ : request_in_chain_;
  auto& second = reply_first ? request_in_chain_ : reply_in_chain_;
  GRETE_TRY(work_on(first, now, out));
  return work_on(second, now, out);
}

Result<void, SessionError> Session::work_on(std::unique_ptr<InChain>& message, Moment now,
                                            Outputs& out) {
  if (message == nullptr) {
    return {};
  }
  if (message->task != nullptr) {
    const plugins::CallState state = message->task->poll(now);
    message->waiting = state == plugins::CallState::kWaiting;
    if (state != plugins::CallState::kDone) {
      return {};
    }
    message->outcome = message->task->take();
    message->task = nullptr;
    message->effective = now + message->outcome->delay;
  }
  if (now < message->effective) {
    return {};
  }
  const std::unique_ptr<InChain> done = std::move(message);
  observer_->on_plugins(done->context.key, now - done->begun);
  if (done->outcome->kind == plugins::OutcomeKind::kClose) {
    return unexpected(SessionError{SessionFailure::kPlugin, done->outcome->reason});
  }
  return &message == &request_in_chain_ ? request_outcome(*done, now, out)
                                        : reply_outcome(*done, now, out);
}

Result<void, SessionError> Session::request_outcome(InChain& message, Moment now, Outputs& out) {
  plugins::Outcome& outcome = *message.outcome;
  if (outcome.kind == plugins::OutcomeKind::kDrop) {
    return {};
  }
  if (message.context.answer == plugins::Answer::kExpected) {
    PendingRequest pending = new_pending();
    pending.passage = std::move(outcome.passage);
    pending.for_chain = pending.passage.interest(message.context.key, message.context.version) !=
                        plugins::Interest::kNone;
    if (outcome.kind == plugins::OutcomeKind::kReply) {
      pending.mode = ReplyMode::kReady;
      pending.reply = std::move(outcome.frame);
    }
    pending_.push(std::move(pending));
  }
  switch (outcome.kind) {
    case plugins::OutcomeKind::kReplace:
      return emit(out.to_broker, std::move(outcome.frame));
    case plugins::OutcomeKind::kReply:
      return send_ready_replies(now, out);
    default: {
      const Bytes bytes = message.frame->bytes();
      out.to_broker.share(bytes, std::move(message.frame));
      return {};
    }
  }
}

Result<void, SessionError> Session::reply_outcome(InChain& message, Moment now, Outputs& out) {
  plugins::Outcome& outcome = *message.outcome;
  std::uint64_t size = message.frame->size();
  if (outcome.kind == plugins::OutcomeKind::kReplace) {
    size = kLengthField + outcome.frame.size;
    GRETE_TRY(emit(out.to_client, std::move(outcome.frame)));
  } else {
    const Bytes bytes = message.frame->bytes();
    out.to_client.share(bytes, std::move(message.frame));
  }
  end_reply(size, now);
  return send_ready_replies(now, out);
}

Result<void, SessionError> Session::emit(Output& out, plugins::ScatterFrame frame) {
  Buffer length(*budget_);
  if (!length.resize(kLengthField)) {
    return unexpected(
        SessionError{SessionFailure::kMemory, "no memory for a message that a plug-in changed"});
  }
  store_big(length.data(), static_cast<std::int32_t>(frame.size));
  out.own(std::move(length));
  for (const Bytes piece : frame.pieces) {
    out.share(piece, frame.owner);
  }
  return {};
}

}  // namespace grete::gateway

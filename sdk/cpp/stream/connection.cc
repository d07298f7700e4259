#include "sdk/cpp/stream/connection.h"

#include <algorithm>
#include <utility>

#include "kafka/api_table.h"
#include "kafka/messages/response_header.h"
#include "sdk/cpp/stream/frame_head.h"
#include "sdk/cpp/stream/frame_writer.h"

namespace grete::sdk {
namespace {

using kafka::lane::CallHead;
using kafka::lane::Direction;
using kafka::lane::VerdictKind;
using Look = FrameHandler::Look;

constexpr std::int16_t kPolicyViolation = 44;
constexpr std::int16_t kTopicAuthorizationFailed = 29;
constexpr kafka::ApiVersion kFirstVersion{0};

}  // namespace

Connection::Connection(StreamShared& shared, std::uint64_t id) : shared_(&shared), id_(id) {}

bool Connection::wants(kafka::ApiKey key, kafka::ApiVersion version, Direction direction,
                       Payload payload) const {
  const auto bits = static_cast<unsigned>(direction);
  return std::ranges::any_of(shared_->plugin->interests(), [&](const auto& interest) {
    return (interest.api_key == -1 || interest.api_key == key.value()) &&
           version.value() >= interest.first_version && version.value() <= interest.last_version &&
           (static_cast<unsigned>(interest.direction) & bits) != 0 && interest.payload == payload;
  });
}

bool Connection::wants_any(kafka::ApiKey key, kafka::ApiVersion version,
                           Direction direction) const {
  return wants(key, version, direction, Payload::kHeader) ||
         wants(key, version, direction, Payload::kMessage) ||
         wants(key, version, direction, Payload::kRecords) ||
         wants(key, version, direction, Payload::kBatches);
}

Connection::Fate Connection::close(std::string_view why) {
  std::string line = "closing a connection: ";
  line += why;
  shared_->host->log(LogLevel::kWarn, line);
  return Fate::kClose;
}

Look Connection::close_at_look(std::string_view why) {
  close(why);
  return {.kind = Look::Kind::kClose};
}

bool Connection::remember(Pending pending) {
  if (pending_.size() == kMaxPending) {
    close("too many requests wait for an answer");
    return false;
  }
  pending_.push_back(std::move(pending));
  return true;
}

Look Connection::Requests::look(Bytes prefix, std::size_t frame_size) {
  if (frame_size < kRequestHeadBytes) {
    return connection->close_at_look("a frame that is no Kafka request");
  }
  if (prefix.size() < kRequestHeadBytes) {
    return {.kind = Look::Kind::kMore, .need = kRequestHeadBytes};
  }
  const RequestHead head = read_request_head(prefix);
  if (connection->wants_any(head.key, head.version, Direction::kRequest)) {
    if (!kafka::is_known(head.key, head.version)) {
      return connection->close_at_look("a request in a version that this filter does not know");
    }
    return {.kind = Look::Kind::kWhole};
  }
  if (head.key == kafka::api_key::kSaslHandshake && head.version == kFirstVersion) {
    // What follows has no request header, and could hide anything from the filter.
    return connection->close_at_look("SaslHandshake v0; clients since Kafka 1.0 use v1");
  }
  if (head.key == kafka::api_key::kProduce) {
    const auto acks = read_acks(prefix, head.version);
    if (!acks && prefix.size() < frame_size) {
      return {.kind = Look::Kind::kMore, .need = prefix.size() * 2 + 64};
    }
    if (acks.value_or(1) == 0) {
      return {.kind = Look::Kind::kPass};
    }
  }
  Pending pending;
  pending.key = head.key;
  pending.version = head.version;
  pending.correlation = head.correlation;
  return {.kind =
              connection->remember(std::move(pending)) ? Look::Kind::kPass : Look::Kind::kClose};
}

FrameHandler::Fate Connection::Requests::handle(Bytes frame, std::vector<std::byte>& out) {
  return connection->handle_request(frame, out);
}

Connection::Fate Connection::handle_request(Bytes frame, std::vector<std::byte>& out) {
  shared_->arena.reset();
  const RequestHead start = read_request_head(frame);
  const Bytes message = frame.subspan(kFrameLengthBytes);
  kafka::Reader reader(message, shared_->arena);
  kafka::RequestHeader request_header;
  if (!decode(reader, kafka::request_header_version(start.key, start.version), request_header)) {
    return close("a request whose header cannot be read");
  }
  const Bytes header = message.first(reader.offset());
  Bytes body = reader.rest();

  CallHead head;
  head.token = 1;
  head.connection = id_;
  head.api_key = start.key.value();
  head.api_version = start.version.value();
  head.correlation_id = start.correlation;
  head.direction = Direction::kRequest;
  if (!kafka::is_null(request_header.client_id)) {
    head.client_id = request_header.client_id;
  }
  const bool is_produce = start.key == kafka::api_key::kProduce;
  const bool answered = !is_produce || read_acks(frame, start.version).value_or(1) != 0;
  head.flags = answered ? kafka::lane::flag::kExpectsResponse : 0;

  Pending pending;
  pending.key = start.key;
  pending.version = start.version;
  pending.correlation = start.correlation;
  pending.client_id = request_header.client_id;

  Verdict verdict;
  const bool whole = wants(start.key, start.version, Direction::kRequest, Payload::kMessage);
  if (whole || wants(start.key, start.version, Direction::kRequest, Payload::kHeader)) {
    head.payload = whole ? Payload::kMessage : Payload::kHeader;
    verdict = shared_->plugin->handle({head, whole ? body : Bytes{}});
    if (verdict.kind == VerdictKind::kReply && answered) {
      return swap(std::move(pending), std::move(verdict.body), out);
    }
    if (verdict.kind == VerdictKind::kReplace) {
      body = verdict.body;
    } else if (verdict.kind != VerdictKind::kPass && verdict.kind != VerdictKind::kDelay) {
      return close("the filter rejects a request; " + verdict.message);
    }
  }
  const bool replaced = verdict.kind == VerdictKind::kReplace;
  if (is_produce && (wants(start.key, start.version, Direction::kRequest, Payload::kRecords) ||
                     wants(start.key, start.version, Direction::kRequest, Payload::kBatches))) {
    return handle_produce(head, std::move(pending), header, body, replaced, out);
  }
  if (answered && !remember(std::move(pending))) {
    return Fate::kClose;
  }
  if (!replaced) {
    return Fate::kKeep;
  }
  append_frame(out, header, body);
  return Fate::kReplace;
}

Connection::Fate Connection::handle_produce(const CallHead& head, Pending pending, Bytes header,
                                            Bytes body, bool replaced,
                                            std::vector<std::byte>& out) {
  kafka::Reader reader(body, shared_->arena);
  kafka::ProduceRequest request;
  if (auto decoded = decode(reader, pending.version, request);
      !decoded || !reader.expect_end("ProduceRequest")) {
    return close("a Produce request that cannot be read");
  }
  bool changed = false;
  if (!show_produced(head, request, pending.fragments, changed)) {
    return close("the filter said so, of a Produce request");
  }
  const bool answered = request.acks != 0;
  if (!pending.fragments.empty() && request.topic_data.empty()) {
    if (!answered) {
      return Fate::kDrop;
    }
    kafka::ProduceResponse response;
    std::optional<std::vector<std::byte>> reply;
    if (add_fragments(pending.fragments, response)) {
      reply = encode_body(shared_->arena, pending.version, response);
    }
    if (!reply) {
      return close("an answer that cannot be written");
    }
    pending.fragments.clear();
    return swap(std::move(pending), *std::move(reply), out);
  }
  const kafka::ApiVersion version = pending.version;
  if (answered && !remember(std::move(pending))) {
    return Fate::kClose;
  }
  if (!changed && !replaced) {
    return Fate::kKeep;
  }
  return append_message(out, shared_->arena, header, version, request)
             ? Fate::kReplace
             : close("a Produce request that cannot be written");
}

bool Connection::show_produced(const CallHead& call, kafka::ProduceRequest& request,
                               std::vector<Fragment>& fragments, bool& changed) {
  CallHead head = call;
  head.payload = Payload::kRecords;
  std::uint32_t topics_left = 0;
  for (auto& topic : request.topic_data) {
    head.topic = topic.name;
    head.records.topic_id = topic.topic_id.bytes;
    std::uint32_t left = 0;
    for (auto& partition : topic.partition_data) {
      head.records.partition = partition.index;
      PartitionOutcome outcome = shared_->records.run(head, partition.records, shared_->arena);
      const bool emptied =
          outcome.kind == PartitionOutcome::Kind::kChanged && outcome.records.empty();
      if (outcome.kind == PartitionOutcome::Kind::kClose) {
        return false;
      }
      if (outcome.kind == PartitionOutcome::Kind::kRejected || emptied) {
        Fragment& fragment = fragments.emplace_back();
        fragment.topic = topic.name;
        fragment.topic_id = topic.topic_id;
        fragment.partition = partition.index;
        fragment.message = outcome.verdict.message;
        fragment.records = outcome.verdict.records;
        const std::int16_t code = outcome.verdict.code;
        fragment.code = emptied ? std::int16_t{0} : code == 0 ? kPolicyViolation : code;
        changed = true;
        continue;
      }
      if (outcome.kind == PartitionOutcome::Kind::kChanged) {
        partition.records = outcome.records;
        changed = true;
      }
      topic.partition_data[left++] = partition;
    }
    topic.partition_data.count = left;
    if (left > 0) {
      request.topic_data[topics_left++] = topic;
    }
  }
  if (changed) {
    request.topic_data.count = topics_left;
  }
  return true;
}

Connection::Fate Connection::swap(Pending pending, std::vector<std::byte> reply,
                                  std::vector<std::byte>& out) {
  append_api_versions(out, pending.correlation, pending.client_id);
  pending.reply = std::move(reply);
  return remember(std::move(pending)) ? Fate::kReplace : Fate::kClose;
}

Look Connection::Responses::look(Bytes prefix, std::size_t frame_size) {
  if (frame_size < kResponseHeadBytes) {
    return connection->close_at_look("a frame that is no Kafka response");
  }
  if (prefix.size() < kResponseHeadBytes) {
    return {.kind = Look::Kind::kMore, .need = kResponseHeadBytes};
  }
  if (connection->pending_.empty() ||
      connection->pending_.front().correlation !=
          load_big<std::int32_t>(prefix.data() + kFrameLengthBytes)) {
    return connection->close_at_look("a response to no request, or out of turn");
  }
  const Pending& pending = connection->pending_.front();
  if (pending.reply || !pending.fragments.empty() ||
      connection->wants_any(pending.key, pending.version, Direction::kResponse)) {
    return {.kind = Look::Kind::kWhole};
  }
  connection->pending_.pop_front();
  return {.kind = Look::Kind::kPass};
}

FrameHandler::Fate Connection::Responses::handle(Bytes frame, std::vector<std::byte>& out) {
  Pending pending = std::move(connection->pending_.front());
  connection->pending_.pop_front();
  return connection->handle_response(frame, std::move(pending), out);
}

Connection::Fate Connection::handle_response(Bytes frame, Pending pending,
                                             std::vector<std::byte>& out) {
  shared_->arena.reset();
  const kafka::ApiVersion header_version =
      kafka::response_header_version(pending.key, pending.version);
  if (pending.reply) {
    append_reply(out, pending.correlation, header_version, *pending.reply);
    return Fate::kReplace;
  }
  if (!kafka::is_known(pending.key, pending.version)) {
    return close("a response in a version that this filter does not know");
  }
  const Bytes message = frame.subspan(kFrameLengthBytes);
  kafka::Reader reader(message, shared_->arena);
  kafka::ResponseHeader response_header;
  if (!decode(reader, header_version, response_header)) {
    return close("a response whose header cannot be read");
  }
  const Bytes header = message.first(reader.offset());
  Bytes body = reader.rest();
  if (!pending.fragments.empty()) {
    return merge_fragments(pending, header, body, out);
  }

  CallHead head;
  head.token = 1;
  head.connection = id_;
  head.api_key = pending.key.value();
  head.api_version = pending.version.value();
  head.correlation_id = pending.correlation;
  head.direction = Direction::kResponse;
  head.client_id = pending.client_id;

  Verdict verdict;
  const bool whole = wants(pending.key, pending.version, Direction::kResponse, Payload::kMessage);
  if (whole || wants(pending.key, pending.version, Direction::kResponse, Payload::kHeader)) {
    head.payload = whole ? Payload::kMessage : Payload::kHeader;
    verdict = shared_->plugin->handle({head, whole ? body : Bytes{}});
    if (verdict.kind == VerdictKind::kReplace) {
      body = verdict.body;
    } else if (verdict.kind != VerdictKind::kPass && verdict.kind != VerdictKind::kDelay) {
      return close("the filter rejects a response; " + verdict.message);
    }
  }
  const bool replaced = verdict.kind == VerdictKind::kReplace;
  if (pending.key == kafka::api_key::kFetch &&
      wants(pending.key, pending.version, Direction::kResponse, Payload::kRecords)) {
    return handle_fetched(head, header, body, replaced, out);
  }
  if (!replaced) {
    return Fate::kKeep;
  }
  append_frame(out, header, body);
  return Fate::kReplace;
}

Connection::Fate Connection::handle_fetched(const CallHead& call, Bytes header, Bytes body,
                                            bool replaced, std::vector<std::byte>& out) {
  const kafka::ApiVersion version(call.api_version);
  kafka::Reader reader(body, shared_->arena);
  kafka::FetchResponse response;
  if (auto decoded = decode(reader, version, response);
      !decoded || !reader.expect_end("FetchResponse")) {
    return close("a Fetch response that cannot be read");
  }
  CallHead head = call;
  head.payload = Payload::kRecords;
  bool changed = replaced;
  for (auto& topic : response.responses) {
    head.topic = topic.topic;
    head.records.topic_id = topic.topic_id.bytes;
    for (auto& partition : topic.partitions) {
      if (partition.records.empty()) {
        continue;
      }
      head.records.partition = partition.partition_index;
      PartitionOutcome outcome = shared_->records.run(head, partition.records, shared_->arena);
      switch (outcome.kind) {
        case PartitionOutcome::Kind::kSame:
          break;
        case PartitionOutcome::Kind::kChanged:
          partition.records = outcome.records;
          changed = true;
          break;
        case PartitionOutcome::Kind::kRejected: {
          const std::int16_t code = outcome.verdict.code;
          const bool understood = code == 2 || code == -1;
          partition.error_code = understood ? code : kTopicAuthorizationFailed;
          partition.records = kafka::kEmptyBytes;
          changed = true;
          break;
        }
        case PartitionOutcome::Kind::kClose:
          return close("the filter said so, of a Fetch response");
      }
    }
  }
  if (!changed) {
    return Fate::kKeep;
  }
  return append_message(out, shared_->arena, header, version, response)
             ? Fate::kReplace
             : close("a Fetch response that cannot be written");
}

Connection::Fate Connection::merge_fragments(const Pending& pending, Bytes header, Bytes body,
                                             std::vector<std::byte>& out) {
  kafka::Reader reader(body, shared_->arena);
  kafka::ProduceResponse response;
  if (!decode(reader, pending.version, response)) {
    return close("a Produce response that cannot be read");
  }
  return add_fragments(pending.fragments, response) &&
                 append_message(out, shared_->arena, header, pending.version, response)
             ? Fate::kReplace
             : close("a Produce response that cannot be written");
}

bool Connection::add_fragments(const std::vector<Fragment>& fragments,
                               kafka::ProduceResponse& response) {
  using Topic = kafka::ProduceResponse::TopicProduceResponse;
  using Partition = kafka::ProduceResponse::PartitionProduceResponse;
  using RecordError = kafka::ProduceResponse::BatchIndexAndErrorMessage;
  Arena& arena = shared_->arena;
  for (const Fragment& fragment : fragments) {
    Topic* topic = std::ranges::find_if(response.responses, [&](const Topic& known) {
      return known.name == fragment.topic && known.topic_id == fragment.topic_id;
    });
    if (topic == response.responses.end()) {
      auto topics = arena.make_array<Topic>(response.responses.size() + 1);
      if (topics.empty()) {
        return false;
      }
      std::ranges::copy(response.responses, topics.begin());
      topic = topics.end() - 1;
      topic->name = fragment.topic;
      topic->topic_id = fragment.topic_id;
      response.responses = topics;
    }
    auto partitions = arena.make_array<Partition>(topic->partition_responses.size() + 1);
    if (partitions.empty()) {
      return false;
    }
    std::ranges::copy(topic->partition_responses, partitions.begin());
    Partition& partition = partitions[partitions.size() - 1];
    partition.index = fragment.partition;
    partition.error_code = fragment.code;
    partition.base_offset = -1;
    // Unknown to versions before 8, which leave both out.
    if (fragment.code != 0) {
      partition.error_message = fragment.message;
      partition.record_errors =
          arena.make_array<RecordError>(static_cast<std::uint32_t>(fragment.records.size()));
      for (std::uint32_t i = 0; i < partition.record_errors.size(); ++i) {
        partition.record_errors[i].batch_index = static_cast<std::int32_t>(fragment.records[i]);
        partition.record_errors[i].batch_index_error_message = fragment.message;
      }
    }
    topic->partition_responses = partitions;
  }
  return true;
}

}  // namespace grete::sdk

#include "plugins/message.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "kafka/api_keys.h"
#include "kafka/api_table.h"
#include "kafka/messages.h"
#include "kafka/wire/writer.h"
#include "plugins/limits.h"

namespace grete::plugins {
namespace {

using kafka::FetchResponse;
using kafka::ProduceRequest;
using kafka::ProduceResponse;

constexpr kafka::Uuid kNoId{};
// KIP-467.
constexpr kafka::ApiVersion kFirstRecordErrors{8};

// Topics are told by name or by id, never by both.
std::string_view key_of(std::string_view name, const kafka::Uuid& id) {
  return id == kNoId ? name : as_text(id.bytes);
}

std::unexpected<Failure> undecodable(const kafka::DecodeError& error) {
  const bool memory = error.code == kafka::DecodeErrorCode::kOutOfMemory;
  return unexpected(
      Failure{memory ? FailureKind::kMemory : FailureKind::kUndecodable, error.text()});
}

std::unexpected<Failure> no_memory() {
  return unexpected(Failure{FailureKind::kMemory, "no memory left to encode the message"});
}

template <class T>
Result<void, Failure> decode_whole(Bytes body, Arena& arena, kafka::ApiVersion version,
                                   T& message) {
  kafka::Reader reader(body, arena);
  if (auto decoded = decode(reader, version, message); !decoded) {
    return undecodable(decoded.error());
  }
  // What follows the message is nothing that anybody knows; brokers ignore it too.
  return {};
}

}  // namespace

Message::Message(Frame frame, const FrameContext& context, Direction direction)
    : context_(context),
      direction_(direction),
      frame_(std::move(frame)),
      arena_(*context.budget),
      body_(frame_.body()) {}

Result<void, Failure> Message::encode_to(kafka::Writer& writer) {
  Result<void, kafka::EncodeError> encoded;
  if (produce_) {
    encoded = encode(writer, context_.version, *produce_);
  } else if (fetch_) {
    encoded = encode(writer, context_.version, *fetch_);
  } else if (produced_) {
    encoded = encode(writer, context_.version, *produced_);
  }
  if (!encoded) {
    const bool memory = encoded.error().code == kafka::EncodeErrorCode::kOutOfMemory;
    return unexpected(
        Failure{memory ? FailureKind::kMemory : FailureKind::kUndecodable, encoded.error().text()});
  }
  return {};
}

Result<Bytes, Failure> Message::body() {
  if (form_ == Form::kDecoded) {
    kafka::Writer writer(arena_);
    GRETE_TRY(encode_to(writer));
    kafka::records::ByteBuffer& buffer = new_buffer();
    if (!buffer.reserve(static_cast<std::size_t>(writer.size()))) {
      return no_memory();
    }
    writer.copy_to(buffer.data());
    buffer.commit(static_cast<std::size_t>(writer.size()));
    body_ = buffer.bytes();
    form_ = Form::kEncoded;
    produce_.reset();
    produced_.reset();
    fetch_.reset();
  }
  return body_;
}

void Message::replace_body(std::shared_ptr<const std::vector<std::byte>> body) {
  body_ = body == nullptr ? Bytes{} : Bytes{*body};
  keep(std::move(body));
  changed_ = true;
  form_ = Form::kEncoded;
  produce_.reset();
  produced_.reset();
  fetch_.reset();
}

Result<std::vector<PartitionRecords>*, Failure> Message::partitions() {
  partitions_.clear();
  const auto named = [this](std::string_view name, const kafka::Uuid& id) {
    return id == kNoId || context_.topics == nullptr ? name : context_.topics->name_of(id);
  };
  if (direction_ == Direction::kRequest) {
    if (!produce_) {
      GRETE_TRY(decode_whole(body_, arena_, context_.version, produce_.emplace()));
    }
    for (auto& topic : produce_->topic_data) {
      for (auto& partition : topic.partition_data) {
        partitions_.push_back({.topic = named(topic.name, topic.topic_id),
                               .topic_id = topic.topic_id,
                               .partition = partition.index,
                               .records = &partition.records});
      }
    }
  } else {
    if (!fetch_) {
      GRETE_TRY(decode_whole(body_, arena_, context_.version, fetch_.emplace()));
    }
    for (auto& topic : fetch_->responses) {
      for (auto& partition : topic.partitions) {
        partitions_.push_back({.topic = named(topic.topic, topic.topic_id),
                               .topic_id = topic.topic_id,
                               .partition = partition.partition_index,
                               .records = &partition.records,
                               .fetched = &partition});
      }
    }
  }
  if (partitions_.size() > limits::kMaxPartitions) {
    return unexpected(Failure{FailureKind::kUndecodable, "more than 100000 partitions"});
  }
  return &partitions_;
}

void Message::set_records(PartitionRecords& partition, Bytes records) {
  *partition.records = records;
  form_ = Form::kDecoded;
  changed_ = true;
}

kafka::records::ByteBuffer& Message::new_buffer() {
  return buffers_.emplace_back(*context_.budget);
}

void Message::reject(PartitionRecords& partition, const Rejection& rejection) {
  form_ = Form::kDecoded;
  changed_ = true;
  partition.rejected = true;
  if (direction_ == Direction::kRequest) {
    fragments_.push_back(
        {std::string(partition.topic), partition.topic_id, partition.partition, rejection});
    return;
  }
  FetchResponse::PartitionData error;
  error.partition_index = partition.partition;
  error.error_code = rejection.code;
  error.high_watermark = -1;
  error.records = kafka::kEmptyBytes;
  *partition.fetched = error;
}

void Message::drop_rejected() {
  if (direction_ == Direction::kResponse || !produce_) {
    return;
  }
  auto partition = partitions_.begin();
  std::uint32_t topics = 0;
  for (auto& topic : produce_->topic_data) {
    std::uint32_t kept = 0;
    for (auto& data : topic.partition_data) {
      if (!(partition++)->rejected) {
        topic.partition_data[kept++] = data;
      }
    }
    // A topic that came without partitions stays as it is: it is the broker's to answer.
    const bool emptied = kept == 0 && !topic.partition_data.empty();
    topic.partition_data.count = kept;
    if (!emptied) {
      produce_->topic_data[topics++] = topic;
    }
  }
  produce_->topic_data.count = topics;
  nothing_left_ = topics == 0 && !fragments_.empty();
  partitions_.clear();
}

Result<void, Failure> Message::merge(const std::vector<Fragment>& fragments) {
  if (!produced_) {
    GRETE_TRY(decode_whole(body_, arena_, context_.version, produced_.emplace()));
  }
  form_ = Form::kDecoded;
  changed_ = true;
  return add_fragments(*produced_, fragments);
}

// Fragments come in the request's order, so those of one topic mostly stand together: each such run
// is added to its topic at once.
Result<void, Failure> Message::add_fragments(ProduceResponse& response,
                                             const std::vector<Fragment>& fragments) {
  // Topics of the answer, with room for all that may be added.
  auto topics = arena_.make_array<ProduceResponse::TopicProduceResponse>(
      static_cast<std::uint32_t>(response.responses.size() + fragments.size()));
  if (topics.items == nullptr) {
    return no_memory();
  }
  std::ranges::copy(response.responses, topics.begin());
  topics.count = response.responses.size();
  std::unordered_map<std::string_view, std::uint32_t> known;
  for (std::uint32_t i = 0; i < topics.count; ++i) {
    known.emplace(key_of(topics[i].name, topics[i].topic_id), i);
  }
  for (std::size_t from = 0, to = 0; from < fragments.size(); from = to) {
    const Fragment& first = fragments[from];
    const std::string_view key = key_of(first.topic, first.topic_id);
    while (to < fragments.size() && key_of(fragments[to].topic, fragments[to].topic_id) == key) {
      ++to;
    }
    const auto [found, is_new] = known.emplace(key, topics.count);
    auto& topic = topics.items[found->second];
    if (is_new) {
      ++topics.count;
      topic.topic_id = first.topic_id;
      topic.name = first.topic_id == kNoId ? std::string_view(first.topic) : "";
    }
    auto& answers = topic.partition_responses;
    auto joined = arena_.make_array<ProduceResponse::PartitionProduceResponse>(
        static_cast<std::uint32_t>(answers.size() + (to - from)));
    if (joined.items == nullptr) {
      return no_memory();
    }
    auto* next = std::ranges::copy(answers, joined.begin()).out;
    for (std::size_t i = from; i < to; ++i) {
      GRETE_TRY(fill_in(*next++, fragments[i]));
    }
    answers = joined;
  }
  response.responses = topics;
  return {};
}

Result<void, Failure> Message::fill_in(ProduceResponse::PartitionProduceResponse& answer,
                                       const Fragment& fragment) {
  const Rejection& rejection = fragment.rejection;
  answer.index = fragment.partition;
  answer.error_code = rejection.code;
  answer.base_offset = -1;
  if (!rejection.message.empty()) {
    answer.error_message = rejection.message;
  }
  if (!rejection.records.empty() && context_.version >= kFirstRecordErrors) {
    answer.record_errors = arena_.make_array<ProduceResponse::BatchIndexAndErrorMessage>(
        static_cast<std::uint32_t>(rejection.records.size()));
    if (answer.record_errors.items == nullptr) {
      return no_memory();
    }
    for (std::uint32_t i = 0; i < answer.record_errors.count; ++i) {
      answer.record_errors[i].batch_index = static_cast<std::int32_t>(rejection.records[i]);
    }
  }
  return {};
}

Result<ScatterFrame, Failure> Message::finish(const std::shared_ptr<Message>& self,
                                              kafka::Writer& writer) {
  if (writer.size() > std::numeric_limits<std::int32_t>::max()) {
    return unexpected(Failure{FailureKind::kMemory, "the message became larger than 2 GiB"});
  }
  ScatterFrame frame;
  frame.size = static_cast<std::uint32_t>(writer.size());
  const auto pieces = writer.pieces();
  frame.pieces.assign(pieces.begin(), pieces.end());
  frame.owner = self;
  return frame;
}

Result<ScatterFrame, Failure> Message::frame(const std::shared_ptr<Message>& self) {
  kafka::Writer writer(arena_);
  if (!writer.append(frame_.header())) {
    return no_memory();
  }
  if (form_ == Form::kDecoded) {
    GRETE_TRY(encode_to(writer));
  } else if (!writer.append(body_)) {
    return no_memory();
  }
  return finish(self, writer);
}

// Correlation id, and an empty section of tagged fields where the version has one.
void Message::write_response_header(kafka::Writer& writer, bool& ok) {
  const bool tags =
      kafka::response_header_version(context_.key, context_.version) >= kafka::ApiVersion{1};
  std::byte* const header = writer.set_aside(tags ? 5 : 4);
  ok = header != nullptr;
  if (ok) {
    store_big(header, context_.correlation.value());
    if (tags) {
      header[4] = std::byte{0};
    }
  }
}

Result<ScatterFrame, Failure> Message::reply(const std::shared_ptr<Message>& self, Bytes body) {
  kafka::Writer writer(arena_);
  bool ok = false;
  write_response_header(writer, ok);
  if (!ok || !writer.append(body)) {
    return no_memory();
  }
  return finish(self, writer);
}

Result<ScatterFrame, Failure> Message::reply(const std::shared_ptr<Message>& self,
                                             const kafka::AnyMessage& message) {
  kafka::Writer writer(arena_);
  bool ok = false;
  write_response_header(writer, ok);
  if (!ok || !message.info->encode(writer, context_.version, message.value)) {
    return no_memory();
  }
  return finish(self, writer);
}

Result<ScatterFrame, Failure> Message::reply_from_fragments(const std::shared_ptr<Message>& self) {
  ProduceResponse response;
  GRETE_TRY(add_fragments(response, fragments_));
  return reply(self, kafka::AnyMessage{&kafka::kProduceResponseInfo, &response});
}

Result<ScatterFrame, Failure> Message::replacement(const std::shared_ptr<Message>& self,
                                                   const kafka::AnyMessage& message) {
  kafka::Writer writer(arena_);
  if (!writer.append(frame_.header()) ||
      !message.info->encode(writer, context_.version, message.value)) {
    return no_memory();
  }
  return finish(self, writer);
}

}  // namespace grete::plugins

#include "plugins/testing/fixture.h"

#include <stdexcept>
#include <utility>

#include "kafka/records/batch.h"
#include "kafka/wire/writer.h"

namespace grete::plugins::testing {
namespace {

using kafka::records::BatchReader;
using kafka::records::Progress;

template <class T, class E>
T must(Result<T, E> result) {
  if (!result) {
    throw std::runtime_error("unexpected failure in a test's own set-up");
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

std::optional<Bytes> bytes_of(const std::optional<std::string>& text) {
  return text ? std::optional<Bytes>(as_bytes(*text)) : std::nullopt;
}

std::optional<std::string> text_of(const std::optional<Bytes>& bytes) {
  return bytes ? std::optional<std::string>(as_text(*bytes)) : std::nullopt;
}

class FunctionFilter final : public NativeFilter {
 public:
  FunctionFilter(MessageFunction message, RecordsFunction records)
      : message_(std::move(message)), records_(std::move(records)) {}
  Verdict on_message(const MessageCall& call) override { return message_(call); }
  Verdict on_records(const RecordsCall& call, EditList& edits) override {
    return records_(call, edits);
  }

 private:
  MessageFunction message_;
  RecordsFunction records_;
};

class SlowVisit final : public Visit {
 public:
  explicit SlowVisit(const SlowHook& behaviour) : behaviour_(&behaviour) { ++*behaviour_->alive; }
  ~SlowVisit() override {
    --*behaviour_->alive;
    *behaviour_->dropped += left_ > 0 ? 1 : 0;
  }
  void start(const MessageCall&) override { left_ = behaviour_->slices; }
  void start(const RecordsCall&, EditList&) override { left_ = behaviour_->slices; }
  CallState poll(Moment) override { return --left_ > 0 ? CallState::kRunnable : CallState::kDone; }
  Result<Verdict, Failure> take() override {
    left_ = 0;
    if (behaviour_->failure) {
      return unexpected(*behaviour_->failure);
    }
    return behaviour_->verdict;
  }

 private:
  const SlowHook* behaviour_;
  int left_ = 0;
};

class SlowRuntime final : public HookRuntime {
 public:
  explicit SlowRuntime(const SlowHook& behaviour) : behaviour_(&behaviour) {}
  std::unique_ptr<Visit> visit() override { return std::make_unique<SlowVisit>(*behaviour_); }

 private:
  const SlowHook* behaviour_;
};

Subscription both_sides() {
  Subscription subscription;
  subscription.add({0, 0, 32767, kafka::lane::Direction::kRequest, kafka::lane::Payload::kRecords});
  subscription.add(
      {1, 0, 32767, kafka::lane::Direction::kResponse, kafka::lane::Payload::kRecords});
  return subscription;
}

class SlowHookObject final : public Hook {
 public:
  SlowHookObject(HookSpec spec, SlowHook behaviour)
      : Hook(std::move(spec), both_sides()), behaviour_(std::move(behaviour)) {}
  [[nodiscard]] std::unique_ptr<HookRuntime> make_runtime(Worker&) const override {
    return std::make_unique<SlowRuntime>(behaviour_);
  }

 private:
  SlowHook behaviour_;
};

}  // namespace

void FakeMachine::fill_random(MutableBytes bytes) {
  for (std::byte& byte : bytes) {
    byte = std::byte{4};
  }
}

void RecordingTelemetry::call_ended(const CallReport& report) {
  calls.push_back({std::string(report.plugin), report.kind, report.verdict,
                   report.failure == nullptr ? "" : std::string(name_of(report.failure->kind)),
                   report.obeyed});
}

void RecordingTelemetry::log(std::string_view plugin, std::uint32_t level, std::string_view text) {
  lines.push_back(std::string(plugin) + " " + std::to_string(level) + " " + std::string(text));
}

std::string_view FakeTopics::name_of(const kafka::Uuid& id) const {
  for (const auto& [known, name] : names) {
    if (known == id) {
      return name;
    }
  }
  return {};
}

TestWorker::TestWorker(std::uint64_t connection_memory)
    : process(std::uint64_t{4} << 30), budget(connection_memory, &process), codecs(process) {
  connection.id = 7;
  connection.address = "127.0.0.1:50000";
  worker.codecs = &codecs;
  worker.telemetry = &telemetry;
  worker.machine = &machine;
}

FrameContext TestWorker::context(kafka::ApiKey key, std::int16_t version, Answer answer) {
  return {.connection = &connection,
          .budget = &budget,
          .topics = &topics,
          .key = key,
          .version = kafka::ApiVersion{version},
          .correlation = kafka::CorrelationId{77},
          .client_id = "test",
          .answer = answer};
}

std::vector<std::byte> TestWorker::batch(const std::vector<TestRecord>& records,
                                         const BatchOptions& options) {
  kafka::records::BatchBuilder builder(codecs, process);
  kafka::records::BatchHeader header;
  header.magic = options.magic;
  header.base_offset = options.base_offset;
  header.attributes =
      static_cast<std::int16_t>(options.attributes | static_cast<std::int16_t>(options.codec));
  header.producer_id = options.producer_id;
  if (options.producer_id >= 0) {
    header.producer_epoch = 3;
    header.base_sequence = 11;
  }
  builder.create(header);
  std::int64_t timestamp = 1'700'000'000'000;
  for (const TestRecord& record : records) {
    std::vector<kafka::records::HeaderView> headers;
    for (const auto& [key, value] : record.headers) {
      headers.push_back({key, as_bytes(value)});
    }
    must(builder.append({timestamp++, bytes_of(record.key), bytes_of(record.value), headers}));
  }
  while (must(builder.step()) == Progress::kMore) {
  }
  const Bytes built = builder.batch();
  return {built.begin(), built.end()};
}

std::vector<TestRecord> TestWorker::read(Bytes blob) {
  std::vector<TestRecord> found;
  kafka::records::BatchSplitter splitter(blob);
  BatchReader reader(codecs, process);
  while (const auto batch = must(splitter.next())) {
    must(reader.start(*batch));
    while (must(reader.step()) == Progress::kMore) {
    }
    must(reader.validate());
    auto iterator = reader.records();
    while (const auto* record = must(iterator.next())) {
      TestRecord copy{text_of(record->key), text_of(record->value), {}};
      for (const auto& header : record->headers) {
        copy.headers.emplace_back(header.key, as_text(header.value.value_or(Bytes{})));
      }
      found.push_back(std::move(copy));
    }
  }
  return found;
}

std::vector<kafka::records::BatchHeader> TestWorker::headers(Bytes blob) {
  std::vector<kafka::records::BatchHeader> found;
  kafka::records::BatchSplitter splitter(blob);
  while (const auto batch = must(splitter.next())) {
    found.push_back(must(kafka::records::parse_header(*batch)));
  }
  return found;
}

Frame TestWorker::frame(Bytes header, Bytes body) {
  auto storage = std::make_shared<std::vector<std::byte>>(header.begin(), header.end());
  storage->insert(storage->end(), body.begin(), body.end());
  return {{Bytes(*storage), storage}, header.size()};
}

namespace {

template <class T>
Frame encode_frame(Arena& arena, std::int16_t version, const T& message, std::size_t header_bytes) {
  kafka::Writer writer(arena);
  must(encode(writer, kafka::ApiVersion{version}, message));
  std::vector<std::byte> body(static_cast<std::size_t>(writer.size()));
  writer.copy_to(body.data());
  const std::vector<std::byte> header(header_bytes, std::byte{0x5a});
  return TestWorker::frame(header, body);
}

}  // namespace

Frame TestWorker::produce(std::int16_t version, const std::vector<TestTopic>& names,
                          std::int16_t acks) {
  Arena arena(process);
  kafka::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 30'000;
  request.topic_data = arena.make_array<kafka::ProduceRequest::TopicProduceData>(
      static_cast<std::uint32_t>(names.size()));
  for (std::uint32_t t = 0; t < names.size(); ++t) {
    auto& topic = request.topic_data[t];
    if (version < 13) {
      topic.name = names[t].name;
    }
    topic.topic_id = names[t].id;
    topic.partition_data = arena.make_array<kafka::ProduceRequest::PartitionProduceData>(
        static_cast<std::uint32_t>(names[t].partitions.size()));
    for (std::uint32_t p = 0; p < names[t].partitions.size(); ++p) {
      topic.partition_data[p].index = names[t].partitions[p].index;
      topic.partition_data[p].records = names[t].partitions[p].records;
    }
  }
  return encode_frame(arena, version, request, 10);
}

Frame TestWorker::fetched(std::int16_t version, const std::vector<TestTopic>& names) {
  Arena arena(process);
  kafka::FetchResponse response;
  response.responses = arena.make_array<kafka::FetchResponse::FetchableTopicResponse>(
      static_cast<std::uint32_t>(names.size()));
  for (std::uint32_t t = 0; t < names.size(); ++t) {
    auto& topic = response.responses[t];
    if (version < 13) {
      topic.topic = names[t].name;
    }
    topic.topic_id = names[t].id;
    topic.partitions = arena.make_array<kafka::FetchResponse::PartitionData>(
        static_cast<std::uint32_t>(names[t].partitions.size()));
    for (std::uint32_t p = 0; p < names[t].partitions.size(); ++p) {
      topic.partitions[p].partition_index = names[t].partitions[p].index;
      topic.partitions[p].high_watermark = 100;
      topic.partitions[p].records = names[t].partitions[p].records;
    }
  }
  return encode_frame(arena, version, response, version >= 12 ? 5 : 4);
}

Outcome TestWorker::run(Task& task) {
  polls = 0;
  CallState state = CallState::kRunnable;
  while (state != CallState::kDone) {
    state = task.poll(machine.now());
    if (++polls > 1'000'000) {
      throw std::runtime_error("the task never ends");
    }
  }
  return task.take();
}

std::shared_ptr<const Hook> message_hook(std::string name, kafka::lane::Interest interest,
                                         MessageFunction function, OnFailure policy) {
  Subscription subscription;
  subscription.add(interest);
  return make_native_hook({std::move(name), policy}, std::move(subscription),
                          [function = std::move(function)] {
                            return std::make_unique<FunctionFilter>(function, nullptr);
                          });
}

std::shared_ptr<const Hook> records_hook(std::string name, RecordsFunction function,
                                         OnFailure policy) {
  return make_native_hook({std::move(name), policy}, both_sides(),
                          [function = std::move(function)] {
                            return std::make_unique<FunctionFilter>(nullptr, function);
                          });
}

std::shared_ptr<const Hook> slow_hook(std::string name, SlowHook behaviour, OnFailure policy) {
  return std::make_shared<SlowHookObject>(HookSpec{std::move(name), policy}, std::move(behaviour));
}

void for_each_record(
    const RecordsCall& call,
    const std::function<void(std::uint32_t, const kafka::records::Record&)>& visitor) {
  kafka::records::BatchHeader header = call.header;
  header.count = static_cast<std::int32_t>(call.count);
  kafka::records::RecordIterator iterator(header, call.records);
  std::uint32_t index = call.first;
  while (const auto* record = must(iterator.next())) {
    visitor(index++, *record);
  }
}

kafka::lane::Edit set_field(std::uint32_t record, kafka::lane::Field field, std::string_view text) {
  return {.record = record,
          .field = field,
          .header = 0,
          .offset = 0,
          .length = kafka::lane::kToEnd,
          .bytes = as_bytes(text)};
}

}  // namespace grete::plugins::testing

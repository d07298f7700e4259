// What tests of plug-ins share: a worker without an event loop, messages made by hand, and filters
// that do what a test says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/memory_budget.h"
#include "kafka/api_keys.h"
#include "kafka/messages/fetch_response.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/produce_response.h"
#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"
#include "plugins/chain.h"
#include "plugins/native_hook.h"

namespace grete::plugins::testing {

// A clock that moves only when told, and chance that is none.
class FakeMachine final : public Machine {
 public:
  std::uint64_t unix_time_ns() override { return 1'700'000'000'000'000'000; }
  Moment now() override { return now_; }
  void fill_random(MutableBytes bytes) override;
  void pass(Duration time) { now_ += time; }

 private:
  Moment now_{};
};

class RecordingTelemetry final : public Telemetry {
 public:
  struct Call {
    std::string plugin;
    HookKind kind;
    VerdictKind verdict;
    std::string failure;  // empty: none
    bool obeyed;
  };

  void call_ended(const CallReport& report) override;
  void log(std::string_view plugin, std::uint32_t level, std::string_view text) override;

  std::vector<Call> calls;
  std::vector<std::string> lines;
};

// A record of a test.
struct TestRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;

  friend bool operator==(const TestRecord&, const TestRecord&) = default;
};

struct BatchOptions {
  kafka::records::Codec codec = kafka::records::Codec::kNone;
  std::int64_t producer_id = -1;
  std::int64_t base_offset = 0;
  std::int16_t attributes = 0;  // beside the codec
  std::int8_t magic = 2;
};

struct TestPartition {
  std::int32_t index = 0;
  std::vector<std::byte> records;
};
struct TestTopic {
  std::string name;
  std::vector<TestPartition> partitions;
  kafka::Uuid id{};
};

// Topics of ids that a test knows.
class FakeTopics final : public TopicNames {
 public:
  [[nodiscard]] std::string_view name_of(const kafka::Uuid& id) const override;
  std::vector<std::pair<kafka::Uuid, std::string>> names;
};

class TestWorker {
 public:
  explicit TestWorker(std::uint64_t connection_memory = std::uint64_t{256} << 20);

  [[nodiscard]] FrameContext context(kafka::ApiKey key, std::int16_t version,
                                     Answer answer = Answer::kExpected);

  [[nodiscard]] std::vector<std::byte> batch(const std::vector<TestRecord>& records,
                                             const BatchOptions& options = {});
  // The records of all batches in `blob`.
  [[nodiscard]] std::vector<TestRecord> read(Bytes blob);
  [[nodiscard]] static std::vector<kafka::records::BatchHeader> headers(Bytes blob);

  [[nodiscard]] Frame produce(std::int16_t version, const std::vector<TestTopic>& topics,
                              std::int16_t acks = -1);
  [[nodiscard]] Frame fetched(std::int16_t version, const std::vector<TestTopic>& topics);
  [[nodiscard]] static Frame frame(Bytes header, Bytes body);

  // Polls until it is done; counts the polls.
  Outcome run(Task& task);

  MemoryBudget process;
  MemoryBudget budget;
  FakeMachine machine;
  RecordingTelemetry telemetry;
  FakeTopics topics;
  ConnectionInfo connection;
  kafka::records::CodecPool codecs;
  Worker worker;
  int polls = 0;
};

// What a test makes of a frame that came out. `header_bytes` are skipped.
template <class T>
T decode_frame(const ScatterFrame& frame, std::size_t header_bytes, std::int16_t version,
               Arena& arena, std::vector<std::byte>& storage) {
  storage.resize(frame.size);
  frame.copy_to(storage.data());
  T message;
  kafka::Reader reader(Bytes(storage).subspan(header_bytes), arena);
  if (!decode(reader, kafka::ApiVersion{version}, message)) {
    throw std::runtime_error("the frame does not decode");
  }
  return message;
}

using MessageFunction = std::function<Verdict(const MessageCall&)>;
using RecordsFunction = std::function<Verdict(const RecordsCall&, EditList&)>;

// A hook that does what the functions say.
[[nodiscard]] std::shared_ptr<const Hook> message_hook(std::string name,
                                                       kafka::lane::Interest interest,
                                                       MessageFunction function,
                                                       OnFailure policy = OnFailure::kReject);
// On produce and fetch.
[[nodiscard]] std::shared_ptr<const Hook> records_hook(std::string name, RecordsFunction function,
                                                       OnFailure policy = OnFailure::kReject);

// Calls that take `slices` polls and then fail, or end with `verdict`.
struct SlowHook {
  int slices = 3;
  std::optional<Failure> failure;
  Verdict verdict;
  // Visits alive now, and calls dropped before they ended.
  std::shared_ptr<int> alive = std::make_shared<int>(0);
  std::shared_ptr<int> dropped = std::make_shared<int>(0);
};
[[nodiscard]] std::shared_ptr<const Hook> slow_hook(std::string name, SlowHook behaviour,
                                                    OnFailure policy = OnFailure::kReject);

// Calls `visitor` for each record of a window.
void for_each_record(
    const RecordsCall& call,
    const std::function<void(std::uint32_t, const kafka::records::Record&)>& visitor);

// An edit of a whole field.
[[nodiscard]] kafka::lane::Edit set_field(std::uint32_t record, kafka::lane::Field field,
                                          std::string_view text);

}  // namespace grete::plugins::testing

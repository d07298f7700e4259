#include "sdk/cpp/testing/harness.h"

#include <algorithm>
#include <cstdlib>

#include "sdk/cpp/stream/apply_edits.h"

namespace grete::sdk::testing {
namespace {

using kafka::lane::Direction;
using kafka::records::BatchBuilder;
using kafka::records::BatchReader;
using kafka::records::CodecPool;
using kafka::records::Progress;

std::optional<std::string> owned(std::optional<Bytes> bytes) {
  return bytes ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
}

// Tests give good batches: anything else is a bug of the test.
template <class T>
T checked(grete::Result<T, kafka::records::Error> result) {
  if (!result) {
    std::abort();
  }
  return *result;
}

std::vector<TestRecord> records_of(const BatchReader& reader) {
  std::vector<TestRecord> result;
  auto records = reader.records();
  while (const Record* record = checked(records.next())) {
    TestRecord& copy = result.emplace_back();
    copy.key = owned(record->key);
    copy.value = owned(record->value);
    for (const auto& header : record->headers) {
      copy.headers.emplace_back(std::string(header.key), owned(header.value));
    }
  }
  return result;
}

void read(BatchReader& reader, Bytes batch) {
  if (!reader.start(batch)) {
    std::abort();
  }
  while (checked(reader.step()) == Progress::kMore) {
  }
}

}  // namespace

void TestHost::log(LogLevel level, std::string_view text) {
  lines.push_back({level, std::string(text)});
}

Counter TestHost::counter(std::string_view name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) {
    names_.emplace_back(name);
    return static_cast<Counter>(names_.size());
  }
  return static_cast<Counter>(found - names_.begin() + 1);
}

void TestHost::add(Counter counter, std::uint64_t by) {
  counters[names_.at(static_cast<std::size_t>(counter) - 1)] += by;
}

std::vector<std::byte> make_batch(const std::vector<TestRecord>& records,
                                  kafka::records::Codec codec) {
  MemoryBudget budget(std::uint64_t{1} << 30);
  CodecPool codecs(budget);
  BatchBuilder builder(codecs, budget);
  kafka::records::BatchHeader header;
  header.attributes = static_cast<std::int16_t>(codec);
  builder.create(header);
  std::int64_t timestamp = 1'700'000'000'000;
  for (const TestRecord& record : records) {
    std::vector<kafka::records::HeaderView> headers;
    for (const auto& [key, value] : record.headers) {
      headers.push_back({key, value ? std::optional(as_bytes(*value)) : std::nullopt});
    }
    kafka::records::NewRecord added;
    added.timestamp = timestamp++;
    added.key = record.key ? std::optional(as_bytes(*record.key)) : std::nullopt;
    added.value = record.value ? std::optional(as_bytes(*record.value)) : std::nullopt;
    added.headers = headers;
    if (!builder.append(added)) {
      std::abort();
    }
  }
  while (checked(builder.step()) == Progress::kMore) {
  }
  const Bytes batch = builder.batch();
  return {batch.begin(), batch.end()};
}

std::vector<TestRecord> read_batch(Bytes batch) {
  MemoryBudget budget(std::uint64_t{1} << 30);
  CodecPool codecs(budget);
  BatchReader reader(codecs, budget);
  read(reader, batch);
  return records_of(reader);
}

Harness::Harness(std::unique_ptr<Filter> filter, std::string_view configuration)
    : plugin_(std::move(filter), host_) {
  if (auto configured = plugin_.configure(configuration); !configured) {
    error_ = configured.error();
  }
}

Harness::Result Harness::produce(std::string_view topic, const std::vector<TestRecord>& records) {
  kafka::lane::CallHead head;
  head.api_key = 0;
  head.api_version = 9;
  head.direction = Direction::kRequest;
  head.topic = topic;
  return show(head, records);
}

Harness::Result Harness::fetch(std::string_view topic, const std::vector<TestRecord>& records) {
  kafka::lane::CallHead head;
  head.api_key = 1;
  head.api_version = 12;
  head.direction = Direction::kResponse;
  head.topic = topic;
  return show(head, records);
}

Harness::Result Harness::show(kafka::lane::CallHead head, const std::vector<TestRecord>& records) {
  const std::vector<std::byte> batch = make_batch(records);
  BatchReader reader(codecs_, budget_);
  read(reader, batch);

  head.token = 1;
  head.payload = kafka::lane::Payload::kRecords;
  head.flags = kafka::lane::flag::kExpectsResponse | kafka::lane::flag::kLastWindow |
               kafka::lane::flag::kMayDrop;
  head.client_id = "test";
  head.address = "127.0.0.1:1";
  head.records.count = static_cast<std::uint32_t>(records.size());
  head.records.batch_records = head.records.count;
  head.records.base_timestamp = reader.header().base_timestamp;
  head.records.max_timestamp = reader.header().max_timestamp;

  Result result;
  result.verdict = plugin_.handle({head, reader.encoded_records()});
  result.edits = plugin_.edits().count();
  BatchBuilder builder(codecs_, budget_);
  Arena arena(budget_);
  const auto applied = apply_edits(plugin_.edits().arguments(head.token), reader, builder, arena,
                                   kafka::records::Dropping::kLeaveHole);
  if (!applied) {
    result.edit_error = applied.error();
    return result;
  }
  while (checked(builder.step()) == Progress::kMore) {
  }
  result.records = read_batch(builder.batch());
  return result;
}

}  // namespace grete::sdk::testing

// Runs a filter in a native test, without any host: records in, edited records and verdict out.
//
//   Harness harness(std::make_unique<MaskPii>(), R"({"detect": ["email"]})");
//   auto result = harness.produce("topic", {{.value = "bob@example.com"}});
//   EXPECT_EQ(result.records[0].value, "**");
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"
#include "sdk/cpp/plugin.h"

namespace grete::sdk::testing {

// A record with owned contents.
struct TestRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;

  friend bool operator==(const TestRecord&, const TestRecord&) = default;
};

// What the filter logged and counted.
class TestHost final : public Host {
 public:
  struct Line {
    LogLevel level;
    std::string text;
  };

  void log(LogLevel level, std::string_view text) override;
  std::uint64_t unix_time_ns() override { return now_ns; }
  Counter counter(std::string_view name) override;
  void add(Counter counter, std::uint64_t by) override;
  void set_tick_period(std::uint32_t milliseconds) override { tick_ms = milliseconds; }

  std::vector<Line> lines;
  std::map<std::string, std::uint64_t> counters;
  std::uint64_t now_ns = 0;
  std::uint32_t tick_ms = 0;

 private:
  std::vector<std::string> names_;
};

class Harness {
 public:
  // Configures the filter; see error().
  Harness(std::unique_ptr<Filter> filter, std::string_view configuration);

  // Why the configuration was refused, if it was.
  [[nodiscard]] const std::optional<std::string>& error() const { return error_; }

  struct Result {
    Verdict verdict;
    // After the edits, if the verdict lets the batch pass.
    std::vector<TestRecord> records;
    std::uint32_t edits = 0;
    // Why the edits break the rules, if they do.
    std::string edit_error;
  };

  // Shows the records as one batch: in a Produce request, or in a Fetch response.
  Result produce(std::string_view topic, const std::vector<TestRecord>& records);
  Result fetch(std::string_view topic, const std::vector<TestRecord>& records);

  [[nodiscard]] TestHost& host() { return host_; }
  [[nodiscard]] Plugin& plugin() { return plugin_; }

 private:
  Result show(kafka::lane::CallHead head, const std::vector<TestRecord>& records);

  TestHost host_;
  Plugin plugin_;
  std::optional<std::string> error_;
  MemoryBudget budget_{std::uint64_t{1} << 30};
  kafka::records::CodecPool codecs_{budget_};
};

// `records` as one batch of Kafka, as it stands in a Produce request.
std::vector<std::byte> make_batch(const std::vector<TestRecord>& records,
                                  kafka::records::Codec codec = kafka::records::Codec::kNone);
// The records of a batch.
std::vector<TestRecord> read_batch(Bytes batch);

}  // namespace grete::sdk::testing

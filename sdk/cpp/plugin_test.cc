#include "sdk/cpp/plugin.h"

#include <gtest/gtest.h>

#include "sdk/cpp/testing/harness.h"

namespace grete::sdk {
namespace {

using testing::Harness;
using testing::TestRecord;

// Does to each record what its key says.
class Obedient final : public Filter {
 public:
  void on_configure(Config& config, Subscriptions& subscribe) override {
    refuse_ = config.string("refuse").value_or("");
    subscribe.produced_records();
  }
  Verdict on_records(Records& records) override {
    std::vector<std::uint32_t> bad;
    for (const Record& record : records) {
      const std::string_view key = record.key ? as_text(*record.key) : "";
      if (key == "drop") {
        records.drop(record);
      } else if (key == "set") {
        records.set_value(record, as_bytes("new"));
      } else if (key == "null") {
        records.set_value(record, std::nullopt);
      } else if (key == "splice") {
        records.replace(record, Field::kValue, 1, 2, as_bytes("--------"));
        records.replace(record, Field::kValue, 4, 0, as_bytes("+"));
        records.set_header_value(record, 0, as_bytes("h"));
      } else if (key == "wrong") {
        records.replace(record, Field::kValue, 100, 1, as_bytes("x"));
      }
      if (!refuse_.empty() && key == refuse_) {
        bad.push_back(records.index_of(record));
      }
    }
    if (!bad.empty()) {
      Verdict verdict = Verdict::reject("refused");
      verdict.records = bad;
      return verdict;
    }
    return Verdict::pass();
  }

 private:
  std::string refuse_;
};

TestRecord record(std::string key, std::optional<std::string> value) {
  return {std::move(key), std::move(value), {}};
}

TEST(Plugin, EditsOfEveryKind) {
  Harness harness(std::make_unique<Obedient>(), "");
  ASSERT_FALSE(harness.error());
  TestRecord spliced{"splice", "abcdef", {{"name", "old"}, {"other", std::nullopt}}};
  const auto result = harness.produce(
      "t", {record("keep", "v"), record("set", "old"), record("null", "x"),
            record("set", std::nullopt), spliced, record("drop", "gone"), record("keep", "")});
  EXPECT_EQ(result.edit_error, "");
  ASSERT_EQ(result.records.size(), 6U);
  EXPECT_EQ(result.records[0], record("keep", "v"));
  EXPECT_EQ(result.records[1], record("set", "new"));
  EXPECT_EQ(result.records[2], record("null", std::nullopt));
  EXPECT_EQ(result.records[3], record("set", "new"));
  EXPECT_EQ(result.records[4],
            (TestRecord{"splice", "a--------d+ef", {{"name", "h"}, {"other", std::nullopt}}}));
  EXPECT_EQ(result.records[5], record("keep", ""));
}

TEST(Plugin, AnEditOutsideItsFieldIsAnError) {
  Harness harness(std::make_unique<Obedient>(), "");
  EXPECT_NE(harness.produce("t", {record("wrong", "short")}).edit_error, "");
}

TEST(Plugin, ARejectionNamesRecordsAndMakesNoEdits) {
  Harness harness(std::make_unique<Obedient>(), R"({"refuse": "bad"})");
  const auto result = harness.produce("t", {record("set", "a"), record("bad", "b")});
  EXPECT_EQ(result.verdict.kind, kafka::lane::VerdictKind::kReject);
  EXPECT_EQ(result.verdict.records, std::vector<std::uint32_t>{1});
  EXPECT_EQ(result.edits, 0U);
}

TEST(Plugin, AnUnknownSettingIsRefused) {
  Harness harness(std::make_unique<Obedient>(), R"({"refus": "bad"})");
  EXPECT_EQ(harness.error(), "unknown setting \"refus\"; did you mean \"refuse\"?");
}

TEST(Plugin, MalformedRecordsAreRejected) {
  Harness harness(std::make_unique<Obedient>(), "");
  kafka::lane::CallHead head;
  head.payload = kafka::lane::Payload::kRecords;
  head.records.count = 2;
  const std::byte broken[] = {std::byte{200}, std::byte{1}};
  const Verdict verdict = harness.plugin().handle({head, Bytes(broken)});
  EXPECT_EQ(verdict.kind, kafka::lane::VerdictKind::kReject);
}

}  // namespace
}  // namespace grete::sdk

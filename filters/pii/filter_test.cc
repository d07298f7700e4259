#include "filters/pii/filter.h"

#include <gtest/gtest.h>

#include "filters/pii/topics.h"
#include "sdk/cpp/testing/harness.h"

namespace grete::filters::pii {
namespace {

using kafka::lane::VerdictKind;
using sdk::testing::Harness;
using sdk::testing::TestRecord;

Harness make(std::string_view configuration) {
  return Harness(std::make_unique<PiiFilter>(), configuration);
}

std::string masked_value(std::string_view configuration, std::string value,
                         std::string_view topic = "t") {
  Harness harness = make(configuration);
  EXPECT_FALSE(harness.error()) << *harness.error();
  const auto result = harness.produce(topic, {{{}, std::move(value), {}}});
  EXPECT_EQ(result.edit_error, "");
  return result.records.at(0).value.value_or("null");
}

TEST(PiiFilter, TheArticlesLines) {
  Harness harness = make("");
  const auto result =
      harness.produce("example-topic", {{{}, "AWS_SECRET_ACCESS_KEY=myawssecretkeyvalue", {}},
                                        {{}, "My email is example@email.com", {}}});
  ASSERT_EQ(result.records.size(), 2U);
  EXPECT_EQ(result.records[0].value, "AWS_SECRET_ACCESS_KEY=*******************");
  EXPECT_EQ(result.records[1].value, "My email is **");
}

TEST(PiiFilter, ChoosesDetectors) {
  const std::string value = "a@b.co 192.168.0.1 AKIAIOSFODNN7EXAMPLE";
  EXPECT_EQ(masked_value(R"({"detect": ["email"]})", value), "** 192.168.0.1 AKIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(masked_value(R"({"detect": "aws"})", value), "a@b.co 192.168.0.1 ********************");
  EXPECT_EQ(masked_value(R"({"detect": ["all"]})", value), "** *********** ********************");
}

TEST(PiiFilter, ChoosesFields) {
  const TestRecord record{
      "k@b.co", "v@b.co", {{"h@b.co", "w@b.co"}, {"n", std::nullopt}, {"x", "y@b.co"}}};
  const auto mask = [&](std::string_view configuration) {
    return make(configuration).produce("t", {record}).records.at(0);
  };
  EXPECT_EQ(mask(""),
            (TestRecord{"k@b.co", "**", {{"h@b.co", "**"}, {"n", std::nullopt}, {"x", "**"}}}));
  EXPECT_EQ(
      mask(R"({"fields": ["keys"]})"),
      (TestRecord{"**", "v@b.co", {{"h@b.co", "w@b.co"}, {"n", std::nullopt}, {"x", "y@b.co"}}}));
  EXPECT_EQ(mask(R"({"fields": ["keys", "values", "headers"]})"),
            (TestRecord{"**", "**", {{"h@b.co", "**"}, {"n", std::nullopt}, {"x", "**"}}}));
}

TEST(PiiFilter, ChoosesTopics) {
  constexpr std::string_view kConfig =
      R"({"topics": {"include": ["app-*", "x"], "exclude": ["app-raw*"]}})";
  EXPECT_EQ(masked_value(kConfig, "a@b.co", "app-1"), "**");
  EXPECT_EQ(masked_value(kConfig, "a@b.co", "x"), "**");
  EXPECT_EQ(masked_value(kConfig, "a@b.co", "app-raw-1"), "a@b.co");
  EXPECT_EQ(masked_value(kConfig, "a@b.co", "other"), "a@b.co");
  EXPECT_EQ(masked_value(kConfig, "a@b.co", ""), "**") << "a topic without a known name";
}

TEST(PiiFilter, OwnPatterns) {
  constexpr std::string_view kConfig =
      R"({"detect": ["email"], "patterns": [{"name": "employee", "regex": "EMP-\\d{4}"}]})";
  EXPECT_EQ(masked_value(kConfig, "EMP-1234 wrote to a@b.co"), "******** wrote to **");
  EXPECT_EQ(masked_value(kConfig, "EMP-1234@b.co"), "*************")
      << "overlaps keep their length";
  EXPECT_EQ(
      masked_value(R"({"detect": [], "patterns": [{"name": "x", "regex": "abc"}]})", "abc a@b.co"),
      "*** a@b.co");
}

TEST(PiiFilter, NullsAndEmptyFieldsStay) {
  Harness harness = make(R"({"fields": ["keys", "values", "headers"]})");
  const std::vector<TestRecord> records = {
      {{}, {}, {}}, {"", "", {{"", ""}}}, {"k", {}, {{"h", std::nullopt}}}};
  const auto result = harness.produce("t", records);
  EXPECT_EQ(result.records, records);
  EXPECT_EQ(result.edits, 0U);
}

TEST(PiiFilter, RejectsBatchesThatHoldSomething) {
  Harness harness = make(R"({"action": "reject"})");
  const auto result = harness.produce(
      "t", {{{}, "fine", {}}, {{}, "a@b.co", {}}, {{}, "fine", {}}, {{}, "192.168.0.1", {}}});
  EXPECT_EQ(result.verdict.kind, VerdictKind::kReject);
  EXPECT_EQ(result.verdict.records, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(result.verdict.message, "records hold personal data or credentials: email ipv4");
  EXPECT_EQ(result.edits, 0U);
  EXPECT_EQ(harness.produce("t", {{{}, "fine", {}}}).verdict.kind, VerdictKind::kPass);
}

TEST(PiiFilter, CountsByDetector) {
  Harness harness = make("");
  harness.produce("t", {{{}, "a@b.co c@d.io", {}}, {{}, "192.168.0.1", {}}});
  harness.produce("t", {{{}, "a@b.co", {}}});
  EXPECT_EQ(harness.host().counters["pii.found.email"], 3U);
  EXPECT_EQ(harness.host().counters["pii.found.ipv4"], 1U);
}

TEST(PiiFilter, SubscribesByDirection) {
  const auto keys = [](std::string_view configuration) {
    Harness harness = make(configuration);
    std::vector<int> result;
    for (const auto& interest : harness.plugin().interests()) {
      result.push_back(interest.api_key);
    }
    return result;
  };
  EXPECT_EQ(keys(""), std::vector<int>{0});
  EXPECT_EQ(keys(R"({"direction": "fetch"})"), std::vector<int>{1});
  EXPECT_EQ(keys(R"({"direction": "both"})"), (std::vector<int>{0, 1}));
}

TEST(PiiFilter, RefusesBadConfigurations) {
  const auto error = [](std::string_view configuration) {
    return make(configuration).error().value_or("no error");
  };
  EXPECT_EQ(error(R"({"detect": ["aws", "emial"]})"),
            "detect[1]: unknown detector \"emial\"; did you mean \"email\"?");
  EXPECT_EQ(error(R"({"detct": ["aws"]})"), "unknown setting \"detct\"; did you mean \"detect\"?");
  EXPECT_EQ(error(R"({"topics": {"includ": ["*"]}})"),
            "topics: unknown setting \"includ\"; did you mean \"include\"?");
  EXPECT_EQ(error(R"({"fields": ["value"]})"),
            "fields[0]: unknown field \"value\"; did you mean \"values\"?");
  EXPECT_EQ(error(R"({"action": "drop"})"),
            "action: unknown word \"drop\"; there are: mask, reject");
  EXPECT_EQ(error(R"({"patterns": [{"name": "x", "regex": "a("}]})"),
            "patterns[0].regex: a '(' without its ')' at byte 1 of \"a(\"");
  EXPECT_EQ(error(R"({"patterns": [{"name": "x"}]})"),
            "patterns[0].regex: missing: the regular expression to look for");
  EXPECT_EQ(error(R"({"detect": []})"),
            "detect: nothing to look for: name detectors, or give patterns");
  EXPECT_EQ(error(R"({"fields": []})"), "fields: nothing to look at: name keys, values or headers");
  EXPECT_EQ(error("[]"), "expected an object, found a list");
}

TEST(Topics, Globs) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*c", "abbc"));
  EXPECT_TRUE(matches_glob("a?c*", "abc"));
  EXPECT_TRUE(matches_glob("*.dlq", "orders.dlq"));
  EXPECT_FALSE(matches_glob("a*c", "abcd"));
  EXPECT_FALSE(matches_glob("a?c", "ac"));
  EXPECT_FALSE(matches_glob("", "a"));
}

}  // namespace
}  // namespace grete::filters::pii

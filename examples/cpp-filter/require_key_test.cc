#include <gtest/gtest.h>

#include "sdk/cpp/testing/harness.h"

namespace {

using grete::kafka::lane::VerdictKind;
using grete::sdk::testing::Harness;

TEST(RequireKey, RefusesBatchesWithRecordsThatLackAKey) {
  Harness harness(grete::sdk::make_filter(), R"({"topics_starting_with": "state-"})");
  ASSERT_FALSE(harness.error());
  const auto refused = harness.produce("state-users", {{"k", "v", {}}, {{}, "v", {}}});
  EXPECT_EQ(refused.verdict.kind, VerdictKind::kReject);
  EXPECT_EQ(refused.verdict.records, std::vector<std::uint32_t>{1});
  EXPECT_EQ(harness.produce("state-users", {{"k", "v", {}}}).verdict.kind, VerdictKind::kPass);
  EXPECT_EQ(harness.produce("events", {{{}, "v", {}}}).verdict.kind, VerdictKind::kPass);
}

}  // namespace

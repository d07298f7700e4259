#include "bench/native_filter.h"

#include <gtest/gtest.h>

#include "plugins/worker.h"
#include "sdk/cpp/testing/harness.h"

namespace grete::bench {
namespace {

using sdk::testing::make_batch;

TEST(NativeFilter, MasksAsTheModuleDoes) {
  auto hook =
      make_native_filter({"pii", plugins::OnFailure::kReject}, "pii", R"({"detect": ["email"]})");
  ASSERT_TRUE(hook) << hook.error();
  EXPECT_TRUE((*hook)
                  ->subscription()
                  .payloads(kafka::ApiKey(0), kafka::ApiVersion(9), plugins::Direction::kRequest)
                  .has(kafka::lane::Payload::kRecords));

  MemoryBudget budget(std::uint64_t{1} << 20);
  plugins::Worker worker;
  const auto runtime = (*hook)->make_runtime(worker);
  const auto visit = runtime->visit();
  const std::vector<std::byte> batch = make_batch({{{}, "to a@b.co", {}}, {{}, "plain", {}}});
  plugins::ConnectionInfo connection;
  plugins::FrameContext context;
  context.connection = &connection;
  context.budget = &budget;
  plugins::RecordsCall call;
  call.context = &context;
  call.count = call.batch_records = 2;
  call.records = Bytes(batch).subspan(kafka::records::kBatchHeaderBytes);
  plugins::EditList edits(budget);
  edits.open({.first = 0, .count = 2});
  visit->start(call, edits);
  ASSERT_EQ(visit->poll(Moment{}), plugins::CallState::kDone);
  ASSERT_TRUE(visit->take());
  ASSERT_EQ(edits.entries().size(), 1U);
  EXPECT_EQ(edits.entries()[0].record, 0U);
  EXPECT_EQ(edits.entries()[0].offset, 3U);
  EXPECT_EQ(edits.entries()[0].length, 6U);
  EXPECT_EQ(as_text(edits.bytes_of(edits.entries()[0])), "**");
}

TEST(NativeFilter, SaysWhatIsWrong) {
  const plugins::HookSpec spec{"pii", plugins::OnFailure::kReject};
  EXPECT_EQ(make_native_filter(spec, "pi", "").error(),
            "there is no native filter \"pi\"; there is: pii");
  EXPECT_EQ(make_native_filter(spec, "pii", R"({"detect": ["mail"]})").error(),
            "detect[0]: unknown detector \"mail\"; did you mean \"email\"?");
}

}  // namespace
}  // namespace grete::bench

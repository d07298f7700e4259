// Plug-ins on the Kafka lane in chains: a guest in WebAssembly, the whole way.
#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/plugin_loader.h"
#include "plugins/testing/fixture.h"
#include "wasm/pool/run_queue.h"
#include "wasm/testing/wat.h"

namespace grete::plugins {
namespace {

using namespace testing;  // NOLINT: the fixture is this test's vocabulary
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LaneTest : public ::testing::Test {
 protected:
  LaneTest()
      : loader_(*PluginLoader::create()), module_(wasm::testing::read_file(GRETE_LANE_PROBE)) {
    w_.worker.queue = &queue_;
    w_.worker.machine = &machine_;
    w_.connection.principal = "User:ada";
  }

  Result<LoadedPlugin, std::string> load(const std::string& mode, PluginSpec spec = {}) {
    spec.name = "probe";
    spec.configuration = mode;
    return loader_->load(spec, module_);
  }

  std::shared_ptr<ChainRuntime> chain(const std::string& mode, PluginSpec spec = {}) {
    auto loaded = load(mode, std::move(spec));
    EXPECT_TRUE(loaded.has_value()) << loaded.error();
    return ChainRuntime::create(
        std::make_shared<const Chain>(std::vector<std::shared_ptr<const Hook>>{loaded->hook}),
        w_.worker);
  }

  Outcome run(ChainRuntime& runtime, Task& task) {
    while (task.poll(machine_.now()) != CallState::kDone) {
      queue_.run([this] { return machine_.now(); });
      runtime.serve(machine_.now());
    }
    return task.take();
  }

  Outcome produce(ChainRuntime& runtime, const std::vector<TestPartition>& partitions) {
    auto task = runtime.begin_request(w_.produce(9, {{"t", partitions}}),
                                      w_.context(kafka::api_key::kProduce, 9));
    return run(runtime, *task);
  }

  Outcome metadata(ChainRuntime& runtime) {
    auto task = runtime.begin_request(TestWorker::frame(as_bytes("header"), as_bytes("body")),
                                      w_.context(kafka::api_key::kMetadata, 12));
    return run(runtime, *task);
  }

  static std::string text(const ScatterFrame& frame) {
    std::string copy(frame.size, '\0');
    frame.copy_to(reinterpret_cast<std::byte*>(copy.data()));
    return copy;
  }

  // Guests are interrupted by the real clock's ticks, so time is real here.
  class RealMachine final : public Machine {
   public:
    std::uint64_t unix_time_ns() override { return 1; }
    Moment now() override { return MonotonicClock::now(); }
    void fill_random(MutableBytes bytes) override { std::ranges::fill(bytes, std::byte{4}); }
  };

  std::unique_ptr<PluginLoader> loader_;
  std::vector<std::byte> module_;
  wasm::RunQueue queue_;
  RealMachine machine_;
  TestWorker w_;
};

TEST_F(LaneTest, ACallTellsWhatThereIsToKnow) {
  const auto runtime = chain("look");
  const auto batch =
      w_.batch({{"k", "v1", {}}, {"k", "v2", {}}}, {.codec = kafka::records::Codec::kZstd});
  EXPECT_EQ(produce(*runtime, {{3, batch}}).kind, OutcomeKind::kForward);
  EXPECT_THAT(w_.telemetry.lines,
              ElementsAre("probe 2 key 0 v9 id 77 of test User:ada at 127.0.0.1:50000 on 7 topic "
                          "t/3 records 0+2 of 2 flags 7 body 20"));
  ASSERT_EQ(w_.telemetry.calls.size(), 1U);
  EXPECT_EQ(w_.telemetry.calls[0].kind, HookKind::kRecords);
}

TEST_F(LaneTest, EditsAndRejectionsTakeTheirWay) {
  const auto editing = chain("edit");
  const auto edited = produce(*editing, {{0, w_.batch({{"k", "secret", {}}})}});
  ASSERT_EQ(edited.kind, OutcomeKind::kReplace);
  MemoryBudget memory(1 << 20);
  {
    Arena arena(memory);
    std::vector<std::byte> storage;
    const auto request = decode_frame<kafka::ProduceRequest>(edited.frame, 10, 9, arena, storage);
    EXPECT_EQ(w_.read(request.topic_data[0].partition_data[0].records)[0].value, "Xecret");
  }
  const auto rejecting = chain("reject");
  const auto rejected = produce(*rejecting, {{0, w_.batch({{"k", "secret", {}}})}});
  ASSERT_EQ(rejected.kind, OutcomeKind::kReply);
  Arena arena(memory);
  std::vector<std::byte> storage;
  const auto response = decode_frame<kafka::ProduceResponse>(rejected.frame, 5, 9, arena, storage);
  const auto& answer = response.responses[0].partition_responses[0];
  EXPECT_EQ(answer.error_code, 44);
  EXPECT_EQ(answer.error_message, "not here");
  ASSERT_EQ(answer.record_errors.size(), 1U);
}

TEST_F(LaneTest, MisuseIsRefusedAndChangesNothing) {
  const auto runtime = chain("misuse");
  EXPECT_EQ(produce(*runtime, {{0, w_.batch({{"k", "secret", {}}})}}).kind, OutcomeKind::kForward);
  std::vector<std::string> said;
  std::ranges::copy_if(w_.telemetry.lines, std::back_inserter(said), [](const std::string& line) {
    return line.starts_with("probe 2 ") && !line.starts_with("probe 2 key");
  });
  EXPECT_THAT(said, ElementsAre("probe 2 stale 1", "probe 2 outside 2", "probe 2 garbage 2",
                                "probe 2 replace 2", "probe 2 reply 2", "probe 2 reject 2",
                                "probe 2 subscribe 2", "probe 2 write 2", "probe 2 unknown 1",
                                "probe 2 pass 0", "probe 2 again 2", "probe 2 late 2"));
  EXPECT_THAT(w_.telemetry.lines,
              ::testing::Contains("probe 3 kafka.edit was refused: an edit names a record outside "
                                  "the window"));
}

TEST_F(LaneTest, MessagesAreReplacedRepliedToAndDelayed) {
  {
    const auto outcome = metadata(*chain("replace"));
    ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
    EXPECT_EQ(text(outcome.frame), "headernew body");
  }
  {
    const auto outcome = metadata(*chain("reply"));
    ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
    EXPECT_EQ(text(outcome.frame), std::string("\0\0\0\x4d\0new body", 13));
  }
  const auto delayed = metadata(*chain("delay"));
  EXPECT_EQ(delayed.kind, OutcomeKind::kForward);
  EXPECT_EQ(delayed.delay, std::chrono::milliseconds(250));
  EXPECT_EQ(w_.budget.used(), 0U);
}

TEST_F(LaneTest, HostilePluginsMeetTheirPolicy) {
  PluginSpec spec;
  for (const auto& [mode, failure] :
       {std::pair{"loop", "deadline"}, std::pair{"trap", "trap"}, std::pair{"eat", "trap"}}) {
    spec.memory = std::string_view(mode) == "eat" ? 4U << 20 : 64U << 20;
    spec.deadline = std::chrono::milliseconds(std::string_view(mode) == "eat" ? 5000 : 20);
    spec.on_failure = OnFailure::kReject;
    const auto strict = chain(mode, spec);
    EXPECT_EQ(produce(*strict, {{0, w_.batch({{"k", "v", {}}})}}).kind, OutcomeKind::kReply);
    EXPECT_EQ(w_.telemetry.calls.back().failure, failure) << mode;
    spec.on_failure = OnFailure::kPass;
    const auto lenient = chain(mode, spec);
    EXPECT_EQ(produce(*lenient, {{0, w_.batch({{"k", "v", {}}})}}).kind, OutcomeKind::kForward);
  }
}

TEST_F(LaneTest, FailingForeverQuarantinesThePlugin) {
  const auto runtime = chain("trap");
  for (int i = 0; i < 8; ++i) {
    produce(*runtime, {{0, w_.batch({{"k", "v", {}}})}});
  }
  EXPECT_EQ(w_.telemetry.calls.back().failure, "quarantined");
}

TEST_F(LaneTest, ASuspendedGuestDelaysNobodyAndCanBeDropped) {
  PluginSpec spec;
  spec.deadline = std::chrono::seconds(10);
  const auto runtime = chain("loop", spec);
  const auto frame = w_.produce(9, {{"t", {{0, w_.batch({{"k", "v", {}}})}}}});
  const auto context = w_.context(kafka::api_key::kProduce, 9);
  std::vector<std::unique_ptr<Task>> tasks;
  for (int i = 0; i < 4; ++i) {
    tasks.push_back(runtime->begin_request(frame, context));
    for (int polls = 0; polls < 5; ++polls) {
      EXPECT_NE(tasks.back()->poll(machine_.now()), CallState::kDone);
      queue_.run([this] { return machine_.now(); });
      runtime->serve(machine_.now());
    }
  }
  tasks.clear();
  EXPECT_EQ(w_.budget.used(), 0U);
}

TEST_F(LaneTest, WhenEveryInstanceIsHeldTheOthersAreToldBusy) {
  PluginSpec spec;
  spec.deadline = std::chrono::seconds(10);
  spec.max_instances = 1;
  spec.on_failure = OnFailure::kPass;
  const auto runtime = chain("loop", spec);
  const auto frame = w_.produce(9, {{"t", {{0, w_.batch({{"k", "v", {}}})}}}});
  const auto context = w_.context(kafka::api_key::kProduce, 9);
  auto hog = runtime->begin_request(frame, context);
  EXPECT_NE(hog->poll(machine_.now()), CallState::kDone);
  auto other = runtime->begin_request(frame, context);
  EXPECT_EQ(run(*runtime, *other).kind, OutcomeKind::kForward);
  EXPECT_EQ(w_.telemetry.calls.back().failure, "busy");
}

TEST_F(LaneTest, WhatIsWrongWithAPluginIsToldWhenItIsLoaded) {
  EXPECT_EQ(load("refuse").error(),
            "it refuses its configuration: the word 'refuse' is not allowed");
  PluginSpec spec;
  spec.deadline = std::chrono::minutes(1);
  EXPECT_EQ(load("look", spec).error(), "the deadline must lie between 1ms and 30s");
  EXPECT_THAT(loader_->load({.name = "x", .wasm = "/no/such.wasm", .configuration = ""}).error(),
              HasSubstr("'/no/such.wasm' cannot be read: No such file"));
  EXPECT_THAT(
      loader_->load({.name = "x", .wasm = "", .configuration = ""}, as_bytes("garbage")).error(),
      HasSubstr("does not compile"));
  EXPECT_THAT(loader_
                  ->load({.name = "x", .wasm = "", .configuration = ""},
                         wasm::testing::assemble("(module)"))
                  .error(),
              HasSubstr("no Proxy-Wasm plug-in"));
  EXPECT_EQ(load("bytes")->hook, nullptr);
}

}  // namespace
}  // namespace grete::plugins

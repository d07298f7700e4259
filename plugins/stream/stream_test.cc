// Byte-stream plug-ins at work on connections, in WebAssembly.
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/plugin_loader.h"
#include "plugins/stream/stream_filter.h"
#include "plugins/testing/fixture.h"
#include "wasm/pool/run_queue.h"
#include "wasm/testing/wat.h"

namespace grete::plugins {
namespace {

using namespace testing;  // NOLINT: the fixture is this test's vocabulary
using ::testing::Contains;
using ::testing::ElementsAre;

class StreamTest : public ::testing::Test {
 protected:
  StreamTest() : loader_(*PluginLoader::create()) {
    w_.worker.queue = &queue_;
    w_.worker.machine = &machine_;
    w_.connection.local_address = "10.0.0.1:9092";
  }

  // `module`: GRETE_PROBE_WASM does as it is configured, GRETE_LANE_PROBE as the bytes say.
  std::unique_ptr<StreamRuntime> runtime(const char* module, const std::string& configuration,
                                         PluginSpec spec = {}) {
    spec.name = "probe";
    spec.configuration = configuration;
    auto loaded = loader_->load(spec, wasm::testing::read_file(module));
    EXPECT_TRUE(loaded.has_value()) << loaded.error();
    EXPECT_EQ(loaded->hook, nullptr);
    return make_stream_runtime(loaded->plugin, w_.worker);
  }

  void feed(StreamFilter& filter, Flow flow, std::string_view text,
            EndOfStream end = EndOfStream::kNo) {
    filter.feed(flow, as_bytes(text), end, machine_.now());
    settle(filter);
  }

  void settle(StreamFilter& filter) {
    for (int i = 0; i < 1000 && filter.state() == StreamState::kBusy; ++i) {
      queue_.run([this] { return machine_.now(); });
    }
    EXPECT_NE(filter.state(), StreamState::kBusy);
  }

  static std::string taken(StreamFilter& filter, Flow flow) {
    const auto bytes = filter.take(flow);
    return std::string(as_text(bytes));
  }

  class RealMachine final : public Machine {
   public:
    std::uint64_t unix_time_ns() override { return 1; }
    Moment now() override { return MonotonicClock::now(); }
    void fill_random(MutableBytes) override {}
  };

  std::unique_ptr<PluginLoader> loader_;
  wasm::RunQueue queue_;
  RealMachine machine_;
  TestWorker w_;
};

TEST_F(StreamTest, BytesAreChangedBothWays) {
  const auto runtime = this->runtime(GRETE_PROBE_WASM, "upper wrap");
  const auto filter = runtime->open(w_.connection, nullptr, machine_.now());
  feed(*filter, Flow::kDownstream, "abc");
  feed(*filter, Flow::kUpstream, "def", EndOfStream::kYes);
  EXPECT_EQ(taken(*filter, Flow::kDownstream), "<ABC>");
  EXPECT_EQ(taken(*filter, Flow::kUpstream), "<DEF>");
  EXPECT_TRUE(filter->ended(Flow::kUpstream));
  EXPECT_FALSE(filter->ended(Flow::kDownstream));
}

TEST_F(StreamTest, PausedBytesAreHeldUntilThePluginGoesOn) {
  const auto runtime = this->runtime(GRETE_PROBE_WASM, "line");
  const auto filter = runtime->open(w_.connection, nullptr, machine_.now());
  feed(*filter, Flow::kDownstream, "half ");
  EXPECT_EQ(taken(*filter, Flow::kDownstream), "");
  EXPECT_EQ(filter->held(Flow::kDownstream), 5U);
  feed(*filter, Flow::kDownstream, "whole\n");
  EXPECT_EQ(taken(*filter, Flow::kDownstream), "half whole\n");
  EXPECT_EQ(filter->held(Flow::kDownstream), 0U);
}

TEST_F(StreamTest, AConnectionsEndIsToldInTheOrderOfTheSpecification) {
  const auto runtime = this->runtime(GRETE_PROBE_WASM, "");
  auto filter = runtime->open(w_.connection, nullptr, machine_.now());
  feed(*filter, Flow::kDownstream, "x");
  w_.telemetry.lines.clear();
  filter->close(ClosedBy::kClient, machine_.now());
  filter = nullptr;
  while (queue_.run([this] { return machine_.now(); })) {
  }
  EXPECT_THAT(w_.telemetry.lines, ElementsAre("probe 2 downstream closed 2 2", "probe 2 done 2",
                                              "probe 2 log 2", "probe 2 delete 2"));
}

TEST_F(StreamTest, APluginCanCloseAndWait) {
  const auto runtime = this->runtime(GRETE_LANE_PROBE, "bytes");
  const auto closing = runtime->open(w_.connection, nullptr, machine_.now());
  feed(*closing, Flow::kDownstream, "close it");
  EXPECT_EQ(closing->state(), StreamState::kClosed);

  class Ears final : public StreamListener {
   public:
    void on_stream_changed() override { ++heard; }
    int heard = 0;
  } ears;
  const auto waiting = runtime->open(w_.connection, &ears, machine_.now());
  feed(*waiting, Flow::kDownstream, "wait");
  EXPECT_EQ(taken(*waiting, Flow::kDownstream), "");
  ears.heard = 0;
  for (int i = 0; i < 1000 && ears.heard == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    runtime->serve(machine_.now());
    queue_.run([this] { return machine_.now(); });
  }
  EXPECT_EQ(taken(*waiting, Flow::kDownstream), "wait");
}

TEST_F(StreamTest, ATrapClosesTheSiblingsAndTheNextConnectionsGetANewInstance) {
  for (const char* word : {"trap", "loop"}) {
    const auto runtime = this->runtime(GRETE_LANE_PROBE, "bytes");
    const auto good = runtime->open(w_.connection, nullptr, machine_.now());
    const auto bad = runtime->open(w_.connection, nullptr, machine_.now());
    feed(*good, Flow::kDownstream, "fine");
    EXPECT_EQ(taken(*good, Flow::kDownstream), "fine");
    feed(*bad, Flow::kDownstream, word);
    EXPECT_EQ(bad->state(), StreamState::kClosed);
    EXPECT_EQ(good->state(), StreamState::kClosed);
    const auto next =
        runtime->open(w_.connection, nullptr, machine_.now() + std::chrono::seconds(1));
    feed(*next, Flow::kDownstream, "fine");
    EXPECT_EQ(taken(*next, Flow::kDownstream), "fine");
  }
  EXPECT_EQ(w_.telemetry.calls.back().kind, HookKind::kByteStream);
}

TEST_F(StreamTest, WithAnInstanceEachNobodyElseIsHarmed) {
  PluginSpec spec;
  spec.isolation = Isolation::kConnection;
  const auto runtime = this->runtime(GRETE_LANE_PROBE, "bytes", spec);
  const auto good = runtime->open(w_.connection, nullptr, machine_.now());
  const auto bad = runtime->open(w_.connection, nullptr, machine_.now());
  feed(*bad, Flow::kDownstream, "trap");
  EXPECT_EQ(bad->state(), StreamState::kClosed);
  feed(*good, Flow::kDownstream, "fine");
  EXPECT_EQ(taken(*good, Flow::kDownstream), "fine");
}

TEST_F(StreamTest, ALostInstanceIsPassedByIfThePolicySaysSo) {
  PluginSpec spec;
  spec.on_failure = OnFailure::kPass;
  const auto runtime = this->runtime(GRETE_LANE_PROBE, "bytes", spec);
  const auto filter = runtime->open(w_.connection, nullptr, machine_.now());
  feed(*filter, Flow::kDownstream, "wait ");
  feed(*filter, Flow::kDownstream, "trap ");
  feed(*filter, Flow::kDownstream, "on");
  EXPECT_EQ(taken(*filter, Flow::kDownstream), "wait trap on");
  EXPECT_EQ(filter->state(), StreamState::kIdle);
}

TEST_F(StreamTest, AnObservedPluginSeesEverythingAndChangesNothing) {
  PluginSpec spec;
  spec.on_failure = OnFailure::kObserve;
  const auto runtime = this->runtime(GRETE_PROBE_WASM, "upper line", spec);
  const auto filter = runtime->open(w_.connection, nullptr, machine_.now());
  feed(*filter, Flow::kDownstream, "abc");
  EXPECT_EQ(taken(*filter, Flow::kDownstream), "abc");
}

TEST_F(StreamTest, AConnectionMayGoWhileItsCallIsUnderWay) {
  const auto runtime = this->runtime(GRETE_LANE_PROBE, "bytes");
  auto filter = runtime->open(w_.connection, nullptr, machine_.now());
  filter->feed(Flow::kDownstream, as_bytes("loop"), EndOfStream::kNo, machine_.now());
  filter = nullptr;
  const auto next = runtime->open(w_.connection, nullptr, machine_.now());
}

}  // namespace
}  // namespace grete::plugins

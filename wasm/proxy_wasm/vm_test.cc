// The Proxy-Wasm ABI, driven through a guest that does what the test asks for (probe_guest.cc).
#include "wasm/proxy_wasm/vm.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/testing/recording_host.h"
#include "wasm/testing/wat.h"

namespace grete::wasm::proxy_wasm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Plugin;
using testing::RecordingStream;

class ProxyWasmTest : public ::testing::Test {
 protected:
  ProxyWasmTest() : engine_(*Engine::create()), imports_(make_imports(*engine_)) {
    const auto compiled = CompiledModule::compile(*engine_, testing::read_file(GRETE_PROBE_WASM));
    EXPECT_TRUE(compiled && check_module((*compiled)->info()));
    probe_ = *LinkedModule::link(*compiled, *imports_);
  }

  std::unique_ptr<Plugin> start(std::string configuration = "",
                                std::shared_ptr<SharedState> shared = nullptr) {
    auto plugin =
        std::make_unique<Plugin>(probe_,
                                 VmOptions{.plugin_name = "probe",
                                           .root_id = "root",
                                           .vm_id = "vm",
                                           .vm_configuration = "for the vm",
                                           .plugin_configuration = std::move(configuration),
                                           .limits = {}},
                                 shared ? std::move(shared) : std::make_shared<SharedState>());
    GuestCall call = plugin->vm.start({});
    EXPECT_EQ(testing::run(call), CallState::kDone) << call.trap().detail;
    return plugin;
  }

  // Performs an operation in the root context (or another) and returns what the guest logged.
  static std::vector<std::string> perform(Plugin& plugin, std::uint32_t operation,
                                          std::string_view argument = "",
                                          std::optional<ContextId> context = {}) {
    plugin.host.logs.clear();
    GuestCall call = plugin.vm.on_foreign_function(context.value_or(plugin.vm.root()), operation,
                                                   as_bytes(argument), {});
    EXPECT_EQ(testing::run(call), CallState::kDone) << call.trap().detail;
    return plugin.host.take_logs();
  }

  static Trap trap_of(Plugin& plugin, std::uint32_t operation, const CallLimits& limits = {}) {
    GuestCall call = plugin.vm.on_foreign_function(plugin.vm.root(), operation, {}, limits);
    EXPECT_EQ(testing::run(call), CallState::kTrapped);
    EXPECT_FALSE(plugin.vm.instance().usable());
    return call.trap();
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<ImportSet> imports_;
  std::shared_ptr<const LinkedModule> probe_;
};

std::string text_of(StreamBuffer& buffer) {
  const std::vector<std::byte> bytes = buffer.take();
  return std::string{as_text(bytes)};
}

TEST_F(ProxyWasmTest, StartsInTheOrderOfTheSpecification) {
  const auto plugin = start("tick");
  EXPECT_THAT(plugin->host.logs, ElementsAre("create 1 0", "vm_start 10 for the vm"));
  EXPECT_EQ(plugin->host.tick_period, 250U);
}

TEST_F(ProxyWasmTest, APluginMayRefuseItsConfiguration) {
  Plugin plugin{probe_, VmOptions{.plugin_name = "",
                                  .root_id = "",
                                  .vm_id = "",
                                  .vm_configuration = "",
                                  .plugin_configuration = "refuse",
                                  .limits = {}}};
  GuestCall call = plugin.vm.start({});
  EXPECT_EQ(testing::run(call), CallState::kTrapped);
  EXPECT_EQ(call.trap().reason, TrapReason::kRefused);
  EXPECT_THAT(call.trap().detail, HasSubstr("proxy_on_configure"));
}

TEST_F(ProxyWasmTest, AStreamFromOpenToDelete) {
  const auto plugin = start("");
  plugin->host.logs.clear();
  RecordingStream host;
  StreamContext stream{plugin->vm, host};
  GuestCall call = stream.open({});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  EXPECT_EQ(action_of(call), Action::kContinue);
  ASSERT_TRUE(stream.downstream().append(as_bytes("hello")));
  call = stream.on_downstream_data(EndOfStream::kNo, {});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  EXPECT_EQ(action_of(call), Action::kContinue);
  EXPECT_EQ(text_of(stream.downstream()), "hello");
  call = stream.on_upstream_data(EndOfStream::kYes, {});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  call = stream.on_downstream_close(PeerType::kRemote, {});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  call = stream.on_upstream_close(PeerType::kLocal, {});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  call = stream.finish({});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  EXPECT_EQ(call.result(), 1U);
  EXPECT_THAT(plugin->host.logs, ElementsAre("create 2 1", "open 2", "data 2 2 5 0 hello",
                                             "data 2 3 0 1 ", "downstream closed 2 2",
                                             "upstream closed 2 1", "done 2", "log 2", "delete 2"));
}

TEST_F(ProxyWasmTest, AFilterMayFinishLater) {
  const auto plugin = start("later");
  RecordingStream host;
  StreamContext stream{plugin->vm, host};
  GuestCall call = stream.open({});
  testing::run(call);
  EXPECT_THAT(perform(*plugin, 9, "2"), ElementsAre("context 0 done 1")) << "not yet";
  call = stream.finish({});
  testing::run(call);
  EXPECT_EQ(call.result(), 0U);
  EXPECT_FALSE(stream.done_called());
  EXPECT_THAT(perform(*plugin, 9, "2"), ElementsAre("context 0 done 0"));
  EXPECT_TRUE(stream.done_called());
  call = stream.finish_now({});
  testing::run(call);
  EXPECT_THAT(plugin->host.logs, ElementsAre("log 2", "delete 2"));
}

TEST_F(ProxyWasmTest, AFilterChangesBytes) {
  const auto plugin = start("upper wrap");
  RecordingStream host;
  StreamContext stream{plugin->vm, host};
  GuestCall call = stream.open({});
  testing::run(call);
  ASSERT_TRUE(stream.upstream().append(as_bytes("some bytes")));
  call = stream.on_upstream_data(EndOfStream::kNo, {});
  testing::run(call);
  EXPECT_EQ(text_of(stream.upstream()), "<SOME BYTES>");
}

TEST_F(ProxyWasmTest, APausedFilterSeesAllThatIsBuffered) {
  const auto plugin = start("line");
  RecordingStream host;
  StreamContext stream{plugin->vm, host};
  GuestCall call = stream.open({});
  testing::run(call);
  plugin->host.logs.clear();
  ASSERT_TRUE(stream.downstream().append(as_bytes("ab")));
  call = stream.on_downstream_data(EndOfStream::kNo, {});
  testing::run(call);
  EXPECT_EQ(action_of(call), Action::kPause);
  ASSERT_TRUE(stream.downstream().append(as_bytes("c\n")));
  call = stream.on_downstream_data(EndOfStream::kNo, {});
  testing::run(call);
  EXPECT_EQ(action_of(call), Action::kContinue);
  EXPECT_THAT(plugin->host.logs, ElementsAre("data 2 2 2 0 ab", "data 2 2 4 0 abc\n"));
}

TEST_F(ProxyWasmTest, StreamsOfOneVmAreApart) {
  const auto plugin = start("upper");
  RecordingStream host;
  StreamContext first{plugin->vm, host};
  StreamContext second{plugin->vm, host};
  EXPECT_EQ(plugin->vm.streams(), 2U);
  for (StreamContext* stream : {&first, &second}) {
    GuestCall call = stream->open({});
    testing::run(call);
  }
  ASSERT_TRUE(first.downstream().append(as_bytes("first")));
  ASSERT_TRUE(second.downstream().append(as_bytes("second")));
  GuestCall call = second.on_downstream_data(EndOfStream::kNo, {});
  testing::run(call);
  EXPECT_EQ(text_of(first.downstream()), "first");
  EXPECT_EQ(text_of(second.downstream()), "SECOND");
}

TEST_F(ProxyWasmTest, ForeignFunctionsGoBothWays) {
  const auto plugin = start();
  EXPECT_TRUE(plugin->vm.has_on_foreign_function());
  EXPECT_THAT(perform(*plugin, 0, "body"), ElementsAre("foreign 1 4 body"));
  EXPECT_THAT(perform(*plugin, 5, "ping"), ElementsAre("echo 0 ping!", "nothing 0 0", "unheard 1"));
  EXPECT_EQ(plugin->host.foreign_context, plugin->vm.root());
  EXPECT_THAT(perform(*plugin, 11, "x"), ElementsAre("immutable 2"));
  EXPECT_THAT(perform(*plugin, 16, "12345"), ElementsAre("status 0 5 0"));
}

TEST_F(ProxyWasmTest, ALargeCallDataArrivesWhole) {
  const auto plugin = start();
  const std::string large(1'000'000, 'k');
  GuestCall call = plugin->vm.on_foreign_function(plugin->vm.root(), 0, as_bytes(large), {});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  EXPECT_THAT(plugin->host.logs.back(), HasSubstr("foreign 1 1000000 kkk"));
  EXPECT_EQ(plugin->host.logs.back().size(), limits::kMaxLogBytes) << "log lines are cut";
}

TEST_F(ProxyWasmTest, Properties) {
  const auto plugin = start();
  plugin->host.properties[std::string{"node\0id", 7}] = "n1";
  plugin->host.properties["both"] = "plug-in's";
  RecordingStream host;
  host.properties["both"] = "stream's";
  const StreamContext stream{plugin->vm, host};
  EXPECT_THAT(perform(*plugin, 1, "plugin_name"), ElementsAre("property 0 probe"));
  EXPECT_THAT(perform(*plugin, 1, "plugin_root_id"), ElementsAre("property 0 root"));
  EXPECT_THAT(perform(*plugin, 1, std::string_view{"node\0id", 7}), ElementsAre("property 0 n1"));
  EXPECT_THAT(perform(*plugin, 1, "none"), ElementsAre("property 1 "));
  EXPECT_THAT(perform(*plugin, 1, "both"), ElementsAre("property 0 plug-in's"));
  EXPECT_THAT(perform(*plugin, 1, "both", stream.id()), ElementsAre("property 0 stream's"));
  EXPECT_THAT(perform(*plugin, 10, "value", stream.id()), ElementsAre("set 0", "property 0 value"));
  EXPECT_THAT(perform(*plugin, 1, "mine"), ElementsAre("property 1 ")) << "the stream's alone";
}

TEST_F(ProxyWasmTest, SharedDataIsComparedAndSet) {
  const auto shared = std::make_shared<SharedState>();
  const auto first = start("", shared);
  const auto second = start("", shared);
  EXPECT_THAT(perform(*first, 2, "one"), ElementsAre("get 1 ", "set 0", "stale 8"));
  EXPECT_THAT(perform(*second, 2, "two"), ElementsAre("get 0 one", "set 0", "stale 8"));
  EXPECT_EQ(shared->get("vm", "key")->bytes, "two");
  EXPECT_EQ(shared->get("another", "key").error(), Status::kNotFound);
}

TEST_F(ProxyWasmTest, QueuesTellTheirOwner) {
  const auto plugin = start();
  EXPECT_THAT(perform(*plugin, 3, "message"),
              ElementsAre("register 0", "resolve 0 same", "resolve 1", "enqueue 0", "unknown 1"));
  ASSERT_EQ(plugin->host.ready.size(), 1U);
  GuestCall call = plugin->vm.on_queue_ready(plugin->host.ready[0], {});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  EXPECT_THAT(plugin->host.logs, ElementsAre("dequeued 1 0 message", "dequeued 7"));
}

TEST_F(ProxyWasmTest, AQueueOutlivesItsVm) {
  const auto shared = std::make_shared<SharedState>();
  perform(*start("", shared), 3, "message");
  const auto queue = shared->resolve_queue("vm", "q");
  EXPECT_EQ(shared->enqueue(*queue, "to nobody"), Status::kOk);
}

TEST_F(ProxyWasmTest, Metrics) {
  const auto plugin = start();
  EXPECT_THAT(perform(*plugin, 4), ElementsAre("define 0002", "negative 2", "counter 5", "gauge 38",
                                               "histogram 2", "unknown 1"));
  const std::vector<MetricSnapshot> all = plugin->metrics.snapshot();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "c");
  EXPECT_EQ(all[0].value, 5U);
  EXPECT_EQ(all[2].sum, 1000U);
  EXPECT_EQ(all[2].buckets[10], 1U);
}

TEST_F(ProxyWasmTest, TicksReachTheRootContext) {
  const auto plugin = start("tick");
  for (int i = 0; i < 3; ++i) {
    GuestCall call = plugin->vm.tick({});
    EXPECT_EQ(testing::run(call), CallState::kDone);
  }
  EXPECT_EQ(plugin->metrics.snapshot().at(0).value, 3U);
}

TEST_F(ProxyWasmTest, AStreamIsContinuedAndClosed) {
  const auto plugin = start();
  RecordingStream host;
  const StreamContext stream{plugin->vm, host};
  EXPECT_THAT(perform(*plugin, 8, "", stream.id()), ElementsAre("continue 002", "close 0"));
  EXPECT_THAT(host.continued, ElementsAre(StreamType::kDownstream, StreamType::kUpstream));
  EXPECT_THAT(host.closed, ElementsAre(StreamType::kUpstream));
  EXPECT_THAT(perform(*plugin, 8), ElementsAre("continue 222", "close 2")) << "no stream";
  EXPECT_THAT(perform(*plugin, 9, "9"), ElementsAre("context 2 done 1")) << "no such context";
}

TEST_F(ProxyWasmTest, HttpIsUnavailable) {
  const auto plugin = start();
  EXPECT_THAT(perform(*plugin, 6), ElementsAre("call 10", "header 1", "status 0 0"));
}

TEST_F(ProxyWasmTest, WasiReachesTheHost) {
  const auto plugin = start();
  EXPECT_THAT(perform(*plugin, 7),
              ElementsAre("to stdout 1", "and more", "to stderr", "time 1700000000",
                          "nanoseconds 1700000000000000123", "no environment", "no files"));
}

TEST_F(ProxyWasmTest, LoggingIsBounded) {
  const auto plugin = start();
  EXPECT_EQ(perform(*plugin, 12).size(), limits::kMaxLogLinesPerCall);
  EXPECT_EQ(plugin->vm.log_lines_dropped(), 5000 - limits::kMaxLogLinesPerCall);
  EXPECT_EQ(perform(*plugin, 13).at(0).size(), limits::kMaxLogBytes);
}

TEST_F(ProxyWasmTest, ALoopIsInterruptedAndTheOthersGoOn) {
  const auto hostile = start();
  const auto other = start();
  GuestCall loop = hostile->vm.on_foreign_function(hostile->vm.root(), 14, {}, {.max_slices = 5});
  while (loop.poll(Moment{}) == CallState::kSuspended) {
    EXPECT_THAT(perform(*other, 0, "hi"), ElementsAre("foreign 1 2 hi"));
  }
  EXPECT_EQ(loop.trap().reason, TrapReason::kDeadline);
}

TEST_F(ProxyWasmTest, ExitAndAbortAreTraps) {
  const Trap exit = trap_of(*start(), 15);
  EXPECT_EQ(exit.reason, TrapReason::kExit);
  EXPECT_THAT(exit.detail, HasSubstr("proc_exit(3)"));
  EXPECT_EQ(trap_of(*start(), 99).reason, TrapReason::kUnreachable);
}

TEST_F(ProxyWasmTest, AVmIsFinished) {
  const auto plugin = start();
  plugin->host.logs.clear();
  GuestCall call = plugin->vm.finish({});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  EXPECT_THAT(plugin->host.logs, ElementsAre("done 1", "delete 1"));
}

TEST_F(ProxyWasmTest, WorkersShareEngineModuleDataAndMetrics) {
  constexpr int kWorkers = 4;
  constexpr int kRounds = 50;
  const auto shared = std::make_shared<SharedState>();
  MetricStore metrics;
  const auto options = std::make_shared<const VmOptions>(VmOptions{.plugin_name = "probe",
                                                                   .root_id = "",
                                                                   .vm_id = "vm",
                                                                   .vm_configuration = "",
                                                                   .plugin_configuration = "tick",
                                                                   .limits = {}});
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&] {
      testing::RecordingHost host;
      Vm vm{probe_, options, host, metrics, shared};
      GuestCall call = vm.start({});
      EXPECT_EQ(testing::run(call), CallState::kDone);
      for (int round = 0; round < kRounds; ++round) {
        call = vm.tick({});
        EXPECT_EQ(testing::run(call), CallState::kDone);
        call = vm.on_foreign_function(vm.root(), 2, as_bytes("value"), {});
        EXPECT_EQ(testing::run(call), CallState::kDone);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  EXPECT_EQ(metrics.snapshot().at(0).value, kWorkers * kRounds);
  EXPECT_EQ(shared->get("vm", "key")->bytes, "value");
}

TEST_F(ProxyWasmTest, ModulesOfOtherKindsAreRefusedByName) {
  const auto check = [this](std::string_view text) {
    const auto result = check_module(testing::compile(*engine_, text)->info());
    return result ? std::string{} : result.error().detail;
  };
  EXPECT_THAT(check("(module)"), HasSubstr("proxy_abi_version_0_2_1"));
  EXPECT_THAT(check(R"((module (import "redpanda_transform" "check_abi_version_1" (func))))"),
              HasSubstr("Redpanda"));
  const std::string marker = R"((func (export "proxy_abi_version_0_2_0")))";
  EXPECT_THAT(check("(module " + marker + ")"), HasSubstr("memory"));
  EXPECT_THAT(check("(module (memory (export \"memory\") 1) " + marker + ")"), HasSubstr("malloc"));
  EXPECT_THAT(check("(module " + marker + R"( (func (export "proxy_on_tick") (param i64))))"),
              HasSubstr("proxy_on_tick is (i64 ->) instead of (i32 ->)"));
}

TEST_F(ProxyWasmTest, UnknownImportsAreNamedTogether) {
  const auto linked = LinkedModule::link(testing::compile(*engine_, R"((module
      (import "env" "proxy_log" (func (param i32)))
      (import "env" "proxy_fly" (func))
      (import "wasi_snapshot_preview2" "x" (func))))"),
                                         *imports_);
  ASSERT_FALSE(linked);
  EXPECT_THAT(linked.error().detail,
              HasSubstr("env.proxy_log as (i32 ->), which is (i32 i32 i32 -> i32); env.proxy_fly; "
                        "wasi_snapshot_preview2.x"));
}

}  // namespace
}  // namespace grete::wasm::proxy_wasm

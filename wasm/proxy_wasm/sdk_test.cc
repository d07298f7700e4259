// Modules built from source with others' SDKs: the same TCP filter in Go and in Rust
// (examples/proxy-wasm-go, examples/proxy-wasm-rust), unchanged by us.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/proxy_wasm/stream_context.h"
#include "wasm/proxy_wasm/vm.h"
#include "wasm/testing/recording_host.h"
#include "wasm/testing/wat.h"

namespace grete::wasm::proxy_wasm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Plugin;
using testing::RecordingStream;

struct Sdk {
  const char* name;
  const char* module;
  Abi abi;
};

void PrintTo(const Sdk& sdk, std::ostream* out) {
  *out << sdk.name;
}

class SdkTest : public ::testing::TestWithParam<Sdk> {
 protected:
  static void SetUpTestSuite() {
    engine_ = Engine::create()->release();
    imports_ = make_imports(*engine_).release();
  }
  static void TearDownTestSuite() {
    modules_.clear();
    delete imports_;
    delete engine_;
  }

  // Compiles each module once: Go's takes a second.
  static const std::shared_ptr<const LinkedModule>& module() {
    auto& linked = modules_[GetParam().module];
    if (!linked) {
      const auto compiled =
          CompiledModule::compile(*engine_, testing::read_file(GetParam().module));
      EXPECT_TRUE(compiled) << compiled.error().detail;
      const auto checked = check_module((*compiled)->info());
      EXPECT_TRUE(checked) << checked.error().detail;
      EXPECT_EQ((*compiled)->info().abi, GetParam().abi);
      linked = *LinkedModule::link(*compiled, *imports_);
    }
    return linked;
  }

  static std::unique_ptr<Plugin> make(std::string configuration,
                                      std::shared_ptr<SharedState> shared) {
    return std::make_unique<Plugin>(module(),
                                    VmOptions{.plugin_name = "mask",
                                              .root_id = "root",
                                              .vm_id = "vm",
                                              .vm_configuration = "",
                                              .plugin_configuration = std::move(configuration),
                                              .limits = {}},
                                    std::move(shared));
  }

  static std::unique_ptr<Plugin> start(
      std::shared_ptr<SharedState> shared = std::make_shared<SharedState>()) {
    auto plugin = make("secret", std::move(shared));
    GuestCall call = plugin->vm.start({});
    EXPECT_EQ(testing::run(call), CallState::kDone)
        << call.trap().detail << ::testing::PrintToString(plugin->host.logs);
    return plugin;
  }

  static std::string text_of(StreamBuffer& buffer) {
    const std::vector<std::byte> bytes = buffer.take();
    return std::string{as_text(bytes)};
  }

  static std::uint64_t metric(const Plugin& plugin, std::string_view name) {
    for (const MetricSnapshot& found : plugin.metrics.snapshot()) {
      if (found.name == name) {
        return found.value;
      }
    }
    return 0;
  }

 private:
  static inline Engine* engine_ = nullptr;
  static inline ImportSet* imports_ = nullptr;
  static inline std::map<std::string, std::shared_ptr<const LinkedModule>> modules_;
};

void expect_action(GuestCall call, Action action) {
  ASSERT_EQ(testing::run(call), CallState::kDone) << call.trap().detail;
  EXPECT_EQ(action_of(call), action);
}

TEST_P(SdkTest, HidesAWordInBothDirections) {
  const auto plugin = start();
  EXPECT_EQ(plugin->host.tick_period, 1000U);
  RecordingStream host;
  host.properties[std::string{"source\0address", 14}] = "192.0.2.7:5000";
  StreamContext stream{plugin->vm, host};
  expect_action(stream.open({}), Action::kContinue);
  EXPECT_THAT(plugin->host.logs, Contains("connection 1 from 192.0.2.7:5000"));

  ASSERT_TRUE(stream.downstream().append(as_bytes("my sec")));
  expect_action(stream.on_downstream_data(EndOfStream::kNo, {}), Action::kPause);
  ASSERT_TRUE(stream.downstream().append(as_bytes("ret is secret\n")));
  expect_action(stream.on_downstream_data(EndOfStream::kNo, {}), Action::kContinue);
  EXPECT_EQ(text_of(stream.downstream()), "my ****** is ******\n");

  ASSERT_TRUE(stream.upstream().append(as_bytes("whose secret?")));
  expect_action(stream.on_upstream_data(EndOfStream::kYes, {}), Action::kContinue);
  EXPECT_EQ(text_of(stream.upstream()), "whose ******?");
  EXPECT_EQ(metric(*plugin, "hidden_words"), 3U);

  ASSERT_TRUE(stream.upstream().append(as_bytes("nothing here\n")));
  expect_action(stream.on_upstream_data(EndOfStream::kNo, {}), Action::kContinue);
  EXPECT_EQ(text_of(stream.upstream()), "nothing here\n");

  expect_action(stream.on_downstream_close(PeerType::kRemote, {}), Action::kContinue);
  GuestCall finish = stream.finish({});
  EXPECT_EQ(testing::run(finish), CallState::kDone) << finish.trap().detail;
  EXPECT_EQ(finish.result(), 1U);
  EXPECT_THAT(plugin->host.logs, Contains("connection done"));
}

TEST_P(SdkTest, CountsConnectionsOverAllVms) {
  const auto shared = std::make_shared<SharedState>();
  const auto first = start(shared);
  const auto second = start(shared);
  RecordingStream host;
  for (Plugin* plugin : {first.get(), second.get(), first.get()}) {
    StreamContext stream{plugin->vm, host};
    expect_action(stream.open({}), Action::kContinue);
    GuestCall finish = stream.finish({});
    EXPECT_EQ(testing::run(finish), CallState::kDone) << finish.trap().detail;
  }
  EXPECT_EQ(shared->get("vm", "connections")->bytes, "3");
  EXPECT_THAT(first->host.logs, Contains("connection 3 from somewhere"));
}

TEST_P(SdkTest, Ticks) {
  const auto plugin = start();
  for (int i = 0; i < 5; ++i) {
    GuestCall call = plugin->vm.tick({});
    EXPECT_EQ(testing::run(call), CallState::kDone) << call.trap().detail;
  }
  EXPECT_EQ(metric(*plugin, "ticks"), 5U);
}

TEST_P(SdkTest, RefusesAnEmptyConfiguration) {
  const auto plugin = make("", std::make_shared<SharedState>());
  GuestCall call = plugin->vm.start({});
  EXPECT_EQ(testing::run(call), CallState::kTrapped);
  EXPECT_EQ(call.trap().reason, TrapReason::kRefused) << call.trap().detail;
  EXPECT_THAT(plugin->host.logs, Contains("configure the word to hide"));
}

TEST_P(SdkTest, MemoryStaysBoundedOverManyLargeChunks) {
  const auto plugin = start();
  RecordingStream host;
  StreamContext stream{plugin->vm, host};
  expect_action(stream.open({}), Action::kContinue);
  const std::string line = std::string(60'000, 'x') + " secret\n";
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(stream.downstream().append(as_bytes(line)));
    GuestCall call = stream.on_downstream_data(EndOfStream::kNo, {});
    ASSERT_EQ(testing::run(call), CallState::kDone) << i << call.trap().detail;
    ASSERT_EQ(text_of(stream.downstream()).size(), line.size());
  }
  EXPECT_LT(plugin->vm.instance().memory_bytes(), 32U << 20U);
}

TEST_P(SdkTest, ForeignFunctionsAreSafeToCallWhetherExportedOrNot) {
  const auto plugin = start();
  GuestCall call = plugin->vm.on_foreign_function(plugin->vm.root(), 42, as_bytes("hi"), {});
  EXPECT_EQ(testing::run(call), CallState::kDone) << call.trap().detail;
  if (plugin->vm.has_on_foreign_function()) {
    EXPECT_THAT(plugin->host.logs, Contains("foreign function 42: hi"));
  }
}

INSTANTIATE_TEST_SUITE_P(Languages, SdkTest,
                         ::testing::Values(Sdk{"Go", GRETE_GO_WASM, Abi::kProxyWasm020},
                                           Sdk{"Rust", GRETE_RUST_WASM, Abi::kProxyWasm021}),
                         [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace grete::wasm::proxy_wasm

// Guests that mean harm, through the Proxy-Wasm ABI: nothing they do leaves their instance.
#include <array>
#include <random>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/proxy_wasm/callbacks.h"
#include "wasm/proxy_wasm/stream_context.h"
#include "wasm/proxy_wasm/vm.h"
#include "wasm/testing/recording_host.h"
#include "wasm/testing/wat.h"

namespace grete::wasm::proxy_wasm {
namespace {

using testing::Plugin;
using testing::RecordingStream;

constexpr std::string_view kPreamble = R"(
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1")))";

class HostileTest : public ::testing::Test {
 protected:
  std::unique_ptr<Plugin> make(const std::string& body) {
    return std::make_unique<Plugin>(
        testing::link(*engine_, *imports_, "(module " + body + std::string{kPreamble} + ")"),
        VmOptions{.plugin_name = "hostile",
                  .root_id = "",
                  .vm_id = "",
                  .vm_configuration = "",
                  .plugin_configuration = "some configuration",
                  .limits = {}});
  }

  std::unique_ptr<Plugin> start(const std::string& body) {
    auto plugin = make(body);
    GuestCall call = plugin->vm.start({});
    EXPECT_EQ(testing::run(call), CallState::kDone) << call.trap().detail;
    return plugin;
  }

  std::unique_ptr<Engine> engine_ = *Engine::create();
  std::unique_ptr<ImportSet> imports_ = make_imports(*engine_);
};

// A module whose proxy_on_new_connection calls the import with `value` for every argument.
std::string calling(const std::pair<std::string, std::string>& import, const std::string& signature,
                    const std::string& value) {
  std::istringstream types{signature.substr(0, signature.find("->"))};
  std::string parameters;
  std::string arguments;
  for (std::string type; types >> type;) {
    parameters += " " + type;
    arguments += " (" + type + ".const " + value + ")";
  }
  const bool has_result = !signature.ends_with("->");
  return "(import \"" + import.first + "\" \"" + import.second + "\" (func $import (param" +
         parameters + ")" + (has_result ? " (result i32)" : "") + "))" +
         R"((func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_new_connection") (param i32) (result i32) (call $import)" +
         arguments + ")" + (has_result ? "" : " (i32.const 0)") + ")";
}

TEST_F(HostileTest, BadPointersToEachImport) {
  // These take no address, or do nothing with it.
  const std::set<std::string> kNoAddress = {"proxy_set_tick_period_milliseconds",
                                            "emscripten_notify_memory_growth",
                                            "pthread_equal",
                                            "args_get",
                                            "environ_get",
                                            "sched_yield",
                                            "proxy_continue_request",
                                            "proxy_continue_response"};
  std::size_t called = 0;
  for (const auto& [import, signature] : imports_->functions()) {
    for (const std::string value : {"-1", "0", "65535", "65536", "2147483647", "7"}) {
      SCOPED_TRACE(import.first + "." + import.second + " with " + value);
      const auto plugin = start(calling(import, signature, value));
      RecordingStream host;
      StreamContext stream{plugin->vm, host};
      ASSERT_TRUE(stream.downstream().append(as_bytes("some bytes")));
      GuestCall call = stream.open({});
      if (testing::run(call) == CallState::kTrapped) {
        EXPECT_EQ(call.trap().reason, TrapReason::kExit) << call.trap().detail;
      } else if (value == "-1" && !kNoAddress.contains(import.second)) {
        EXPECT_NE(call.result(), 0U) << "an address of -1 is no success";
      }
      ++called;
    }
  }
  EXPECT_GT(called, 6U * 100);
}

// Runs a plug-in and a stream through everything; says where it trapped, or "".
std::string life(Plugin& plugin, const std::string& trapping) {
  RecordingStream host;
  StreamContext stream{plugin.vm, host};
  std::string trapped;
  const auto step = [&](std::string_view name, auto&& begin) {
    if (trapped.empty()) {
      GuestCall call = begin();
      if (testing::run(call) == CallState::kTrapped) {
        trapped = name;
        EXPECT_EQ(call.trap().reason, TrapReason::kUnreachable) << trapping;
      }
    }
  };
  step("start", [&] { return plugin.vm.start({}); });
  step("tick", [&] { return plugin.vm.tick({}); });
  step("queue", [&] { return plugin.vm.on_queue_ready(QueueId{1}, {}); });
  step("foreign", [&] { return plugin.vm.on_foreign_function(plugin.vm.root(), 1, {}, {}); });
  step("open", [&] { return stream.open({}); });
  step("downstream", [&] { return stream.on_downstream_data(EndOfStream::kNo, {}); });
  step("upstream", [&] { return stream.on_upstream_data(EndOfStream::kNo, {}); });
  step("close", [&] { return stream.on_downstream_close(PeerType::kLocal, {}); });
  step("close", [&] { return stream.on_upstream_close(PeerType::kLocal, {}); });
  step("finish", [&] { return stream.finish({}); });
  return trapped;
}

TEST_F(HostileTest, ATrapInEachCallback) {
  const std::map<std::string_view, std::string_view> kWhere = {
      {"proxy_on_context_create", "start"},
      {"proxy_on_vm_start", "start"},
      {"proxy_on_configure", "start"},
      {"proxy_on_tick", "tick"},
      {"proxy_on_queue_ready", "queue"},
      {"proxy_on_foreign_function", "foreign"},
      {"proxy_on_new_connection", "open"},
      {"proxy_on_downstream_data", "downstream"},
      {"proxy_on_upstream_data", "upstream"},
      {"proxy_on_downstream_connection_close", "close"},
      {"proxy_on_upstream_connection_close", "close"},
      {"proxy_on_done", "finish"},
      {"proxy_on_log", "finish"},
      {"proxy_on_delete", "finish"},
      {"_initialize", "start"},
      {"proxy_on_memory_allocate", ""}};
  for (const auto& [name, where] : kWhere) {
    SCOPED_TRACE(name);
    const auto& signatures = Callbacks::signatures();
    const auto found = signatures.find(name);
    const std::string signature = found == signatures.end() ? "->" : found->second;
    const std::string parameters = signature.substr(0, signature.find("->"));
    const auto plugin =
        make("(func (export \"" + std::string{name} + "\") (param " + parameters + ")" +
             (signature.ends_with("i32") ? "(result i32)" : "") + " (unreachable))");
    EXPECT_EQ(life(*plugin, std::string{name}), where);
  }
}

// A filter that reads its downstream buffer with the given allocator, and returns the status.
std::string reading(const std::string& allocator) {
  return R"(
    (import "env" "proxy_get_buffer_bytes"
      (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_buffer_bytes"
      (func $set (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_effective_context" (func $context (param i32) (result i32)))
    (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
    (func $read (result i32)
      (call $get (i32.const 2) (i32.const 0) (i32.const 100) (i32.const 8) (i32.const 12)))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) )" +
         allocator + R"()
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32) (call $read)))";
}

class HostileAllocatorTest : public HostileTest {
 protected:
  // The status that reading the buffer gives.
  Status status_with(const std::string& allocator) {
    const auto plugin = start(reading(allocator));
    RecordingStream host;
    StreamContext stream{plugin->vm, host};
    GuestCall call = read(stream, {});
    EXPECT_EQ(testing::run(call), CallState::kDone) << call.trap().detail;
    return static_cast<Status>(call.result());
  }

  Trap trap_with(const std::string& allocator, const CallLimits& limits = {}) {
    const auto plugin = start(reading(allocator));
    RecordingStream host;
    StreamContext stream{plugin->vm, host};
    GuestCall call = read(stream, limits);
    EXPECT_EQ(testing::run(call), CallState::kTrapped);
    return call.trap();
  }

  static GuestCall read(StreamContext& stream, const CallLimits& limits) {
    EXPECT_TRUE(stream.downstream().append(as_bytes("twenty bytes of data")));
    return stream.on_downstream_data(EndOfStream::kNo, limits);
  }
};

TEST_F(HostileAllocatorTest, ReturnsForeignOrOverlappingMemory) {
  EXPECT_EQ(status_with("(i32.const 1024)"), Status::kOk);
  EXPECT_EQ(status_with("(i32.const 0)"), Status::kInvalidMemoryAccess);
  EXPECT_EQ(status_with("(i32.const -1)"), Status::kInvalidMemoryAccess);
  EXPECT_EQ(status_with("(i32.const 65517)"), Status::kInvalidMemoryAccess);
  EXPECT_EQ(status_with("(i32.const 65516)"), Status::kOk);
  EXPECT_EQ(status_with("(i32.const 8)"), Status::kOk) << "over its own results: its own problem";
}

TEST_F(HostileAllocatorTest, CallsAnImportThatAllocates) {
  EXPECT_EQ(trap_with("(call $read)").reason, TrapReason::kReentrance);
}

TEST_F(HostileAllocatorTest, MayLog) {
  EXPECT_EQ(status_with("(drop (call $log (i32.const 2) (i32.const 0) (i32.const 4))) "
                        "(i32.const 1024)"),
            Status::kOk);
}

TEST_F(HostileAllocatorTest, ChangesTheBufferThatIsBeingRead) {
  EXPECT_EQ(status_with("(drop (call $set (i32.const 2) (i32.const 0) (i32.const 100) (i32.const 0)"
                        " (i32.const 1))) (i32.const 1024)"),
            Status::kInternalFailure);
  EXPECT_EQ(status_with("(drop (call $set (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0)"
                        " (i32.const 60000))) (i32.const 1024)"),
            Status::kInternalFailure)
      << "moved elsewhere in the host's memory";
}

TEST_F(HostileAllocatorTest, LeavesForAnotherContext) {
  EXPECT_EQ(status_with("(drop (call $context (i32.const 1))) (i32.const 1024)"),
            Status::kInternalFailure);
}

TEST_F(HostileAllocatorTest, NeverReturns) {
  EXPECT_EQ(trap_with("(loop $again (br $again)) (unreachable)", {.max_slices = 3}).reason,
            TrapReason::kDeadline);
}

TEST_F(HostileAllocatorTest, IsDroppedWhileItLoops) {
  const auto plugin = start(reading("(loop $again (br $again)) (unreachable)"));
  RecordingStream host;
  StreamContext stream{plugin->vm, host};
  GuestCall call = read(stream, {});
  EXPECT_EQ(call.poll(Moment{}), CallState::kSuspended);
  EXPECT_EQ(call.poll(Moment{}), CallState::kSuspended);
}

TEST_F(HostileAllocatorTest, GrowsWithoutEnd) {
  const std::string grow = R"((loop $again
      (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable))";
  EXPECT_EQ(trap_with(grow).reason, TrapReason::kOutOfMemory);
}

// A guest that performs calls from a program in its memory: words of 32 bits, at 4096, read one
// after the other; of each call the import's number and its arguments, until a number is none. Its
// allocator goes on in the same program, and returns a word of it.
std::string interpreter(const ImportSet::Functions& functions) {
  std::string imports;
  std::string wrappers;
  std::string table;
  std::size_t number = 0;
  for (const auto& [import, signature] : functions) {
    const std::string index = std::to_string(number++);
    std::istringstream types{signature.substr(0, signature.find("->"))};
    std::string parameters;
    std::string arguments;
    for (std::string type; types >> type;) {
      parameters += " " + type;
      arguments += type == "i64" ? " (i64.extend_i32_s (call $next))" : " (call $next)";
    }
    const bool has_result = !signature.ends_with("->");
    imports += "(import \"" + import.first + "\" \"" + import.second + "\" (func $i" + index +
               " (param" + parameters + ")" + (has_result ? " (result i32)" : "") + "))";
    wrappers += "(func $w" + index + (has_result ? " (drop" : "") + " (call $i" + index +
                arguments + ")" + (has_result ? ")" : "") + ")";
    table += " $w" + index;
  }
  return imports + wrappers + "(table funcref (elem" + table + R"())
    (type $nothing (func))
    (global $at (mut i32) (i32.const 4096))
    (func $next (result i32) (local i32)
      (local.set 0 (i32.load (i32.and (global.get $at) (i32.const 0xfffc))))
      (global.set $at (i32.add (global.get $at) (i32.const 4)))
      (local.get 0))
    (func $perform (param i32) (local i32)
      (loop $again
        (local.set 1 (call $next))
        (if (i32.ge_u (local.get 1) (i32.const )" +
         std::to_string(number) + R"()) (then (return)))
        (call_indirect (type $nothing) (local.get 1))
        (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32)
      (call $perform (i32.const 2)) (call $next))
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
      (global.set $at (i32.const 4096)) (call $perform (i32.const 50)) (i32.const 0)))";
}

TEST_F(HostileTest, RandomCallsStayInTheirInstance) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  const auto functions = static_cast<std::uint32_t>(imports_->functions().size());
  const auto linked =
      testing::link(*engine_, *imports_,
                    "(module " + interpreter(imports_->functions()) + std::string{kPreamble} + ")");
  const auto word = [&random]() -> std::uint32_t {
    constexpr std::array<std::uint32_t, 12> kTelling = {
        0, 1, 2, 3, 7, 8, 100, 65528, 65535, 65536, 0x7fffffff, 0xffffffff};
    switch (random() % 4) {
      case 0:
        return static_cast<std::uint32_t>(random());
      case 1:
        return static_cast<std::uint32_t>(random() % 65536);
      default:
        return kTelling[random() % kTelling.size()];
    }
  };
  const auto shared = std::make_shared<SharedState>();
  std::array<std::size_t, 2> ended{};
  for (int round = 0; round < 3000; ++round) {
    Plugin plugin{linked, {}, shared};
    GuestCall start = plugin.vm.start({});
    ASSERT_EQ(testing::run(start), CallState::kDone) << start.trap().detail;
    RecordingStream host;
    StreamContext stream{plugin.vm, host};
    ASSERT_TRUE(stream.downstream().append(as_bytes("some bytes to read")));
    const auto program = plugin.vm.instance().memory().range(GuestAddress{4096}, 4000);
    for (std::size_t i = 0; i < program->size(); i += 4) {
      store_little(program->data() + i, random() % 3 == 0 ? random() % functions : word());
    }
    GuestCall call = stream.on_downstream_data(EndOfStream::kNo, {.max_slices = 20});
    ++ended[testing::run(call) == CallState::kTrapped ? 1 : 0];
  }
  EXPECT_GT(ended[0], 100U) << "most programs end by themselves";
  EXPECT_GT(ended[1], 10U) << "some allocate in the allocator";
}

TEST_F(HostileTest, AStreamBufferHasALimit) {
  const auto plugin = start(R"(
    (import "env" "proxy_set_buffer_bytes"
      (func $set (param i32 i32 i32 i32 i32) (result i32)))
    (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32) (local i32)
      (loop $again
        (local.set 3 (call $set (i32.const 2) (i32.const -1) (i32.const 0) (i32.const 0)
          (i32.const 65536)))
        (br_if $again (i32.eqz (local.get 3))))
      (local.get 3)))");
  RecordingStream host;
  StreamContext stream{plugin->vm, host};
  GuestCall call = stream.on_downstream_data(EndOfStream::kNo, {});
  EXPECT_EQ(testing::run(call), CallState::kDone);
  EXPECT_EQ(static_cast<Status>(call.result()), Status::kInternalFailure);
  EXPECT_EQ(stream.downstream().size(), limits::kMaxStreamBufferBytes);
  const std::string more(1, 'x');
  EXPECT_FALSE(stream.downstream().append(as_bytes(more)));
}

TEST_F(HostileTest, SharedStateHasLimits) {
  SharedState shared;
  const std::string large(limits::kMaxSharedBytes / 4, 'v');
  for (const std::string_view key : {"a", "b", "c"}) {
    EXPECT_EQ(shared.set("vm", key, large, 0), Status::kOk);
  }
  EXPECT_EQ(shared.set("vm", "d", large, 0), Status::kInternalFailure);
  EXPECT_EQ(shared.set("vm", "a", "", 0), Status::kOk);
  EXPECT_EQ(shared.set("vm", "d", large, 0), Status::kOk);
  const auto queue = shared.register_queue("vm", "q", &shared, {});
  const std::string message(limits::kMaxQueuedBytes / 2, 'm');
  EXPECT_EQ(shared.enqueue(*queue, message), Status::kOk);
  EXPECT_EQ(shared.enqueue(*queue, message), Status::kOk);
  EXPECT_EQ(shared.enqueue(*queue, "x"), Status::kInternalFailure);
  EXPECT_EQ(shared.dequeue(*queue)->size(), message.size());
  EXPECT_EQ(shared.enqueue(*queue, "x"), Status::kOk);
}

TEST_F(HostileTest, MetricsHaveALimit) {
  MetricStore metrics;
  for (std::size_t i = 0; i < limits::kMaxMetrics; ++i) {
    ASSERT_TRUE(metrics.define(MetricType::kCounter, std::to_string(i)));
  }
  EXPECT_EQ(metrics.define(MetricType::kCounter, "one more").error(), Status::kInternalFailure);
  EXPECT_TRUE(metrics.define(MetricType::kCounter, "1"));
  EXPECT_EQ(metrics.define(MetricType::kGauge, "1").error(), Status::kBadArgument);
}

}  // namespace
}  // namespace grete::wasm::proxy_wasm

// What does the sandbox cost? The PII filter as a module and compiled in, on the same windows of
// records, by the hook interface that a chain uses.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/native_filter.h"
#include "plugins/plugin_loader.h"
#include "plugins/worker.h"
#include "sdk/cpp/testing/harness.h"
#include "wasm/pool/run_queue.h"

namespace grete::bench {
namespace {

constexpr std::string_view kConfig =
    R"({"detect": ["email", "aws"], "topics": {"include": ["*"]}})";

class Silence final : public plugins::Telemetry {
 public:
  void call_ended(const plugins::CallReport& report) override { static_cast<void>(report); }
  void log(std::string_view plugin, std::uint32_t level, std::string_view text) override {
    static_cast<void>(plugin), static_cast<void>(level), static_cast<void>(text);
  }
};

class QuietMachine final : public plugins::Machine {
 public:
  std::uint64_t unix_time_ns() override { return 1; }
  Moment now() override { return MonotonicClock::now(); }
  void fill_random(MutableBytes bytes) override { std::ranges::fill(bytes, std::byte{4}); }
};

// `count` records of about 1 KiB of JSON; every `email_every`th holds an address.
std::vector<std::byte> records(std::size_t count, std::size_t email_every) {
  std::mt19937 random(7);
  std::vector<sdk::testing::TestRecord> made;
  for (std::size_t i = 0; i < count; ++i) {
    std::string value = "{\"id\":" + std::to_string(i);
    while (value.size() < 1000) {
      value += ",\"order_" + std::to_string(random() % 100) +
               "\":\"deliver to the back door\",\"at\":\"" +
               "2026-11-22T18:00:00Z\",\"amount\":" + std::to_string(random() % 100000);
    }
    if (email_every != 0 && i % email_every == 0) {
      value += ",\"email\":\"anna.smith@example.com\"";
    }
    made.push_back({"key-" + std::to_string(i), value + "}", {}});
  }
  return sdk::testing::make_batch(made);
}

void run(benchmark::State& state, const plugins::Hook& hook) {
  MemoryBudget budget(std::uint64_t{1} << 30);
  kafka::records::CodecPool codecs(budget);
  Silence telemetry;
  QuietMachine machine;
  wasm::RunQueue queue;
  plugins::Worker worker;
  worker.machine = &machine;
  worker.queue = &queue;
  worker.codecs = &codecs;
  worker.telemetry = &telemetry;
  const auto runtime = hook.make_runtime(worker);
  const auto count = static_cast<std::uint32_t>(state.range(0));
  const std::vector<std::byte> batch = records(count, static_cast<std::size_t>(state.range(1)));
  plugins::ConnectionInfo connection;
  plugins::FrameContext context;
  context.connection = &connection;
  context.budget = &budget;
  plugins::RecordsCall call;
  call.context = &context;
  call.topic = "topic";
  call.count = call.batch_records = count;
  call.records = Bytes(batch).subspan(kafka::records::kBatchHeaderBytes);
  plugins::EditList edits(budget);
  for (auto _ : state) {
    edits.clear();
    edits.open({.first = 0, .count = count});
    const auto visit = runtime->visit();
    visit->start(call, edits);
    while (visit->poll(MonotonicClock::now()) != plugins::CallState::kDone) {
      queue.run([] { return MonotonicClock::now(); });
      runtime->serve(MonotonicClock::now());
    }
    if (!visit->take()) {
      state.SkipWithError("the call failed");
    }
  }
  state.counters["edits"] = static_cast<double>(edits.entries().size());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(call.records.size()));
}

void BM_PiiNative(benchmark::State& state) {
  const auto hook = make_native_filter({}, "pii", std::string(kConfig));
  run(state, **hook);
}

// The module is $PII_WASM, or that of the release build as seen from the tree's root.
Result<plugins::LoadedPlugin, std::string> load_module() {
  static const auto loader = plugins::PluginLoader::create();
  if (!loader) {
    return unexpected(loader.error());
  }
  plugins::PluginSpec spec;
  spec.name = "pii";
  const char* module = std::getenv("PII_WASM");
  spec.wasm = module != nullptr ? module : "build/release/filters/pii.wasm";
  spec.configuration = kConfig;
  return (*loader)->load(spec);
}

void BM_PiiWasm(benchmark::State& state) {
  // Compiled once: that takes longer than all measurements.
  static const auto loaded = load_module();
  if (!loaded) {
    state.SkipWithError(loaded.error().c_str());
    return;
  }
  run(state, *loaded->hook);
}

BENCHMARK(BM_PiiNative)->Args({1, 0})->Args({16, 0})->Args({16, 4})->Args({1000, 0});
BENCHMARK(BM_PiiWasm)->Args({1, 0})->Args({16, 0})->Args({16, 4})->Args({1000, 0});

}  // namespace
}  // namespace grete::bench

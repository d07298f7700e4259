// What crossing the boundary costs. Method: Google Benchmark, one thread; the interesting figures
// are nanoseconds a call.
#include <cstring>

#include <benchmark/benchmark.h>

#include "wasm/engine/host_function.h"
#include "wasm/pool/pool.h"
#include "wasm/proxy_wasm/stream_context.h"
#include "wasm/testing/recording_host.h"
#include "wasm/testing/wat.h"

namespace grete::wasm {
namespace {

constexpr Moment kNow{};

class Imports {
 public:
  static constexpr ImportSlot kSlot = ImportSlot::kAbi;
  static constexpr std::uint32_t kBadPointer = 1;
  explicit Imports(Engine& engine) : engine_(&engine) {}
  void tick() { engine_->tick(); }
  std::uint32_t nothing(std::uint32_t value) { return value; }
  std::uint32_t bytes(Bytes given, Out<std::uint32_t> size) {
    size.store(static_cast<std::uint32_t>(given.size()));
    return 0;
  }

 private:
  Engine* engine_;
};

constexpr std::string_view kModule = R"((module
  (import "host" "nothing" (func $nothing (param i32) (result i32)))
  (import "host" "bytes" (func $bytes (param i32 i32 i32) (result i32)))
  (import "host" "tick" (func $tick))
  (memory (export "memory") 2)
  (func (export "empty") (param i32) (result i32) (local.get 0))
  (func (export "call_out") (param i32) (result i32)
    (loop $again
      (drop (call $nothing (i32.const 1)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 0))
  (func (export "call_bytes") (param i32) (result i32)
    (loop $again
      (drop (call $bytes (i32.const 64) (i32.const 100) (i32.const 8)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 0))
  (func (export "ticking") (param i32) (result i32)
    (loop $again (call $tick) (br $again)) (unreachable))
  (func (export "trap") (param i32) (result i32) (unreachable))))";

using Function = GuestFunction<std::uint32_t(std::uint32_t)>;

struct Bench {
  Bench() {
    define<&Imports::nothing>(imports, "host", "nothing");
    define<&Imports::bytes>(imports, "host", "bytes");
    define<&Imports::tick>(imports, "host", "tick");
    module = testing::link(*engine, imports, kModule);
  }

  struct Guest {
    explicit Guest(Bench& bench) : instance(bench.module, {}), host(*bench.engine) {
      instance.set_imports(ImportSlot::kAbi, &host);
      GuestCall call = instance.instantiate(
          [this](Instance& it) -> HostResult<std::uint64_t> {
            empty = it.find<std::uint32_t(std::uint32_t)>("empty");
            call_out = it.find<std::uint32_t(std::uint32_t)>("call_out");
            call_bytes = it.find<std::uint32_t(std::uint32_t)>("call_bytes");
            ticking = it.find<std::uint32_t(std::uint32_t)>("ticking");
            trap = it.find<std::uint32_t(std::uint32_t)>("trap");
            return 0;
          },
          {});
      testing::run(call);
    }
    GuestCall call(Function function, std::uint32_t argument) {
      return instance.start(
          [function, argument](Instance& it) -> HostResult<std::uint64_t> {
            return it.invoke(function, argument);
          },
          {});
    }

    Instance instance;
    Imports host;
    Function empty, call_out, call_bytes, ticking, trap;
  };

  std::unique_ptr<Engine> engine = *Engine::create({.ticker = Ticker::kManual});
  ImportSet imports{*engine};
  std::shared_ptr<const LinkedModule> module;
};

void BM_HostToGuest_call(benchmark::State& state) {
  Bench bench;
  Bench::Guest guest{bench};
  for (auto _ : state) {
    GuestCall call = guest.call(guest.empty, 1);
    benchmark::DoNotOptimize(testing::run(call));
  }
}
BENCHMARK(BM_HostToGuest_call);

// Further calls within one GuestCall.
void BM_HostToGuest_within(benchmark::State& state) {
  Bench bench;
  Bench::Guest guest{bench};
  for (auto _ : state) {
    GuestCall call = guest.instance.start(
        [&](Instance& it) -> HostResult<std::uint64_t> {
          for (int i = 0; i < 1000; ++i) {
            GRETE_TRY(it.invoke(guest.empty, 1U));
          }
          return 0;
        },
        {});
    testing::run(call);
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(BM_HostToGuest_within);

void BM_GuestToHost(benchmark::State& state) {
  Bench bench;
  Bench::Guest guest{bench};
  for (auto _ : state) {
    GuestCall call = guest.call(guest.call_out, 1000);
    testing::run(call);
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(BM_GuestToHost);

void BM_GuestToHost_pointers(benchmark::State& state) {
  Bench bench;
  Bench::Guest guest{bench};
  for (auto _ : state) {
    GuestCall call = guest.call(guest.call_bytes, 1000);
    testing::run(call);
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(BM_GuestToHost_pointers);

void BM_InstanceCreation(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) {
    const Bench::Guest guest{bench};
    benchmark::DoNotOptimize(&guest);
  }
}
BENCHMARK(BM_InstanceCreation);

// Suspending at a tick and going on.
void BM_SuspendAndResume(benchmark::State& state) {
  Bench bench;
  Bench::Guest guest{bench};
  GuestCall call = guest.call(guest.ticking, 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(call.poll(kNow));
  }
}
BENCHMARK(BM_SuspendAndResume);

// A trap, and an instance in place of the lost one.
void BM_TrapAndReplacement(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) {
    Bench::Guest guest{bench};
    GuestCall call = guest.call(guest.trap, 0);
    benchmark::DoNotOptimize(testing::run(call));
  }
}
BENCHMARK(BM_TrapAndReplacement);

void BM_Copy64KiBIntoGuest(benchmark::State& state) {
  Bench bench;
  Bench::Guest guest{bench};
  const std::vector<std::byte> bytes(64 << 10U);
  for (auto _ : state) {
    const auto range = guest.instance.memory().range(GuestAddress{64}, bytes.size());
    std::memcpy(range->data(), bytes.data(), bytes.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(BM_Copy64KiBIntoGuest);

// proxy_on_downstream_data of a filter that does nothing, or reads 16 KiB.
void BM_ProxyWasm_on_data(benchmark::State& state) {
  const auto engine = *Engine::create();
  const auto imports = proxy_wasm::make_imports(*engine);
  testing::Plugin plugin{testing::link(*engine, *imports, R"((module
      (import "env" "proxy_get_buffer_bytes"
        (func $get (param i32 i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 2)
      (func (export "proxy_abi_version_0_2_1"))
      (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
      (func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)
        (if (local.get 2) (then (drop (call $get (i32.const 2) (i32.const 0) (local.get 1)
          (i32.const 8) (i32.const 12)))))
        (i32.const 0))))"),
                         {}};
  GuestCall start = plugin.vm.start({});
  testing::run(start);
  testing::RecordingStream host;
  proxy_wasm::StreamContext stream{plugin.vm, host};
  const std::vector<std::byte> bytes(16 << 10U);
  static_cast<void>(stream.downstream().append(bytes));
  const auto end =
      state.range(0) != 0 ? proxy_wasm::EndOfStream::kYes : proxy_wasm::EndOfStream::kNo;
  for (auto _ : state) {
    GuestCall call = stream.on_downstream_data(end, {});
    benchmark::DoNotOptimize(testing::run(call));
  }
}
BENCHMARK(BM_ProxyWasm_on_data)->ArgName("reads")->Arg(0)->Arg(1);

}  // namespace
}  // namespace grete::wasm

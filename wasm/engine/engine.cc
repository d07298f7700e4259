#include "wasm/engine/engine.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include "wasm/engine/handles.h"

namespace grete::wasm {
namespace {

// Changes whenever configure() does: compiled code depends on it.
constexpr std::string_view kSettings = "wasmtime-48.0.8 settings-1";

void configure_pool(wasm_config_t* config, const EngineOptions& options) {
  wasmtime_pooling_allocation_config_t* pool = wasmtime_pooling_allocation_config_new();
  wasmtime_pooling_allocation_config_total_core_instances_set(pool, options.max_instances);
  wasmtime_pooling_allocation_config_total_memories_set(pool, options.max_instances);
  wasmtime_pooling_allocation_config_total_tables_set(
      pool, options.max_instances * limits::kMaxTablesPerModule);
  wasmtime_pooling_allocation_config_total_stacks_set(pool, options.max_instances);
  wasmtime_pooling_allocation_config_max_memories_per_module_set(pool, 1);
  wasmtime_pooling_allocation_config_max_tables_per_module_set(pool, limits::kMaxTablesPerModule);
  wasmtime_pooling_allocation_config_table_elements_set(pool, limits::kMaxTableElements);
  wasmtime_pooling_allocation_config_max_core_instance_size_set(pool,
                                                                limits::kMaxInstanceStateBytes);
  wasmtime_pooling_allocation_config_max_memory_size_set(pool, options.max_memory_bytes);
  wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, 8);
  wasmtime_pooling_allocation_strategy_set(config, pool);
  wasmtime_pooling_allocation_config_delete(pool);
}

// What core WebAssembly 2.0 has, and no more: each further proposal is surface for attacks.
wasm_config_t* configure(const EngineOptions& options) {
  wasm_config_t* config = wasm_config_new();
  wasmtime_config_epoch_interruption_set(config, true);
  wasmtime_config_max_wasm_stack_set(config, limits::kMaxWasmStackBytes);
  wasmtime_config_async_stack_size_set(config, limits::kFiberStackBytes);
  wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
  wasmtime_config_parallel_compilation_set(config, true);
  wasmtime_config_wasm_simd_set(config, true);
  wasmtime_config_wasm_relaxed_simd_set(config, false);
  wasmtime_config_wasm_bulk_memory_set(config, true);
  wasmtime_config_wasm_multi_value_set(config, true);
  wasmtime_config_wasm_reference_types_set(config, true);
  wasmtime_config_wasm_tail_call_set(config, false);
  wasmtime_config_wasm_function_references_set(config, false);
  wasmtime_config_wasm_gc_set(config, false);
  wasmtime_config_wasm_exceptions_set(config, false);
  wasmtime_config_wasm_multi_memory_set(config, false);
  wasmtime_config_wasm_memory64_set(config, false);
  wasmtime_config_wasm_wide_arithmetic_set(config, false);
  wasmtime_config_wasm_custom_page_sizes_set(config, false);
  wasmtime_config_wasm_stack_switching_set(config, false);
  configure_pool(config, options);
  return config;
}

// The machine's instruction set: compiled code uses what this CPU has.
std::string cpu_description() {
  std::ifstream cpuinfo{"/proc/cpuinfo"};
  std::string text;
  for (std::string line; std::getline(cpuinfo, line) && !line.empty();) {
    if (line.starts_with("model name") || line.starts_with("flags") ||
        line.starts_with("Features") || line.starts_with("CPU part")) {
      text += line + '\n';
    }
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<Engine>, Error> Engine::create(const EngineOptions& options) {
  wasm_engine_t* engine = wasm_engine_new_with_config(configure(options));
  if (engine == nullptr) {
    return unexpected(Error{ErrorKind::kEngine,
                            "the WebAssembly engine could not reserve address space for its "
                            "instances: raise the limit on virtual memory (ulimit -v)"});
  }
  std::string fingerprint = std::string{kSettings} + '\n' + cpu_description();
  return std::unique_ptr<Engine>{new Engine{engine, options, std::move(fingerprint)}};
}

Engine::Engine(wasm_engine_t* engine, const EngineOptions& options, std::string fingerprint)
    : engine_(engine), options_(options), fingerprint_(std::move(fingerprint)) {
  if (options_.ticker == Ticker::kThread) {
    ticker_ = std::thread{[this] { run_ticker(); }};
  } else {
    used_ = true;
  }
}

Engine::~Engine() {
  if (ticker_.joinable()) {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    wake_.notify_all();
    ticker_.join();
  }
  wasm_engine_delete(engine_);
}

void Engine::tick() {
  wasmtime_engine_increment_epoch(engine_);
}

void Engine::run_ticker() {
  auto next = std::chrono::steady_clock::now();
  for (std::uint32_t count = 0; !stopping_; ++count) {
    if (count % limits::kIdleTicks == 0 && !used_.exchange(false)) {
      std::unique_lock lock{mutex_};
      sleeping_ = true;
      wake_.wait(lock, [this] { return used_ || stopping_; });
      sleeping_ = false;
      next = std::chrono::steady_clock::now();
    }
    // After a pause of the machine the ticks that were missed are not made up for: they would
    // cost guests their slices.
    next = std::max(next + limits::kTick, std::chrono::steady_clock::now());
    std::this_thread::sleep_until(next);
    tick();
  }
}

void Engine::wake_ticker() {
  used_ = true;
  if (sleeping_) {
    const std::lock_guard lock{mutex_};
    wake_.notify_all();
  }
}

}  // namespace grete::wasm

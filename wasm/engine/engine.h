// The WebAssembly engine: compiles modules, and makes time pass for guests.
//
// Guests are interrupted by epochs: compiled code compares a counter at loop heads and function
// entries. One thread adds one to the counter every limits::kTick; a guest that sees it move is
// suspended (see guest_call.h). Where no guest runs, the thread sleeps.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "wasm/error.h"
#include "wasm/limits.h"

struct wasm_engine_t;

namespace grete::wasm {

enum class Ticker : std::uint8_t {
  kThread,  // a thread of the engine ticks every limits::kTick
  kManual,  // only tick() does: for tests that count slices
};

struct EngineOptions {
  // Instances alive at once, of all plug-ins and workers.
  std::uint32_t max_instances = limits::kMaxInstances;
  // The most memory that any instance may be allowed.
  std::uint64_t max_memory_bytes = limits::kMaxMemoryBytes;
  Ticker ticker = Ticker::kThread;
};

// One a process. Outlives every module, instance and call made with it. Thread-safe.
class Engine {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Engine>, Error> create(
      const EngineOptions& options = {});
  ~Engine();

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Lets one tick pass: suspends every guest that runs now.
  void tick();

  // Wakes the ticker. Called before a guest is entered; a load in the usual case.
  void note_use() {
    if (!used_.load()) {
      wake_ticker();
    }
  }

  // What a compiled module depends on besides its bytes: version, settings, and CPU. A cache key.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
  [[nodiscard]] const EngineOptions& options() const { return options_; }
  [[nodiscard]] wasm_engine_t* handle() const { return engine_; }

 private:
  Engine(wasm_engine_t* engine, const EngineOptions& options, std::string fingerprint);

  void run_ticker();
  void wake_ticker();

  wasm_engine_t* engine_;
  EngineOptions options_;
  std::string fingerprint_;

  // The ticker resets used_ from time to time and sleeps if nobody sets it again. Sequentially
  // consistent: either the ticker sees used_, or the user sees sleeping_.
  std::atomic<bool> used_{false};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread ticker_;
};

}  // namespace grete::wasm

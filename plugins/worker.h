// What the plug-ins of one worker thread share, and whom they tell what happened.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "kafka/records/compression.h"
#include "plugins/hook.h"

namespace grete::wasm {
class RunQueue;
}

namespace grete::plugins {

// One call of a plug-in, after it ended.
struct CallReport {
  std::string_view plugin;
  HookKind kind = HookKind::kMessage;
  kafka::ApiKey key;
  Direction direction = Direction::kRequest;
  // From its start to its end, including waiting for an instance and for its turns.
  Duration duration{};
  std::uint32_t slices = 0;
  // Null: the call ended well, with this verdict.
  const Failure* failure = nullptr;
  VerdictKind verdict = VerdictKind::kPass;
  // False where the plug-in is only observed.
  bool obeyed = true;
  std::uint64_t connection = 0;
};

// Told by the plug-ins of a worker, on its thread. Implementations count; they do not block.
class Telemetry {
 public:
  virtual ~Telemetry() = default;
  virtual void call_ended(const CallReport& report) = 0;
  // A line of a plug-in's own log. `level` as in Proxy-Wasm: 0 trace ... 5 critical.
  virtual void log(std::string_view plugin, std::uint32_t level, std::string_view text) = 0;
};

// Wall time and chance, for guests that ask. Tests make both deterministic.
class Machine {
 public:
  virtual ~Machine() = default;
  // Nanoseconds since 1970.
  [[nodiscard]] virtual std::uint64_t unix_time_ns() = 0;
  virtual Moment now() = 0;
  // Fills `bytes` with unpredictable bytes.
  virtual void fill_random(MutableBytes bytes) = 0;
};

// One a worker thread; outlives the chains' runtimes.
struct Worker {
  kafka::records::CodecPool* codecs = nullptr;
  Telemetry* telemetry = nullptr;
  Machine* machine = nullptr;
  // Starts of instances and all other work in slices; the worker's event loop runs it.
  wasm::RunQueue* queue = nullptr;
};

}  // namespace grete::plugins

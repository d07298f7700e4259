// A WebAssembly plug-in as an operator configures it.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "plugins/hook.h"
#include "plugins/limits.h"
#include "wasm/limits.h"

namespace grete::plugins {

// Who shares an instance of a plug-in that works on the byte stream.
enum class Isolation : std::uint8_t {
  kWorker,      // all connections of a worker: cheap, and lost together if it traps
  kConnection,  // nobody
};

struct PluginSpec {
  // In logs, metrics and messages.
  std::string name;
  // The module's file.
  std::string wasm;
  OnFailure on_failure = OnFailure::kReject;
  // Of one call.
  Duration deadline = limits::kDefaultDeadline;
  // Of one instance, in bytes.
  std::uint64_t memory = wasm::limits::kDefaultMemoryBytes;
  // In one worker.
  std::uint32_t max_instances = limits::kDefaultInstances;
  Isolation isolation = Isolation::kWorker;
  // What the plug-in reads in proxy_on_configure: any bytes, mostly JSON.
  std::string configuration;
};

}  // namespace grete::plugins

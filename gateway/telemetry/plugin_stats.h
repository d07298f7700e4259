// What one plug-in did in one worker.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/telemetry/counter.h"
#include "plugins/hook.h"

namespace grete::gateway {

struct PluginStats {
  static constexpr std::size_t kHookKinds = 4;
  static constexpr std::size_t kVerdicts = 6;

  struct Hook {
    Counter calls;
    Counter slices;
    Histogram duration;  // of a call, waiting included
    std::array<Counter, kVerdicts> verdicts;
    std::array<Counter, plugins::kFailureKinds> failures;
  };

  explicit PluginStats(std::string plugin) : name(std::move(plugin)) {}

  std::string name;
  std::array<Hook, kHookKinds> hooks;  // by plugins::HookKind
};

// One for each plug-in of the configuration; the list never changes.
using PluginStatsList = std::vector<std::unique_ptr<PluginStats>>;

}  // namespace grete::gateway

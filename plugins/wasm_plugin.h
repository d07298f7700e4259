// A plug-in's module, compiled and linked: what all its instances have in common.
#pragma once

#include <memory>

#include "plugins/plugin_spec.h"
#include "wasm/engine/imports.h"
#include "wasm/proxy_wasm/shared_state.h"
#include "wasm/proxy_wasm/vm.h"

namespace grete::plugins {

// Thread-safe; const but for its metrics, which count. Outlives its instances.
struct WasmPlugin {
  PluginSpec spec;
  std::shared_ptr<const wasm::LinkedModule> module;
  std::shared_ptr<const wasm::proxy_wasm::VmOptions> options;
  std::shared_ptr<wasm::proxy_wasm::SharedState> shared;
  std::shared_ptr<wasm::proxy_wasm::MetricStore> metrics;
};

}  // namespace grete::plugins

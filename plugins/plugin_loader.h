// From a module's file and its configuration to a plug-in that chains can use, or to a text that
// says what is wrong with it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "plugins/hook.h"
#include "plugins/plugin_spec.h"
#include "plugins/wasm_plugin.h"
#include "wasm/engine/compiled_module.h"
#include "wasm/engine/engine.h"

namespace grete::plugins {

struct LoadedPlugin {
  std::shared_ptr<const WasmPlugin> plugin;
  // Of a plug-in that subscribed to Kafka messages; null: it works on the byte stream.
  std::shared_ptr<const Hook> hook;
};

// One a process; outlives everything that was loaded. Thread-safe, but blocks: for start-up and
// reload, never for a worker's thread.
class PluginLoader {
 public:
  // `cache`: a folder for compiled modules, see wasm::ModuleCache; none if empty.
  [[nodiscard]] static Result<std::unique_ptr<PluginLoader>, std::string> create(
      const std::filesystem::path& cache = {}, const wasm::EngineOptions& options = {});
  ~PluginLoader();

  // Reads, compiles and links the module, and configures an instance of it for trial, which is how
  // its own configuration is checked. The error says what is wrong and what to do, without the
  // plug-in's name.
  [[nodiscard]] Result<LoadedPlugin, std::string> load(const PluginSpec& spec);
  // The same with the module's bytes at hand.
  [[nodiscard]] Result<LoadedPlugin, std::string> load(const PluginSpec& spec, Bytes module);

  [[nodiscard]] wasm::Engine& engine() { return *engine_; }

 private:
  PluginLoader(std::unique_ptr<wasm::Engine> engine, std::optional<wasm::ModuleCache> cache);

  std::unique_ptr<wasm::Engine> engine_;
  std::optional<wasm::ModuleCache> cache_;
  std::unique_ptr<wasm::ImportSet> imports_;
  std::shared_ptr<wasm::proxy_wasm::SharedState> shared_;
};

}  // namespace grete::plugins

// Which plug-ins this program can run: WebAssembly modules, and filters compiled in.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/config/config.h"
#include "plugins/hook.h"
#include "plugins/plugin_loader.h"

namespace grete::gateway {

// Makes plug-ins as the configuration describes them. One thread; outlives what it made.
class PluginFactory {
 public:
  // Loads, compiles and configures the plug-in. The error says what is wrong, for the operator.
  [[nodiscard]] Result<plugins::LoadedPlugin, std::string> make(const PluginConfig& config);

 private:
  std::unique_ptr<plugins::PluginLoader> loader_;  // made when the first module is loaded
};

}  // namespace grete::gateway

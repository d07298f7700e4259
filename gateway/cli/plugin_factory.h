// Which plug-ins this program can run: WebAssembly modules, and filters compiled in.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "gateway/config/config.h"
#include "plugins/hook.h"
#include "plugins/plugin_loader.h"

namespace grete::gateway {

// Makes a filter that is compiled in, by its name (PluginConfig::native).
using MakeNative =
    std::function<Result<std::shared_ptr<const plugins::Hook>, std::string>(const PluginConfig&)>;

// What happens to a message whose plug-in fails, in the plug-ins' terms.
[[nodiscard]] plugins::OnFailure policy_of(FailurePolicy policy);

// Makes plug-ins as the configuration describes them. One thread; outlives what it made.
class PluginFactory {
 public:
  // `native` may be empty: then there are no filters compiled in.
  explicit PluginFactory(MakeNative native = {}) : native_(std::move(native)) {}

  // Loads, compiles and configures the plug-in. The error says what is wrong, for the operator.
  [[nodiscard]] Result<plugins::LoadedPlugin, std::string> make(const PluginConfig& config);

 private:
  MakeNative native_;
  std::unique_ptr<plugins::PluginLoader> loader_;  // made when the first module is loaded
};

}  // namespace grete::gateway

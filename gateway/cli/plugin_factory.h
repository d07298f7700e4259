// Which plug-ins this program can run.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/config/config.h"
#include "plugins/hook.h"

namespace grete::gateway {

// Loads, compiles and configures the plug-in. The error says what is wrong, for the operator.
[[nodiscard]] Result<std::shared_ptr<const plugins::Hook>, std::string> make_plugin(
    const PluginConfig& config);

}  // namespace grete::gateway

// Plug-ins on the Kafka lane as hooks of a chain: Message and Records.
#pragma once

#include <memory>

#include "plugins/hook.h"
#include "plugins/wasm_plugin.h"

namespace grete::plugins {

// `subscription` is what an instance of the plug-in subscribed to.
[[nodiscard]] std::shared_ptr<const Hook> make_lane_hook(std::shared_ptr<const WasmPlugin> plugin,
                                                         Subscription subscription);

}  // namespace grete::plugins

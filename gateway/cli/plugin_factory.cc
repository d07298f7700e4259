#include "gateway/cli/plugin_factory.h"

namespace grete::gateway {

Result<std::shared_ptr<const plugins::Hook>, std::string> make_plugin(const PluginConfig& config) {
  return unexpected("there is no plug-in '" + config.name + "' in this program");
}

}  // namespace grete::gateway

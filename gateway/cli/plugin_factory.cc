#include "gateway/cli/plugin_factory.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace grete::gateway {

namespace {

// Where compiled modules are kept; empty if there is no such place.
std::filesystem::path module_cache() {
  if (const char* own = std::getenv("GRETE_CACHE_DIR"); own != nullptr && *own != '\0') {
    return own;
  }
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return std::filesystem::path(cache) / "grete" / "modules";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::filesystem::path(home) / ".cache" / "grete" / "modules";
  }
  return {};
}

}  // namespace

plugins::OnFailure policy_of(FailurePolicy policy) {
  switch (policy) {
    case FailurePolicy::kReject:
      return plugins::OnFailure::kReject;
    case FailurePolicy::kPass:
      return plugins::OnFailure::kPass;
    case FailurePolicy::kObserve:
      return plugins::OnFailure::kObserve;
  }
  return plugins::OnFailure::kReject;
}

Result<plugins::LoadedPlugin, std::string> PluginFactory::make(const PluginConfig& config) {
  if (!config.native.empty()) {
    if (!native_) {
      return unexpected("there is no filter '" + config.native + "' in this program");
    }
    plugins::LoadedPlugin made;
    GRETE_TRY_ASSIGN(made.hook, native_(config));
    return made;
  }
  if (loader_ == nullptr) {
    GRETE_TRY_ASSIGN(loader_, plugins::PluginLoader::create(module_cache()));
  }
  plugins::PluginSpec spec;
  spec.name = config.name;
  spec.wasm = config.wasm;
  spec.on_failure = policy_of(config.on_failure);
  spec.deadline = config.deadline;
  spec.memory = config.memory;
  spec.max_instances = config.instances;
  spec.isolation = config.isolation == Isolation::kWorker ? plugins::Isolation::kWorker
                                                          : plugins::Isolation::kConnection;
  spec.configuration = config.config;
  return loader_->load(spec);
}

}  // namespace grete::gateway

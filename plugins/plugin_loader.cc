#include "plugins/plugin_loader.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include <sys/random.h>

#include "plugins/lane/lane_guest.h"
#include "plugins/lane/lane_hook.h"
#include "plugins/limits.h"
#include "wasm/limits.h"

namespace grete::plugins {
namespace {

constexpr std::uint32_t kWarn = 3;

// What a plug-in says while it is tried.
class TrialTelemetry final : public Telemetry {
 public:
  void call_ended(const CallReport&) override {}
  void log(std::string_view, std::uint32_t level, std::string_view text) override {
    if (level >= kWarn || last_.empty()) {
      last_ = text;
    }
  }
  // The last warning or error, else the first line.
  [[nodiscard]] const std::string& last() const { return last_; }

 private:
  std::string last_;
};

class SystemMachine final : public Machine {
 public:
  std::uint64_t unix_time_ns() override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  }
  Moment now() override { return MonotonicClock::now(); }
  void fill_random(MutableBytes bytes) override {
    while (!bytes.empty()) {
      const auto filled = ::getrandom(bytes.data(), bytes.size(), 0);
      if (filled > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(filled));
      }
    }
  }
};

Result<std::vector<std::byte>, std::string> read_file(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) {
    return unexpected("the module '" + path + "' cannot be read: " + error.message());
  }
  if (size > wasm::limits::kMaxModuleBytes) {
    return unexpected("the module '" + path + "' is larger than 64 MiB");
  }
  std::ifstream in(path, std::ios::binary);
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  if (!in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    return unexpected("the module '" + path + "' cannot be read: " + std::strerror(errno));
  }
  return bytes;
}

std::optional<std::string> check(const PluginSpec& spec) {
  if (spec.deadline < limits::kMinDeadline || spec.deadline > limits::kMaxDeadline) {
    return "the deadline must lie between 1ms and 30s";
  }
  if (spec.memory < wasm::limits::kMinMemoryBytes || spec.memory > wasm::limits::kMaxMemoryBytes) {
    return "the memory must lie between 64KiB and 1GiB";
  }
  if (spec.max_instances == 0 || spec.max_instances > limits::kMaxInstances) {
    return "there must be between 1 and 64 instances";
  }
  if (spec.configuration.size() > limits::kMaxConfigBytes) {
    return "the configuration is larger than 1 MiB";
  }
  return std::nullopt;
}

// Configures an instance. Its subscription, or what is wrong.
Result<Subscription, std::string> try_out(const WasmPlugin& plugin) {
  TrialTelemetry telemetry;
  SystemMachine machine;
  LaneGuest guest(plugin, telemetry, machine);
  wasm::GuestCall call = guest.start({.deadline = machine.now() + limits::kConfigureDeadline});
  while (call.poll(machine.now()) == wasm::CallState::kSuspended) {
  }
  if (call.state() == wasm::CallState::kTrapped) {
    const wasm::Trap& trap = call.trap();
    std::string text =
        trap.reason == wasm::TrapReason::kRefused
            ? "it refuses its configuration"
            : "it fails while it is configured (" + std::string(name_of(trap.reason)) + ")";
    if (!telemetry.last().empty()) {
      text += ": " + telemetry.last();
    } else if (!trap.detail.empty()) {
      text += ": " + trap.detail;
    }
    return unexpected(std::move(text));
  }
  return guest.host().subscription();
}

}  // namespace

PluginLoader::PluginLoader(std::unique_ptr<wasm::Engine> engine,
                           std::optional<wasm::ModuleCache> cache)
    : engine_(std::move(engine)),
      cache_(std::move(cache)),
      imports_(wasm::proxy_wasm::make_imports(*engine_)),
      shared_(std::make_shared<wasm::proxy_wasm::SharedState>()) {}

PluginLoader::~PluginLoader() = default;

Result<std::unique_ptr<PluginLoader>, std::string> PluginLoader::create(
    const std::filesystem::path& cache, const wasm::EngineOptions& options) {
  auto engine = wasm::Engine::create(options);
  if (!engine) {
    return unexpected("the WebAssembly engine does not start: " + engine.error().detail);
  }
  std::optional<wasm::ModuleCache> folder;
  if (!cache.empty()) {
    auto opened = wasm::ModuleCache::open(cache);
    if (!opened) {
      return unexpected("the folder for compiled modules cannot be used: " + opened.error().detail);
    }
    folder = *std::move(opened);
  }
  return std::unique_ptr<PluginLoader>(new PluginLoader(*std::move(engine), std::move(folder)));
}

Result<LoadedPlugin, std::string> PluginLoader::load(const PluginSpec& spec) {
  GRETE_TRY_ASSIGN(const std::vector<std::byte> module, read_file(spec.wasm));
  return load(spec, module);
}

Result<LoadedPlugin, std::string> PluginLoader::load(const PluginSpec& spec, Bytes module) {
  if (auto wrong = check(spec)) {
    return unexpected(*std::move(wrong));
  }
  auto compiled = wasm::CompiledModule::compile(*engine_, module, cache_ ? &*cache_ : nullptr);
  if (!compiled) {
    return unexpected("the module does not compile: " + compiled.error().detail);
  }
  if (auto checked = wasm::proxy_wasm::check_module((*compiled)->info()); !checked) {
    return unexpected(std::move(checked).error().detail);
  }
  auto linked = wasm::LinkedModule::link(*compiled, *imports_);
  if (!linked) {
    return unexpected("the module cannot be linked: " + linked.error().detail);
  }
  auto plugin = std::make_shared<WasmPlugin>();
  plugin->spec = spec;
  plugin->module = *std::move(linked);
  plugin->options = std::make_shared<const wasm::proxy_wasm::VmOptions>(
      wasm::proxy_wasm::VmOptions{.plugin_name = spec.name,
                                  .root_id = spec.name,
                                  .vm_id = spec.name,
                                  .vm_configuration = "",
                                  .plugin_configuration = spec.configuration,
                                  .limits = {.memory_bytes = spec.memory}});
  plugin->shared = shared_;
  plugin->metrics = std::make_shared<wasm::proxy_wasm::MetricStore>();
  GRETE_TRY_ASSIGN(Subscription subscription, try_out(*plugin));
  LoadedPlugin loaded;
  loaded.plugin = plugin;
  if (!subscription.empty()) {
    if ((*compiled)->info().find_export("proxy_on_foreign_function") == nullptr) {
      return unexpected(
          std::string("it subscribes to Kafka messages, but does not export "
                      "proxy_on_foreign_function, so that it cannot be shown any"));
    }
    loaded.hook = make_lane_hook(std::move(plugin), std::move(subscription));
  }
  return loaded;
}

}  // namespace grete::plugins

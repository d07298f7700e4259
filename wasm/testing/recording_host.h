// Hosts that write down what guests do, for tests.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wasm/proxy_wasm/host.h"
#include "wasm/proxy_wasm/shared_state.h"
#include "wasm/proxy_wasm/stream_context.h"
#include "wasm/proxy_wasm/vm.h"

namespace grete::wasm::testing {

class RecordingHost final : public proxy_wasm::PluginHost {
 public:
  void log(proxy_wasm::LogLevel level, std::string_view line) override {
    levels.push_back(level);
    logs.emplace_back(line);
  }
  std::uint64_t unix_time_ns() override { return 1'700'000'000'000'000'123U; }
  std::uint64_t monotonic_time_ns() override { return ++monotonic; }
  void fill_random(MutableBytes bytes) override { std::ranges::fill(bytes, std::byte{4}); }
  std::optional<std::string> property(std::string_view path) override {
    const auto found = properties.find(path);
    return found == properties.end() ? std::nullopt : std::optional{found->second};
  }
  void set_tick_period(std::uint32_t milliseconds) override { tick_period = milliseconds; }
  std::function<void(proxy_wasm::QueueId)> queue_listener() override {
    return [this](proxy_wasm::QueueId queue) { ready.push_back(queue); };
  }
  Result<std::string, proxy_wasm::Status> call_foreign_function(proxy_wasm::ContextId context,
                                                                std::string_view name,
                                                                Bytes arguments) override {
    foreign_context = context;
    if (name == "echo") {
      return std::string{as_text(arguments)} + "!";
    }
    if (name == "nothing") {
      return std::string{};
    }
    return unexpected(proxy_wasm::Status::kNotFound);
  }

  // All lines since the last call.
  std::vector<std::string> take_logs() { return std::exchange(logs, {}); }

  std::vector<proxy_wasm::LogLevel> levels;
  std::vector<std::string> logs;
  std::map<std::string, std::string, std::less<>> properties;
  std::vector<proxy_wasm::QueueId> ready;
  proxy_wasm::ContextId foreign_context;
  std::uint32_t tick_period = 0;
  std::uint64_t monotonic = 0;
};

class RecordingStream final : public proxy_wasm::StreamHost {
 public:
  std::optional<std::string> property(std::string_view path) override {
    const auto found = properties.find(path);
    return found == properties.end() ? std::nullopt : std::optional{found->second};
  }
  proxy_wasm::Status continue_stream(proxy_wasm::StreamType stream) override {
    continued.push_back(stream);
    return proxy_wasm::Status::kOk;
  }
  proxy_wasm::Status close_stream(proxy_wasm::StreamType stream) override {
    closed.push_back(stream);
    return proxy_wasm::Status::kOk;
  }

  std::map<std::string, std::string, std::less<>> properties;
  std::vector<proxy_wasm::StreamType> continued;
  std::vector<proxy_wasm::StreamType> closed;
};

// One plug-in in one VM, with everything around it.
class Plugin {
 public:
  Plugin(
      std::shared_ptr<const LinkedModule> module, proxy_wasm::VmOptions options,
      std::shared_ptr<proxy_wasm::SharedState> shared = std::make_shared<proxy_wasm::SharedState>())
      : vm(std::move(module), std::make_shared<const proxy_wasm::VmOptions>(std::move(options)),
           host, metrics, std::move(shared)) {}

  RecordingHost host;
  proxy_wasm::MetricStore metrics;
  proxy_wasm::Vm vm;
};

// Polls a call to its end.
inline CallState run(GuestCall& call) {
  while (call.poll(Moment{}) == CallState::kSuspended) {
  }
  return call.state();
}

}  // namespace grete::wasm::testing

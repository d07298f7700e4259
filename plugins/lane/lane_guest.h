// One instance of a plug-in that speaks the Kafka lane, and the lane's functions for it.
// The contract is docs/kafka-lane.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/edit_list.h"
#include "plugins/hook.h"
#include "plugins/subscription.h"
#include "plugins/wasm_plugin.h"
#include "plugins/worker.h"
#include "wasm/pool/pool.h"
#include "wasm/proxy_wasm/host.h"
#include "wasm/proxy_wasm/vm.h"

namespace grete::plugins {

// The call that the guest is in. Borrows.
struct LaneCall {
  std::uint64_t token = 0;
  const MessageCall* message = nullptr;  // or
  const RecordsCall* records = nullptr;
  EditList* edits = nullptr;  // of a records call
  std::optional<Verdict> verdict;

  [[nodiscard]] const FrameContext& context() const {
    return message != nullptr ? *message->context : *records->context;
  }
};

// Answers an instance's calls into the host. One thread, mostly on the guest's stack.
class LaneHost final : public wasm::proxy_wasm::PluginHost {
 public:
  LaneHost(const WasmPlugin& plugin, Telemetry& telemetry, Machine& machine)
      : plugin_(&plugin), telemetry_(&telemetry), machine_(&machine) {}

  // What the guest subscribed to while it was configured.
  [[nodiscard]] const Subscription& subscription() const { return subscription_; }

  // From here on subscriptions are over. `call` stays until end().
  void begin(LaneCall& call) {
    configured_ = true;
    call_ = &call;
  }
  void end() { call_ = nullptr; }

  void log(wasm::proxy_wasm::LogLevel level, std::string_view line) override;
  [[nodiscard]] std::uint64_t unix_time_ns() override { return machine_->unix_time_ns(); }
  [[nodiscard]] std::uint64_t monotonic_time_ns() override;
  void fill_random(MutableBytes bytes) override { machine_->fill_random(bytes); }
  Result<std::string, wasm::proxy_wasm::Status> call_foreign_function(
      wasm::proxy_wasm::ContextId context, std::string_view name, Bytes arguments) override;

 private:
  using Answer = Result<std::string, wasm::proxy_wasm::Status>;

  Answer subscribe(Bytes arguments);
  Answer edit(Bytes arguments);
  Answer verdict(Bytes arguments);
  [[nodiscard]] const char* why_not(const kafka::lane::Verdict& told) const;
  // Tells the plug-in's author why the arguments are not taken.
  Answer refuse(std::string_view function, const char* why);

  const WasmPlugin* plugin_;
  Telemetry* telemetry_;
  Machine* machine_;
  Subscription subscription_;
  bool configured_ = false;
  LaneCall* call_ = nullptr;
};

// An instance with its host. One thread.
class LaneGuest final : public wasm::PooledGuest {
 public:
  LaneGuest(const WasmPlugin& plugin, Telemetry& telemetry, Machine& machine)
      : host_(plugin, telemetry, machine),
        vm_(plugin.module, plugin.options, host_, *plugin.metrics, plugin.shared) {}

  wasm::GuestCall start(const wasm::CallLimits& limits) override { return vm_.start(limits); }
  [[nodiscard]] wasm::Instance& instance() override { return vm_.instance(); }

  [[nodiscard]] LaneHost& host() { return host_; }

  // Shows the guest a call; both stay until the call has ended, and then end() follows.
  wasm::GuestCall show(LaneCall& call, const wasm::CallLimits& limits);
  void end() { host_.end(); }

 private:
  LaneHost host_;
  wasm::proxy_wasm::Vm vm_;
  std::vector<std::byte> call_data_;
};

}  // namespace grete::plugins

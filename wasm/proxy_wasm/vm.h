// A Proxy-Wasm plug-in in an instance of its own: a "VM" in that ABI's words.
//
//     made -> start() -> { open streams, tick(), on_queue_ready(), on_foreign_function() }* -> gone
//
// Every function that returns a GuestCall begins a call of the instance: one at a time, see
// guest_call.h. A VM serves one thread. When a call traps, the VM and all its streams are lost.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "wasm/engine/imports.h"
#include "wasm/engine/instance.h"
#include "wasm/pool/pool.h"
#include "wasm/proxy_wasm/abi.h"
#include "wasm/proxy_wasm/host.h"
#include "wasm/proxy_wasm/shared_state.h"

namespace grete::wasm::proxy_wasm {

// Everything a Proxy-Wasm module may import, WASI included; one a process.
[[nodiscard]] std::unique_ptr<ImportSet> make_imports(Engine& engine);

// Checks what start() relies on: the ABI's marker, and the type of every callback that is
// exported. kUnknownAbi or kLink. Call once a module, before any VM.
[[nodiscard]] Result<void, Error> check_module(const ModuleInfo& info);

struct VmOptions {
  std::string plugin_name;
  std::string root_id;
  // Shared data and queues are common to all VMs of the same id.
  std::string vm_id;
  std::string vm_configuration;
  std::string plugin_configuration;
  InstanceLimits limits;
};

class Imports;
class StreamContext;
struct Callbacks;

class Vm final : public PooledGuest {
 public:
  // `host` and `metrics` outlive the VM; `options` and `shared` are common to the plug-in's VMs.
  Vm(std::shared_ptr<const LinkedModule> module, std::shared_ptr<const VmOptions> options,
     PluginHost& host, MetricSink& metrics, std::shared_ptr<SharedState> shared);
  ~Vm() override;

  // Instantiates, initialises, and configures the plug-in: proxy_on_context_create,
  // proxy_on_vm_start, proxy_on_configure. Traps with kRefused if one of these says no.
  GuestCall start(const CallLimits& limits) override;
  [[nodiscard]] Instance& instance() override { return instance_; }

  // The plug-in's own context.
  [[nodiscard]] ContextId root() const { return root_; }

  // proxy_on_tick of the root context.
  GuestCall tick(const CallLimits& limits);
  // proxy_on_queue_ready of the root context.
  GuestCall on_queue_ready(QueueId queue, const CallLimits& limits);
  // proxy_on_foreign_function(context, function, size of call_data); the guest reads `call_data`
  // as buffer CallData, which is immutable. `call_data` outlives the call. result() is 0. If the
  // module does not export the callback, nothing happens: see has_on_foreign_function().
  GuestCall on_foreign_function(ContextId context, std::uint32_t function, Bytes call_data,
                                const CallLimits& limits);
  [[nodiscard]] bool has_on_foreign_function() const;
  // proxy_on_done and proxy_on_delete of the root context: the plug-in is unloaded. Optional.
  GuestCall finish(const CallLimits& limits);

  [[nodiscard]] PluginHost& host() const { return *host_; }
  [[nodiscard]] const VmOptions& options() const { return *options_; }
  // Streams alive in this VM.
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }

  // Lines past limits::kMaxLogLinesPerCall, in all.
  [[nodiscard]] std::uint64_t log_lines_dropped() const { return log_lines_dropped_; }

 private:
  friend class Imports;
  friend class StreamContext;
  class WasiToHost;
  struct WasiParts;

  GuestCall begin(ContextId context, Instance::Body body, const CallLimits& limits);
  Instance::Body prepare(ContextId context, Instance::Body body);
  HostResult<std::uint64_t> start_on_stack(Instance& instance);
  [[nodiscard]] std::optional<std::string> property(ContextId context, std::string_view path);

  std::shared_ptr<const VmOptions> options_;
  PluginHost* host_;
  MetricSink* metrics_;
  std::shared_ptr<SharedState> shared_;
  Instance instance_;
  std::unique_ptr<Imports> imports_;
  std::unique_ptr<WasiParts> wasi_;
  std::unique_ptr<Callbacks> callbacks_;
  std::unordered_map<ContextId, StreamContext*> streams_;
  // What the plug-in's own context set with proxy_set_property.
  std::map<std::string, std::string, std::less<>> properties_;
  std::uint64_t log_lines_dropped_ = 0;
  std::uint32_t next_context_ = 1;
  ContextId root_;
};

}  // namespace grete::wasm::proxy_wasm

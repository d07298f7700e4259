#include "wasm/proxy_wasm/vm.h"

#include <algorithm>
#include <array>
#include <utility>

#include "wasm/proxy_wasm/callbacks.h"
#include "wasm/proxy_wasm/imports.h"
#include "wasm/proxy_wasm/stream_context.h"
#include "wasm/wasi/wasi.h"

namespace grete::wasm::proxy_wasm {

// WASI, led to the plug-in's host.
class Vm::WasiToHost final : public WasiHost {
 public:
  explicit WasiToHost(Vm& vm) : vm_(&vm) {}

  std::uint64_t wasi_realtime_ns() override { return vm_->host_->unix_time_ns(); }
  std::uint64_t wasi_monotonic_ns() override { return vm_->host_->monotonic_time_ns(); }
  void wasi_random(MutableBytes bytes) override { vm_->host_->fill_random(bytes); }
  void wasi_line(Stream stream, std::string_view line) override {
    vm_->imports_->write_log(stream == Stream::kOut ? LogLevel::kInfo : LogLevel::kError, line);
  }

 private:
  Vm* vm_;
};

struct Vm::WasiParts {
  explicit WasiParts(Vm& vm) : host(vm), wasi(vm.instance_, host) {}
  WasiToHost host;
  Wasi wasi;
};

Result<void, Error> check_module(const ModuleInfo& info) {
  if (!is_proxy_wasm(info.abi)) {
    return unexpected(Error{
        ErrorKind::kUnknownAbi,
        info.abi == Abi::kUnknown
            ? "the module exports no proxy_abi_version_0_2_1 (nor 0_2_0 or 0_1_0): it is no "
              "Proxy-Wasm plug-in"
            : "this is a plug-in for " + std::string{name_of(info.abi)} + ", not for Proxy-Wasm"});
  }
  std::string wrong;
  for (const auto& [name, signature] : Callbacks::signatures()) {
    const ExternInfo* found = info.find_export(name);
    if (found != nullptr && found->signature != signature) {
      wrong += (wrong.empty() ? "" : "; ") + std::string{name} + " is (" + found->signature +
               ") instead of (" + signature + ")";
    }
  }
  if (!wrong.empty()) {
    return unexpected(Error{ErrorKind::kLink, "callbacks of another type: " + wrong});
  }
  const ExternInfo* memory = info.find_export("memory");
  if (memory == nullptr || memory->kind != ExternKind::kMemory) {
    return unexpected(Error{ErrorKind::kLink, "the module does not export its memory"});
  }
  if (info.find_export("proxy_on_memory_allocate") == nullptr &&
      info.find_export("malloc") == nullptr) {
    return unexpected(Error{ErrorKind::kLink,
                            "the module exports neither proxy_on_memory_allocate nor malloc, so "
                            "that the host cannot give it bytes"});
  }
  return {};
}

Vm::Vm(std::shared_ptr<const LinkedModule> module, std::shared_ptr<const VmOptions> options,
       PluginHost& host, MetricSink& metrics, std::shared_ptr<SharedState> shared)
    : options_(std::move(options)),
      host_(&host),
      metrics_(&metrics),
      shared_(std::move(shared)),
      instance_(std::move(module), options_->limits),
      imports_(std::make_unique<Imports>(*this)),
      wasi_(std::make_unique<WasiParts>(*this)),
      callbacks_(std::make_unique<Callbacks>()),
      root_(next_context_++) {
  instance_.set_imports(ImportSlot::kAbi, imports_.get());
  instance_.set_imports(ImportSlot::kWasi, &wasi_->wasi);
}

Vm::~Vm() {
  shared_->unregister(this);
}

GuestCall Vm::begin(ContextId context, Instance::Body body, const CallLimits& limits) {
  return instance_.start(prepare(context, std::move(body)), limits);
}

Instance::Body Vm::prepare(ContextId context, Instance::Body body) {
  return [this, context, run = std::move(body)](Instance& instance) mutable {
    imports_->begin_call();
    imports_->set_context(context);
    return run(instance);
  };
}

GuestCall Vm::start(const CallLimits& limits) {
  return instance_.instantiate(
      prepare(root_, [this](Instance& instance) { return start_on_stack(instance); }), limits);
}

HostResult<std::uint64_t> Vm::start_on_stack(Instance& instance) {
  Callbacks& on = *callbacks_;
  on.find_all(instance);
  instance.set_allocator(on.allocate.absent() ? on.malloc : on.allocate);
  if (!on.initialize.absent()) {
    GRETE_TRY(instance.invoke(on.initialize));
    if (!on.main.absent()) {
      GRETE_TRY(instance.invoke(on.main, 0U, 0U));
    } else if (!on.main_void.absent()) {
      GRETE_TRY(instance.invoke(on.main_void));
    }
  } else if (!on.start.absent()) {
    GRETE_TRY(instance.invoke(on.start));
  }
  if (!on.context_create.absent()) {
    GRETE_TRY(instance.invoke(on.context_create, root_.value(), 0U));
  }
  const auto ask = [&](auto callback, std::string_view name,
                       const std::string& configuration) -> HostResult<void> {
    if (callback.absent()) {
      return {};
    }
    GRETE_TRY_ASSIGN(
        const std::uint32_t agreed,
        instance.invoke(callback, root_.value(), static_cast<std::uint32_t>(configuration.size())));
    if (agreed == 0) {
      return instance.fail(TrapReason::kRefused,
                           std::string{name} +
                               " returned false: the plug-in does not accept its "
                               "configuration; its log may tell why");
    }
    return {};
  };
  GRETE_TRY(ask(on.vm_start, "proxy_on_vm_start", options_->vm_configuration));
  GRETE_TRY(ask(on.configure, "proxy_on_configure", options_->plugin_configuration));
  return 0;
}

GuestCall Vm::tick(const CallLimits& limits) {
  return begin(
      root_,
      [this](Instance& instance) -> HostResult<std::uint64_t> {
        if (!callbacks_->tick.absent()) {
          GRETE_TRY(instance.invoke(callbacks_->tick, root_.value()));
        }
        return 0;
      },
      limits);
}

GuestCall Vm::on_queue_ready(QueueId queue, const CallLimits& limits) {
  return begin(
      root_,
      [this, queue](Instance& instance) -> HostResult<std::uint64_t> {
        if (!callbacks_->queue_ready.absent()) {
          GRETE_TRY(instance.invoke(callbacks_->queue_ready, root_.value(), queue.value()));
        }
        return 0;
      },
      limits);
}

GuestCall Vm::on_foreign_function(ContextId context, std::uint32_t function, Bytes call_data,
                                  const CallLimits& limits) {
  return begin(
      context,
      [this, context, function, call_data](Instance& instance) -> HostResult<std::uint64_t> {
        if (callbacks_->foreign_function.absent()) {
          return 0;
        }
        imports_->set_call_data(call_data);
        const HostResult<void> result =
            instance.invoke(callbacks_->foreign_function, context.value(), function,
                            static_cast<std::uint32_t>(call_data.size()));
        imports_->set_call_data({});
        GRETE_TRY(result);
        return 0;
      },
      limits);
}

bool Vm::has_on_foreign_function() const {
  return instance_.info().find_export("proxy_on_foreign_function") != nullptr;
}

GuestCall Vm::finish(const CallLimits& limits) {
  return begin(
      root_,
      [this](Instance& instance) -> HostResult<std::uint64_t> {
        if (!callbacks_->done.absent()) {
          GRETE_TRY(instance.invoke(callbacks_->done, root_.value()));
        }
        if (!callbacks_->remove.absent()) {
          GRETE_TRY(instance.invoke(callbacks_->remove, root_.value()));
        }
        return 0;
      },
      limits);
}

std::optional<std::string> Vm::property(ContextId context, std::string_view path) {
  const auto stream = streams_.find(context);
  if (stream != streams_.end()) {
    const auto& set = stream->second->properties_;
    if (const auto found = set.find(path); found != set.end()) {
      return found->second;
    }
    if (auto value = stream->second->host().property(path)) {
      return value;
    }
  }
  if (const auto found = properties_.find(path); found != properties_.end()) {
    return found->second;
  }
  if (path == "plugin_name") {
    return options_->plugin_name;
  }
  if (path == "plugin_root_id") {
    return options_->root_id;
  }
  if (path == "plugin_vm_id") {
    return options_->vm_id;
  }
  return host_->property(path);
}

}  // namespace grete::wasm::proxy_wasm

// The functions that a Proxy-Wasm module may export. All are optional but an allocator.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "wasm/engine/instance.h"
#include "wasm/proxy_wasm/vm.h"

namespace grete::wasm::proxy_wasm {

struct Callbacks {
  using U32 = std::uint32_t;

  GuestFunction<void()> initialize;
  GuestFunction<void()> start;
  GuestFunction<U32(U32, U32)> main;
  GuestFunction<U32()> main_void;
  GuestFunction<U32(U32)> allocate;
  GuestFunction<U32(U32)> malloc;
  GuestFunction<void(U32, U32)> context_create;
  GuestFunction<U32(U32, U32)> vm_start;
  GuestFunction<U32(U32, U32)> configure;
  GuestFunction<void(U32)> tick;
  GuestFunction<void(U32, U32)> queue_ready;
  GuestFunction<void(U32, U32, U32)> foreign_function;
  GuestFunction<U32(U32)> new_connection;
  GuestFunction<U32(U32, U32, U32)> downstream_data;
  GuestFunction<U32(U32, U32, U32)> upstream_data;
  GuestFunction<void(U32, U32)> downstream_close;
  GuestFunction<void(U32, U32)> upstream_close;
  GuestFunction<U32(U32)> done;
  GuestFunction<void(U32)> log;
  GuestFunction<void(U32)> remove;

  // Calls `visit(function, name)` for each.
  template <class Visitor>
  void for_each(Visitor&& visit) {
    visit(initialize, "_initialize");
    visit(start, "_start");
    visit(main, "main");
    visit(main_void, "__main_void");
    visit(allocate, "proxy_on_memory_allocate");
    visit(malloc, "malloc");
    visit(context_create, "proxy_on_context_create");
    visit(vm_start, "proxy_on_vm_start");
    visit(configure, "proxy_on_configure");
    visit(tick, "proxy_on_tick");
    visit(queue_ready, "proxy_on_queue_ready");
    visit(foreign_function, "proxy_on_foreign_function");
    visit(new_connection, "proxy_on_new_connection");
    visit(downstream_data, "proxy_on_downstream_data");
    visit(upstream_data, "proxy_on_upstream_data");
    visit(downstream_close, "proxy_on_downstream_connection_close");
    visit(upstream_close, "proxy_on_upstream_connection_close");
    visit(done, "proxy_on_done");
    visit(log, "proxy_on_log");
    visit(remove, "proxy_on_delete");
  }

  void find_all(Instance& instance) {
    for_each(
        [&instance]<class Signature>(GuestFunction<Signature>& function, std::string_view name) {
          function = instance.find<Signature>(name);
        });
  }

  // The type of each proxy_ callback, by name.
  static std::map<std::string_view, std::string> signatures() {
    std::map<std::string_view, std::string> found;
    Callbacks callbacks;
    callbacks.for_each(
        [&found]<class Signature>(GuestFunction<Signature>& /*function*/, std::string_view name) {
          if (name.starts_with("proxy_")) {
            found.emplace(name, internal::SignatureText<Signature>::get());
          }
        });
    return found;
  }
};

}  // namespace grete::wasm::proxy_wasm

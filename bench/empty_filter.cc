// A Proxy-Wasm L4 filter that does nothing: what is measured with it is the host's way into it and
// back, on every chunk of bytes. No library, no import.
#define EXPORT(name) extern "C" __attribute__((export_name(#name), used))

using u32 = unsigned int;

namespace {

constexpr u32 kContinue = 0;
alignas(16) unsigned char memory[64 * 1024];
u32 used = 0;

}  // namespace

EXPORT(proxy_abi_version_0_2_1) void abi_version() {}

// A ring: what the host puts here (configuration, properties) is never looked at.
EXPORT(proxy_on_memory_allocate) void* allocate(u32 size) {
  if (size > sizeof memory) {
    return nullptr;
  }
  used = used + size > sizeof memory ? 0 : used;
  void* start = memory + used;
  used += (size + 15) & ~15u;
  return start;
}

EXPORT(proxy_on_context_create) void on_context_create(u32, u32) {}
EXPORT(proxy_on_vm_start) u32 on_vm_start(u32, u32) {
  return 1;
}
EXPORT(proxy_on_configure) u32 on_configure(u32, u32) {
  return 1;
}
EXPORT(proxy_on_new_connection) u32 on_new_connection(u32) {
  return kContinue;
}
EXPORT(proxy_on_downstream_data) u32 on_downstream_data(u32, u32, u32) {
  return kContinue;
}
EXPORT(proxy_on_upstream_data) u32 on_upstream_data(u32, u32, u32) {
  return kContinue;
}
EXPORT(proxy_on_downstream_connection_close) void on_downstream_close(u32, u32) {}
EXPORT(proxy_on_upstream_connection_close) void on_upstream_close(u32, u32) {}
EXPORT(proxy_on_done) u32 on_done(u32) {
  return 1;
}
EXPORT(proxy_on_log) void on_log(u32) {}
EXPORT(proxy_on_delete) void on_delete(u32) {}

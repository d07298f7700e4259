// The part of Proxy-Wasm 0.2.1 that the C guests use, without any library.
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name), used))

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { kDownstream = 2, kUpstream = 3, kPluginConfig = 7, kCallData = 8 };

IMPORT(proxy_log) u32 proxy_log(u32 level, const char* text, u32 size);
IMPORT(proxy_get_buffer_bytes)
u32 proxy_get_buffer_bytes(u32 buffer, u32 start, u32 max, u8** bytes, u32* size);
IMPORT(proxy_call_foreign_function)
u32 proxy_call_foreign_function(const char* name, u32 name_size, const void* arguments, u32 size,
                                u8** result, u32* result_size);

EXPORT(proxy_abi_version_0_2_1) void abi_version(void) {}

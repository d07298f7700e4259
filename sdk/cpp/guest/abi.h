// The Proxy-Wasm functions that the SDK imports. Source: https://github.com/proxy-wasm/spec,
// v0.2.1.
#pragma once

#include <cstddef>
#include <cstdint>

namespace grete::sdk::abi {

enum class Status : std::uint32_t { kOk = 0, kNotFound = 1, kEmpty = 7 };
enum class Action : std::uint32_t { kContinue = 0, kPause = 1 };
enum class BufferType : std::uint32_t {
  kDownstreamData = 2,
  kUpstreamData = 3,
  kVmConfiguration = 6,
  kPluginConfiguration = 7,
  kCallData = 8,
};
enum class StreamType : std::uint32_t { kDownstream = 2, kUpstream = 3 };
enum class MetricType : std::uint32_t { kCounter = 0 };

#define GRETE_IMPORT(name) [[clang::import_module("env"), clang::import_name(#name)]]

extern "C" {
GRETE_IMPORT(proxy_log) Status proxy_log(std::uint32_t level, const char* text, std::size_t size);
GRETE_IMPORT(proxy_get_current_time_nanoseconds)
Status proxy_get_current_time_nanoseconds(std::uint64_t* time);
GRETE_IMPORT(proxy_set_tick_period_milliseconds)
Status proxy_set_tick_period_milliseconds(std::uint32_t period);
GRETE_IMPORT(proxy_get_buffer_bytes)
Status proxy_get_buffer_bytes(BufferType type, std::size_t start, std::size_t max,
                              std::byte** bytes, std::size_t* size);
GRETE_IMPORT(proxy_set_buffer_bytes)
Status proxy_set_buffer_bytes(BufferType type, std::size_t start, std::size_t size,
                              const std::byte* bytes, std::size_t bytes_size);
GRETE_IMPORT(proxy_call_foreign_function)
Status proxy_call_foreign_function(const char* name, std::size_t name_size, const std::byte* bytes,
                                   std::size_t size, std::byte** result, std::size_t* result_size);
GRETE_IMPORT(proxy_define_metric)
Status proxy_define_metric(MetricType type, const char* name, std::size_t size, std::uint32_t* id);
GRETE_IMPORT(proxy_increment_metric)
Status proxy_increment_metric(std::uint32_t id, std::int64_t by);
GRETE_IMPORT(proxy_close_stream) Status proxy_close_stream(StreamType stream);
}

#undef GRETE_IMPORT

}  // namespace grete::sdk::abi

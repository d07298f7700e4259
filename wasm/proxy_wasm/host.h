// What a Proxy-Wasm guest needs from the program around it. Implemented by the owner of a VM.
//
// All functions are called on the VM's thread, most of them on a guest's stack: they are short,
// hold no lock on return, and throw nothing. Arguments that point at bytes point into the guest's
// memory or the caller's stack: copy what is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wasm/proxy_wasm/abi.h"

namespace grete::wasm::proxy_wasm {

// A plug-in's metrics. Names are the guest's; ids are the sink's. Shared by all VMs of a plug-in.
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  // The id of the metric of that name, made if it is new. kBadArgument if it exists with another
  // type, kInternalFailure at limits::kMaxMetrics.
  virtual Result<MetricId, Status> define(MetricType type, std::string_view name) = 0;
  // Adds to a counter (by > 0) or a gauge. kBadArgument otherwise, kNotFound for an unknown id.
  virtual Status increment(MetricId id, std::int64_t by) = 0;
  // Sets a gauge, adds a value to a histogram, or adds to a counter.
  virtual Status record(MetricId id, std::uint64_t value) = 0;
  // Of a counter or a gauge; kBadArgument for a histogram.
  virtual Result<std::uint64_t, Status> value(MetricId id) = 0;
};

// The owner of one VM.
class PluginHost {
 public:
  virtual ~PluginHost() = default;

  // A line that the guest logged (proxy_log, or written to stdout or stderr), at most
  // limits::kMaxLogBytes.
  virtual void log(LogLevel level, std::string_view line) = 0;
  // Below this level the guest need not log.
  [[nodiscard]] virtual LogLevel log_level() const { return LogLevel::kInfo; }

  // Nanoseconds since 1970, for the guest's clocks.
  [[nodiscard]] virtual std::uint64_t unix_time_ns() = 0;
  // Nanoseconds of a clock that never goes back.
  [[nodiscard]] virtual std::uint64_t monotonic_time_ns() = 0;
  // Fills `bytes` with unpredictable bytes.
  virtual void fill_random(MutableBytes bytes) = 0;

  // A property of the plug-in as a whole, by its path with segments separated by NUL, in the ABI's
  // encoding (strings raw; integers 8 bytes, little-endian). Nothing if there is none. plugin_name,
  // plugin_root_id and plugin_vm_id are answered before this is asked.
  virtual std::optional<std::string> property(std::string_view path) {
    static_cast<void>(path);
    return std::nullopt;
  }

  // The guest wants (or, with 0, no longer wants) Vm::tick() called every so many milliseconds.
  virtual void set_tick_period(std::uint32_t milliseconds) { static_cast<void>(milliseconds); }

  // Called with the queue's id when a message waits in a queue that this VM registered: on any
  // thread, and even for a moment after the VM is gone. It posts to the VM's thread, which calls
  // Vm::on_queue_ready(). An empty function: the guest is not told.
  [[nodiscard]] virtual std::function<void(QueueId)> queue_listener() { return {}; }

  // A call of proxy_call_foreign_function: the result's bytes, or the status that the guest sees.
  // `context` is the effective context.
  virtual Result<std::string, Status> call_foreign_function(ContextId context,
                                                            std::string_view name,
                                                            Bytes arguments) {
    static_cast<void>(context), static_cast<void>(name), static_cast<void>(arguments);
    return unexpected(Status::kNotFound);
  }
};

// The owner of one stream (one connection's bytes, both ways).
class StreamHost {
 public:
  virtual ~StreamHost() = default;

  // A property of this stream; see PluginHost::property(), which is asked if this has none.
  virtual std::optional<std::string> property(std::string_view path) = 0;
  // The filter lets a paused direction go on: `stream` is kDownstream or kUpstream. The owner
  // forwards what is buffered once the current call has ended.
  virtual Status continue_stream(StreamType stream) = 0;
  // The filter wants the connection closed on that side. After the current call has ended.
  virtual Status close_stream(StreamType stream) = 0;
};

}  // namespace grete::wasm::proxy_wasm

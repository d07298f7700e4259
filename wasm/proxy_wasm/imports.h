// The functions that Proxy-Wasm guests import from "env": one object a VM.
//
// Bytes that a guest passes are valid until it is entered again, so a function that returns bytes
// (which allocates in the guest) reads its arguments first and looks up what it returns last.
#pragma once

#include <cstdint>
#include <string>

#include "wasm/engine/host_function.h"
#include "wasm/proxy_wasm/abi.h"
#include "wasm/proxy_wasm/vm.h"

namespace grete::wasm::proxy_wasm {

class Imports {
 public:
  static constexpr ImportSlot kSlot = ImportSlot::kAbi;
  static constexpr Status kBadPointer = Status::kInvalidMemoryAccess;

  explicit Imports(Vm& vm) : vm_(&vm) {}

  static void define_all(ImportSet& imports);

  // Before each callback: which context the guest acts for, until it says otherwise.
  void set_context(ContextId context) { context_ = context; }
  void begin_call() { log_lines_ = 0; }
  void set_call_data(Bytes call_data) { call_data_ = call_data; }

  // Passes a line on, cut and counted. Also for WASI.
  void write_log(LogLevel level, std::string_view line);

 private:
  using U32 = std::uint32_t;
  using U64 = std::uint64_t;
  using OutU32 = Out<std::uint32_t>;
  using OutU64 = Out<std::uint64_t>;

  // Log, time, status.
  Status log(U32 level, Bytes message);
  Status get_log_level(OutU32 level);
  Status get_current_time_nanoseconds(OutU64 time);
  Status set_tick_period_milliseconds(U32 period);
  HostResult<Status> get_status(OutU32 code, OutU32 data, OutU32 size);

  // Contexts and streams.
  Status set_effective_context(U32 context);
  Status done();
  Status continue_stream(U32 type);
  Status close_stream(U32 type);
  Status continue_request() { return continue_stream(2); }
  Status continue_response() { return continue_stream(3); }

  // Properties, buffers, configuration.
  HostResult<Status> get_property(Bytes path, OutU32 data, OutU32 size);
  Status set_property(Bytes path, Bytes value);
  HostResult<Status> get_buffer_bytes(U32 type, U32 start, U32 max, OutU32 data, OutU32 size);
  Status get_buffer_status(U32 type, OutU32 size, OutU32 flags);
  Status set_buffer_bytes(U32 type, U32 start, U32 size, Bytes bytes);
  HostResult<Status> get_configuration(OutU32 data, OutU32 size);

  // Shared data and queues.
  HostResult<Status> get_shared_data(Bytes key, OutU32 data, OutU32 size, OutU32 cas);
  Status set_shared_data(Bytes key, Bytes value, U32 cas);
  Status register_shared_queue(Bytes name, OutU32 queue);
  Status resolve_shared_queue(Bytes vm_id, Bytes name, OutU32 queue);
  HostResult<Status> dequeue_shared_queue(U32 queue, OutU32 data, OutU32 size);
  Status enqueue_shared_queue(U32 queue, Bytes message);

  // Metrics.
  Status define_metric(U32 type, Bytes name, OutU32 metric);
  Status increment_metric(U32 metric, U64 by);
  Status record_metric(U32 metric, U64 value);
  Status get_metric(U32 metric, OutU64 value);

  HostResult<Status> call_foreign_function(Bytes name, Bytes arguments, OutU32 data, OutU32 size);

  // HTTP headers: a stream of bytes has none.
  HostResult<Status> get_header_map_pairs(U32 map, OutU32 data, OutU32 size);
  Status get_header_map_size(U32 map, OutU32 size);
  Status get_header_map_value(U32 map, Bytes key, OutU32 data, OutU32 size);

  // What Emscripten and AssemblyScript import besides.
  void emscripten_notify_memory_growth(U32 memory);
  U32 pthread_equal(U32 a, U32 b);
  HostResult<void> abort(U32 message, U32 file, U32 line, U32 column);

  // A function of HTTP or gRPC, which this host does not offer.
  template <Status kStatus, class... A>
  Status refuse(A... /*arguments*/) {
    return kStatus;
  }

  static void define_http(ImportSet& imports);

  // Allocates in the guest for what `look_up` returns, and copies it there. `look_up` is asked
  // before and after the guest allocates, since a guest may change it meanwhile.
  template <class LookUp>
  HostResult<Status> give(LookUp&& look_up, OutU32 data, OutU32 size);

  // The stream of the effective context, or null if that is the plug-in's own.
  [[nodiscard]] StreamContext* stream() const;
  // The bytes of a buffer that exists, or the status to answer.
  [[nodiscard]] Result<Bytes, Status> buffer(BufferType type) const;

  Vm* vm_;
  ContextId context_;
  Bytes call_data_;
  std::uint32_t log_lines_ = 0;
};

}  // namespace grete::wasm::proxy_wasm

#include "wasm/proxy_wasm/imports.h"

#include <algorithm>
#include <utility>

#include "wasm/limits.h"
#include "wasm/proxy_wasm/stream_context.h"
#include "wasm/wasi/wasi.h"

namespace grete::wasm::proxy_wasm {
namespace {

constexpr std::string_view kEnv = "env";

}  // namespace

std::unique_ptr<ImportSet> make_imports(Engine& engine) {
  auto imports = std::make_unique<ImportSet>(engine);
  Wasi::define_all(*imports);
  Imports::define_all(*imports);
  return imports;
}

void Imports::define_all(ImportSet& imports) {
  define<&Imports::log>(imports, kEnv, "proxy_log");
  define<&Imports::get_log_level>(imports, kEnv, "proxy_get_log_level");
  define<&Imports::get_current_time_nanoseconds>(imports, kEnv,
                                                 "proxy_get_current_time_nanoseconds");
  define<&Imports::set_tick_period_milliseconds>(imports, kEnv,
                                                 "proxy_set_tick_period_milliseconds");
  define<&Imports::get_status>(imports, kEnv, "proxy_get_status");
  define<&Imports::set_effective_context>(imports, kEnv, "proxy_set_effective_context");
  define<&Imports::done>(imports, kEnv, "proxy_done");
  define<&Imports::continue_stream>(imports, kEnv, "proxy_continue_stream");
  define<&Imports::close_stream>(imports, kEnv, "proxy_close_stream");
  define<&Imports::continue_request>(imports, kEnv, "proxy_continue_request");
  define<&Imports::continue_response>(imports, kEnv, "proxy_continue_response");
  define<&Imports::get_property>(imports, kEnv, "proxy_get_property");
  define<&Imports::set_property>(imports, kEnv, "proxy_set_property");
  define<&Imports::get_buffer_bytes>(imports, kEnv, "proxy_get_buffer_bytes");
  define<&Imports::get_buffer_status>(imports, kEnv, "proxy_get_buffer_status");
  define<&Imports::set_buffer_bytes>(imports, kEnv, "proxy_set_buffer_bytes");
  define<&Imports::get_configuration>(imports, kEnv, "proxy_get_configuration");
  define<&Imports::get_shared_data>(imports, kEnv, "proxy_get_shared_data");
  define<&Imports::set_shared_data>(imports, kEnv, "proxy_set_shared_data");
  define<&Imports::register_shared_queue>(imports, kEnv, "proxy_register_shared_queue");
  define<&Imports::resolve_shared_queue>(imports, kEnv, "proxy_resolve_shared_queue");
  define<&Imports::dequeue_shared_queue>(imports, kEnv, "proxy_dequeue_shared_queue");
  define<&Imports::enqueue_shared_queue>(imports, kEnv, "proxy_enqueue_shared_queue");
  define<&Imports::define_metric>(imports, kEnv, "proxy_define_metric");
  define<&Imports::increment_metric>(imports, kEnv, "proxy_increment_metric");
  define<&Imports::record_metric>(imports, kEnv, "proxy_record_metric");
  define<&Imports::get_metric>(imports, kEnv, "proxy_get_metric");
  define<&Imports::call_foreign_function>(imports, kEnv, "proxy_call_foreign_function");
  define<&Imports::emscripten_notify_memory_growth>(imports, kEnv,
                                                    "emscripten_notify_memory_growth");
  define<&Imports::pthread_equal>(imports, kEnv, "pthread_equal");
  define<&Imports::abort>(imports, kEnv, "abort");
  define_http(imports);
}

// HTTP and gRPC. The published SDKs import these in every module. The answers are the ones that
// they take for an error: Rust's panics on a status it does not expect.
void Imports::define_http(ImportSet& imports) {
  constexpr Status kUnavailable = Status::kInternalFailure;
  constexpr Status kNoSuchCall = Status::kNotFound;
  constexpr Status kNoHeaders = Status::kBadArgument;
  define<&Imports::get_header_map_pairs>(imports, kEnv, "proxy_get_header_map_pairs");
  define<&Imports::get_header_map_size>(imports, kEnv, "proxy_get_header_map_size");
  define<&Imports::get_header_map_value>(imports, kEnv, "proxy_get_header_map_value");
  define<&Imports::refuse<kNoHeaders, U32, Bytes>>(imports, kEnv, "proxy_set_header_map_pairs");
  define<&Imports::refuse<kNoHeaders, U32, Bytes>>(imports, kEnv, "proxy_remove_header_map_value");
  define<&Imports::refuse<kNoHeaders, U32, Bytes, Bytes>>(imports, kEnv,
                                                          "proxy_add_header_map_value");
  define<&Imports::refuse<kNoHeaders, U32, Bytes, Bytes>>(imports, kEnv,
                                                          "proxy_replace_header_map_value");
  define<&Imports::refuse<Status::kUnimplemented, U32, Bytes, Bytes, Bytes, U32>>(
      imports, kEnv, "proxy_send_local_response");
  define<&Imports::refuse<Status::kUnimplemented>>(imports, kEnv, "proxy_clear_route_cache");
  define<&Imports::refuse<kUnavailable, Bytes, Bytes, Bytes, Bytes, U32, OutU32>>(
      imports, kEnv, "proxy_http_call");
  define<&Imports::refuse<kUnavailable, Bytes, Bytes, Bytes, Bytes, Bytes, U32, OutU32>>(
      imports, kEnv, "proxy_grpc_call");
  define<&Imports::refuse<kUnavailable, Bytes, Bytes, Bytes, Bytes, OutU32>>(imports, kEnv,
                                                                             "proxy_grpc_stream");
  define<&Imports::refuse<kNoSuchCall, U32, Bytes, U32>>(imports, kEnv, "proxy_grpc_send");
  define<&Imports::refuse<kNoSuchCall, U32>>(imports, kEnv, "proxy_grpc_cancel");
  define<&Imports::refuse<kNoSuchCall, U32>>(imports, kEnv, "proxy_grpc_close");
}

template <class LookUp>
HostResult<Status> Imports::give(LookUp&& look_up, OutU32 data, OutU32 size) {
  Result<Bytes, Status> bytes = look_up();
  if (!bytes) {
    return bytes.error();
  }
  if (bytes->size() > UINT32_MAX) {
    return Status::kInternalFailure;
  }
  const auto count = static_cast<std::uint32_t>(bytes->size());
  if (count == 0) {
    data.store(0);
    size.store(0);
    return Status::kOk;
  }
  GRETE_TRY_ASSIGN(const std::optional<GuestAddress> address, vm_->instance_.allocate(count));
  if (!address) {
    return Status::kInvalidMemoryAccess;
  }
  bytes = look_up();
  if (!bytes || bytes->size() != count) {
    return Status::kInternalFailure;
  }
  const auto target = vm_->instance_.memory().range(*address, count);
  if (!target) {
    return Status::kInvalidMemoryAccess;
  }
  std::ranges::copy(*bytes, target->begin());
  data.store(value_of(*address));
  size.store(count);
  return Status::kOk;
}

StreamContext* Imports::stream() const {
  const auto found = vm_->streams_.find(context_);
  return found == vm_->streams_.end() ? nullptr : found->second;
}

void Imports::write_log(LogLevel level, std::string_view line) {
  if (++log_lines_ > limits::kMaxLogLinesPerCall) {
    ++vm_->log_lines_dropped_;
    return;
  }
  vm_->host_->log(level, line.substr(0, limits::kMaxLogBytes));
}

Status Imports::log(U32 level, Bytes message) {
  if (level > std::to_underlying(LogLevel::kCritical)) {
    return Status::kBadArgument;
  }
  write_log(static_cast<LogLevel>(level), as_text(message));
  return Status::kOk;
}

Status Imports::get_log_level(OutU32 level) {
  level.store(std::to_underlying(vm_->host_->log_level()));
  return Status::kOk;
}

Status Imports::get_current_time_nanoseconds(OutU64 time) {
  time.store(vm_->host_->unix_time_ns());
  return Status::kOk;
}

Status Imports::set_tick_period_milliseconds(U32 period) {
  vm_->host_->set_tick_period(period);
  return Status::kOk;
}

HostResult<Status> Imports::get_status(OutU32 code, OutU32 data, OutU32 size) {
  code.store(0);
  return give([] { return Result<Bytes, Status>{}; }, data, size);
}

Status Imports::set_effective_context(U32 context) {
  const ContextId id{context};
  if (id != vm_->root_ && !vm_->streams_.contains(id)) {
    return Status::kBadArgument;
  }
  context_ = id;
  return Status::kOk;
}

Status Imports::done() {
  StreamContext* const context = stream();
  if (context == nullptr || !context->awaits_done_) {
    return Status::kNotFound;
  }
  context->done_called_ = true;
  return Status::kOk;
}

Status Imports::continue_stream(U32 type) {
  StreamContext* const context = stream();
  const auto stream_type = static_cast<StreamType>(type);
  if (context == nullptr ||
      (stream_type != StreamType::kDownstream && stream_type != StreamType::kUpstream)) {
    return Status::kBadArgument;
  }
  return context->host().continue_stream(stream_type);
}

Status Imports::close_stream(U32 type) {
  StreamContext* const context = stream();
  const auto stream_type = static_cast<StreamType>(type);
  if (context == nullptr ||
      (stream_type != StreamType::kDownstream && stream_type != StreamType::kUpstream)) {
    return Status::kBadArgument;
  }
  return context->host().close_stream(stream_type);
}

HostResult<Status> Imports::get_property(Bytes path, OutU32 data, OutU32 size) {
  const auto value = vm_->property(context_, as_text(path));
  return give(
      [&value]() -> Result<Bytes, Status> {
        if (!value) {
          return unexpected(Status::kNotFound);
        }
        return as_bytes(*value);
      },
      data, size);
}

Status Imports::set_property(Bytes path, Bytes value) {
  if (path.empty() || path.size() > limits::kMaxNameBytes ||
      value.size() > limits::kMaxPropertyBytes) {
    return Status::kBadArgument;
  }
  StreamContext* const context = stream();
  auto& properties = context != nullptr ? context->properties_ : vm_->properties_;
  const auto found = properties.find(as_text(path));
  if (found != properties.end()) {
    found->second = as_text(value);
  } else if (properties.size() < limits::kMaxPropertiesPerContext) {
    properties.emplace(as_text(path), as_text(value));
  } else {
    return Status::kInternalFailure;
  }
  return Status::kOk;
}

Result<Bytes, Status> Imports::buffer(BufferType type) const {
  StreamContext* const context = stream();
  switch (type) {
    case BufferType::kDownstreamData:
    case BufferType::kUpstreamData:
      if (context == nullptr) {
        return unexpected(Status::kNotFound);
      }
      return type == BufferType::kDownstreamData ? context->downstream_.bytes()
                                                 : context->upstream_.bytes();
    case BufferType::kVmConfiguration:
      return as_bytes(vm_->options_->vm_configuration);
    case BufferType::kPluginConfiguration:
      return as_bytes(vm_->options_->plugin_configuration);
    case BufferType::kCallData:
      return call_data_;
    case BufferType::kHttpRequestBody:
    case BufferType::kHttpResponseBody:
    case BufferType::kHttpCallResponseBody:
    case BufferType::kGrpcReceiveBuffer:
      return unexpected(Status::kNotFound);
  }
  return unexpected(Status::kBadArgument);
}

HostResult<Status> Imports::get_buffer_bytes(U32 type, U32 start, U32 max, OutU32 data,
                                             OutU32 size) {
  if (start > UINT32_MAX - max) {
    return Status::kBadArgument;
  }
  return give(
      [=, this]() -> Result<Bytes, Status> {
        GRETE_TRY_ASSIGN(const Bytes all, buffer(static_cast<BufferType>(type)));
        const std::size_t from = std::min<std::size_t>(start, all.size());
        return all.subspan(from, std::min<std::size_t>(max, all.size() - from));
      },
      data, size);
}

Status Imports::get_buffer_status(U32 type, OutU32 size, OutU32 flags) {
  const Result<Bytes, Status> bytes = buffer(static_cast<BufferType>(type));
  if (!bytes) {
    return bytes.error();
  }
  size.store(static_cast<std::uint32_t>(bytes->size()));
  flags.store(0);
  return Status::kOk;
}

Status Imports::set_buffer_bytes(U32 type, U32 start, U32 size, Bytes bytes) {
  const auto buffer_type = static_cast<BufferType>(type);
  if (buffer_type != BufferType::kDownstreamData && buffer_type != BufferType::kUpstreamData) {
    return Status::kBadArgument;
  }
  StreamContext* const context = stream();
  if (context == nullptr) {
    return Status::kNotFound;
  }
  StreamBuffer& target =
      buffer_type == BufferType::kDownstreamData ? context->downstream_ : context->upstream_;
  return target.replace(start, size, bytes) ? Status::kOk : Status::kInternalFailure;
}

HostResult<Status> Imports::get_configuration(OutU32 data, OutU32 size) {
  return give([this] { return buffer(BufferType::kPluginConfiguration); }, data, size);
}

HostResult<Status> Imports::get_shared_data(Bytes key, OutU32 data, OutU32 size, OutU32 cas) {
  const Result<SharedValue, Status> value = vm_->shared_->get(vm_->options_->vm_id, as_text(key));
  GRETE_TRY_ASSIGN(const Status status, give(
                                            [&value]() -> Result<Bytes, Status> {
                                              if (!value) {
                                                return unexpected(value.error());
                                              }
                                              return as_bytes(value->bytes);
                                            },
                                            data, size));
  if (status == Status::kOk) {
    cas.store(value->cas);
  }
  return status;
}

Status Imports::set_shared_data(Bytes key, Bytes value, U32 cas) {
  return vm_->shared_->set(vm_->options_->vm_id, as_text(key), as_text(value), cas);
}

Status Imports::register_shared_queue(Bytes name, OutU32 queue) {
  const auto id = vm_->shared_->register_queue(vm_->options_->vm_id, as_text(name), vm_,
                                               vm_->host_->queue_listener());
  if (!id) {
    return id.error();
  }
  queue.store(id->value());
  return Status::kOk;
}

Status Imports::resolve_shared_queue(Bytes vm_id, Bytes name, OutU32 queue) {
  const std::string_view owner = vm_id.empty() ? vm_->options_->vm_id : as_text(vm_id);
  const auto id = vm_->shared_->resolve_queue(owner, as_text(name));
  if (!id) {
    return id.error();
  }
  queue.store(id->value());
  return Status::kOk;
}

HostResult<Status> Imports::dequeue_shared_queue(U32 queue, OutU32 data, OutU32 size) {
  const Result<std::string, Status> message = vm_->shared_->dequeue(QueueId{queue});
  return give(
      [&message]() -> Result<Bytes, Status> {
        if (!message) {
          return unexpected(message.error());
        }
        return as_bytes(*message);
      },
      data, size);
}

Status Imports::enqueue_shared_queue(U32 queue, Bytes message) {
  return vm_->shared_->enqueue(QueueId{queue}, as_text(message));
}

Status Imports::define_metric(U32 type, Bytes name, OutU32 metric) {
  if (type > std::to_underlying(MetricType::kHistogram) || name.empty() ||
      name.size() > limits::kMaxNameBytes) {
    return Status::kBadArgument;
  }
  const auto id = vm_->metrics_->define(static_cast<MetricType>(type), as_text(name));
  if (!id) {
    return id.error();
  }
  metric.store(id->value());
  return Status::kOk;
}

Status Imports::increment_metric(U32 metric, U64 by) {
  return vm_->metrics_->increment(MetricId{metric}, static_cast<std::int64_t>(by));
}

Status Imports::record_metric(U32 metric, U64 value) {
  return vm_->metrics_->record(MetricId{metric}, value);
}

Status Imports::get_metric(U32 metric, OutU64 value) {
  const auto found = vm_->metrics_->value(MetricId{metric});
  if (!found) {
    return found.error();
  }
  value.store(*found);
  return Status::kOk;
}

HostResult<Status> Imports::call_foreign_function(Bytes name, Bytes arguments, OutU32 data,
                                                  OutU32 size) {
  const Result<std::string, Status> result =
      vm_->host_->call_foreign_function(context_, as_text(name), arguments);
  return give(
      [&result]() -> Result<Bytes, Status> {
        if (!result) {
          return unexpected(result.error());
        }
        return as_bytes(*result);
      },
      data, size);
}

HostResult<Status> Imports::get_header_map_pairs(U32 /*map*/, OutU32 data, OutU32 size) {
  return give([] { return Result<Bytes, Status>{}; }, data, size);
}

Status Imports::get_header_map_size(U32 /*map*/, OutU32 size) {
  size.store(0);
  return Status::kOk;
}

Status Imports::get_header_map_value(U32 /*map*/, Bytes /*key*/, OutU32 /*data*/, OutU32 /*size*/) {
  return Status::kNotFound;
}

void Imports::emscripten_notify_memory_growth(U32 /*memory*/) {}

Imports::U32 Imports::pthread_equal(U32 a, U32 b) {
  return a == b ? 1 : 0;
}

HostResult<void> Imports::abort(U32 /*message*/, U32 /*file*/, U32 line, U32 column) {
  return vm_->instance_.fail(TrapReason::kExit, "the guest called abort at line " +
                                                    std::to_string(line) + ", column " +
                                                    std::to_string(column));
}

}  // namespace grete::wasm::proxy_wasm

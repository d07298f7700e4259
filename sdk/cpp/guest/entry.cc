// The exports of a module: Proxy-Wasm's callbacks, turned into calls of the filter.
//
// A plug-in context holds one configured filter. Whether its host has the Kafka lane shows when it
// subscribes; if not, each connection gets a stream of its own.
#include <cstdlib>
#include <memory>
#include <unordered_map>

#include "sdk/cpp/guest/abi.h"
#include "sdk/cpp/plugin.h"
#include "sdk/cpp/stream/connection.h"

#define GRETE_EXPORT(name) extern "C" [[clang::export_name(#name)]]

namespace grete::sdk {
namespace {

using abi::Status;

// Where the host puts what it gives to a call that expects it: one buffer, kept between calls.
class Landing {
 public:
  [[nodiscard]] bool expected() const { return expected_; }
  void expect() { expected_ = true; }
  void* land(std::size_t size) {
    expected_ = false;
    if (size > capacity_) {
      std::free(memory_);
      capacity_ = size + size / 2;
      memory_ = static_cast<std::byte*>(std::malloc(capacity_));
      if (memory_ == nullptr) {
        __builtin_trap();
      }
    }
    return memory_;
  }
  void done() { expected_ = false; }

 private:
  std::byte* memory_ = nullptr;
  std::size_t capacity_ = 0;
  bool expected_ = false;
};

Landing landing;

// Up to `max` bytes of a buffer; valid until the next call that receives something.
Bytes read_buffer(abi::BufferType type, std::size_t start, std::size_t max) {
  if (max == 0) {
    return {};
  }
  std::byte* bytes = nullptr;
  std::size_t size = 0;
  landing.expect();
  const Status status = abi::proxy_get_buffer_bytes(type, start, max, &bytes, &size);
  landing.done();
  return status == Status::kOk ? Bytes{bytes, size} : Bytes{};
}

// Calls a function of the lane; the result is valid until the next call that receives something.
Status call_host(std::string_view name, Bytes arguments, Bytes* result = nullptr) {
  std::byte* bytes = nullptr;
  std::size_t size = 0;
  landing.expect();
  const Status status = abi::proxy_call_foreign_function(name.data(), name.size(), arguments.data(),
                                                         arguments.size(), &bytes, &size);
  landing.done();
  if (status == Status::kOk && result != nullptr) {
    *result = {bytes, size};
  }
  return status;
}

class GuestHost final : public Host {
 public:
  void log(LogLevel level, std::string_view text) override {
    abi::proxy_log(static_cast<std::uint32_t>(level), text.data(), text.size());
  }
  std::uint64_t unix_time_ns() override {
    std::uint64_t time = 0;
    abi::proxy_get_current_time_nanoseconds(&time);
    return time;
  }
  Counter counter(std::string_view name) override {
    std::uint32_t id = 0;
    const Status status =
        abi::proxy_define_metric(abi::MetricType::kCounter, name.data(), name.size(), &id);
    // Ids of hosts may begin with 0, which is none here.
    return status == Status::kOk ? static_cast<Counter>(id + 1) : Counter::kNone;
  }
  void add(Counter counter, std::uint64_t by) override {
    if (counter != Counter::kNone) {
      abi::proxy_increment_metric(static_cast<std::uint32_t>(counter) - 1,
                                  static_cast<std::int64_t>(by));
    }
  }
  void set_tick_period(std::uint32_t milliseconds) override {
    abi::proxy_set_tick_period_milliseconds(milliseconds);
  }
};

GuestHost host;

struct PluginContext {
  Plugin plugin{make_filter(), host};
  StreamShared streams{plugin, host};
  bool has_lane = false;
};

std::unordered_map<std::uint32_t, std::unique_ptr<PluginContext>> plugins;

std::unordered_map<std::uint32_t, std::unique_ptr<Connection>> connections;

PluginContext* plugin_of(std::uint32_t context) {
  const auto found = plugins.find(context);
  return found != plugins.end() ? found->second.get() : nullptr;
}

bool subscribe(PluginContext& context) {
  const auto& interests = context.plugin.interests();
  std::vector<std::byte> arguments(kafka::lane::subscribe_size(interests.size()));
  kafka::lane::write_subscribe(arguments, kafka::lane::kVersion, interests);
  return call_host(kafka::lane::kSubscribeFunction, arguments) == Status::kOk;
}

bool configure(PluginContext& context, std::size_t size) {
  const Bytes configuration = read_buffer(abi::BufferType::kPluginConfiguration, 0, size);
  if (auto configured = context.plugin.configure(as_text(configuration)); !configured) {
    host.log(LogLevel::kCritical, "configuration: " + configured.error());
    return false;
  }
  context.has_lane = subscribe(context);
  return true;
}

void tell_verdict(std::uint64_t token, const Verdict& verdict) {
  kafka::lane::Verdict told;
  told.token = token;
  told.kind = verdict.kind;
  told.code = verdict.code;
  told.delay_ms = verdict.delay_ms;
  told.message = verdict.message;
  told.records = verdict.records;
  told.bytes = verdict.body;
  std::vector<std::byte> arguments(kafka::lane::verdict_size(told));
  kafka::lane::write_verdict(arguments, told);
  if (call_host(kafka::lane::kVerdictFunction, arguments) != Status::kOk) {
    // What was to be stopped must not pass in silence: fail, and let the host's policy decide.
    host.log(LogLevel::kError, "the host refused a verdict");
    __builtin_trap();
  }
}

void handle_call(PluginContext& context, std::uint32_t function, std::size_t size) {
  const Bytes data = read_buffer(abi::BufferType::kCallData, 0, size);
  const auto call = kafka::lane::read_call(function, data);
  if (!call) {
    host.log(LogLevel::kError, call.error().what);
    __builtin_trap();
  }
  const std::uint64_t token = call->head.token;
  const Verdict verdict = context.plugin.handle(*call);
  EditBuffer& edits = context.plugin.edits();
  if (!edits.empty() &&
      call_host(kafka::lane::kEditFunction, edits.arguments(token)) != Status::kOk) {
    host.log(LogLevel::kError, "the host refused edits");
    __builtin_trap();
  }
  if (verdict.kind != kafka::lane::VerdictKind::kPass) {
    tell_verdict(token, verdict);
  }
}

// The bytes of the connection whose callback is running.
class StreamBytes final : public HostBuffer {
 public:
  StreamBytes(abi::BufferType type, std::size_t size) : type_(type), size_(size) {}

  [[nodiscard]] std::size_t size() const override { return size_; }
  void read(std::vector<std::byte>& to) override {
    const Bytes bytes = read_buffer(type_, 0, size_);
    to.insert(to.end(), bytes.begin(), bytes.end());
  }
  void replace(Bytes bytes) override {
    abi::proxy_set_buffer_bytes(type_, 0, size_, bytes.data(), bytes.size());
  }

 private:
  abi::BufferType type_;
  std::size_t size_;
};

enum class Side : std::uint8_t { kDownstream, kUpstream };

abi::Action on_data(std::uint32_t context, std::size_t size, std::uint32_t end, Side side) {
  const auto found = connections.find(context);
  if (found == connections.end()) {
    return abi::Action::kContinue;
  }
  const bool down = side == Side::kDownstream;
  StreamBytes bytes(down ? abi::BufferType::kDownstreamData : abi::BufferType::kUpstreamData, size);
  const EndOfStream over = end != 0 ? EndOfStream::kYes : EndOfStream::kNo;
  const StreamAction action =
      down ? found->second->on_downstream(bytes, over) : found->second->on_upstream(bytes, over);
  if (action == StreamAction::kClose) {
    bytes.replace({});
    abi::proxy_close_stream(abi::StreamType::kDownstream);
    abi::proxy_close_stream(abi::StreamType::kUpstream);
    return abi::Action::kPause;
  }
  return action == StreamAction::kPause ? abi::Action::kPause : abi::Action::kContinue;
}

}  // namespace
}  // namespace grete::sdk

GRETE_EXPORT(proxy_abi_version_0_2_1) void proxy_abi_version() {}

GRETE_EXPORT(proxy_on_memory_allocate) void* proxy_on_memory_allocate(std::size_t size) {
  using grete::sdk::landing;
  return landing.expected() ? landing.land(size) : std::malloc(size);
}

GRETE_EXPORT(proxy_on_context_create)
void proxy_on_context_create(std::uint32_t context, std::uint32_t parent) {
  if (parent == 0) {
    grete::sdk::plugins[context] = std::make_unique<grete::sdk::PluginContext>();
    return;
  }
  grete::sdk::PluginContext* plugin = grete::sdk::plugin_of(parent);
  if (plugin != nullptr && !plugin->has_lane) {
    grete::sdk::connections[context] =
        std::make_unique<grete::sdk::Connection>(plugin->streams, context);
  }
}

GRETE_EXPORT(proxy_on_vm_start)
std::uint32_t proxy_on_vm_start(std::uint32_t, std::size_t) {
  return 1;
}

GRETE_EXPORT(proxy_on_configure)
std::uint32_t proxy_on_configure(std::uint32_t context, std::size_t size) {
  grete::sdk::PluginContext* plugin = grete::sdk::plugin_of(context);
  return plugin != nullptr && grete::sdk::configure(*plugin, size) ? 1 : 0;
}

GRETE_EXPORT(proxy_on_tick) void proxy_on_tick(std::uint32_t context) {
  if (grete::sdk::PluginContext* plugin = grete::sdk::plugin_of(context)) {
    plugin->plugin.tick();
  }
}

GRETE_EXPORT(proxy_on_foreign_function)
void proxy_on_foreign_function(std::uint32_t context, std::uint32_t function, std::size_t size) {
  grete::sdk::PluginContext* plugin = grete::sdk::plugin_of(context);
  const bool known =
      function == grete::kafka::lane::kMessageCall || function == grete::kafka::lane::kRecordsCall;
  if (plugin != nullptr && known) {
    grete::sdk::handle_call(*plugin, function, size);
  }
}

GRETE_EXPORT(proxy_on_new_connection)
grete::sdk::abi::Action proxy_on_new_connection(std::uint32_t) {
  return grete::sdk::abi::Action::kContinue;
}

GRETE_EXPORT(proxy_on_downstream_data)
grete::sdk::abi::Action proxy_on_downstream_data(std::uint32_t context, std::size_t size,
                                                 std::uint32_t end) {
  return grete::sdk::on_data(context, size, end, grete::sdk::Side::kDownstream);
}

GRETE_EXPORT(proxy_on_upstream_data)
grete::sdk::abi::Action proxy_on_upstream_data(std::uint32_t context, std::size_t size,
                                               std::uint32_t end) {
  return grete::sdk::on_data(context, size, end, grete::sdk::Side::kUpstream);
}

GRETE_EXPORT(proxy_on_done) std::uint32_t proxy_on_done(std::uint32_t) {
  return 1;
}

GRETE_EXPORT(proxy_on_delete) void proxy_on_delete(std::uint32_t context) {
  grete::sdk::connections.erase(context);
  grete::sdk::plugins.erase(context);
}

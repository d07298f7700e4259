// A Proxy-Wasm guest that does what tests ask for, written against the bare ABI.
//
// The host calls proxy_on_foreign_function(context, operation, size) with an argument in CallData;
// the guest performs the operation and logs what came of it. Stream callbacks behave as the plug-in
// configuration says.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#define IMPORT(name) extern "C" __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

using Status = uint32_t;
IMPORT(proxy_log) Status proxy_log(uint32_t level, const char* text, size_t size);
IMPORT(proxy_get_log_level) Status proxy_get_log_level(uint32_t* level);
IMPORT(proxy_get_buffer_bytes)
Status proxy_get_buffer_bytes(uint32_t type, uint32_t start, uint32_t max, char** data,
                              size_t* size);
IMPORT(proxy_get_buffer_status)
Status proxy_get_buffer_status(uint32_t type, size_t* size, uint32_t* flags);
IMPORT(proxy_set_buffer_bytes)
Status proxy_set_buffer_bytes(uint32_t type, uint32_t start, uint32_t count, const char* data,
                              size_t size);
IMPORT(proxy_get_property)
Status proxy_get_property(const char* path, size_t path_size, char** data, size_t* size);
IMPORT(proxy_set_property)
Status proxy_set_property(const char* path, size_t path_size, const char* data, size_t size);
IMPORT(proxy_get_shared_data)
Status proxy_get_shared_data(const char* key, size_t key_size, char** data, size_t* size,
                             uint32_t* cas);
IMPORT(proxy_set_shared_data)
Status proxy_set_shared_data(const char* key, size_t key_size, const char* data, size_t size,
                             uint32_t cas);
IMPORT(proxy_register_shared_queue)
Status proxy_register_shared_queue(const char* name, size_t size, uint32_t* queue);
IMPORT(proxy_resolve_shared_queue)
Status proxy_resolve_shared_queue(const char* vm, size_t vm_size, const char* name, size_t size,
                                  uint32_t* queue);
IMPORT(proxy_enqueue_shared_queue)
Status proxy_enqueue_shared_queue(uint32_t queue, const char* data, size_t size);
IMPORT(proxy_dequeue_shared_queue)
Status proxy_dequeue_shared_queue(uint32_t queue, char** data, size_t* size);
IMPORT(proxy_define_metric)
Status proxy_define_metric(uint32_t type, const char* name, size_t size, uint32_t* metric);
IMPORT(proxy_increment_metric) Status proxy_increment_metric(uint32_t metric, int64_t by);
IMPORT(proxy_record_metric) Status proxy_record_metric(uint32_t metric, uint64_t value);
IMPORT(proxy_get_metric) Status proxy_get_metric(uint32_t metric, uint64_t* value);
IMPORT(proxy_call_foreign_function)
Status proxy_call_foreign_function(const char* name, size_t name_size, const char* arguments,
                                   size_t size, char** result, size_t* result_size);
IMPORT(proxy_set_effective_context) Status proxy_set_effective_context(uint32_t context);
IMPORT(proxy_set_tick_period_milliseconds)
Status proxy_set_tick_period_milliseconds(uint32_t period);
IMPORT(proxy_get_current_time_nanoseconds)
Status proxy_get_current_time_nanoseconds(uint64_t* time);
IMPORT(proxy_continue_stream) Status proxy_continue_stream(uint32_t type);
IMPORT(proxy_close_stream) Status proxy_close_stream(uint32_t type);
IMPORT(proxy_done) Status proxy_done();
IMPORT(proxy_http_call)
Status proxy_http_call(const char* upstream, size_t upstream_size, const char* headers,
                       size_t headers_size, const char* body, size_t body_size,
                       const char* trailers, size_t trailers_size, uint32_t timeout,
                       uint32_t* token);
IMPORT(proxy_get_header_map_value)
Status proxy_get_header_map_value(uint32_t map, const char* key, size_t key_size, char** value,
                                  size_t* size);
IMPORT(proxy_get_status) Status proxy_get_status(uint32_t* code, char** data, size_t* size);

namespace {

constexpr uint32_t kDownstream = 2;
constexpr uint32_t kPluginConfiguration = 7;
constexpr uint32_t kCallData = 8;

std::string configuration;
uint32_t root_context = 0;
uint32_t tick_metric = 0;

void say(const std::string& text) {
  proxy_log(2, text.data(), text.size());
}

std::string number(uint64_t value) {
  return std::to_string(value);
}

// Bytes that the host allocated here.
std::string take(char* data, size_t size) {
  std::string text(data, size);
  free(data);
  return text;
}

std::string buffer(uint32_t type) {
  char* data = nullptr;
  size_t size = 0;
  const Status status = proxy_get_buffer_bytes(type, 0, 0x7fffffff, &data, &size);
  return status == 0 ? take(data, size) : "status " + number(status);
}

bool configured(std::string_view word) {
  return configuration.find(word) != std::string::npos;
}

void properties(const std::string& argument) {
  char* data = nullptr;
  size_t size = 0;
  const Status status = proxy_get_property(argument.data(), argument.size(), &data, &size);
  say("property " + number(status) + " " + take(data, size));
}

void shared_data(const std::string& argument) {
  char* data = nullptr;
  size_t size = 0;
  uint32_t cas = 0;
  Status status = proxy_get_shared_data("key", 3, &data, &size, &cas);
  say("get " + number(status) + " " + take(data, size));
  status = proxy_set_shared_data("key", 3, argument.data(), argument.size(), cas);
  say("set " + number(status));
  status = proxy_set_shared_data("key", 3, "other", 5, cas + 1000);
  say("stale " + number(status));
}

void queues(const std::string& argument) {
  uint32_t queue = 0;
  uint32_t found = 0;
  say("register " + number(proxy_register_shared_queue("q", 1, &queue)));
  say("resolve " + number(proxy_resolve_shared_queue("", 0, "q", 1, &found)) +
      (found == queue ? " same" : " other"));
  say("resolve " + number(proxy_resolve_shared_queue("vm", 2, "nobody's", 8, &found)));
  say("enqueue " + number(proxy_enqueue_shared_queue(queue, argument.data(), argument.size())));
  say("unknown " + number(proxy_enqueue_shared_queue(99, "x", 1)));
}

void metrics() {
  uint32_t counter = 0;
  uint32_t gauge = 0;
  uint32_t histogram = 0;
  uint64_t value = 0;
  say("define " + number(proxy_define_metric(0, "c", 1, &counter)) +
      number(proxy_define_metric(1, "g", 1, &gauge)) +
      number(proxy_define_metric(2, "h", 1, &histogram)) +
      number(proxy_define_metric(3, "x", 1, &counter)));
  proxy_increment_metric(counter, 5);
  proxy_record_metric(gauge, 40);
  proxy_increment_metric(gauge, -2);
  proxy_record_metric(histogram, 1000);
  say("negative " + number(proxy_increment_metric(counter, -1)));
  proxy_get_metric(counter, &value);
  say("counter " + number(value));
  proxy_get_metric(gauge, &value);
  say("gauge " + number(value));
  say("histogram " + number(proxy_get_metric(histogram, &value)));
  say("unknown " + number(proxy_get_metric(4000, &value)));
}

void foreign(const std::string& argument) {
  char* data = nullptr;
  size_t size = 0;
  Status status =
      proxy_call_foreign_function("echo", 4, argument.data(), argument.size(), &data, &size);
  say("echo " + number(status) + " " + take(data, size));
  status = proxy_call_foreign_function("nothing", 7, nullptr, 0, &data, &size);
  say("nothing " + number(status) + " " + number(size));
  status = proxy_call_foreign_function("unheard", 7, nullptr, 0, &data, &size);
  say("unheard " + number(status));
}

void http() {
  uint32_t token = 0;
  char* data = nullptr;
  size_t size = 0;
  say("call " + number(proxy_http_call("u", 1, nullptr, 0, nullptr, 0, nullptr, 0, 1000, &token)));
  say("header " + number(proxy_get_header_map_value(0, "k", 1, &data, &size)));
  say("status " + number(proxy_get_status(&token, &data, &size)) + " " + number(token));
}

void wasi() {
  std::printf("to stdout %d\nand ", 1);
  std::fflush(stdout);
  std::printf("more\n");
  std::fflush(stdout);
  std::fprintf(stderr, "to stderr\n");
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  say("time " + number(static_cast<uint64_t>(time.tv_sec)));
  uint64_t nanoseconds = 0;
  proxy_get_current_time_nanoseconds(&nanoseconds);
  say("nanoseconds " + number(nanoseconds));
  say(std::getenv("HOME") == nullptr ? "no environment" : "an environment");
  say(std::fopen("/etc/passwd", "r") == nullptr ? "no files" : "files");
}

}  // namespace

EXPORT(proxy_abi_version_0_2_1) void abi_version() {}
EXPORT(proxy_on_memory_allocate) void* on_memory_allocate(size_t size) {
  return malloc(size);
}

EXPORT(proxy_on_context_create) void on_context_create(uint32_t id, uint32_t parent) {
  if (parent == 0) {
    root_context = id;
  }
  say("create " + number(id) + " " + number(parent));
}

EXPORT(proxy_on_vm_start) uint32_t on_vm_start(uint32_t /*id*/, uint32_t size) {
  say("vm_start " + number(size) + " " + buffer(6));
  return 1;
}

EXPORT(proxy_on_configure) uint32_t on_configure(uint32_t /*id*/, uint32_t size) {
  configuration = size == 0 ? "" : buffer(kPluginConfiguration);
  if (configured("tick")) {
    proxy_set_tick_period_milliseconds(250);
    proxy_define_metric(0, "ticks", 5, &tick_metric);
  }
  return configured("refuse") ? 0 : 1;
}

EXPORT(proxy_on_tick) void on_tick(uint32_t /*id*/) {
  if (tick_metric != 0) {
    proxy_increment_metric(tick_metric, 1);
  }
}

EXPORT(proxy_on_queue_ready) void on_queue_ready(uint32_t id, uint32_t queue) {
  char* data = nullptr;
  size_t size = 0;
  Status status = proxy_dequeue_shared_queue(queue, &data, &size);
  say("dequeued " + number(id) + " " + number(status) + " " + take(data, size));
  status = proxy_dequeue_shared_queue(queue, &data, &size);
  say("dequeued " + number(status));
}

EXPORT(proxy_on_new_connection) uint32_t on_new_connection(uint32_t id) {
  say("open " + number(id));
  return 0;
}

static uint32_t on_data(uint32_t id, uint32_t type, uint32_t size, uint32_t end) {
  const std::string bytes = buffer(type);
  say("data " + number(id) + " " + number(type) + " " + number(size) + " " + number(end) + " " +
      bytes);
  if (configured("line") && bytes.find('\n') == std::string::npos) {
    return 1;
  }
  if (configured("upper")) {
    std::string upper = bytes;
    for (char& letter : upper) {
      letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
    }
    proxy_set_buffer_bytes(type, 0, 0x7fffffff, upper.data(), upper.size());
  }
  if (configured("wrap")) {
    proxy_set_buffer_bytes(type, 0, 0, "<", 1);
    proxy_set_buffer_bytes(type, 0x7fffffff, 0, ">", 1);
  }
  return 0;
}

EXPORT(proxy_on_downstream_data)
uint32_t on_downstream_data(uint32_t id, uint32_t size, uint32_t end) {
  return on_data(id, kDownstream, size, end);
}

EXPORT(proxy_on_upstream_data)
uint32_t on_upstream_data(uint32_t id, uint32_t size, uint32_t end) {
  return on_data(id, 3, size, end);
}

EXPORT(proxy_on_downstream_connection_close) void on_downstream_close(uint32_t id, uint32_t by) {
  say("downstream closed " + number(id) + " " + number(by));
}

EXPORT(proxy_on_upstream_connection_close) void on_upstream_close(uint32_t id, uint32_t by) {
  say("upstream closed " + number(id) + " " + number(by));
}

EXPORT(proxy_on_done) uint32_t on_done(uint32_t id) {
  say("done " + number(id));
  return configured("later") ? 0 : 1;
}

EXPORT(proxy_on_log) void on_log(uint32_t id) {
  say("log " + number(id));
}
EXPORT(proxy_on_delete) void on_delete(uint32_t id) {
  say("delete " + number(id));
}

EXPORT(proxy_on_foreign_function)
void on_foreign_function(uint32_t context, uint32_t operation, uint32_t size) {
  const std::string argument = size == 0 ? "" : buffer(kCallData);
  switch (operation) {
    case 0:
      return say("foreign " + number(context) + " " + number(size) + " " + argument);
    case 1:
      return properties(argument);
    case 2:
      return shared_data(argument);
    case 3:
      return queues(argument);
    case 4:
      return metrics();
    case 5:
      return foreign(argument);
    case 6:
      return http();
    case 7:
      return wasi();
    case 8:
      say("continue " + number(proxy_continue_stream(kDownstream)) +
          number(proxy_continue_stream(3)) + number(proxy_continue_stream(0)));
      return say("close " + number(proxy_close_stream(3)));
    case 9:
      return say("context " + number(proxy_set_effective_context(argument[0] - '0')) + " done " +
                 number(proxy_done()));
    case 10:
      say("set " + number(proxy_set_property("mine", 4, argument.data(), argument.size())));
      return properties("mine");
    case 11:
      return say("immutable " + number(proxy_set_buffer_bytes(kCallData, 0, 0, "x", 1)));
    case 12:
      for (int line = 0; line < 5000; ++line) {
        say("again");
      }
      return;
    case 13:
      return say(std::string(100'000, 'x'));
    case 14:
      for (volatile int forever = 1; forever != 0;) {
      }
      return;
    case 15:
      std::exit(3);
    case 16: {
      size_t length = 0;
      uint32_t flags = 9;
      const Status status = proxy_get_buffer_status(kCallData, &length, &flags);
      return say("status " + number(status) + " " + number(length) + " " + number(flags));
    }
    default:
      abort();
  }
}

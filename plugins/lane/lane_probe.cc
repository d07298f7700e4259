// A guest on the Kafka lane that does what its configuration says, for tests. Written against the
// bare ABI, so that the lane is also tried without the SDK.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/lane/format.h"

#define IMPORT(name) extern "C" __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

IMPORT(proxy_log) uint32_t proxy_log(uint32_t level, const char* text, size_t size);
IMPORT(proxy_get_buffer_bytes)
uint32_t proxy_get_buffer_bytes(uint32_t type, uint32_t start, uint32_t max, std::byte** data,
                                size_t* size);
IMPORT(proxy_set_buffer_bytes)
uint32_t proxy_set_buffer_bytes(uint32_t type, uint32_t start, uint32_t count, const char* data,
                                size_t size);
IMPORT(proxy_call_foreign_function)
uint32_t proxy_call_foreign_function(const char* name, size_t name_size, const void* arguments,
                                     size_t size, char** result, size_t* result_size);

IMPORT(proxy_close_stream) uint32_t proxy_close_stream(uint32_t type);
IMPORT(proxy_continue_stream) uint32_t proxy_continue_stream(uint32_t type);
IMPORT(proxy_set_tick_period_milliseconds)
uint32_t proxy_set_tick_period_milliseconds(uint32_t period);
IMPORT(proxy_set_effective_context) uint32_t proxy_set_effective_context(uint32_t context);

using namespace grete;
namespace lane = grete::kafka::lane;

namespace {

std::string mode;
std::vector<std::vector<char>> hoard;
uint32_t waiting = 0;

void say(const std::string& text) {
  proxy_log(2, text.data(), text.size());
}

uint32_t call(std::string_view name, const std::vector<std::byte>& arguments) {
  char* result = nullptr;
  size_t size = 0;
  const uint32_t status = proxy_call_foreign_function(name.data(), name.size(), arguments.data(),
                                                      arguments.size(), &result, &size);
  free(result);
  return status;
}

uint32_t subscribe(const std::vector<lane::Interest>& interests) {
  std::vector<std::byte> arguments(lane::subscribe_size(interests.size()));
  lane::write_subscribe(arguments, 7, interests);
  return call(lane::kSubscribeFunction, arguments);
}

uint32_t edit(uint64_t token, const lane::Edit& change) {
  std::vector<std::byte> arguments(lane::kEditsHeadBytes + lane::edit_size(change));
  lane::write_edits_head(arguments, token, 1);
  lane::write_edit(MutableBytes(arguments).subspan(lane::kEditsHeadBytes), change);
  return call(lane::kEditFunction, arguments);
}

uint32_t verdict(const lane::Verdict& told) {
  std::vector<std::byte> arguments(lane::verdict_size(told));
  lane::write_verdict(arguments, told);
  return call(lane::kVerdictFunction, arguments);
}

void describe(const lane::Call& shown) {
  const lane::CallHead& head = shown.head;
  say("key " + std::to_string(head.api_key) + " v" + std::to_string(head.api_version) + " id " +
      std::to_string(head.correlation_id) + " of " + std::string(head.client_id.value_or("-")) +
      " " + std::string(head.principal) + " at " + std::string(head.address) + " on " +
      std::to_string(head.connection) + " topic " + std::string(head.topic) + "/" +
      std::to_string(head.records.partition) + " records " + std::to_string(head.records.first) +
      "+" + std::to_string(head.records.count) + " of " +
      std::to_string(head.records.batch_records) + " flags " + std::to_string(head.flags) +
      " body " + std::to_string(shown.body.size()));
}

// Puts X over every 's' of the window's bytes that is the first byte of a value "s...".
void on_records(const lane::Call& shown) {
  const uint64_t token = shown.head.token;
  const uint32_t record = shown.head.records.first;
  if (mode == "edit") {
    say("edit " + std::to_string(edit(token, {.record = record,
                                              .field = lane::Field::kValue,
                                              .header = 0,
                                              .offset = 0,
                                              .length = 1,
                                              .bytes = as_bytes("X")})));
  } else if (mode == "misuse") {
    const lane::Edit value{.record = record,
                           .field = lane::Field::kValue,
                           .header = 0,
                           .offset = 0,
                           .length = 1,
                           .bytes = as_bytes("X")};
    say("stale " + std::to_string(edit(token + 1, value)));
    lane::Edit outside = value;
    outside.record += shown.head.records.count;
    say("outside " + std::to_string(edit(token, outside)));
    say("garbage " + std::to_string(call(lane::kEditFunction, {std::byte{1}})));
    lane::Verdict told;
    told.token = token;
    told.kind = lane::VerdictKind::kReplace;
    say("replace " + std::to_string(verdict(told)));
    told.kind = lane::VerdictKind::kReply;
    say("reply " + std::to_string(verdict(told)));
    const uint32_t far = shown.head.records.batch_records;
    told.kind = lane::VerdictKind::kReject;
    told.records = {&far, 1};
    say("reject " + std::to_string(verdict(told)));
    say("subscribe " + std::to_string(subscribe({})));
    say("write " + std::to_string(proxy_set_buffer_bytes(8, 0, 1, "x", 1)));
    say("unknown " + std::to_string(call("kafka.unknown", {})));
    told.kind = lane::VerdictKind::kPass;
    told.records = {};
    say("pass " + std::to_string(verdict(told)));
    say("again " + std::to_string(verdict(told)));
    say("late " + std::to_string(edit(token, value)));
  } else if (mode == "reject") {
    lane::Verdict told;
    told.token = token;
    told.kind = lane::VerdictKind::kReject;
    told.code = 44;
    told.message = "not here";
    told.records = {&record, 1};
    say("reject " + std::to_string(verdict(told)));
  }
}

void on_message(const lane::Call& shown) {
  lane::Verdict told;
  told.token = shown.head.token;
  if (mode == "replace" || mode == "reply") {
    told.kind = mode == "replace" ? lane::VerdictKind::kReplace : lane::VerdictKind::kReply;
    told.bytes = as_bytes("new body");
  } else if (mode == "delay") {
    told.kind = lane::VerdictKind::kDelay;
    told.delay_ms = 250;
  } else {
    return;
  }
  say(mode + " " + std::to_string(verdict(told)));
}

}  // namespace

EXPORT(proxy_abi_version_0_2_1) void proxy_abi_version_0_2_1() {}
EXPORT(proxy_on_memory_allocate) void* proxy_on_memory_allocate(size_t size) {
  return malloc(size);
}
EXPORT(proxy_on_context_create) void proxy_on_context_create(uint32_t, uint32_t) {}

EXPORT(proxy_on_configure) uint32_t proxy_on_configure(uint32_t, uint32_t) {
  std::byte* data = nullptr;
  size_t size = 0;
  proxy_get_buffer_bytes(7, 0, 0x7fffffff, &data, &size);
  mode.assign(reinterpret_cast<const char*>(data), size);
  if (mode == "refuse") {
    const std::string_view why = "the word 'refuse' is not allowed";
    proxy_log(4, why.data(), why.size());
    return 0;
  }
  if (mode == "bytes") {
    return 1;
  }
  using enum lane::Direction;
  if (mode == "replace" || mode == "reply" || mode == "delay") {
    return subscribe({{3, 0, 32767, kBoth, lane::Payload::kMessage}}) == 0 ? 1 : 0;
  }
  return subscribe({{0, 0, 32767, kRequest, lane::Payload::kRecords},
                    {1, 0, 32767, kResponse, lane::Payload::kRecords}}) == 0
             ? 1
             : 0;
}

// On the byte stream, words in the client's bytes say what to do.
EXPORT(proxy_on_downstream_data)
uint32_t proxy_on_downstream_data(uint32_t context, uint32_t size, uint32_t) {
  std::byte* data = nullptr;
  size_t got = 0;
  proxy_get_buffer_bytes(2, 0, size, &data, &got);
  const std::string bytes(reinterpret_cast<const char*>(data), got);
  free(data);
  const auto says = [&bytes](std::string_view word) {
    return bytes.find(word) != std::string::npos;
  };
  while (says("loop")) {
  }
  if (says("trap")) {
    __builtin_trap();
  }
  if (says("close")) {
    proxy_close_stream(2);
  }
  if (says("wait")) {
    waiting = context;
    proxy_set_tick_period_milliseconds(5);
    return 1;
  }
  return 0;
}

EXPORT(proxy_on_tick) void proxy_on_tick(uint32_t) {
  proxy_set_tick_period_milliseconds(0);
  proxy_set_effective_context(waiting);
  proxy_continue_stream(2);
}

EXPORT(proxy_on_foreign_function)
void proxy_on_foreign_function(uint32_t, uint32_t function, uint32_t size) {
  if (mode == "loop") {
    for (volatile int i = 0;; i = i + 1) {
    }
  }
  if (mode == "trap") {
    __builtin_trap();
  }
  if (mode == "eat") {
    while (true) {
      hoard.emplace_back(1 << 20, 'x');
    }
  }
  std::byte* data = nullptr;
  size_t got = 0;
  proxy_get_buffer_bytes(8, 0, size, &data, &got);
  if (const auto shown = lane::read_call(function, {data, got})) {
    describe(*shown);
    if (function == lane::kRecordsCall) {
      on_records(*shown);
    } else {
      on_message(*shown);
    }
  }
  free(data);
}

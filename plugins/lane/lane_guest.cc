#include "plugins/lane/lane_guest.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "kafka/lane/format.h"
#include "plugins/limits.h"

namespace grete::plugins {
namespace {

namespace lane = kafka::lane;
using wasm::proxy_wasm::Status;

constexpr std::uint32_t kWarn = 3;
constexpr std::size_t kMaxText = 65'534;
// What a guest's call data keeps between calls.
constexpr std::size_t kIdleCallData = std::size_t{2} << 20;

lane::Direction told(Direction direction) {
  return direction == Direction::kRequest ? lane::Direction::kRequest : lane::Direction::kResponse;
}

lane::CallHead head_of(const LaneCall& call) {
  const FrameContext& context = call.context();
  lane::CallHead head;
  head.token = call.token;
  head.connection = context.connection->id;
  head.api_key = context.key.value();
  head.api_version = context.version.value();
  head.correlation_id = context.correlation.value();
  head.flags = context.answer == plugins::Answer::kExpected ? lane::flag::kExpectsResponse : 0;
  head.principal = std::string_view(context.connection->principal).substr(0, kMaxText);
  if (context.client_id) {
    head.client_id = context.client_id->substr(0, kMaxText);
  }
  head.address = std::string_view(context.connection->address).substr(0, kMaxText);
  if (call.message != nullptr) {
    head.direction = told(call.message->direction);
    head.payload = call.message->payload;
    return head;
  }
  const RecordsCall& records = *call.records;
  head.direction = told(records.direction);
  head.payload = records.payload;
  head.flags |=
      (records.last ? lane::flag::kLastWindow : 0) | (records.may_drop ? lane::flag::kMayDrop : 0);
  head.topic = records.topic.substr(0, kMaxText);
  head.records = {.partition = records.partition,
                  .batch = records.batch,
                  .batch_records = records.batch_records,
                  .first = records.first,
                  .count = records.count,
                  .attributes = records.header.attributes,
                  .producer_epoch = records.header.producer_epoch,
                  .base_sequence = records.header.base_sequence,
                  .base_offset = records.header.base_offset,
                  .base_timestamp = records.header.base_timestamp,
                  .max_timestamp = records.header.max_timestamp,
                  .producer_id = records.header.producer_id,
                  .topic_id = records.topic_id.bytes};
  return head;
}

// A copy that is charged to the budget until the last owner lets go of it; null without memory.
std::shared_ptr<const std::vector<std::byte>> copy_charged(Bytes bytes, MemoryBudget& budget) {
  if (!budget.reserve(bytes.size())) {
    return nullptr;
  }
  return {new std::vector<std::byte>(bytes.begin(), bytes.end()),
          [&budget, size = bytes.size()](const std::vector<std::byte>* copy) {
            delete copy;
            budget.release(size);
          }};
}

}  // namespace

void LaneHost::log(wasm::proxy_wasm::LogLevel level, std::string_view line) {
  telemetry_->log(plugin_->spec.name, static_cast<std::uint32_t>(level), line);
}

std::uint64_t LaneHost::monotonic_time_ns() {
  return static_cast<std::uint64_t>(machine_->now().time_since_epoch().count());
}

LaneHost::Answer LaneHost::call_foreign_function(wasm::proxy_wasm::ContextId context,
                                                 std::string_view name, Bytes arguments) {
  static_cast<void>(context);
  if (name == lane::kSubscribeFunction) {
    return subscribe(arguments);
  }
  if (name == lane::kEditFunction) {
    return edit(arguments);
  }
  if (name == lane::kVerdictFunction) {
    return verdict(arguments);
  }
  return unexpected(Status::kNotFound);
}

LaneHost::Answer LaneHost::refuse(std::string_view function, const char* why) {
  telemetry_->log(plugin_->spec.name, kWarn, std::string(function) + " was refused: " + why);
  return unexpected(Status::kBadArgument);
}

LaneHost::Answer LaneHost::subscribe(Bytes arguments) {
  if (configured_) {
    return refuse(lane::kSubscribeFunction, "it is for proxy_on_vm_start and proxy_on_configure");
  }
  const auto told = lane::read_subscribe(arguments);
  if (!told) {
    return refuse(lane::kSubscribeFunction, told.error().what);
  }
  if (subscription_.entries().size() + told->count > lane::kMaxInterests) {
    return refuse(lane::kSubscribeFunction, "more than 1024 entries in all");
  }
  for (std::uint16_t i = 0; i < told->count; ++i) {
    subscription_.add((*told)[i]);
  }
  std::string answer(lane::kSubscribedBytes, '\0');
  lane::write_subscribed(
      {reinterpret_cast<std::byte*>(answer.data()), answer.size()},
      {.version = std::min(told->version, lane::kVersion), .window_bytes = lane::kMaxWindowBytes});
  return answer;
}

LaneHost::Answer LaneHost::edit(Bytes arguments) {
  auto reader = lane::EditReader::open(arguments);
  if (!reader) {
    return refuse(lane::kEditFunction, reader.error().what);
  }
  if (call_ == nullptr || reader->token() != call_->token) {
    return unexpected(Status::kNotFound);
  }
  if (call_->edits == nullptr) {
    return refuse(lane::kEditFunction, "only records can be edited");
  }
  const EditList::Mark before = call_->edits->mark();
  const char* why = call_->verdict ? "the verdict is given already" : nullptr;
  for (std::uint32_t i = 0; i < reader->count() && why == nullptr; ++i) {
    const auto edit = reader->next();
    if (!edit) {
      why = edit.error().what;
    } else if (const auto added = call_->edits->add(*edit); !added) {
      if (added.error() == EditError::kOutOfMemory) {
        call_->edits->roll_back(before);
        return unexpected(Status::kInternalFailure);
      }
      why = describe(added.error());
    }
  }
  if (why == nullptr && !reader->complete()) {
    why = "bytes follow the last edit";
  }
  if (why != nullptr) {
    call_->edits->roll_back(before);
    return refuse(lane::kEditFunction, why);
  }
  return std::string{};
}

const char* LaneHost::why_not(const lane::Verdict& told) const {
  const bool whole =
      call_->message != nullptr && call_->message->payload == lane::Payload::kMessage;
  if (call_->verdict) {
    return "the verdict is given already";
  }
  if (told.kind == lane::VerdictKind::kReplace && !whole) {
    return "only a whole message can be replaced";
  }
  if (told.kind == lane::VerdictKind::kReply) {
    if (call_->message == nullptr || call_->message->direction != Direction::kRequest) {
      return "only a request can be replied to";
    }
    if (call_->context().answer == plugins::Answer::kNone) {
      return "this request expects no response";
    }
  }
  if (told.record_count() != 0 && call_->records == nullptr) {
    return "only records are rejected by index";
  }
  std::int64_t last = -1;
  for (std::size_t i = 0; i < told.record_count(); ++i) {
    const std::uint32_t record = told.record(i);
    if (record <= last || record >= call_->records->batch_records) {
      return "record indexes do not ascend, or lie outside the batch";
    }
    last = record;
  }
  return nullptr;
}

LaneHost::Answer LaneHost::verdict(Bytes arguments) {
  const auto told = lane::read_verdict(arguments);
  if (!told) {
    return refuse(lane::kVerdictFunction, told.error().what);
  }
  if (call_ == nullptr || told->token != call_->token) {
    return unexpected(Status::kNotFound);
  }
  if (const char* why = why_not(*told)) {
    return refuse(lane::kVerdictFunction, why);
  }
  Verdict verdict{.kind = told->kind,
                  .code = told->code,
                  .message = std::string(told->message),
                  .records = {},
                  .delay = std::chrono::milliseconds(told->delay_ms),
                  .body = nullptr};
  for (std::size_t i = 0; i < told->record_count(); ++i) {
    verdict.records.push_back(told->record(i));
  }
  if (!told->bytes.empty()) {
    verdict.body = copy_charged(told->bytes, *call_->context().budget);
    if (verdict.body == nullptr) {
      return unexpected(Status::kInternalFailure);
    }
  }
  call_->verdict = std::move(verdict);
  return std::string{};
}

wasm::GuestCall LaneGuest::show(LaneCall& call, const wasm::CallLimits& limits) {
  const lane::CallHead head = head_of(call);
  const Bytes body = call.message != nullptr ? call.message->body : call.records->records;
  const std::size_t head_size = lane::head_size(head);
  if (call_data_.capacity() > kIdleCallData && head_size + body.size() < kIdleCallData) {
    call_data_ = {};
  }
  call_data_.resize(head_size + body.size());
  lane::write_head(call_data_, head);
  if (!body.empty()) {
    std::memcpy(call_data_.data() + head_size, body.data(), body.size());
  }
  host_.begin(call);
  return vm_.on_foreign_function(vm_.root(),
                                 call.message != nullptr ? lane::kMessageCall : lane::kRecordsCall,
                                 call_data_, limits);
}

}  // namespace grete::plugins

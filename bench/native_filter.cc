#include "bench/native_filter.h"

#include <chrono>
#include <utility>

#include "filters/pii/pii.h"
#include "plugins/native_hook.h"
#include "sdk/cpp/plugin.h"

namespace grete::bench {
namespace {

namespace lane = kafka::lane;

class QuietHost final : public sdk::Host {
 public:
  void log(sdk::LogLevel level, std::string_view text) override {
    static_cast<void>(level), static_cast<void>(text);
  }
  std::uint64_t unix_time_ns() override {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
  }
  sdk::Counter counter(std::string_view name) override {
    static_cast<void>(name);
    return sdk::Counter::kNone;
  }
  void add(sdk::Counter counter, std::uint64_t by) override {
    static_cast<void>(counter), static_cast<void>(by);
  }
  void set_tick_period(std::uint32_t milliseconds) override { static_cast<void>(milliseconds); }
};

lane::Direction direction_of(plugins::Direction direction) {
  return direction == plugins::Direction::kRequest ? lane::Direction::kRequest
                                                   : lane::Direction::kResponse;
}

lane::CallHead head_of(const plugins::FrameContext& context, plugins::Direction direction,
                       lane::Payload payload) {
  lane::CallHead head;
  head.token = 1;
  head.connection = context.connection->id;
  head.api_key = context.key.value();
  head.api_version = context.version.value();
  head.correlation_id = context.correlation.value();
  head.direction = direction_of(direction);
  head.payload = payload;
  head.flags = context.answer == plugins::Answer::kExpected ? lane::flag::kExpectsResponse : 0;
  head.principal = context.connection->principal;
  head.client_id = context.client_id;
  head.address = context.connection->address;
  return head;
}

void tell_batch(const plugins::RecordsCall& call, lane::CallHead& head) {
  head.flags |=
      (call.last ? lane::flag::kLastWindow : 0U) | (call.may_drop ? lane::flag::kMayDrop : 0U);
  head.topic = call.topic;
  head.records = {.partition = call.partition,
                  .batch = call.batch,
                  .batch_records = call.batch_records,
                  .first = call.first,
                  .count = call.count,
                  .attributes = call.header.attributes,
                  .producer_epoch = call.header.producer_epoch,
                  .base_sequence = call.header.base_sequence,
                  .base_offset = call.header.base_offset,
                  .base_timestamp = call.header.base_timestamp,
                  .max_timestamp = call.header.max_timestamp,
                  .producer_id = call.header.producer_id,
                  .topic_id = call.topic_id.bytes};
}

plugins::Verdict verdict_of(sdk::Verdict from) {
  plugins::Verdict verdict;
  verdict.kind = from.kind;
  verdict.code = from.code;
  verdict.message = std::move(from.message);
  verdict.records = std::move(from.records);
  verdict.delay = std::chrono::milliseconds(from.delay_ms);
  if (!from.body.empty()) {
    verdict.body = std::make_shared<const std::vector<std::byte>>(std::move(from.body));
  }
  return verdict;
}

plugins::Verdict refused(std::string what) {
  plugins::Verdict verdict;
  verdict.kind = lane::VerdictKind::kReject;
  verdict.message = std::move(what);
  return verdict;
}

// One a worker.
class NativeFilter final : public plugins::NativeFilter {
 public:
  NativeFilter() : plugin_(filters::pii::make_pii_filter(), host_) {}

  [[nodiscard]] Result<void, std::string> configure(const std::string& configuration) {
    return plugin_.configure(configuration);
  }
  [[nodiscard]] const std::vector<lane::Interest>& interests() const { return plugin_.interests(); }

  plugins::Verdict on_message(const plugins::MessageCall& call) override {
    return verdict_of(
        plugin_.handle({head_of(*call.context, call.direction, call.payload), call.body}));
  }

  plugins::Verdict on_records(const plugins::RecordsCall& call, plugins::EditList& edits) override {
    lane::CallHead head = head_of(*call.context, call.direction, call.payload);
    tell_batch(call, head);
    sdk::Verdict verdict = plugin_.handle({head, call.records});
    if (!plugin_.edits().empty()) {
      auto reader = lane::EditReader::open(plugin_.edits().arguments(head.token));
      for (std::uint32_t left = reader ? reader->count() : 0; left > 0; --left) {
        const auto edit = reader->next();
        if (!edit) {
          return refused(edit.error().what);
        }
        if (const auto added = edits.add(*edit); !added) {
          return refused(plugins::describe(added.error()));
        }
      }
    }
    return verdict_of(std::move(verdict));
  }

 private:
  QuietHost host_;
  sdk::Plugin plugin_;
};

}  // namespace

Result<std::shared_ptr<const plugins::Hook>, std::string> make_native_filter(
    plugins::HookSpec spec, std::string_view filter, std::string configuration) {
  if (filter != "pii") {
    return unexpected("there is no native filter \"" + std::string(filter) + "\"; there is: pii");
  }
  NativeFilter trial;
  GRETE_TRY(trial.configure(configuration));
  plugins::Subscription subscription;
  for (const lane::Interest& interest : trial.interests()) {
    subscription.add(interest);
  }
  return plugins::make_native_hook(
      std::move(spec), std::move(subscription),
      [configuration = std::move(configuration)]() -> std::unique_ptr<plugins::NativeFilter> {
        auto made = std::make_unique<NativeFilter>();
        // It was good when the hook was made.
        static_cast<void>(made->configure(configuration));
        return made;
      });
}

}  // namespace grete::bench

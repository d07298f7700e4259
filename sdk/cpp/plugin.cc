#include "sdk/cpp/plugin.h"

#include <utility>

namespace grete::sdk {
namespace {

using kafka::lane::Direction;
using kafka::lane::Payload;

constexpr std::int16_t kProduce = 0;
constexpr std::int16_t kFetch = 1;

}  // namespace

void Subscriptions::produced_records() {
  add({kProduce, 0, kAllLater, Direction::kRequest, Payload::kRecords});
}

void Subscriptions::fetched_records() {
  add({kFetch, 0, kAllLater, Direction::kResponse, Payload::kRecords});
}

void Subscriptions::requests(kafka::ApiKey key, std::int16_t first, std::int16_t last) {
  add({key.value(), first, last, Direction::kRequest, Payload::kMessage});
}

void Subscriptions::responses(kafka::ApiKey key, std::int16_t first, std::int16_t last) {
  add({key.value(), first, last, Direction::kResponse, Payload::kMessage});
}

Plugin::Plugin(std::unique_ptr<Filter> filter, Host& host)
    : filter_(std::move(filter)), host_(&host) {}

Result<void, std::string> Plugin::configure(std::string_view configuration) {
  filter_->host_ = host_;
  Config config = Config::parse(configuration);
  if (!config.failed()) {
    filter_->on_configure(config, subscriptions_);
  }
  if (auto error = config.finish()) {
    return unexpected(*std::move(error));
  }
  return {};
}

Verdict Plugin::handle(const kafka::lane::Call& call) {
  edits_.clear();
  Verdict verdict;
  if (kafka::lane::is_records_call(call.head.payload)) {
    Records records(call, edits_);
    verdict = filter_->on_records(records);
    if (records.malformed()) {
      constexpr std::int16_t kCorruptMessage = 2;
      verdict = Verdict::reject("the batch's records are malformed", kCorruptMessage);
    }
  } else {
    arena_.reset();
    Message message(call, arena_);
    verdict = call.head.direction == Direction::kRequest ? filter_->on_request(message)
                                                         : filter_->on_response(message);
  }
  if (verdict.kind != kafka::lane::VerdictKind::kPass &&
      verdict.kind != kafka::lane::VerdictKind::kDelay) {
    edits_.clear();
  }
  if (verdict.message.size() > kafka::lane::kMaxMessageBytes) {
    verdict.message.resize(kafka::lane::kMaxMessageBytes);
  }
  return verdict;
}

}  // namespace grete::sdk

#include "plugins/chain.h"

#include <cassert>
#include <cstring>
#include <utility>

#include "plugins/limits.h"
#include "plugins/message_task.h"

namespace grete::plugins {

void ScatterFrame::copy_to(std::byte* to) const {
  for (const Bytes piece : pieces) {
    if (!piece.empty()) {
      std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
    }
  }
}

std::string_view name_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::kForward:
      return "forward";
    case OutcomeKind::kReplace:
      return "replace";
    case OutcomeKind::kReply:
      return "reply";
    case OutcomeKind::kDrop:
      return "drop";
    case OutcomeKind::kClose:
      return "close";
  }
  return "";
}

Chain::Chain(std::vector<std::shared_ptr<const Hook>> hooks) : hooks_(std::move(hooks)) {
  assert(hooks_.size() <= limits::kMaxHooks);
  for (const auto& hook : hooks_) {
    subscription_.add(hook->subscription());
  }
}

Passage::Passage() = default;
Passage::Passage(std::shared_ptr<ChainRuntime> runtime, std::size_t hooks,
                 std::unique_ptr<ResponseMerge> merge)
    : runtime_(std::move(runtime)), hooks_(hooks), merge_(std::move(merge)) {}
Passage::Passage(Passage&&) noexcept = default;
Passage& Passage::operator=(Passage&&) noexcept = default;
Passage::~Passage() = default;

Interest Passage::interest(kafka::ApiKey key, kafka::ApiVersion version) const {
  if (merge_ != nullptr) {
    return Interest::kWhole;
  }
  if (runtime_ == nullptr) {
    return Interest::kNone;
  }
  const Chain& chain = runtime_->chain();
  if (hooks_ == chain.hooks().size()) {
    return runtime_->interest(key, version, Direction::kResponse);
  }
  Payloads payloads;
  for (std::size_t i = 0; i < hooks_; ++i) {
    payloads |= chain.hooks()[i]->subscription().payloads(key, version, Direction::kResponse);
  }
  return payloads.interest();
}

std::unique_ptr<Task> Passage::begin_response(Frame frame, const FrameContext& context) && {
  assert(runtime_ != nullptr);
  return std::make_unique<MessageTask>(std::move(runtime_), std::move(frame), context,
                                       Direction::kResponse, hooks_, std::move(merge_));
}

ChainRuntime::ChainRuntime(std::shared_ptr<const Chain> chain, Worker& worker)
    : chain_(std::move(chain)), worker_(&worker) {
  for (const auto& hook : chain_->hooks()) {
    hooks_.push_back(hook->make_runtime(worker));
  }
}

ChainRuntime::~ChainRuntime() = default;

std::shared_ptr<ChainRuntime> ChainRuntime::create(std::shared_ptr<const Chain> chain,
                                                   Worker& worker) {
  return std::shared_ptr<ChainRuntime>(new ChainRuntime(std::move(chain), worker));
}

std::unique_ptr<Task> ChainRuntime::begin_request(Frame frame, const FrameContext& context) {
  return std::make_unique<MessageTask>(shared_from_this(), std::move(frame), context,
                                       Direction::kRequest, hooks_.size(), nullptr);
}

Passage ChainRuntime::passage() {
  return {shared_from_this(), hooks_.size(), nullptr};
}

void ChainRuntime::serve(Moment now) {
  for (const auto& hook : hooks_) {
    hook->serve(now);
  }
}

}  // namespace grete::plugins

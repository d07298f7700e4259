// The requests of one connection whose replies are outstanding, in the order of their replies.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "kafka/ids.h"
#include "plugins/chain.h"
#include "plugins/frame.h"

namespace grete::gateway {

// What happens to the reply when it comes.
enum class ReplyMode : std::uint8_t {
  kForward,      // passes on as it arrives
  kRewrite,      // broker addresses are replaced
  kWalkFetch,    // broker addresses at its end are hidden as it passes
  kApiVersions,  // version ranges are intersected with ours
  kSaslHandshake,
  kSaslAuthenticate,
  kReady,  // there is no reply to wait for: it has been made in the broker's stead
};

struct PendingRequest {
  kafka::ApiKey key;
  kafka::ApiVersion version;
  kafka::CorrelationId correlation_id;
  ReplyMode mode = ReplyMode::kForward;
  // Whether plug-ins want to see the reply: passage.interest() is not kNone.
  bool for_chain = false;
  Moment arrived;
  // With kReady: the reply.
  plugins::ScatterFrame reply;
  // The plug-ins that the reply goes back through.
  plugins::Passage passage;
};

// A ring that grows by doubling and never shrinks below what it has needed. One thread.
class PendingRequests {
 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }

  [[nodiscard]] PendingRequest& front() {
    assert(count_ != 0);
    return ring_[first_];
  }

  void push(PendingRequest request) {
    if (count_ == capacity_) {
      grow();
    }
    ring_[(first_ + count_) & (capacity_ - 1)] = std::move(request);
    ++count_;
  }

  void pop() {
    assert(count_ != 0);
    ring_[first_] = {};
    first_ = (first_ + 1) & (capacity_ - 1);
    --count_;
  }

 private:
  void grow() {
    const std::size_t wider = capacity_ == 0 ? 4 : capacity_ * 2;
    auto ring = std::make_unique<PendingRequest[]>(wider);
    for (std::size_t i = 0; i < count_; ++i) {
      ring[i] = std::move(ring_[(first_ + i) & (capacity_ - 1)]);
    }
    ring_ = std::move(ring);
    capacity_ = wider;
    first_ = 0;
  }

  std::unique_ptr<PendingRequest[]> ring_;
  std::size_t capacity_ = 0;  // a power of two
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace grete::gateway

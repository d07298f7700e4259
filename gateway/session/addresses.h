// Replaces the addresses of brokers in replies by our own.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "gateway/session/broker_ports.h"
#include "gateway/session/buffer.h"
#include "kafka/ids.h"

namespace grete::gateway {

// What clients are told of a broker that has no port of ours: nothing listens there, and no other
// broker answers in its place.
inline constexpr std::uint16_t kUnreachablePort = 1;

struct RewrittenReply {
  Buffer frame;                            // empty: the reply is right as it is
  std::vector<BrokerAddress> learned;      // where brokers say they listen
  std::vector<kafka::NodeId> unreachable;  // those without a port of ours
  std::vector<TopicId> topics;             // the topics that a Metadata reply names by id
};

// Whether the topics that a Metadata reply names are of interest.
enum class TopicIds : std::uint8_t { kIgnore, kLearn };

// `frame` is a whole reply, its length field included, of an API whose reply_mode is kRewrite.
// The error says what is wrong with it, or that the budget is used up.
[[nodiscard]] Result<RewrittenReply, std::string> rewrite_addresses(
    kafka::ApiKey key, kafka::ApiVersion version, Bytes frame, const BrokerPorts& ports,
    TopicIds topics, MemoryBudget& budget);

}  // namespace grete::gateway

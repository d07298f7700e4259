#include "gateway/session/addresses.h"

#include <concepts>
#include <string_view>
#include <type_traits>

#include "gateway/session/protocol.h"
#include "gateway/session/reply_codec.h"
#include "kafka/messages/describe_cluster_response.h"
#include "kafka/messages/describe_quorum_response.h"
#include "kafka/messages/find_coordinator_response.h"
#include "kafka/messages/metadata_response.h"
#include "kafka/messages/produce_response.h"
#include "kafka/messages/share_acknowledge_response.h"
#include "kafka/messages/share_fetch_response.h"

namespace grete::gateway {

namespace {

// Whether an address tells where the node's brokers' listener is; a controller's does not.
enum class Learn : std::uint8_t { kYes, kNo };

constexpr std::int8_t kControllerEndpoints = 2;  // DescribeCluster's EndpointType (KIP-919)

// Replaces addresses one by one.
class Replacer {
 public:
  Replacer(const BrokerPorts& ports, RewrittenReply& reply) : ports_(&ports), reply_(&reply) {}

  // No node (-1) has no address.
  template <std::integral Port>
  void replace(std::int32_t node, std::string_view& host, Port& port, Learn learn) {
    if (node < 0) {
      return;
    }
    const kafka::NodeId id{node};
    if (learn == Learn::kYes && !host.empty() && port > 0 && port <= UINT16_MAX) {
      reply_->learned.push_back({id, std::string(host), static_cast<std::uint16_t>(port)});
    }
    const auto ours = ports_->port_of(id);
    if (!ours) {
      reply_->unreachable.push_back(id);
    }
    host = ports_->host;
    port = static_cast<Port>(ours.value_or(kUnreachablePort));
    replaced_ = true;
  }

  [[nodiscard]] bool replaced() const { return replaced_; }

 private:
  const BrokerPorts* ports_;
  RewrittenReply* reply_;
  bool replaced_ = false;
};

void replace_all(Replacer& replacer, kafka::MetadataResponse& message) {
  for (auto& broker : message.brokers) {
    replacer.replace(broker.node_id, broker.host, broker.port, Learn::kYes);
  }
}

void replace_all(Replacer& replacer, kafka::FindCoordinatorResponse& message) {
  if (!message.host.empty()) {  // versions 0 to 3
    replacer.replace(message.node_id, message.host, message.port, Learn::kYes);
  }
  for (auto& coordinator : message.coordinators) {
    replacer.replace(coordinator.node_id, coordinator.host, coordinator.port, Learn::kYes);
  }
}

void replace_all(Replacer& replacer, kafka::DescribeClusterResponse& message) {
  const Learn learn = message.endpoint_type == kControllerEndpoints ? Learn::kNo : Learn::kYes;
  for (auto& broker : message.brokers) {
    replacer.replace(broker.broker_id, broker.host, broker.port, learn);
  }
}

void replace_all(Replacer& replacer, kafka::DescribeQuorumResponse& message) {
  for (auto& node : message.nodes) {
    for (auto& listener : node.listeners) {
      replacer.replace(node.node_id, listener.host, listener.port, Learn::kNo);
    }
  }
}

// Those with NodeEndpoints.
template <class Message>
void replace_all(Replacer& replacer, Message& message) {
  for (auto& node : message.node_endpoints) {
    replacer.replace(node.node_id, node.host, node.port, Learn::kYes);
  }
}

void learn_topics(const kafka::MetadataResponse& message, RewrittenReply& reply) {
  for (const auto& topic : message.topics) {
    if (topic.topic_id != kafka::Uuid{} && !topic.name.empty()) {
      reply.topics.push_back({topic.topic_id, std::string(topic.name)});
    }
  }
}

template <class Message>
Result<RewrittenReply, std::string> rewrite(kafka::ApiVersion version, Bytes frame,
                                            const BrokerPorts& ports, TopicIds topics,
                                            MemoryBudget& budget) {
  Arena arena(budget);
  Message message;
  kafka::ResponseHeader header;
  GRETE_TRY(decode_reply(frame, version, arena, header, message));
  RewrittenReply reply;
  Replacer replacer(ports, reply);
  replace_all(replacer, message);
  if constexpr (std::is_same_v<Message, kafka::MetadataResponse>) {
    if (topics == TopicIds::kLearn) {
      learn_topics(message, reply);
    }
  }
  if (replacer.replaced()) {
    GRETE_TRY_ASSIGN(reply.frame, encode_reply(version, arena, header, message, budget));
  }
  return reply;
}

}  // namespace

Result<RewrittenReply, std::string> rewrite_addresses(kafka::ApiKey key, kafka::ApiVersion version,
                                                      Bytes frame, const BrokerPorts& ports,
                                                      TopicIds topics, MemoryBudget& budget) {
  switch (key.value()) {
    case kProduceKey.value():
      return rewrite<kafka::ProduceResponse>(version, frame, ports, topics, budget);
    case kMetadataKey.value():
      return rewrite<kafka::MetadataResponse>(version, frame, ports, topics, budget);
    case kFindCoordinatorKey.value():
      return rewrite<kafka::FindCoordinatorResponse>(version, frame, ports, topics, budget);
    case kDescribeClusterKey.value():
      return rewrite<kafka::DescribeClusterResponse>(version, frame, ports, topics, budget);
    case kDescribeQuorumKey.value():
      return rewrite<kafka::DescribeQuorumResponse>(version, frame, ports, topics, budget);
    case kShareFetchKey.value():
      return rewrite<kafka::ShareFetchResponse>(version, frame, ports, topics, budget);
    case kShareAcknowledgeKey.value():
      return rewrite<kafka::ShareAcknowledgeResponse>(version, frame, ports, topics, budget);
    default:
      return RewrittenReply{};
  }
}

}  // namespace grete::gateway

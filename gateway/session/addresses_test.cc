// Broker addresses in replies, in every version that has them.
#include "gateway/session/addresses.h"

#include <gtest/gtest.h>

#include "gateway/session/protocol.h"
#include "gateway/session/testing/rig.h"
#include "kafka/messages/describe_cluster_response.h"
#include "kafka/messages/describe_quorum_response.h"
#include "kafka/messages/fetch_response.h"
#include "kafka/messages/find_coordinator_response.h"
#include "kafka/messages/metadata_response.h"
#include "kafka/messages/produce_response.h"
#include "kafka/messages/share_acknowledge_response.h"
#include "kafka/messages/share_fetch_response.h"

namespace grete::gateway {
namespace {

using testing::Decoded;
using testing::for_seeds;
using testing::kPlenty;
using testing::raw_request;
using testing::reply_frame;
using testing::Rig;

class Addresses : public ::testing::Test {
 protected:
  template <class Message>
  std::string through(const Message& message, std::int16_t version) {
    rig_.emplace();
    EXPECT_TRUE(rig_->client(raw_request(Message::kApiKey.value(), version, 7, plausible_body())));
    EXPECT_TRUE(rig_->broker(reply_frame(message, version, 7)))
        << "version " << version << ": " << rig_->error->text;
    EXPECT_TRUE(rig_->session.idle());
    EXPECT_EQ(rig_->budget.used(), 0u);
    return rig_->to_client;
  }

  // Enough for any request whose acks are looked for: no transactional id, acks = 1.
  static std::string plausible_body() { return std::string("\0\0\0\1\0\0\0\0\0\0", 10); }

  template <class T>
  Array<T> array(std::uint32_t count) {
    return arena_.make_array<T>(count);
  }

  template <class Node>
  Array<Node> endpoints() {
    auto nodes = array<Node>(2);
    for (std::uint32_t i = 0; i < 2; ++i) {
      nodes[i].node_id = static_cast<std::int32_t>(i + 3);
      nodes[i].host = "broker.internal";
      nodes[i].port = 9092;
    }
    return nodes;
  }

  void expect_learned() {
    ASSERT_EQ(rig_->notes.brokers.size(), 2u);
    EXPECT_EQ(rig_->notes.brokers[1], (BrokerAddress{kafka::NodeId{4}, "broker.internal", 9092}));
  }

  MemoryBudget budget_{kPlenty};
  Arena arena_{budget_};
  std::optional<Rig> rig_;
};

TEST_F(Addresses, Metadata) {
  for (std::int16_t version = 0; version <= 13; ++version) {
    kafka::MetadataResponse message;
    message.brokers = endpoints<kafka::MetadataResponse::MetadataResponseBroker>();
    Decoded<kafka::MetadataResponse> got(through(message, version), version);
    EXPECT_EQ(got.correlation_id(), 7);
    ASSERT_EQ(got->brokers.size(), 2u);
    EXPECT_EQ(got->brokers[0].host, "gateway");
    EXPECT_EQ(got->brokers[0].port, 20003);
    EXPECT_EQ(got->brokers[1].port, 20004);
    expect_learned();
  }
}

TEST_F(Addresses, FindCoordinator) {
  for (std::int16_t version = 0; version <= 6; ++version) {
    kafka::FindCoordinatorResponse message;
    if (version < 4) {
      message.node_id = 4;
      message.host = "broker.internal";
      message.port = 9092;
    } else {
      message.coordinators = endpoints<kafka::FindCoordinatorResponse::Coordinator>();
    }
    Decoded<kafka::FindCoordinatorResponse> got(through(message, version), version);
    if (version < 4) {
      EXPECT_EQ(got->host, "gateway");
      EXPECT_EQ(got->port, 20004);
      ASSERT_EQ(rig_->notes.brokers.size(), 1u);
    } else {
      ASSERT_EQ(got->coordinators.size(), 2u);
      EXPECT_EQ(got->coordinators[1].host, "gateway");
      EXPECT_EQ(got->coordinators[1].port, 20004);
      expect_learned();
    }
  }
}

TEST_F(Addresses, NoCoordinatorStaysNone) {
  for (std::int16_t version = 0; version <= 6; ++version) {
    kafka::FindCoordinatorResponse message;
    if (version < 4) {
      message.node_id = -1;
      message.port = -1;
      message.error_code = 15;
    } else {
      message.coordinators = array<kafka::FindCoordinatorResponse::Coordinator>(1);
      message.coordinators[0].node_id = -1;
      message.coordinators[0].port = -1;
      message.coordinators[0].error_code = 15;
    }
    EXPECT_EQ(through(message, version), reply_frame(message, version, 7));
    EXPECT_TRUE(rig_->notes.brokers.empty());
    EXPECT_TRUE(rig_->notes.unreachable.empty());
  }
}

TEST_F(Addresses, DescribeClusterLearnsBrokersAndNotControllers) {
  for (std::int16_t version = 0; version <= 2; ++version) {
    for (const std::int8_t endpoint_type : {std::int8_t{1}, std::int8_t{2}}) {
      if (version == 0 && endpoint_type == 2) {
        continue;
      }
      kafka::DescribeClusterResponse message;
      message.endpoint_type = endpoint_type;
      message.brokers = array<kafka::DescribeClusterResponse::DescribeClusterBroker>(1);
      message.brokers[0].broker_id = 2;
      message.brokers[0].host = "broker.internal";
      message.brokers[0].port = 9093;
      Decoded<kafka::DescribeClusterResponse> got(through(message, version), version);
      EXPECT_EQ(got->brokers[0].host, "gateway");
      EXPECT_EQ(got->brokers[0].port, 20002);
      EXPECT_EQ(rig_->notes.brokers.size(), endpoint_type == 1 ? 1u : 0u);
    }
  }
}

TEST_F(Addresses, DescribeQuorum) {
  kafka::DescribeQuorumResponse message;
  message.nodes = array<kafka::DescribeQuorumResponse::Node>(1);
  message.nodes[0].node_id = 5;
  message.nodes[0].listeners = array<kafka::DescribeQuorumResponse::Listener>(1);
  message.nodes[0].listeners[0].name = "CONTROLLER";
  message.nodes[0].listeners[0].host = "broker.internal";
  message.nodes[0].listeners[0].port = 9093;
  Decoded<kafka::DescribeQuorumResponse> got(through(message, 2), 2);
  EXPECT_EQ(got->nodes[0].listeners[0].host, "gateway");
  EXPECT_EQ(got->nodes[0].listeners[0].port, 20005);
  EXPECT_TRUE(rig_->notes.brokers.empty());
}

TEST_F(Addresses, ProduceAndShareEndpoints) {
  for (std::int16_t version = 10; version <= 13; ++version) {
    kafka::ProduceResponse message;
    message.node_endpoints = endpoints<kafka::ProduceResponse::NodeEndpoint>();
    Decoded<kafka::ProduceResponse> got(through(message, version), version);
    ASSERT_EQ(got->node_endpoints.size(), 2u);
    EXPECT_EQ(got->node_endpoints[0].host, "gateway");
    EXPECT_EQ(got->node_endpoints[0].port, 20003);
    expect_learned();
  }
  for (std::int16_t version = 0; version <= 2; ++version) {
    kafka::ShareFetchResponse fetch;
    fetch.node_endpoints = endpoints<kafka::ShareFetchResponse::NodeEndpoint>();
    Decoded<kafka::ShareFetchResponse> got(through(fetch, version), version);
    EXPECT_EQ(got->node_endpoints[1].port, 20004);
    kafka::ShareAcknowledgeResponse acknowledge;
    acknowledge.node_endpoints = endpoints<kafka::ShareAcknowledgeResponse::NodeEndpoint>();
    Decoded<kafka::ShareAcknowledgeResponse> also(through(acknowledge, version), version);
    EXPECT_EQ(also->node_endpoints[1].host, "gateway");
  }
}

TEST_F(Addresses, AReplyWithoutAddressesIsNotTouched) {
  for (std::int16_t version = 10; version <= 13; ++version) {
    kafka::ProduceResponse message;
    message.responses = array<kafka::ProduceResponse::TopicProduceResponse>(1);
    EXPECT_EQ(through(message, version), reply_frame(message, version, 7));
    EXPECT_EQ(rig_->pieces, 1u);
  }
}

TEST_F(Addresses, ABrokerWithoutAPortIsToldAndUnreachable) {
  kafka::MetadataResponse message;
  message.brokers = array<kafka::MetadataResponse::MetadataResponseBroker>(1);
  message.brokers[0].node_id = 10;  // the range has room for 0 to 9
  message.brokers[0].host = "broker.internal";
  message.brokers[0].port = 9092;
  Decoded<kafka::MetadataResponse> got(through(message, 12), 12);
  EXPECT_EQ(got->brokers[0].host, "gateway");
  EXPECT_EQ(got->brokers[0].port, kUnreachablePort);
  EXPECT_EQ(rig_->notes.unreachable, std::vector<int>{10});
}

TEST_F(Addresses, AMalformedReplyNamesItsField) {
  Rig rig;
  ASSERT_TRUE(rig.client(raw_request(kMetadataKey.value(), 1, 7, "x")));
  EXPECT_FALSE(rig.broker(testing::raw_reply(7, std::string("\x7f\0\0\0", 4))));
  EXPECT_EQ(rig.error->failure, SessionFailure::kMalformedReply);
  EXPECT_NE(rig.error->text.find("MetadataResponse.brokers"), std::string::npos) << rig.error->text;
  EXPECT_EQ(rig.to_client, "");
}

// A Fetch reply with everything a walk has to step over.
kafka::FetchResponse random_fetch(std::mt19937_64& random, Arena& arena) {
  using Fetch = kafka::FetchResponse;
  static const std::string bytes(5000, 'r');
  Fetch message;
  message.throttle_time_ms = 5;
  message.session_id = 77;
  message.responses = arena.make_array<Fetch::FetchableTopicResponse>(random() % 4);
  for (auto& topic : message.responses) {
    topic.partitions = arena.make_array<Fetch::PartitionData>(random() % 4);
    for (auto& partition : topic.partitions) {
      if (random() % 2 == 0) {
        partition.records = as_bytes(bytes).first(random() % bytes.size());
      }
      if (random() % 2 == 0) {
        partition.current_leader.leader_id = 3;
        partition.diverging_epoch.epoch = 9;
        partition.snapshot_id.epoch = 4;
      }
      partition.aborted_transactions = kafka::kNull;
      if (random() % 2 == 0) {
        partition.aborted_transactions =
            arena.make_array<Fetch::AbortedTransaction>(1 + random() % 3);
      }
    }
  }
  if (random() % 2 == 0) {
    message.node_endpoints = arena.make_array<Fetch::NodeEndpoint>(2);
    for (auto& node : message.node_endpoints) {
      node.host = "broker.internal";
      node.port = 9092;
    }
  }
  return message;
}

TEST_F(Addresses, FetchHidesThemInPlace) {
  for_seeds(300, [](std::mt19937_64& random) {
    MemoryBudget budget(kPlenty);
    Arena arena(budget);
    const auto version = static_cast<std::int16_t>(16 + random() % 3);
    const kafka::FetchResponse message = random_fetch(random, arena);
    const std::string reply = reply_frame(message, version, 7);
    Rig rig;
    ASSERT_TRUE(rig.client(raw_request(kFetchKey.value(), version, 7, "x")));
    ASSERT_TRUE(rig.broker_split(reply, random)) << rig.error->text;
    EXPECT_EQ(rig.to_client.size(), reply.size());
    EXPECT_TRUE(rig.session.idle());
    Decoded<kafka::FetchResponse> got(rig.to_client, version);
    EXPECT_TRUE(got->node_endpoints.empty());
    EXPECT_EQ(got->unknown_tags != nullptr, !message.node_endpoints.empty());
    if (message.node_endpoints.empty()) {
      EXPECT_EQ(rig.to_client, reply);
    }
    ASSERT_EQ(got->responses.size(), message.responses.size());
    for (std::uint32_t i = 0; i < got->responses.size(); ++i) {
      ASSERT_EQ(got->responses[i].partitions.size(), message.responses[i].partitions.size());
      for (std::uint32_t j = 0; j < got->responses[i].partitions.size(); ++j) {
        EXPECT_EQ(as_text(got->responses[i].partitions[j].records),
                  as_text(message.responses[i].partitions[j].records));
      }
    }
  });
}

TEST_F(Addresses, AFetchWhoseLengthsContradictEachOtherIsRefused) {
  std::mt19937_64 random(1);
  kafka::FetchResponse message;
  std::string reply = reply_frame(message, 17, 7);
  reply += "extra";
  store_big(reinterpret_cast<std::byte*>(reply.data()),
            static_cast<std::int32_t>(reply.size() - 4));
  Rig rig;
  ASSERT_TRUE(rig.client(raw_request(kFetchKey.value(), 17, 7, "x")));
  EXPECT_FALSE(rig.broker(reply));
  EXPECT_EQ(rig.error->failure, SessionFailure::kMalformedReply);
}

}  // namespace
}  // namespace grete::gateway

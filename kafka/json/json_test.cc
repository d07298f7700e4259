#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/arena.h"
#include "kafka/broker_addresses.h"
#include "kafka/json/frame_json.h"
#include "kafka/json/json_text.h"
#include "kafka/json/message_json.h"
#include "kafka/messages/describe_quorum_response.h"
#include "kafka/messages/find_coordinator_response.h"
#include "kafka/messages/metadata_response.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/sasl_authenticate_request.h"

namespace grete::kafka::json {
namespace {

std::string text_of(double value) {
  std::string out;
  append_double(out, value);
  return out;
}

TEST(JsonTextTest, DoublesLookAsInJava) {
  EXPECT_EQ(text_of(0), "0.0");
  EXPECT_EQ(text_of(-0.0), "-0.0");
  EXPECT_EQ(text_of(1), "1.0");
  EXPECT_EQ(text_of(-12.5), "-12.5");
  EXPECT_EQ(text_of(0.001), "0.001");
  EXPECT_EQ(text_of(0.00012), "1.2E-4");
  EXPECT_EQ(text_of(1234567), "1234567.0");
  EXPECT_EQ(text_of(12345678), "1.2345678E7");
  EXPECT_EQ(text_of(1e300), "1.0E300");
  EXPECT_EQ(text_of(std::numeric_limits<double>::infinity()), "\"Infinity\"");
  EXPECT_EQ(text_of(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
}

TEST(JsonTextTest, StringsAreEscapedAndBadUtf8IsReplaced) {
  std::string out;
  append_string(out, std::string_view("a\"\\\n\x01\x7f\xc3\xa4\xff\xed\xa0\x80", 12));
  EXPECT_EQ(out,
            "\"a\\\"\\\\\\n\\u0001\x7f\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonTextTest, Base64Pads) {
  std::string out;
  append_base64(out, as_bytes("a"));
  append_base64(out, as_bytes("ab"));
  append_base64(out, as_bytes("abc"));
  append_base64(out, {});
  EXPECT_EQ(out, "\"YQ==\"\"YWI=\"\"YWJj\"\"\"");
}

TEST(MessageJsonTest, RecordsAndSecrets) {
  ProduceRequest::PartitionProduceData partitions[2];
  partitions[0].records = as_bytes("abc");
  partitions[1].index = 1;
  ProduceRequest::TopicProduceData topic;
  topic.name = "t";
  topic.partition_data = {partitions, 2};
  ProduceRequest request;
  request.topic_data = {&topic, 1};
  std::string out;
  append_message(out, *kProduceRequestInfo.type, ApiVersion{3}, &request);
  EXPECT_EQ(
      out, R"({"transactionalId":null,"acks":0,"timeoutMs":0,"topicData":[{"name":"t",)"
           R"("partitionData":[{"index":0,"recordsSizeInBytes":3},{"index":1,"records":null}]}]})");
  SaslAuthenticateRequest sasl;
  sasl.auth_bytes = as_bytes("secret");
  out.clear();
  append_message(out, *kSaslAuthenticateRequestInfo.type, ApiVersion{0}, &sasl,
                 {.secrets = Options::Secrets::kHide});
  EXPECT_EQ(out, "{\"authBytes\":\"(hidden)\"}");
}

class FrameJsonTest : public testing::Test {
 protected:
  std::string json(std::string_view request, std::string_view response = "") {
    const auto request_bytes = parse_hex(request);
    const auto response_bytes = parse_hex(response);
    EXPECT_TRUE(request_bytes && response_bytes);
    std::optional<Bytes> answer;
    if (!response.empty()) {
      answer = *response_bytes;
    }
    const auto result =
        frames_to_json(*request_bytes, answer, budget_, {.message = {}, .indent = false});
    return result ? *result : result.error().text;
  }

  MemoryBudget budget_{1 << 20};
};

TEST_F(FrameJsonTest, RequestAndResponseWithAndWithoutLength) {
  const std::string_view request = "0003 0001 00000007 0004 6b636174 ffffffff";
  const std::string expected =
      R"({"request":{"api":"Metadata","apiVersion":1,"header":{"requestApiKey":3,)"
      R"("requestApiVersion":1,"correlationId":7,"clientId":"kcat"},"body":{"topics":null}})";
  EXPECT_EQ(json(request), expected + "}");
  EXPECT_EQ(json("00000012" + std::string(request)), expected + "}");
  EXPECT_THAT(json("00000012" + std::string(request), "00000006 00000007 0000"),
              testing::StartsWith("response, at byte 8: MetadataResponse.brokers: the bytes end"));
  EXPECT_EQ(json(request, "00000007 00000001 00000001 0001 61 00002384 ffff 00000001 00000000"),
            expected +
                R"(,"response":{"header":{"correlationId":7},"body":{"brokers":[{"nodeId":1,)"
                R"("host":"a","port":9092,"rack":null}],"controllerId":1,"topics":[]}}})");
}

TEST_F(FrameJsonTest, ErrorsSayWhere) {
  EXPECT_EQ(json("0003"), "request: 2 bytes are too few to name an API key and version");
  EXPECT_THAT(json("1234 0001 00000007"),
              testing::StartsWith("request, at byte 0: no API has the key 4660"));
  EXPECT_EQ(json("0003 0063 00000007"),
            "request, at byte 2: Metadata has no version 99; known are 0 to 13");
  EXPECT_EQ(json("00000010 0003 0001 00000007 0004 6b636174 0000"),
            "request, at byte 18: MetadataRequest.topics: the bytes end within this field");
  EXPECT_EQ(json("0003 0001 00000007 0004 6b636174 ffffffff 00"),
            "request, at byte 18: MetadataRequest: bytes are left after the message");
}

TEST(FrameTest, HexMayHaveSeparators) {
  EXPECT_EQ(parse_hex("0x00 0xFF,0a:0B\n")->size(), 4U);
  EXPECT_FALSE(parse_hex("0"));
  EXPECT_FALSE(parse_hex("zz"));
}

TEST(IndentedTest, EmptyOnesStayOnTheirLine) {
  EXPECT_EQ(indented(R"({"a":[],"b":{"c":"}\""}})"),
            "{\n  \"a\": [],\n  \"b\": {\n    \"c\": \"}\\\"\"\n  }\n}");
}

TEST(BrokerAddressesTest, EveryTripleIsVisitedAndCanBeReplaced) {
  MetadataResponse::MetadataResponseBroker brokers[2];
  brokers[0].node_id = 4;
  brokers[0].host = "a";
  brokers[0].port = 1;
  brokers[1].node_id = 5;
  MetadataResponse response;
  response.brokers = {brokers, 2};
  std::string seen;
  visit_broker_addresses(kMetadataResponseInfo, ApiVersion{9}, &response,
                         [&](BrokerAddress& address) {
                           seen += std::to_string(address.node.value());
                           address.host = "gateway";
                           address.port += 1000;
                           return address.node == NodeId{4};
                         });
  EXPECT_EQ(seen, "45");
  EXPECT_EQ(brokers[0].host, "gateway");
  EXPECT_EQ(brokers[0].port, 1001);
  EXPECT_EQ(brokers[1].host, "");
}

TEST(BrokerAddressesTest, TheVersionDecidesWhatCounts) {
  FindCoordinatorResponse response;
  FindCoordinatorResponse::Coordinator coordinator;
  coordinator.node_id = 2;
  response.node_id = 1;
  response.coordinators = {&coordinator, 1};
  const auto nodes = [&](std::int16_t version) {
    std::string seen;
    visit_broker_addresses(kFindCoordinatorResponseInfo, ApiVersion{version}, &response,
                           [&](BrokerAddress& address) {
                             seen += std::to_string(address.node.value());
                             return false;
                           });
    return seen;
  };
  EXPECT_EQ(nodes(3), "1");
  EXPECT_EQ(nodes(4), "2");
}

TEST(BrokerAddressesTest, TheNodeMayStandInTheEnclosingStruct) {
  DescribeQuorumResponse::Listener listener;
  listener.port = 9093;
  DescribeQuorumResponse::Node node;
  node.node_id = 3;
  node.listeners = {&listener, 1};
  DescribeQuorumResponse response;
  response.nodes = {&node, 1};
  visit_broker_addresses(kDescribeQuorumResponseInfo, ApiVersion{2}, &response,
                         [&](BrokerAddress& address) {
                           EXPECT_EQ(address.node, NodeId{3});
                           address.port = 65535;
                           return true;
                         });
  EXPECT_EQ(listener.port, 65535);
}

}  // namespace
}  // namespace grete::kafka::json

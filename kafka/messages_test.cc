// Messages against bytes written down by hand from Kafka's protocol guide, and malformed ones.
#include "kafka/messages.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/arena.h"
#include "kafka/api_table.h"
#include "kafka/messages/api_versions_request.h"
#include "kafka/messages/api_versions_response.h"
#include "kafka/messages/consumer_protocol_subscription.h"
#include "kafka/messages/create_topics_request.h"
#include "kafka/messages/describe_topic_partitions_response.h"
#include "kafka/messages/fetch_response.h"
#include "kafka/messages/list_groups_request.h"
#include "kafka/messages/metadata_request.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/request_header.h"
#include "kafka/wire/versioned.h"

namespace grete::kafka {
namespace {

std::vector<std::byte> from_hex(std::string_view hex) {
  std::string digits;
  for (const char c : hex) {
    if (c != ' ' && c != '\n') {
      digits += c;
    }
  }
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string to_hex(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += kDigits[static_cast<unsigned>(byte) >> 4];
    hex += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return hex;
}

class MessagesTest : public testing::Test {
 protected:
  template <class M>
  Result<void, DecodeError> decode_hex(std::string_view hex, int version, M& message) {
    frame_ = from_hex(hex);
    Reader reader(frame_, arena_);
    GRETE_TRY(decode(reader, ApiVersion{static_cast<std::int16_t>(version)}, message));
    return reader.expect_end("message");
  }

  template <class M>
  std::string encode_hex(const M& message, int version) {
    Writer writer(arena_);
    const auto encoded = encode(writer, ApiVersion{static_cast<std::int16_t>(version)}, message);
    if (!encoded) {
      return encoded.error().text();
    }
    std::vector<std::byte> bytes(writer.size());
    writer.copy_to(bytes.data());
    std::vector<std::byte> joined;
    for (const Bytes piece : writer.pieces()) {
      joined.insert(joined.end(), piece.begin(), piece.end());
    }
    EXPECT_EQ(to_hex(bytes), to_hex(joined));
    return to_hex(bytes);
  }

  template <class M>
  std::string error_of(std::string_view hex, int version) {
    M message;
    const auto decoded = decode_hex(hex, version, message);
    return decoded ? "no error" : decoded.error().text();
  }

  MemoryBudget budget_{1 << 20};
  Arena arena_{budget_};
  std::vector<std::byte> frame_;
};

TEST_F(MessagesTest, RequestHeaderKeepsTheOldLengthOfTheClientIdInItsFlexibleVersion) {
  RequestHeader header;
  ASSERT_TRUE(decode_hex("0012 0003 00000007 0004 6b636174 00", 2, header));
  EXPECT_EQ(header.request_api_key, api_key::kApiVersions);
  EXPECT_EQ(header.request_api_version, ApiVersion{3});
  EXPECT_EQ(header.correlation_id, CorrelationId{7});
  EXPECT_EQ(header.client_id, "kcat");
  EXPECT_EQ(encode_hex(header, 2),
            "0012000300000007"
            "00046b63617400");
}

TEST_F(MessagesTest, ApiVersionsRequestHasCompactStrings) {
  ApiVersionsRequest request;
  ASSERT_TRUE(decode_hex("0b 6c696272646b61666b61 06 322e302e32 00", 3, request));
  EXPECT_EQ(request.client_software_name, "librdkafka");
  EXPECT_EQ(request.client_software_version, "2.0.2");
  EXPECT_EQ(encode_hex(request, 3), "0b6c696272646b61666b6106322e302e3200");
}

TEST_F(MessagesTest, NullAndEmptyArraysDiffer) {
  MetadataRequest request;
  ASSERT_TRUE(decode_hex("ffffffff", 1, request));
  EXPECT_TRUE(request.topics.is_null());
  EXPECT_EQ(encode_hex(request, 1), "ffffffff");
  ASSERT_TRUE(decode_hex("00000000", 1, request));
  EXPECT_FALSE(request.topics.is_null());
  EXPECT_EQ(encode_hex(request, 1), "00000000");
  EXPECT_EQ(error_of<MetadataRequest>("ffffffff", 0),
            "at byte 0: MetadataRequest.topics: null, where this version allows none");
}

TEST_F(MessagesTest, AnEmptyMessageTakesNoBytes) {
  ListGroupsRequest request;
  ASSERT_TRUE(decode_hex("", 0, request));
  EXPECT_EQ(encode_hex(request, 0), "");
}

TEST_F(MessagesTest, ErrorsNameTheFieldAndTheByte) {
  // Two topics are told, the second one's partitions are cut off.
  EXPECT_EQ(error_of<ProduceRequest>("ffff 0001 00000bb8 00000002"
                                     "0001 61 00000000"
                                     "0001 62 00000001 0000",
                                     3),
            "at byte 22: ProduceRequest.topicData[1].partitionData: "
            "the count is larger than the remaining bytes can hold");
  EXPECT_EQ(error_of<ProduceRequest>("ffff 00", 3),
            "at byte 2: ProduceRequest.acks: the bytes end within this field");
  EXPECT_EQ(error_of<ProduceRequest>("", 99), "at byte 0: ProduceRequest: no such version");
}

TEST_F(MessagesTest, UnknownTaggedFieldsAreKept) {
  // Two unknown fields, 5 and 300, around nothing known.
  ApiVersionsRequest request;
  ASSERT_TRUE(decode_hex("0261 0262 02 05 02 abcd ac02 00", 3, request));
  ASSERT_NE(request.unknown_tags, nullptr);
  EXPECT_EQ(request.unknown_tags->tag, 5U);
  EXPECT_EQ(request.unknown_tags->next->tag, 300U);
  EXPECT_EQ(encode_hex(request, 3),
            "026102620205"
            "02abcdac0200");
  EXPECT_EQ(encode_hex(request, 2),
            "ApiVersionsRequest: has unknown tagged fields, but this version has no tagged fields");
}

TEST_F(MessagesTest, TaggedFieldsMustAscendAndFitTheirSize) {
  EXPECT_THAT(error_of<ApiVersionsRequest>("0261 0262 02 05 00 05 00", 3),
              testing::HasSubstr("not in ascending order"));
  EXPECT_THAT(error_of<ApiVersionsRequest>("0261 0262 01 05 09 00", 3),
              testing::HasSubstr("the bytes end"));
  // FetchResponse's NodeEndpoints (tag 0) in a field that is a byte too long.
  EXPECT_THAT(error_of<FetchResponse>("00000000 0000 00000000 01 01 00 02 01 00", 16),
              testing::HasSubstr("size disagrees"));
}

TEST_F(MessagesTest, AFieldThatTheVersionLacksIsAnErrorUnlessIgnorable) {
  CreateTopicsRequest request;
  request.validate_only = true;
  EXPECT_EQ(encode_hex(request, 0),
            "CreateTopicsRequest.validateOnly: has a value, but this version lacks the field");
  FetchResponse response;
  response.error_code = 3;  // ignorable before version 7
  EXPECT_EQ(encode_hex(response, 4), "0000000000000000");
}

TEST_F(MessagesTest, OptionalStructsHaveAMarker) {
  DescribeTopicPartitionsResponse response;
  ASSERT_TRUE(decode_hex("00000000 01 ff 00", 0, response));
  EXPECT_EQ(response.next_cursor, nullptr);
  ASSERT_TRUE(decode_hex("00000000 01 01 0274 00000005 00 00", 0, response));
  ASSERT_NE(response.next_cursor, nullptr);
  EXPECT_EQ(response.next_cursor->topic_name, "t");
  EXPECT_EQ(response.next_cursor->partition_index, 5);
  EXPECT_EQ(encode_hex(response, 0),
            "0000000001"
            "01"
            "0274"
            "00000005"
            "00"
            "00");
  EXPECT_EQ(error_of<DescribeTopicPartitionsResponse>("00000000 01 07 00", 0),
            "at byte 5: DescribeTopicPartitionsResponse.nextCursor: "
            "the byte before an optional struct is neither -1 nor 1");
}

TEST_F(MessagesTest, LargeRecordsAreReferredToAndNotCopied) {
  const std::vector<std::byte> records(10000, std::byte{0x5a});
  ProduceRequest::PartitionProduceData partition;
  partition.records = records;
  ProduceRequest::TopicProduceData topic;
  topic.name = "t";
  topic.partition_data = {&partition, 1};
  ProduceRequest request;
  request.topic_data = {&topic, 1};
  Writer writer(arena_);
  ASSERT_TRUE(encode(writer, ApiVersion{9}, request));
  const auto pieces = writer.pieces();
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[1].data(), records.data());
  EXPECT_EQ(encoded_size(*kProduceRequestInfo.type, ApiVersion{9}, &request), writer.size());
}

TEST_F(MessagesTest, ACountBeyondTheBudgetIsAnErrorOfItsField) {
  MemoryBudget budget(4096);
  Arena arena(budget);
  const std::vector<std::byte> frame = [] {
    std::vector<std::byte> bytes(4 + 2 * 4000);  // 4,000 empty names
    store_big<std::int32_t>(bytes.data(), 4000);
    return bytes;
  }();
  Reader reader(frame, arena);
  MetadataRequest request;
  const auto decoded = decode(reader, ApiVersion{0}, request);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, DecodeErrorCode::kOutOfMemory);
  EXPECT_EQ(decoded.error().path.text(), "MetadataRequest.topics");
  EXPECT_LE(budget.peak(), 4096U);
}

TEST_F(MessagesTest, BlobsBeginWithTheirVersion) {
  frame_ = from_hex("0001 00000001 0001 74 ffffffff 00000000");
  Reader reader(frame_, arena_);
  ConsumerProtocolSubscription subscription;
  const auto version = decode_versioned(reader, "ConsumerProtocolSubscription", subscription);
  ASSERT_TRUE(version);
  EXPECT_EQ(*version, ApiVersion{1});
  ASSERT_EQ(subscription.topics.size(), 1U);
  EXPECT_EQ(subscription.topics[0], "t");
  EXPECT_TRUE(is_null(subscription.user_data));
  Writer writer(arena_);
  ASSERT_TRUE(encode_versioned(writer, *version, "ConsumerProtocolSubscription", subscription));
  EXPECT_EQ(to_hex(writer.pieces()[0]), to_hex(frame_));
  // A version that does not exist yet is read as the newest one.
  frame_ = from_hex("0063 00000000 ffffffff 00000000 ffffffff ffff 1234");
  Reader newer(frame_, arena_);
  const auto read = decode_versioned(newer, "ConsumerProtocolSubscription", subscription);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, ApiVersion{99});
  EXPECT_EQ(newer.remaining(), 2U);
}

TEST(ApiTableTest, HeaderVersionsHaveTheirExceptions) {
  EXPECT_EQ(request_header_version(api_key::kProduce, ApiVersion{8}), ApiVersion{1});
  EXPECT_EQ(request_header_version(api_key::kProduce, ApiVersion{9}), ApiVersion{2});
  EXPECT_EQ(request_header_version(api_key::kControlledShutdown, ApiVersion{0}), ApiVersion{0});
  EXPECT_EQ(response_header_version(api_key::kApiVersions, ApiVersion{3}), ApiVersion{0});
  EXPECT_EQ(response_header_version(api_key::kMetadata, ApiVersion{9}), ApiVersion{1});
  EXPECT_EQ(response_header_version(api_key::kSaslHandshake, ApiVersion{1}), ApiVersion{0});
}

TEST(ApiTableTest, EveryKeyIsFoundAndHasItsMessages) {
  for (const ApiInfo& api : all_apis()) {
    EXPECT_EQ(find_api(api.key), &api);
    ASSERT_NE(find_message(api.key, Direction::kRequest), nullptr) << api.name;
    EXPECT_EQ(std::string(find_message(api.key, Direction::kRequest)->name),
              std::string(api.name) + "Request");
    ASSERT_NE(find_message(api.key, Direction::kResponse), nullptr) << api.name;
  }
  EXPECT_EQ(find_api(ApiKey{-1}), nullptr);
  EXPECT_EQ(find_api(ApiKey{4711}), nullptr);
  EXPECT_FALSE(is_known(api_key::kProduce, ApiVersion{99}));
  EXPECT_STREQ(api_name(ApiKey{3}), "Metadata");
}

}  // namespace
}  // namespace grete::kafka

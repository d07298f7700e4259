// Whole conversations over a byte host: frames in random pieces, both ways.
#include "sdk/cpp/stream/connection.h"

#include <random>

#include <gtest/gtest.h>

#include "kafka/api_table.h"
#include "kafka/messages/response_header.h"
#include "sdk/cpp/stream/frame_writer.h"
#include "sdk/cpp/testing/stream_harness.h"

namespace grete::sdk {
namespace {

using kafka::ApiVersion;
using kafka::records::Codec;
using testing::make_batch;
using testing::read_batch;
using testing::StreamHarness;
using testing::TestRecord;
using Frame = std::vector<std::byte>;

constexpr std::uint64_t kSeed = 20261122;

// Masks "secret" in values by "######", rejects batches with "reject" and drops "drop".
class Masker final : public Filter {
 public:
  void on_configure(Config& config, Subscriptions& subscribe) override {
    subscribe.produced_records();
    if (config.boolean("fetch").value_or(false)) {
      subscribe.fetched_records();
    }
  }
  Verdict on_records(Records& records) override {
    Verdict verdict;
    for (const Record& record : records) {
      const std::string_view value = record.value ? as_text(*record.value) : "";
      if (value == "reject") {
        verdict.kind = kafka::lane::VerdictKind::kReject;
        verdict.message = "not this";
        verdict.records.push_back(records.index_of(record));
      } else if (value == "drop") {
        records.drop(record);
      } else if (const auto at = value.find("secret"); at != std::string_view::npos) {
        records.replace(record, Field::kValue, at, 6, as_bytes("######"));
      }
    }
    return verdict;
  }
};

struct Fixture {
  MemoryBudget budget{std::uint64_t{1} << 30};
  Arena arena{budget};

  // One topic with these partitions' records.
  Frame produce(std::int16_t version, std::int32_t correlation, std::int16_t acks,
                const std::vector<Frame>& partitions) {
    kafka::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 1000;
    request.topic_data = arena.make_array<kafka::ProduceRequest::TopicProduceData>(1);
    auto& topic = request.topic_data[0];
    if (version < 13) {
      topic.name = "topic";
    } else {
      topic.topic_id.bytes[0] = std::byte{7};
    }
    topic.partition_data = arena.make_array<kafka::ProduceRequest::PartitionProduceData>(
        static_cast<std::uint32_t>(partitions.size()));
    for (std::uint32_t i = 0; i < partitions.size(); ++i) {
      topic.partition_data[i].index = static_cast<std::int32_t>(i);
      topic.partition_data[i].records = partitions[i];
    }
    Frame frame;
    EXPECT_TRUE(append_message(frame, arena, request_header(0, version, correlation),
                               ApiVersion(version), request));
    return frame;
  }

  Frame request_header(std::int16_t key, std::int16_t version, std::int32_t correlation) {
    kafka::RequestHeader header;
    header.request_api_key = kafka::ApiKey(key);
    header.request_api_version = ApiVersion(version);
    header.correlation_id = kafka::CorrelationId(correlation);
    header.client_id = "tester";
    return *encode_body(
        arena, kafka::request_header_version(kafka::ApiKey(key), ApiVersion(version)), header);
  }

  Frame response(std::int16_t key, std::int16_t version, std::int32_t correlation, Bytes body) {
    Frame frame;
    append_reply(frame, correlation,
                 kafka::response_header_version(kafka::ApiKey(key), ApiVersion(version)), body);
    return frame;
  }

  Frame produced(std::int16_t version, std::int32_t correlation,
                 std::vector<std::int32_t> indexes) {
    kafka::ProduceResponse message;
    message.responses = arena.make_array<kafka::ProduceResponse::TopicProduceResponse>(1);
    auto& topic = message.responses[0];
    if (version < 13) {
      topic.name = "topic";
    } else {
      topic.topic_id.bytes[0] = std::byte{7};
    }
    topic.partition_responses = arena.make_array<kafka::ProduceResponse::PartitionProduceResponse>(
        static_cast<std::uint32_t>(indexes.size()));
    for (std::uint32_t i = 0; i < indexes.size(); ++i) {
      topic.partition_responses[i].index = indexes[i];
      topic.partition_responses[i].base_offset = 42;
    }
    return response(0, version, correlation, *encode_body(arena, ApiVersion(version), message));
  }

  // The message behind a request's or response's header.
  template <class T>
  T read(Bytes frame, std::int16_t version, bool request) {
    kafka::Reader reader(frame.subspan(4), arena);
    if (request) {
      kafka::RequestHeader header;
      EXPECT_TRUE(
          decode(reader, kafka::request_header_version(T::kApiKey, ApiVersion(version)), header));
    } else {
      kafka::ResponseHeader header;
      EXPECT_TRUE(
          decode(reader, kafka::response_header_version(T::kApiKey, ApiVersion(version)), header));
    }
    T message;
    EXPECT_TRUE(decode(reader, ApiVersion(version), message));
    return message;
  }
};

std::vector<Frame> split(Bytes stream) {
  std::vector<Frame> frames;
  while (!stream.empty()) {
    const auto size = 4 + static_cast<std::size_t>(load_big<std::int32_t>(stream.data()));
    frames.emplace_back(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(size));
    stream = stream.subspan(size);
  }
  return frames;
}

TestRecord value(std::string text) {
  return {{}, std::move(text), {}};
}

TEST(Connection, MasksEveryVersionAndCodecInAnyPieces) {
  std::mt19937_64 random(kSeed);
  for (std::int16_t version = 3; version <= kafka::ProduceRequest::kMaxVersion.value(); ++version) {
    for (const Codec codec :
         {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
      Fixture fixture;
      StreamHarness harness(std::make_unique<Masker>(), "");
      const Frame batch = make_batch({value("a secret"), value("plain")}, codec);
      Frame stream;
      append_bytes(stream, fixture.produce(version, 1, 1, {batch, make_batch({value("x")})}));
      append_bytes(stream, fixture.produce(version, 2, -1, {make_batch({value("secret")}, codec)}));
      for (std::size_t at = 0; at < stream.size();) {
        const std::size_t piece = std::min<std::size_t>(1 + random() % 40, stream.size() - at);
        ASSERT_TRUE(harness.from_client(Bytes(stream).subspan(at, piece)));
        at += piece;
      }
      const auto frames = split(harness.to_broker);
      ASSERT_EQ(frames.size(), 2U) << "seed " << kSeed;
      const auto first = fixture.read<kafka::ProduceRequest>(frames[0], version, true);
      EXPECT_EQ(read_batch(first.topic_data[0].partition_data[0].records),
                (std::vector<TestRecord>{value("a ######"), value("plain")}));
      EXPECT_EQ(read_batch(first.topic_data[0].partition_data[1].records),
                std::vector<TestRecord>{value("x")});
      const auto second = fixture.read<kafka::ProduceRequest>(frames[1], version, true);
      EXPECT_EQ(read_batch(second.topic_data[0].partition_data[0].records),
                std::vector<TestRecord>{value("######")});
      EXPECT_EQ(second.acks, -1);
    }
  }
}

TEST(Connection, WhatNobodyAskedForPassesAsItComes) {
  Fixture fixture;
  StreamHarness harness(std::make_unique<Masker>(), "");
  Frame metadata;
  append_frame(metadata, fixture.request_header(3, 12, 5), Frame(100, std::byte{1}));
  ASSERT_TRUE(harness.from_client(Bytes(metadata).first(30)));
  EXPECT_EQ(harness.to_broker.size(), 30U) << "not held back";
  ASSERT_TRUE(harness.from_client(Bytes(metadata).subspan(30)));
  EXPECT_EQ(harness.to_broker, metadata);
  const Frame answer = fixture.response(3, 12, 5, Frame(200, std::byte{2}));
  for (const std::byte byte : answer) {
    ASSERT_TRUE(harness.from_broker(Bytes(&byte, 1)));
  }
  EXPECT_EQ(harness.to_client, answer);
}

TEST(Connection, AnUnchangedRequestStaysAsItIs) {
  Fixture fixture;
  StreamHarness harness(std::make_unique<Masker>(), "");
  const Frame frame = fixture.produce(9, 1, 1, {make_batch({value("plain")}, Codec::kZstd)});
  ASSERT_TRUE(harness.from_client(frame));
  EXPECT_EQ(harness.to_broker, frame);
}

TEST(Connection, OneRejectedPartitionIsTakenOutAndAnswered) {
  for (const std::int16_t version : std::initializer_list<std::int16_t>{3, 8, 9, 12, 13}) {
    Fixture fixture;
    StreamHarness harness(std::make_unique<Masker>(), "");
    ASSERT_TRUE(harness.from_client(fixture.produce(
        version, 7, 1, {make_batch({value("ok")}), make_batch({value("x"), value("reject")})})));
    const auto request = fixture.read<kafka::ProduceRequest>(harness.to_broker, version, true);
    ASSERT_EQ(request.topic_data[0].partition_data.size(), 1U);
    ASSERT_TRUE(harness.from_broker(fixture.produced(version, 7, {0})));
    const auto response = fixture.read<kafka::ProduceResponse>(harness.to_client, version, false);
    ASSERT_EQ(response.responses.size(), 1U);
    const auto& partitions = response.responses[0].partition_responses;
    ASSERT_EQ(partitions.size(), 2U);
    EXPECT_EQ(partitions[0].error_code, 0);
    EXPECT_EQ(partitions[0].base_offset, 42);
    EXPECT_EQ(partitions[1].index, 1);
    EXPECT_EQ(partitions[1].error_code, 44);
    if (version >= 8) {
      EXPECT_EQ(partitions[1].error_message, "not this");
      ASSERT_EQ(partitions[1].record_errors.size(), 1U);
      EXPECT_EQ(partitions[1].record_errors[0].batch_index, 1);
    }
  }
}

TEST(Connection, AWhollyRejectedRequestIsAnsweredInItsTurn) {
  for (const std::int16_t version : std::initializer_list<std::int16_t>{3, 8, 9, 13}) {
    Fixture fixture;
    StreamHarness harness(std::make_unique<Masker>(), "");
    ASSERT_TRUE(harness.from_client(fixture.produce(version, 1, 1, {make_batch({value("ok")})})));
    ASSERT_TRUE(
        harness.from_client(fixture.produce(version, 2, 1, {make_batch({value("reject")})})));
    const auto requests = split(harness.to_broker);
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(load_big<std::int16_t>(requests[1].data() + 4), 18) << "an ApiVersions in its place";
    EXPECT_EQ(load_big<std::int16_t>(requests[1].data() + 6), 0);
    EXPECT_EQ(load_big<std::int32_t>(requests[1].data() + 8), 2);
    ASSERT_TRUE(harness.from_broker(fixture.produced(version, 1, {0})));
    ASSERT_TRUE(harness.from_broker(fixture.response(18, 0, 2, Frame(6, std::byte{0}))));
    const auto responses = split(harness.to_client);
    ASSERT_EQ(responses.size(), 2U);
    const auto refusal = fixture.read<kafka::ProduceResponse>(responses[1], version, false);
    EXPECT_EQ(load_big<std::int32_t>(responses[1].data() + 4), 2);
    EXPECT_EQ(refusal.responses[0].partition_responses[0].error_code, 44);
    EXPECT_EQ(refusal.responses[0].partition_responses[0].base_offset, -1);
  }
}

TEST(Connection, WithoutAcksRejectedRequestsVanishAndTheRestIsInOrder) {
  Fixture fixture;
  StreamHarness harness(std::make_unique<Masker>(), "");
  ASSERT_TRUE(harness.from_client(fixture.produce(9, 1, 0, {make_batch({value("reject")})})));
  EXPECT_TRUE(harness.to_broker.empty());
  ASSERT_TRUE(harness.from_client(fixture.produce(9, 2, 0, {make_batch({value("ok")})})));
  ASSERT_TRUE(harness.from_client(fixture.produce(9, 3, 1, {make_batch({value("ok")})})));
  EXPECT_EQ(split(harness.to_broker).size(), 2U);
  ASSERT_TRUE(harness.from_broker(fixture.produced(9, 3, {0}))) << "the others have no answer";
}

TEST(Connection, DroppedRecordsLeaveTheBatch) {
  Fixture fixture;
  StreamHarness harness(std::make_unique<Masker>(), "");
  ASSERT_TRUE(harness.from_client(fixture.produce(
      9, 1, 1, {make_batch({value("drop"), value("b")}), make_batch({value("drop")})})));
  const auto request = fixture.read<kafka::ProduceRequest>(harness.to_broker, 9, true);
  ASSERT_EQ(request.topic_data[0].partition_data.size(), 1U);
  EXPECT_EQ(read_batch(request.topic_data[0].partition_data[0].records),
            std::vector<TestRecord>{value("b")});
  ASSERT_TRUE(harness.from_broker(fixture.produced(9, 1, {0})));
  const auto response = fixture.read<kafka::ProduceResponse>(harness.to_client, 9, false);
  ASSERT_EQ(response.responses[0].partition_responses.size(), 2U);
  EXPECT_EQ(response.responses[0].partition_responses[1].error_code, 0);
  EXPECT_EQ(response.responses[0].partition_responses[1].base_offset, -1);
}

TEST(Connection, MasksWhatIsFetched) {
  for (const std::int16_t version : std::initializer_list<std::int16_t>{4, 11, 12, 13, 17}) {
    Fixture fixture;
    StreamHarness harness(std::make_unique<Masker>(), R"({"fetch": true})");
    Frame request;
    append_frame(request, fixture.request_header(1, version, 9), Frame(40, std::byte{0}));
    ASSERT_TRUE(harness.from_client(request));
    EXPECT_EQ(harness.to_broker, request);
    kafka::FetchResponse fetch;
    fetch.responses = fixture.arena.make_array<kafka::FetchResponse::FetchableTopicResponse>(1);
    if (version < 13) {
      fetch.responses[0].topic = "topic";
    }
    fetch.responses[0].partitions =
        fixture.arena.make_array<kafka::FetchResponse::PartitionData>(2);
    Frame batches = make_batch({value("secret")}, Codec::kLz4);
    append_bytes(batches, make_batch({value("b")}));
    append_bytes(batches, Bytes(make_batch({value("secret tail")})).first(70));
    const Frame refused = make_batch({value("reject")});
    fetch.responses[0].partitions[0].records = batches;
    fetch.responses[0].partitions[1].records = refused;
    ASSERT_TRUE(harness.from_broker(
        fixture.response(1, version, 9, *encode_body(fixture.arena, ApiVersion(version), fetch))));
    const auto seen = fixture.read<kafka::FetchResponse>(harness.to_client, version, false);
    const auto& partitions = seen.responses[0].partitions;
    kafka::records::BatchSplitter splitter(partitions[0].records);
    EXPECT_EQ(read_batch(**splitter.next()), std::vector<TestRecord>{value("######")});
    EXPECT_EQ(read_batch(**splitter.next()), std::vector<TestRecord>{value("b")});
    EXPECT_EQ(*splitter.next(), std::nullopt);
    EXPECT_TRUE(splitter.rest().empty()) << "an unseen part of a batch goes no further";
    EXPECT_EQ(partitions[1].error_code, 29);
    EXPECT_TRUE(partitions[1].records.empty());
  }
}

TEST(Connection, ClosesWhereItCannotFollow) {
  Fixture fixture;
  const auto closes = [](Bytes request, Bytes response) {
    StreamHarness harness(std::make_unique<Masker>(), "");
    const bool open = harness.from_client(request);
    return !open || !harness.from_broker(response);
  };
  EXPECT_TRUE(closes(as_bytes("GET / HTTP/1.1\r\n\r\n"), {}));
  EXPECT_TRUE(closes(as_bytes(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01", 8)), {}));
  Frame future;
  append_frame(future, fixture.request_header(0, 99, 1), {});
  EXPECT_TRUE(closes(future, {}));
  Frame broken;
  append_frame(broken, fixture.request_header(0, 9, 1), Frame(20, std::byte{0xFF}));
  EXPECT_TRUE(closes(broken, {}));
  Frame handshake;
  append_frame(handshake, fixture.request_header(17, 0, 1), Frame(7, std::byte{0}));
  EXPECT_TRUE(closes(handshake, {}));
  const Frame good = fixture.produce(9, 1, 1, {make_batch({value("ok")})});
  EXPECT_FALSE(closes(good, fixture.produced(9, 1, {0})));
  EXPECT_TRUE(closes(good, fixture.produced(9, 2, {0})));
  EXPECT_TRUE(closes({}, fixture.produced(9, 1, {0})));
}

TEST(Connection, AMalformedBatchIsRefusedAndTheOthersGoOn) {
  Fixture fixture;
  StreamHarness harness(std::make_unique<Masker>(), "");
  Frame bad = make_batch({value("secret")});
  bad[30] ^= std::byte{1};
  ASSERT_TRUE(harness.from_client(fixture.produce(9, 1, 1, {make_batch({value("ok")}), bad})));
  const auto request = fixture.read<kafka::ProduceRequest>(harness.to_broker, 9, true);
  ASSERT_EQ(request.topic_data[0].partition_data.size(), 1U);
  ASSERT_TRUE(harness.from_broker(fixture.produced(9, 1, {0})));
  const auto response = fixture.read<kafka::ProduceResponse>(harness.to_client, 9, false);
  EXPECT_EQ(response.responses[0].partition_responses[1].error_code, 2);
}

}  // namespace
}  // namespace grete::sdk

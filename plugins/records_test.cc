// Produce requests and Fetch responses through chains of Records hooks.
#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "plugins/error_codes.h"
#include "plugins/testing/fixture.h"

namespace grete::plugins {
namespace {

using namespace testing;  // NOLINT: the fixture is this test's vocabulary
using kafka::FetchResponse;
using kafka::ProduceRequest;
using kafka::ProduceResponse;
using kafka::lane::Field;
using kafka::records::Codec;

constexpr std::size_t kRequestHeader = 10;

class RecordsTest : public ::testing::Test {
 protected:
  std::shared_ptr<ChainRuntime> chain(std::vector<std::shared_ptr<const Hook>> hooks) {
    return ChainRuntime::create(std::make_shared<const Chain>(std::move(hooks)), w_.worker);
  }

  Outcome produce(const std::shared_ptr<ChainRuntime>& runtime, std::int16_t version,
                  const std::vector<TestTopic>& topics, std::int16_t acks = -1) {
    const auto answer = acks == 0 ? Answer::kNone : Answer::kExpected;
    auto task = runtime->begin_request(w_.produce(version, topics, acks),
                                       w_.context(kafka::api_key::kProduce, version, answer));
    return w_.run(*task);
  }

  Outcome fetch(const std::shared_ptr<ChainRuntime>& runtime, std::int16_t version,
                const std::vector<TestTopic>& topics) {
    auto task = runtime->passage().begin_response(w_.fetched(version, topics),
                                                  w_.context(kafka::api_key::kFetch, version));
    return w_.run(*task);
  }

  ProduceRequest request_of(const Outcome& outcome, std::int16_t version) {
    return decode_frame<ProduceRequest>(outcome.frame, kRequestHeader, version, arena_, storage_);
  }
  ProduceResponse response_of(const Outcome& outcome, std::int16_t version) {
    return decode_frame<ProduceResponse>(outcome.frame, version >= 9 ? 5 : 4, version, arena_,
                                         storage_);
  }
  FetchResponse fetch_of(const Outcome& outcome, std::int16_t version) {
    return decode_frame<FetchResponse>(outcome.frame, version >= 12 ? 5 : 4, version, arena_,
                                       storage_);
  }

  // A broker's answer to a request with one topic, for the given partitions.
  Frame broker_answer(std::int16_t version, const std::string& topic, const kafka::Uuid& id,
                      const std::vector<std::int32_t>& partitions) {
    ProduceResponse response;
    response.throttle_time_ms = version >= 1 ? 5 : 0;
    response.responses = arena_.make_array<ProduceResponse::TopicProduceResponse>(1);
    if (version < 13) {
      response.responses[0].name = topic;
    }
    response.responses[0].topic_id = id;
    auto& answers = response.responses[0].partition_responses;
    answers = arena_.make_array<ProduceResponse::PartitionProduceResponse>(
        static_cast<std::uint32_t>(partitions.size()));
    for (std::uint32_t i = 0; i < answers.size(); ++i) {
      answers[i].index = partitions[i];
      answers[i].base_offset = 1000 + partitions[i];
    }
    kafka::Writer writer(arena_);
    EXPECT_TRUE(encode(writer, kafka::ApiVersion{version}, response));
    std::vector<std::byte> body(static_cast<std::size_t>(writer.size()));
    writer.copy_to(body.data());
    return TestWorker::frame(std::vector<std::byte>(version >= 9 ? 5 : 4), body);
  }

  TestWorker w_;
  MemoryBudget memory_{std::uint64_t{1} << 30};
  Arena arena_{memory_};
  std::vector<std::byte> storage_;
};

// Puts stars in place of every "secret" in values.
Verdict mask_secrets(const RecordsCall& call, EditList& edits) {
  for_each_record(call, [&edits](std::uint32_t index, const kafka::records::Record& record) {
    const std::string_view value = as_text(record.value.value_or(Bytes{}));
    for (std::size_t at = 0; (at = value.find("secret", at)) != std::string_view::npos; at += 6) {
      EXPECT_TRUE(edits.add({.record = index,
                             .field = Field::kValue,
                             .header = 0,
                             .offset = static_cast<std::uint32_t>(at),
                             .length = 6,
                             .bytes = as_bytes("***")}));
    }
  });
  return {};
}

RecordsFunction reject_if(std::string needle) {
  return [needle](const RecordsCall& call, EditList&) {
    Verdict verdict;
    for_each_record(call, [&](std::uint32_t index, const kafka::records::Record& record) {
      if (as_text(record.value.value_or(Bytes{})).find(needle) != std::string_view::npos) {
        verdict.kind = VerdictKind::kReject;
        verdict.message = "no " + needle;
        verdict.records.push_back(index);
      }
    });
    return verdict;
  };
}

TEST_F(RecordsTest, WhatNobodyChangesGoesOnAsItCame) {
  const auto runtime =
      chain({records_hook("look", [](const RecordsCall&, EditList&) { return Verdict{}; })});
  const auto outcome =
      produce(runtime, 9, {{"t", {{0, w_.batch({{"k", "v", {}}}, {.codec = Codec::kZstd})}}}});
  EXPECT_EQ(outcome.kind, OutcomeKind::kForward);
  EXPECT_TRUE(outcome.frame.empty());
  EXPECT_EQ(w_.budget.used(), 0U);
}

TEST_F(RecordsTest, EditsReachTheBrokerInEveryCodecAndVersion) {
  for (const Codec codec :
       {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    for (const std::int16_t version : std::initializer_list<std::int16_t>{3, 8, 9, 12}) {
      const auto runtime = chain({records_hook("mask", mask_secrets)});
      const std::vector<TestRecord> records = {{"k", "a secret and a secret", {{"h", "x"}}},
                                               {std::nullopt, "nothing", {}},
                                               {"k2", std::nullopt, {}}};
      const auto original = w_.batch(records, {.codec = codec, .producer_id = 9});
      const auto untouched = w_.batch({{"q", "plain", {}}}, {.codec = codec});
      const auto outcome = produce(runtime, version, {{"t", {{0, original}, {1, untouched}}}});
      ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
      const auto request = request_of(outcome, version);
      EXPECT_EQ(request.acks, -1);
      ASSERT_EQ(request.topic_data.size(), 1U);
      ASSERT_EQ(request.topic_data[0].partition_data.size(), 2U);
      const auto& partition = request.topic_data[0].partition_data[0];
      auto expected = records;
      expected[0].value = "a *** and a ***";
      EXPECT_EQ(w_.read(partition.records), expected);
      const auto before = TestWorker::headers(original)[0];
      const auto after = TestWorker::headers(partition.records)[0];
      EXPECT_EQ(after.codec(), codec);
      EXPECT_EQ(after.producer_id, 9);
      EXPECT_EQ(after.base_sequence, before.base_sequence);
      EXPECT_EQ(after.count, 3);
      EXPECT_EQ(after.max_timestamp, before.max_timestamp);
      EXPECT_TRUE(std::ranges::equal(request.topic_data[0].partition_data[1].records, untouched));
    }
  }
  EXPECT_EQ(w_.budget.used(), 0U);
}

TEST_F(RecordsTest, LargeRecordsThatDidNotChangeAreNotCopied) {
  const auto runtime = chain({records_hook("mask", mask_secrets)});
  const auto large = w_.batch({{"k", std::string(100'000, 'x'), {}}});
  const auto frame = w_.produce(9, {{"t", {{0, large}, {1, w_.batch({{"k", "secret", {}}})}}}});
  const Bytes whole = frame.content.bytes;
  auto task = runtime->begin_request(frame, w_.context(kafka::api_key::kProduce, 9));
  const auto outcome = w_.run(*task);
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  EXPECT_TRUE(std::ranges::any_of(outcome.frame.pieces, [whole](Bytes piece) {
    return piece.size() > 100'000 && piece.data() > whole.data() &&
           piece.data() < whole.data() + whole.size();
  }));
}

TEST_F(RecordsTest, EachHookSeesWhatThoseBeforeItLeft) {
  for (const Codec codec : {Codec::kNone, Codec::kLz4}) {
    std::vector<std::string> seen;
    const auto look = [&seen](const RecordsCall& call, EditList&) {
      for_each_record(call, [&seen](std::uint32_t, const kafka::records::Record& record) {
        seen.emplace_back(as_text(*record.value));
      });
      return Verdict{};
    };
    const auto shout = [](const RecordsCall& call, EditList& edits) {
      for_each_record(call, [&edits](std::uint32_t index, const kafka::records::Record&) {
        EXPECT_TRUE(edits.add({.record = index,
                               .field = Field::kValue,
                               .header = 0,
                               .offset = 0,
                               .length = 0,
                               .bytes = as_bytes("!")}));
      });
      return Verdict{};
    };
    const auto runtime = chain({records_hook("mask", mask_secrets), records_hook("look", look),
                                records_hook("shout", shout), records_hook("look", look)});
    const auto outcome =
        produce(runtime, 9, {{"t", {{0, w_.batch({{"k", "my secret", {}}}, {.codec = codec})}}}});
    EXPECT_EQ(seen, (std::vector<std::string>{"my ***", "!my ***"}));
    ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
    const auto request = request_of(outcome, 9);
    const Bytes records = request.topic_data[0].partition_data[0].records;
    EXPECT_EQ(w_.read(records)[0].value, "!my ***");
    EXPECT_EQ(TestWorker::headers(records)[0].codec(), codec);
  }
}

TEST_F(RecordsTest, KeysHeadersAndNullsCanBeEdited) {
  const auto runtime = chain({records_hook("edit", [](const RecordsCall&, EditList& edits) {
    EXPECT_TRUE(edits.add(set_field(0, Field::kKey, "new")));
    EXPECT_TRUE(edits.add({.record = 0,
                           .field = Field::kValue,
                           .header = 0,
                           .offset = 0,
                           .length = kafka::lane::kToEnd,
                           .bytes = std::nullopt}));
    EXPECT_TRUE(edits.add({.record = 0,
                           .field = Field::kHeaderKey,
                           .header = 1,
                           .offset = 1,
                           .length = 0,
                           .bytes = as_bytes("+")}));
    EXPECT_TRUE(edits.add({.record = 0,
                           .field = Field::kHeaderValue,
                           .header = 0,
                           .offset = 0,
                           .length = 2,
                           .bytes = as_bytes("V")}));
    // count 1, key "n", value "m", as varints.
    EXPECT_TRUE(edits.add(set_field(1, Field::kHeaders, "\x02\x02n\x02m")));
    EXPECT_TRUE(edits.add(set_field(2, Field::kValue, "was null")));
    return Verdict{};
  })});
  const auto outcome = produce(runtime, 9,
                               {{"t",
                                 {{0, w_.batch({{"k", "v", {{"a", "123"}, {"bc", "4"}}},
                                                {"k", "v", {{"x", "y"}}},
                                                {"k", std::nullopt, {}}})}}}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  EXPECT_EQ(w_.read(request_of(outcome, 9).topic_data[0].partition_data[0].records),
            (std::vector<TestRecord>{{"new", std::nullopt, {{"a", "V3"}, {"b+c", "4"}}},
                                     {"k", "v", {{"n", "m"}}},
                                     {"k", "was null", {}}}));
}

TEST_F(RecordsTest, OneRejectedPartitionOfThreeIsTakenOutAndItsErrorMerged) {
  for (const std::int16_t version : std::initializer_list<std::int16_t>{3, 5, 7, 8, 9, 11, 13}) {
    const auto runtime = chain({records_hook("guard", reject_if("bad"))});
    kafka::Uuid id{};
    if (version >= 13) {
      id.bytes[0] = std::byte{9};
      w_.topics.names = {{id, "t"}};
    }
    auto outcome = produce(runtime, version,
                           {{"t",
                             {{0, w_.batch({{"k", "fine", {}}})},
                              {1, w_.batch({{"k", "ok", {}}, {"k", "bad", {}}})},
                              {2, w_.batch({{"k", "good", {}}})}},
                             id}});
    ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
    const auto request = request_of(outcome, version);
    ASSERT_EQ(request.topic_data[0].partition_data.size(), 2U);
    EXPECT_EQ(request.topic_data[0].partition_data[0].index, 0);
    EXPECT_EQ(request.topic_data[0].partition_data[1].index, 2);

    const kafka::ApiVersion api_version{version};
    ASSERT_EQ(outcome.passage.interest(kafka::api_key::kProduce, api_version), Interest::kWhole);
    auto task = std::move(outcome.passage)
                    .begin_response(broker_answer(version, "t", id, {0, 2}),
                                    w_.context(kafka::api_key::kProduce, version));
    const auto merged = w_.run(*task);
    ASSERT_EQ(merged.kind, OutcomeKind::kReplace);
    const auto response = response_of(merged, version);
    EXPECT_EQ(response.throttle_time_ms, 5);
    ASSERT_EQ(response.responses.size(), 1U);
    const auto& answers = response.responses[0].partition_responses;
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers[0].base_offset, 1000);
    EXPECT_EQ(answers[1].base_offset, 1002);
    EXPECT_EQ(answers[2].index, 1);
    EXPECT_EQ(answers[2].error_code, error_code::kInvalidRecord);
    EXPECT_EQ(answers[2].base_offset, -1);
    if (version >= 8) {
      EXPECT_EQ(answers[2].error_message, "no bad");
      ASSERT_EQ(answers[2].record_errors.size(), 1U);
      EXPECT_EQ(answers[2].record_errors[0].batch_index, 1);
    }
  }
}

TEST_F(RecordsTest, WhereNothingIsLeftTheGatewayAnswers) {
  const auto runtime = chain({records_hook("guard", reject_if("bad"))});
  const auto outcome = produce(
      runtime, 9,
      {{"t", {{4, w_.batch({{"k", "bad", {}}})}}}, {"u", {{5, w_.batch({{"k", "bad", {}}})}}}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
  const auto response = response_of(outcome, 9);
  EXPECT_EQ(load_big<std::int32_t>(storage_.data()), 77);
  ASSERT_EQ(response.responses.size(), 2U);
  EXPECT_EQ(response.responses[1].name, "u");
  EXPECT_EQ(response.responses[1].partition_responses[0].index, 5);
  EXPECT_EQ(response.responses[1].partition_responses[0].error_code, 87);
}

TEST_F(RecordsTest, ALaterRejectionOrReplyAnswersForEveryPartition) {
  const auto guard = records_hook("guard", reject_if("bad"));
  const std::vector<TestTopic> topics = {
      {"t", {{0, w_.batch({{"k", "bad", {}}})}, {1, w_.batch({{"k", "ok", {}}})}}}};
  const kafka::lane::Interest whole{0, 0, 32767, kafka::lane::Direction::kRequest,
                                    kafka::lane::Payload::kMessage};
  const auto rejecting = message_hook("policy", whole, [](const MessageCall&) {
    Verdict verdict;
    verdict.kind = VerdictKind::kReject;
    return verdict;
  });
  const auto rejected = produce(chain({guard, rejecting}), 9, topics);
  ASSERT_EQ(rejected.kind, OutcomeKind::kReply);
  EXPECT_EQ(response_of(rejected, 9).responses[0].partition_responses.size(), 2U);

  const auto own = broker_answer(9, "t", {}, {1});
  const auto replying = message_hook("policy", whole, [own](const MessageCall&) {
    Verdict verdict;
    verdict.kind = VerdictKind::kReply;
    verdict.body =
        std::make_shared<const std::vector<std::byte>>(own.body().begin(), own.body().end());
    return verdict;
  });
  auto replied = produce(chain({guard, replying}), 9, topics);
  ASSERT_EQ(replied.kind, OutcomeKind::kReply);
  ASSERT_EQ(replied.passage.interest(kafka::api_key::kProduce, kafka::ApiVersion{9}),
            Interest::kWhole);
  auto task =
      std::move(replied.passage).begin_response(own, w_.context(kafka::api_key::kProduce, 9));
  const auto merged = w_.run(*task);
  EXPECT_EQ(response_of(merged, 9).responses[0].partition_responses.size(), 2U);
}

TEST_F(RecordsTest, WithoutAcksWhatIsRejectedIsDropped) {
  const auto runtime = chain({records_hook("guard", reject_if("bad"))});
  const auto some =
      produce(runtime, 9,
              {{"t", {{0, w_.batch({{"k", "bad", {}}})}, {1, w_.batch({{"k", "ok", {}}})}}}}, 0);
  ASSERT_EQ(some.kind, OutcomeKind::kReplace);
  EXPECT_EQ(request_of(some, 9).topic_data[0].partition_data.size(), 1U);
  EXPECT_EQ(some.passage.interest(kafka::api_key::kProduce, kafka::ApiVersion{9}), Interest::kNone);
  const auto all = produce(runtime, 9, {{"t", {{0, w_.batch({{"k", "bad", {}}})}}}}, 0);
  EXPECT_EQ(all.kind, OutcomeKind::kDrop);
}

TEST_F(RecordsTest, OnlyUnnumberedBatchesMayBeThinnedOnProduce) {
  const auto drop_first = [](const RecordsCall& call, EditList& edits) {
    const bool dropped = edits
                             .add({.record = 0,
                                   .field = Field::kDrop,
                                   .header = 0,
                                   .offset = 0,
                                   .length = 0,
                                   .bytes = Bytes{}})
                             .has_value();
    EXPECT_EQ(dropped, call.may_drop);
    EXPECT_EQ(call.may_drop, call.header.producer_id == -1);
    return Verdict{};
  };
  const auto runtime = chain({records_hook("thin", drop_first)});
  const std::vector<TestRecord> two = {{"a", "1", {}}, {"b", "2", {}}};
  const auto plain = produce(runtime, 9, {{"t", {{0, w_.batch(two)}}}});
  ASSERT_EQ(plain.kind, OutcomeKind::kReplace);
  const auto request = request_of(plain, 9);
  const Bytes left = request.topic_data[0].partition_data[0].records;
  EXPECT_EQ(w_.read(left), (std::vector<TestRecord>{{"b", "2", {}}}));
  EXPECT_EQ(TestWorker::headers(left)[0].last_offset_delta, 0);

  EXPECT_EQ(produce(runtime, 9, {{"t", {{0, w_.batch(two, {.producer_id = 5})}}}}).kind,
            OutcomeKind::kForward);
  EXPECT_EQ(produce(runtime, 9,
                    {{"t",
                      {{0, w_.batch(two, {.producer_id = 5,
                                          .attributes = kafka::records::kTransactionalBit})}}}})
                .kind,
            OutcomeKind::kForward);
}

TEST_F(RecordsTest, ABatchThatIsThinnedToNothingIsASuccess) {
  const auto runtime = chain({records_hook("thin", [](const RecordsCall&, EditList& edits) {
    EXPECT_TRUE(edits.add({.record = 0,
                           .field = Field::kDrop,
                           .header = 0,
                           .offset = 0,
                           .length = 0,
                           .bytes = Bytes{}}));
    return Verdict{};
  })});
  const auto outcome = produce(runtime, 9, {{"t", {{0, w_.batch({{"k", "v", {}}})}}}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
  const auto response = response_of(outcome, 9);
  EXPECT_EQ(response.responses[0].partition_responses[0].error_code, 0);
  EXPECT_EQ(response.responses[0].partition_responses[0].base_offset, -1);
}

TEST_F(RecordsTest, OnFetchOffsetsStayAndEmptiedBatchesStayToo) {
  const auto runtime = chain({records_hook("thin", [](const RecordsCall& call, EditList& edits) {
    EXPECT_TRUE(call.may_drop);
    for_each_record(call, [&edits](std::uint32_t index, const kafka::records::Record& record) {
      if (as_text(*record.value) == "drop") {
        EXPECT_TRUE(edits.add({.record = index,
                               .field = Field::kDrop,
                               .header = 0,
                               .offset = 0,
                               .length = 0,
                               .bytes = Bytes{}}));
      }
    });
    return Verdict{};
  })});
  auto records = w_.batch({{"a", "drop", {}}, {"b", "keep", {}}},
                          {.codec = Codec::kGzip, .producer_id = 5, .base_offset = 100});
  const auto second = w_.batch({{"c", "drop", {}}, {"d", "drop", {}}}, {.base_offset = 102});
  const auto third = w_.batch({{"e", "keep", {}}}, {.base_offset = 104});
  records.insert(records.end(), second.begin(), second.end());
  records.insert(records.end(), third.begin(), third.end());
  const auto outcome = fetch(runtime, 11, {{"t", {{0, records}}}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  const auto response = fetch_of(outcome, 11);
  const Bytes left = response.responses[0].partitions[0].records;
  const auto headers = TestWorker::headers(left);
  ASSERT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers[0].base_offset, 100);
  EXPECT_EQ(headers[0].last_offset_delta, 1);
  EXPECT_EQ(headers[0].count, 1);
  EXPECT_EQ(headers[1].base_offset, 102);
  EXPECT_EQ(headers[1].last_offset_delta, 1);
  EXPECT_EQ(headers[1].count, 0);
  EXPECT_EQ(headers[2].base_offset, 104);
  EXPECT_EQ(w_.read(left), (std::vector<TestRecord>{{"b", "keep", {}}, {"e", "keep", {}}}));
}

TEST_F(RecordsTest, ControlBatchesAreNotShownAndPartialBatchesNotForwarded) {
  int calls = 0;
  const auto runtime = chain({records_hook("look", [&calls](const RecordsCall&, EditList&) {
    ++calls;
    return Verdict{};
  })});
  auto records = w_.batch({{"a", "marker", {}}}, {.producer_id = 5,
                                                  .attributes = kafka::records::kControlBit |
                                                                kafka::records::kTransactionalBit});
  const auto control = records;
  EXPECT_EQ(fetch(runtime, 11, {{"t", {{0, control}}}}).kind, OutcomeKind::kForward);
  EXPECT_EQ(calls, 0);
  const auto partial = w_.batch({{"b", std::string(500, 's'), {}}});
  records.insert(records.end(), partial.begin(), partial.end() - 100);
  const auto outcome = fetch(runtime, 11, {{"t", {{0, records}}}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  EXPECT_TRUE(
      std::ranges::equal(fetch_of(outcome, 11).responses[0].partitions[0].records, control));
  EXPECT_EQ(calls, 0);
}

TEST_F(RecordsTest, AFetchIsRejectedWithCodesThatConsumersKnow) {
  const auto runtime = chain({records_hook("guard", reject_if("bad"))});
  const auto outcome =
      fetch(runtime, 12,
            {{"t", {{0, w_.batch({{"k", "bad", {}}})}, {1, w_.batch({{"k", "good", {}}})}}}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  const auto response = fetch_of(outcome, 12);
  const auto& partitions = response.responses[0].partitions;
  EXPECT_EQ(partitions[0].error_code, error_code::kTopicAuthorizationFailed);
  EXPECT_FALSE(kafka::is_null(partitions[0].records));
  EXPECT_TRUE(partitions[0].records.empty());
  EXPECT_EQ(partitions[1].error_code, 0);
  EXPECT_EQ(partitions[1].high_watermark, 100);
}

TEST_F(RecordsTest, TopicsWithAnUnknownIdAreAskedForAgain) {
  const auto runtime = chain({records_hook("mask", mask_secrets)});
  kafka::Uuid id{};
  id.bytes[3] = std::byte{1};
  const auto request = produce(runtime, 13, {{"t", {{0, w_.batch({{"k", "secret", {}}})}}, id}});
  ASSERT_EQ(request.kind, OutcomeKind::kReply);
  const auto answer = response_of(request, 13);
  EXPECT_EQ(answer.responses[0].topic_id, id);
  EXPECT_EQ(answer.responses[0].partition_responses[0].error_code, error_code::kUnknownTopicId);
  const auto response = fetch(runtime, 13, {{"t", {{0, w_.batch({{"k", "secret", {}}})}}, id}});
  ASSERT_EQ(response.kind, OutcomeKind::kReplace);
  EXPECT_EQ(fetch_of(response, 13).responses[0].partitions[0].error_code,
            error_code::kUnknownTopicId);
}

TEST_F(RecordsTest, LargeBatchesAreShownInWindows) {
  std::vector<TestRecord> records;
  std::mt19937 random(20'261'122);
  for (int i = 0; i < 300; ++i) {
    std::string value(10'000, ' ');
    std::ranges::generate(value, [&random] { return static_cast<char>('a' + random() % 26); });
    records.push_back({std::to_string(i), value, {}});
  }
  records.push_back({"huge", std::string(2'500'000, 'h'), {}});
  records.push_back({"last", "x", {}});
  std::uint32_t next = 0;
  int windows = 0;
  bool ended = false;
  const auto hook = [&](const RecordsCall& call, EditList& edits) {
    EXPECT_EQ(call.first, next);
    EXPECT_EQ(call.batch_records, 302U);
    EXPECT_FALSE(ended);
    EXPECT_TRUE(call.records.size() <= kafka::lane::kMaxWindowBytes || call.count == 1);
    ended = call.last;
    ++windows;
    for_each_record(call, [&](std::uint32_t index, const kafka::records::Record& record) {
      EXPECT_EQ(index, next++);
      EXPECT_EQ(as_text(*record.value), *records[index].value);
      if (index % 100 == 0) {
        EXPECT_TRUE(edits.add(set_field(index, Field::kValue, "cut")));
      }
    });
    return Verdict{};
  };
  const auto runtime = chain({records_hook("windows", hook)});
  const auto outcome =
      produce(runtime, 9, {{"t", {{0, w_.batch(records, {.codec = Codec::kLz4})}}}});
  EXPECT_EQ(next, 302U);
  EXPECT_TRUE(ended);
  EXPECT_EQ(windows, 5);
  EXPECT_GT(w_.polls, 5) << "native work yields";
  for (const std::size_t i : {0, 100, 200, 300}) {
    records[i].value = "cut";
  }
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  EXPECT_EQ(w_.read(request_of(outcome, 9).topic_data[0].partition_data[0].records), records);
}

TEST_F(RecordsTest, OldMessageSetsAreShownAsTodaysRecords) {
  for (const std::int8_t magic : std::initializer_list<std::int8_t>{0, 1}) {
    for (const Codec codec : {Codec::kNone, Codec::kGzip}) {
      const auto runtime = chain({records_hook("mask", mask_secrets)});
      const auto batch = w_.batch({{"k", "a secret", {}}}, {.codec = codec, .magic = magic});
      const auto outcome = produce(runtime, 2, {{"t", {{0, batch}}}});
      ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
      const auto request = request_of(outcome, 2);
      const Bytes left = request.topic_data[0].partition_data[0].records;
      EXPECT_EQ(w_.read(left), (std::vector<TestRecord>{{"k", "a ***", {}}}));
      EXPECT_EQ(TestWorker::headers(left)[0].magic, magic);
    }
  }
}

TEST_F(RecordsTest, MalformedBatchesMeetThePolicyOfThoseWhoWantedToSeeThem) {
  auto corrupt = w_.batch({{"k", "secret", {}}});
  corrupt.back() ^= std::byte{1};
  const auto cut = [this] {
    auto batch = w_.batch({{"k", "secret", {}}});
    batch.resize(batch.size() - 3);
    return batch;
  }();
  for (const auto& batch : {corrupt, cut}) {
    const auto strict =
        produce(chain({records_hook("mask", mask_secrets)}), 9, {{"t", {{0, batch}}}});
    ASSERT_EQ(strict.kind, OutcomeKind::kReply);
    EXPECT_EQ(response_of(strict, 9).responses[0].partition_responses[0].error_code, 87);
    for (const OnFailure policy : {OnFailure::kPass, OnFailure::kObserve}) {
      EXPECT_EQ(
          produce(chain({records_hook("mask", mask_secrets, policy)}), 9, {{"t", {{0, batch}}}})
              .kind,
          OutcomeKind::kForward);
    }
  }
  EXPECT_EQ(w_.telemetry.calls.back().failure, "undecodable");
}

TEST_F(RecordsTest, FailedPluginsMeetTheirPolicy) {
  const SlowHook trap{.slices = 2, .failure = Failure{FailureKind::kTrap, "boom"}, .verdict = {}};
  const std::vector<TestTopic> topics = {{"t", {{0, w_.batch({{"k", "secret", {}}})}}}};
  const auto strict = produce(chain({slow_hook("p", trap)}), 9, topics);
  ASSERT_EQ(strict.kind, OutcomeKind::kReply);
  const auto response = response_of(strict, 9);
  EXPECT_EQ(response.responses[0].partition_responses[0].error_code, 87);
  EXPECT_EQ(response.responses[0].partition_responses[0].error_message,
            "a plug-in of the gateway failed (trap)");
  const auto fetched = fetch(chain({slow_hook("p", trap)}), 12, topics);
  EXPECT_EQ(fetch_of(fetched, 12).responses[0].partitions[0].error_code, -1);

  const auto lenient =
      produce(chain({slow_hook("p", trap, OnFailure::kPass), records_hook("mask", mask_secrets)}),
              9, topics);
  ASSERT_EQ(lenient.kind, OutcomeKind::kReplace);
  EXPECT_EQ(w_.read(request_of(lenient, 9).topic_data[0].partition_data[0].records)[0].value,
            "***");
}

TEST_F(RecordsTest, AnObservedPluginChangesNothing) {
  w_.telemetry.calls.clear();
  EXPECT_EQ(produce(chain({records_hook("mask", mask_secrets, OnFailure::kObserve),
                           records_hook("guard", reject_if("secret"), OnFailure::kObserve)}),
                    9, {{"t", {{0, w_.batch({{"k", "secret", {}}})}}}})
                .kind,
            OutcomeKind::kForward);
  ASSERT_EQ(w_.telemetry.calls.size(), 2U);
  EXPECT_EQ(w_.telemetry.calls[1].verdict, VerdictKind::kReject);
  EXPECT_FALSE(w_.telemetry.calls[1].obeyed);
}

TEST_F(RecordsTest, AfterThreeFailuresThePluginIsNotAskedAboutTheRestOfTheMessage) {
  const SlowHook trap{.slices = 50, .failure = Failure{FailureKind::kDeadline, ""}, .verdict = {}};
  std::vector<TestPartition> partitions;
  for (int i = 0; i < 20; ++i) {
    partitions.push_back({i, w_.batch({{"k", "v", {}}})});
  }
  const auto outcome = produce(chain({slow_hook("p", trap)}), 9, {{"t", partitions}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
  EXPECT_EQ(response_of(outcome, 9).responses[0].partition_responses.size(), 20U);
  EXPECT_LT(w_.polls, 200);
}

TEST_F(RecordsTest, ATaskCanBeDroppedAtAnyPoint) {
  const SlowHook slow{.slices = 4, .failure = std::nullopt, .verdict = {}};
  const auto runtime = chain({records_hook("mask", mask_secrets), slow_hook("slow", slow)});
  const auto frame = w_.produce(9, {{"t",
                                     {{0, w_.batch({{"k", "secret", {}}}, {.codec = Codec::kZstd})},
                                      {1, w_.batch({{"k", "secret", {}}})}}}});
  for (int polls = 0; polls < 12; ++polls) {
    auto task = runtime->begin_request(frame, w_.context(kafka::api_key::kProduce, 9));
    EXPECT_TRUE(task->fresh());
    for (int i = 0; i < polls && task->poll(w_.machine.now()) != CallState::kDone; ++i) {
      EXPECT_FALSE(task->fresh());
    }
    task = nullptr;
    EXPECT_EQ(*slow.alive, 0);
    EXPECT_EQ(w_.budget.used(), 0U);
  }
  EXPECT_GT(*slow.dropped, 0);
}

TEST_F(RecordsTest, WhenMemoryRunsOutThePolicyAnswers) {
  const auto batch = w_.batch({{"k", std::string(3'000'000, 's'), {}}}, {.codec = Codec::kGzip});
  MemoryBudget small(1 << 20);
  auto context = w_.context(kafka::api_key::kProduce, 9);
  context.budget = &small;
  auto task = chain({records_hook("mask", mask_secrets)})
                  ->begin_request(w_.produce(9, {{"t", {{0, batch}}}}), context);
  {
    const auto outcome = w_.run(*task);
    ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
    EXPECT_EQ(response_of(outcome, 9).responses[0].partition_responses[0].error_code, 87);
    task = nullptr;
  }
  EXPECT_EQ(small.used(), 0U);
  EXPECT_LE(small.peak(), 1U << 20);
  EXPECT_EQ(w_.telemetry.calls.back().failure, "memory");
}

TEST_F(RecordsTest, AnEditBeyondItsFieldIsThePluginsFailure) {
  const auto runtime = chain({records_hook("wild", [](const RecordsCall&, EditList& edits) {
    EXPECT_TRUE(edits.add({.record = 0,
                           .field = Field::kValue,
                           .header = 0,
                           .offset = 4,
                           .length = 7,
                           .bytes = as_bytes("x")}));
    return Verdict{};
  })});
  const auto outcome = produce(runtime, 9, {{"t", {{0, w_.batch({{"k", "secret", {}}})}}}});
  ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
  EXPECT_EQ(w_.telemetry.calls.back().failure, "trap");
}

TEST_F(RecordsTest, DelaysAndClosesReachTheGateway) {
  const auto slow_down = [](int ms) {
    return [ms](const RecordsCall&, EditList&) {
      Verdict verdict;
      verdict.kind = VerdictKind::kDelay;
      verdict.delay = std::chrono::milliseconds(ms);
      return verdict;
    };
  };
  const std::vector<TestTopic> topics = {{"t", {{0, w_.batch({{"k", "v", {}}})}}}};
  const auto delayed = produce(
      chain({records_hook("a", slow_down(20)), records_hook("b", slow_down(10))}), 9, topics);
  EXPECT_EQ(delayed.kind, OutcomeKind::kForward);
  EXPECT_EQ(delayed.delay, std::chrono::milliseconds(20));
  const auto closed = produce(chain({records_hook("a",
                                                  [](const RecordsCall&, EditList&) {
                                                    Verdict verdict;
                                                    verdict.kind = VerdictKind::kClose;
                                                    return verdict;
                                                  })}),
                              9, topics);
  EXPECT_EQ(closed.kind, OutcomeKind::kClose);
  EXPECT_EQ(closed.reason, "the plug-in 'a' asked for it");
}

}  // namespace
}  // namespace grete::plugins

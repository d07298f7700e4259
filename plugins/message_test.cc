// Message hooks in chains, and rejections of every API.
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/api_table.h"
#include "kafka/messages.h"
#include "kafka/messages/create_topics_request.h"
#include "kafka/messages/create_topics_response.h"
#include "kafka/messages/metadata_request.h"
#include "kafka/messages/metadata_response.h"
#include "plugins/error_codes.h"
#include "plugins/error_response.h"
#include "plugins/testing/fixture.h"

namespace grete::plugins {
namespace {

using namespace testing;  // NOLINT: the fixture is this test's vocabulary
using kafka::ApiKey;
using kafka::ApiVersion;
using kafka::lane::Payload;
using ::testing::ElementsAre;
using LaneDirection = kafka::lane::Direction;

constexpr kafka::lane::Interest kMetadataBoth{3, 0, 32767, LaneDirection::kBoth, Payload::kMessage};
constexpr kafka::lane::Interest kMetadataHeader{3, 0, 32767, LaneDirection::kBoth,
                                                Payload::kHeader};

std::shared_ptr<const std::vector<std::byte>> bytes_of(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
}

Verdict verdict(VerdictKind kind, std::string_view body = "", std::string message = "") {
  return {.kind = kind,
          .code = 0,
          .message = std::move(message),
          .records = {},
          .delay = {},
          .body = bytes_of(body)};
}

class MessageTest : public ::testing::Test {
 protected:
  std::shared_ptr<ChainRuntime> chain(std::vector<std::shared_ptr<const Hook>> hooks) {
    return ChainRuntime::create(std::make_shared<const Chain>(std::move(hooks)), w_.worker);
  }

  // Notes who saw what, and passes.
  std::shared_ptr<const Hook> witness(const std::string& name) {
    return message_hook(name, kMetadataBoth, [this, name](const MessageCall& call) {
      seen_.push_back(name + (call.direction == Direction::kRequest ? " > " : " < ") +
                      std::string(as_text(call.body)));
      return Verdict{};
    });
  }
  std::shared_ptr<const Hook> decider(const std::string& name, Verdict answer,
                                      OnFailure policy = OnFailure::kReject) {
    return message_hook(
        name, kMetadataBoth,
        [answer](const MessageCall& call) {
          return call.direction == Direction::kRequest ? answer : Verdict{};
        },
        policy);
  }

  Outcome request(const std::shared_ptr<ChainRuntime>& runtime, Bytes body = as_bytes("ask"),
                  std::int16_t version = 1) {
    auto task = runtime->begin_request(TestWorker::frame(as_bytes("HEADER"), body),
                                       w_.context(kafka::api_key::kMetadata, version));
    return w_.run(*task);
  }
  Outcome respond(Passage passage, std::string_view body) {
    auto task =
        std::move(passage).begin_response(TestWorker::frame(as_bytes("HEAD"), as_bytes(body)),
                                          w_.context(kafka::api_key::kMetadata, 1));
    return w_.run(*task);
  }
  static std::string text(const ScatterFrame& frame) {
    std::string copy(frame.size, '\0');
    frame.copy_to(reinterpret_cast<std::byte*>(copy.data()));
    return copy;
  }

  TestWorker w_;
  std::vector<std::string> seen_;
};

TEST_F(MessageTest, RequestsPassInOrderAndResponsesInReverse) {
  auto outcome = request(
      chain({witness("a"), decider("b", verdict(VerdictKind::kReplace, "new")), witness("c")}));
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  EXPECT_EQ(text(outcome.frame), "HEADERnew");
  EXPECT_EQ(respond(std::move(outcome.passage), "answer").kind, OutcomeKind::kForward);
  EXPECT_THAT(seen_, ElementsAre("a > ask", "c > new", "c < answer", "a < answer"));
}

TEST_F(MessageTest, AReplyGoesBackThroughTheHooksBeforeIt) {
  auto outcome = request(
      chain({witness("a"), decider("b", verdict(VerdictKind::kReply, "own")), witness("c")}));
  ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
  EXPECT_EQ(text(outcome.frame), std::string("\0\0\0\x4downrest", 7));
  EXPECT_EQ(outcome.passage.interest(kafka::api_key::kMetadata, ApiVersion{1}), Interest::kWhole);
  EXPECT_EQ(respond(std::move(outcome.passage), "own").kind, OutcomeKind::kForward);
  EXPECT_THAT(seen_, ElementsAre("a > ask", "a < own"));
}

TEST_F(MessageTest, AReplyOfTheFirstHookIsSeenByNobodyElse) {
  const auto outcome = request(chain({decider("a", verdict(VerdictKind::kReply, "own"))}));
  EXPECT_EQ(outcome.passage.interest(kafka::api_key::kMetadata, ApiVersion{1}), Interest::kNone);
}

TEST_F(MessageTest, OtherMessagesAreOfNoInterest) {
  const auto runtime = chain({witness("a")});
  for (const std::int16_t version : std::initializer_list<std::int16_t>{0, 13, 100}) {
    EXPECT_EQ(
        runtime->interest(kafka::api_key::kMetadata, ApiVersion{version}, Direction::kRequest),
        Interest::kWhole);
  }
  EXPECT_EQ(runtime->interest(kafka::api_key::kProduce, ApiVersion{9}, Direction::kRequest),
            Interest::kNone);
  EXPECT_EQ(runtime->interest(ApiKey{10'001}, ApiVersion{0}, Direction::kRequest), Interest::kNone);
  EXPECT_EQ(Passage().interest(kafka::api_key::kMetadata, ApiVersion{1}), Interest::kNone);
}

TEST_F(MessageTest, WhoAsksForHeadersGetsThemAlone) {
  std::size_t size = 99;
  const auto runtime = chain({message_hook("h", kMetadataHeader, [&size](const MessageCall& call) {
    size = call.body.size();
    return Verdict{};
  })});
  EXPECT_EQ(runtime->interest(kafka::api_key::kMetadata, ApiVersion{1}, Direction::kRequest),
            Interest::kHeader);
  EXPECT_EQ(request(runtime).kind, OutcomeKind::kForward);
  EXPECT_EQ(size, 0U);
}

TEST_F(MessageTest, VerdictsThatACallDoesNotHaveAreFailures) {
  const auto header = message_hook(
      "h", kMetadataHeader, [](const MessageCall&) { return verdict(VerdictKind::kReplace, "x"); },
      OnFailure::kPass);
  EXPECT_EQ(request(chain({header})).kind, OutcomeKind::kForward);
  EXPECT_EQ(w_.telemetry.calls.back().failure, "trap");
}

TEST_F(MessageTest, PluginsThatAreObservedAreNotObeyed) {
  for (const VerdictKind kind :
       {VerdictKind::kReplace, VerdictKind::kReply, VerdictKind::kReject, VerdictKind::kClose}) {
    EXPECT_EQ(request(chain({decider("o", verdict(kind, kind == VerdictKind::kReplace ? "x" : ""),
                                     OnFailure::kObserve)}))
                  .kind,
              OutcomeKind::kForward);
  }
}

TEST_F(MessageTest, ARejectedRequestIsAnsweredInKafkasWords) {
  MemoryBudget memory(1 << 20);
  Arena arena(memory);
  kafka::CreateTopicsRequest asked;
  asked.topics = arena.make_array<kafka::CreateTopicsRequest::CreatableTopic>(2);
  asked.topics[0].name = "one";
  asked.topics[1].name = "two";
  kafka::Writer writer(arena);
  ASSERT_TRUE(encode(writer, ApiVersion{5}, asked));
  std::vector<std::byte> body(static_cast<std::size_t>(writer.size()));
  writer.copy_to(body.data());
  const auto hook = message_hook(
      "policy", {19, 0, 32767, LaneDirection::kRequest, Payload::kMessage},
      [](const MessageCall&) { return verdict(VerdictKind::kReject, "", "names need a prefix"); });
  auto task = chain({hook})->begin_request(TestWorker::frame(as_bytes("H"), body),
                                           w_.context(kafka::api_key::kCreateTopics, 5));
  const auto outcome = w_.run(*task);
  ASSERT_EQ(outcome.kind, OutcomeKind::kReply);
  std::vector<std::byte> storage;
  const auto answer =
      decode_frame<kafka::CreateTopicsResponse>(outcome.frame, 5, 5, arena, storage);
  ASSERT_EQ(answer.topics.size(), 2U);
  EXPECT_EQ(answer.topics[1].name, "two");
  EXPECT_EQ(answer.topics[1].error_code, error_code::kPolicyViolation);
  EXPECT_EQ(answer.topics[1].error_message, "names need a prefix");
}

TEST_F(MessageTest, ARejectedResponseKeepsWhatItIsAboutAndNothingElse) {
  MemoryBudget memory(1 << 20);
  Arena arena(memory);
  kafka::MetadataResponse told;
  told.topics = arena.make_array<kafka::MetadataResponse::MetadataResponseTopic>(1);
  told.topics[0].name = "t";
  told.topics[0].partitions =
      arena.make_array<kafka::MetadataResponse::MetadataResponsePartition>(3);
  kafka::Writer writer(arena);
  ASSERT_TRUE(encode(writer, ApiVersion{1}, told));
  std::string body(static_cast<std::size_t>(writer.size()), '\0');
  writer.copy_to(reinterpret_cast<std::byte*>(body.data()));
  const auto hook = message_hook("guard", kMetadataBoth, [](const MessageCall& call) {
    return verdict(call.direction == Direction::kRequest ? VerdictKind::kPass
                                                         : VerdictKind::kReject);
  });
  const auto outcome = respond(chain({hook})->passage(), body);
  ASSERT_EQ(outcome.kind, OutcomeKind::kReplace);
  std::vector<std::byte> storage;
  const auto answer = decode_frame<kafka::MetadataResponse>(outcome.frame, 4, 1, arena, storage);
  ASSERT_EQ(answer.topics.size(), 1U);
  EXPECT_EQ(answer.topics[0].name, "t");
  EXPECT_EQ(answer.topics[0].error_code, error_code::kPolicyViolation);
  EXPECT_TRUE(answer.topics[0].partitions.empty());
}

// Every API that brokers offer: the error is where the table says, in every version, and what was
// built encodes. The list names those that have no room for an error.
TEST(ErrorResponseTest, EveryApiOfABrokerCanTellAnErrorOrIsKnownNotTo) {
  MemoryBudget memory(std::uint64_t{64} << 20);
  int told = 0;
  std::set<std::string> cannot;
  for (const kafka::ApiInfo& api : kafka::all_apis()) {
    if (!api.on_broker) {
      continue;
    }
    for (std::int16_t v = api.versions.min; v <= api.versions.max; ++v) {
      Arena arena(memory);
      const kafka::MessageInfo* info = kafka::find_message(api.key, Direction::kRequest);
      void* request = arena.allocate(info->type->size, info->type->alignment);
      info->type->construct(request);
      kafka::Writer writer(arena);
      std::vector<std::byte> body;
      if (info->encode(writer, ApiVersion{v}, request)) {
        body.resize(static_cast<std::size_t>(writer.size()));
        writer.copy_to(body.data());
      }
      const Rejection rejection{error_code::kPolicyViolation, "no", {}};
      const auto response = make_error_response(api.key, ApiVersion{v}, body, rejection, arena);
      if (!response) {
        cannot.insert(api.name);
        continue;
      }
      kafka::Writer out(arena);
      const auto encoded = response->info->encode(out, ApiVersion{v}, response->value);
      EXPECT_TRUE(encoded.has_value()) << api.name << " v" << v << ": " << encoded.error().text();
      ++told;
    }
  }
  EXPECT_GT(told, 250);
  // In some version at least: their connections are closed. Half of them are between brokers.
  EXPECT_THAT(cannot, ::testing::UnorderedElementsAre(
                          "AlterClientQuotas", "AlterReplicaLogDirs", "AlterUserScramCredentials",
                          "DeleteShareGroupState", "DescribeLogDirs", "ElectLeaders",
                          "InitializeShareGroupState", "ReadShareGroupState",
                          "ReadShareGroupStateSummary", "WriteShareGroupState", "WriteTxnMarkers"));
}

}  // namespace
}  // namespace grete::plugins

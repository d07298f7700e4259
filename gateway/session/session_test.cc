// Whole sessions: what goes in on one side comes out on the other, whatever the pieces.
#include "gateway/session/session.h"

#include <deque>

#include <gtest/gtest.h>

#include "gateway/session/protocol.h"
#include "gateway/session/testing/rig.h"
#include "kafka/messages/produce_request.h"

namespace grete::gateway {
namespace {

using testing::for_seeds;
using testing::raw_reply;
using testing::raw_request;
using testing::Rig;

constexpr std::int16_t kHeartbeat = 12;
constexpr std::int16_t kVendorKey = 10'042;

std::string produce_request(std::int16_t version, std::int16_t acks, std::int32_t correlation_id,
                            std::string_view client_id, std::string_view transactional_id) {
  kafka::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 1000;
  if (version >= 3) {
    request.transactional_id = transactional_id;
  }
  return testing::request_frame(request, version, correlation_id, client_id);
}

std::string random_bytes(std::mt19937_64& random, std::size_t most) {
  std::string bytes(random() % (most + 1), '\0');
  for (char& c : bytes) {
    c = static_cast<char>(random());
  }
  return bytes;
}

TEST(Session, PassesFramesUnchangedInAnyPieces) {
  for_seeds(300, [](std::mt19937_64& random) {
    Rig rig;
    std::string sent;
    std::string answered;
    std::deque<std::string> replies;
    for (std::int32_t i = 0; i < 40; ++i) {
      std::string request;
      bool answers = true;
      switch (random() % 4) {
        case 0:
          request = raw_request(kHeartbeat, 3, i, random_bytes(random, 300));
          break;
        case 1:
          request = raw_request(kVendorKey, 7, i, random_bytes(random, 3000));
          break;
        default: {
          const auto version = static_cast<std::int16_t>(random() % 10);  // no addresses in replies
          const auto acks = static_cast<std::int16_t>(static_cast<int>(random() % 3) - 1);
          answers = acks != 0;
          request = produce_request(version, acks, i, std::string(random() % 40, 'c'),
                                    std::string(random() % 40, 't'));
        }
      }
      sent += request;
      ASSERT_TRUE(rig.client_split(request, random));
      if (answers) {
        replies.push_back(raw_reply(i, random_bytes(random, 2000)));
      }
      while (!replies.empty() && random() % 2 == 0) {
        answered += replies.front();
        ASSERT_TRUE(rig.broker_split(replies.front(), random));
        replies.pop_front();
      }
      EXPECT_EQ(rig.session.in_flight(), replies.size());
    }
    for (const std::string& reply : replies) {
      answered += reply;
      ASSERT_TRUE(rig.broker_split(reply, random));
    }
    EXPECT_EQ(rig.to_broker, sent);
    EXPECT_EQ(rig.to_client, answered);
    EXPECT_TRUE(rig.session.idle());
    EXPECT_EQ(rig.budget.used(), 0u);
    EXPECT_EQ(rig.notes.requests.size(), 40u);
  });
}

TEST(Session, CopiesNothingThatPassesThrough) {
  Rig rig;
  std::string requests;
  std::string replies;
  for (std::int32_t i = 0; i < 50; ++i) {
    requests += raw_request(kHeartbeat, 3, i, std::string(100, 'x'));
    replies += raw_reply(i, std::string(100, 'y'));
  }
  ASSERT_TRUE(rig.client(requests));
  EXPECT_EQ(rig.pieces, 1u);
  ASSERT_TRUE(rig.broker(replies));
  EXPECT_EQ(rig.pieces, 1u);
  EXPECT_EQ(rig.budget.peak(), 0u);
}

TEST(Session, ExpectsNoReplyToProduceWithoutAcks) {
  for (std::int16_t version = 0; version <= 13; ++version) {
    for (const std::string& client_id : {std::string(), std::string(32'767, 'c')}) {
      for (const std::string& transactional_id : {std::string(), std::string(30'000, 't')}) {
        for (const std::int16_t acks : {std::int16_t{0}, std::int16_t{1}, std::int16_t{-1}}) {
          Rig rig;
          const auto request = produce_request(version, acks, 1, client_id, transactional_id);
          // All but the last bytes of the prefix, then those one by one.
          const std::size_t start = request.size() > 60 ? request.size() - 60 : 0;
          ASSERT_TRUE(rig.client(request.substr(0, start)));
          for (std::size_t i = start; i < request.size(); ++i) {
            ASSERT_TRUE(rig.client(request.substr(i, 1)));
          }
          EXPECT_EQ(rig.session.in_flight(), acks == 0 ? 0u : 1u) << "version " << version;
          EXPECT_EQ(rig.to_broker, request);
        }
      }
    }
  }
}

TEST(Session, RefusesAMalformedProduceHeader) {
  Rig rig;
  // A client id of -2 bytes.
  EXPECT_FALSE(rig.client(raw_request(0, 9, 1, "").substr(0, 12) + std::string("\xff\xfe", 2) +
                          std::string(64, '\0')));
  EXPECT_EQ(rig.error->failure, SessionFailure::kNotKafka);
  Rig short_frame;
  // A frame that ends before acks.
  EXPECT_FALSE(short_frame.client(raw_request(0, 9, 1, "")));
  EXPECT_EQ(short_frame.error->failure, SessionFailure::kNotKafka);
}

TEST(Session, StopsTakingRequestsAtTheLimit) {
  Rig rig;
  rig.settings.max_in_flight = 3;
  std::string requests;
  for (std::int32_t i = 0; i < 10; ++i) {
    requests += raw_request(kHeartbeat, 3, i, "x");
  }
  ASSERT_TRUE(rig.client(requests));
  EXPECT_EQ(rig.session.in_flight(), 3u);
  EXPECT_FALSE(rig.session.takes_client_bytes());
  for (std::int32_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(rig.broker(raw_reply(i, "y")));
    EXPECT_LE(rig.session.in_flight(), 3u);
  }
  EXPECT_EQ(rig.to_broker, requests);
  EXPECT_TRUE(rig.session.idle());
}

TEST(Session, DrainsAtAFramesEnd) {
  Rig rig;
  const auto first = raw_request(kHeartbeat, 3, 1, "first");
  const auto second = raw_request(kHeartbeat, 3, 2, "second");
  ASSERT_TRUE(rig.client(first.substr(0, 15)));
  rig.session.drain();
  EXPECT_TRUE(rig.session.takes_client_bytes());
  ASSERT_TRUE(rig.client(first.substr(15) + second));
  EXPECT_EQ(rig.to_broker, first);
  EXPECT_FALSE(rig.session.idle());
  ASSERT_TRUE(rig.broker(raw_reply(1, "done")));
  EXPECT_TRUE(rig.session.idle());
  EXPECT_FALSE(rig.session.takes_client_bytes());
}

TEST(Session, SaysWhatIsWrongWithTheFirstBytes) {
  struct Case {
    std::string bytes;
    SessionFailure failure;
  };
  const Case cases[] = {
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00", 12),
       SessionFailure::kTlsOnPlainPort},
      {"GET /metrics HTTP/1.1\r\n", SessionFailure::kHttp},
      {"POST / HTTP/1.1\r\n", SessionFailure::kHttp},
      {"SSH-2.0-OpenSSH", SessionFailure::kFrameTooLarge},
      {std::string("\x00\x00\x00\x03\x00\x12\x00\x00\x00\x00\x00\x01", 12),
       SessionFailure::kNotKafka},
      {std::string("\xff\xff\xff\xff\x00\x12\x00\x00\x00\x00\x00\x01", 12),
       SessionFailure::kNotKafka},
      {std::string("\x00\x00\x00\x20\xff\xfe\x00\x00\x00\x00\x00\x01", 12),
       SessionFailure::kNotKafka},
  };
  for (const Case& expected : cases) {
    Rig rig;
    EXPECT_FALSE(rig.client(expected.bytes));
    ASSERT_TRUE(rig.error.has_value());
    EXPECT_EQ(rig.error->failure, expected.failure) << rig.error->text;
    EXPECT_EQ(rig.to_broker, "");
    EXPECT_EQ(rig.to_client.starts_with("HTTP/1.1 400"), expected.failure == SessionFailure::kHttp);
  }
}

TEST(Session, RefusesFramesAboveTheLimitBeforeHoldingThem) {
  Rig rig;
  rig.settings.max_frame = 1 << 20;
  std::string request = raw_request(kHeartbeat, 3, 1, "x");
  ASSERT_TRUE(rig.client(request));
  store_big(reinterpret_cast<std::byte*>(request.data()), std::int32_t{(1 << 20) + 1});
  EXPECT_FALSE(rig.client(request));
  EXPECT_EQ(rig.error->failure, SessionFailure::kFrameTooLarge);
  EXPECT_EQ(rig.budget.peak(), 0u);
}

TEST(Session, RefusesVersionsThatItWouldHaveToUnderstand) {
  Rig rig;
  EXPECT_FALSE(rig.client(raw_request(kMetadataKey.value(), 99, 1, "x")));
  EXPECT_EQ(rig.error->failure, SessionFailure::kUnknownVersion);
  EXPECT_NE(rig.error->text.find("Metadata version 99"), std::string::npos);
  Rig harmless;
  EXPECT_TRUE(harmless.client(raw_request(kHeartbeat, 99, 1, "x")));
}

TEST(Session, RefusesRepliesThatBelongToNoRequest) {
  Rig unasked;
  EXPECT_FALSE(unasked.broker(raw_reply(1, "x")));
  EXPECT_EQ(unasked.error->failure, SessionFailure::kUnexpectedReply);

  Rig wrong;
  ASSERT_TRUE(wrong.client(raw_request(kHeartbeat, 3, 5, "x")));
  EXPECT_FALSE(wrong.broker(raw_reply(6, "x")));
  EXPECT_EQ(wrong.error->failure, SessionFailure::kUnexpectedReply);
  EXPECT_EQ(wrong.to_client, "");

  Rig tiny;
  ASSERT_TRUE(tiny.client(raw_request(kHeartbeat, 3, 5, "x")));
  EXPECT_FALSE(tiny.broker(std::string("\0\0\0\1\0\0\0\5", 8)));
  EXPECT_EQ(tiny.error->failure, SessionFailure::kMalformedReply);
}

TEST(Session, HoldsNoMoreOfAReplyThanHasArrived) {
  Rig rig(std::uint64_t{200} << 20);
  ASSERT_TRUE(rig.client(raw_request(kMetadataKey.value(), 1, 1, "x")));
  std::string reply = raw_reply(1, std::string(1000, '\0'));
  store_big(reinterpret_cast<std::byte*>(reply.data()), std::int32_t{90 << 20});
  ASSERT_TRUE(rig.broker(reply));
  EXPECT_LT(rig.budget.peak(), 4096u);
}

TEST(Session, RefusesRepliesThatCannotFitTheMemory) {
  Rig rig(1 << 20);
  ASSERT_TRUE(rig.client(raw_request(kMetadataKey.value(), 1, 1, "x")));
  std::string reply = raw_reply(1, "x");
  store_big(reinterpret_cast<std::byte*>(reply.data()), std::int32_t{2 << 20});
  EXPECT_FALSE(rig.broker(reply));
  EXPECT_EQ(rig.error->failure, SessionFailure::kMemory);
}

}  // namespace
}  // namespace grete::gateway

// ApiVersions and SASL: what happens before a client gets to work.
#include <gtest/gtest.h>

#include "gateway/session/protocol.h"
#include "gateway/session/testing/rig.h"
#include "kafka/messages/api_versions_response.h"
#include "kafka/messages/sasl_authenticate_request.h"
#include "kafka/messages/sasl_authenticate_response.h"
#include "kafka/messages/sasl_handshake_request.h"
#include "kafka/messages/sasl_handshake_response.h"

namespace grete::gateway {
namespace {

using testing::Decoded;
using testing::kPlenty;
using testing::raw_reply;
using testing::raw_request;
using testing::reply_frame;
using testing::request_frame;
using testing::Rig;
using testing::with_length;

constexpr std::int16_t kHeartbeat = 12;
constexpr std::int16_t kUnsupportedVersion = 35;

struct Offered {
  std::int16_t key;
  std::int16_t min;
  std::int16_t max;

  friend bool operator==(const Offered&, const Offered&) = default;
};

kafka::ApiVersionsResponse offer(const std::vector<Offered>& apis, Arena& arena) {
  kafka::ApiVersionsResponse message;
  message.api_keys = arena.make_array<kafka::ApiVersionsResponse::ApiVersion>(
      static_cast<std::uint32_t>(apis.size()));
  for (std::uint32_t i = 0; i < message.api_keys.size(); ++i) {
    message.api_keys[i].api_key = apis[i].key;
    message.api_keys[i].min_version = apis[i].min;
    message.api_keys[i].max_version = apis[i].max;
  }
  return message;
}

std::vector<Offered> offered(const kafka::ApiVersionsResponse& message) {
  std::vector<Offered> apis;
  for (const auto& api : message.api_keys) {
    apis.push_back({api.api_key, api.min_version, api.max_version});
  }
  return apis;
}

TEST(ApiVersions, AreIntersected) {
  MemoryBudget budget(kPlenty);
  Arena arena(budget);
  const auto message = offer({{0, 3, 99},       // Produce: from 0, up to ours
                              {1, 4, 12},       // within ours: as it is
                              {3, 90, 99},      // nothing in common
                              {999, 0, 1},      // unknown here
                              {10'042, 0, 7}},  // a vendor's
                             arena);
  for (std::int16_t version = 0; version <= 5; ++version) {
    Rig rig;
    ASSERT_TRUE(rig.client(raw_request(18, version, 1, "body")));
    ASSERT_TRUE(rig.broker(reply_frame(message, version, 1)));
    Decoded<kafka::ApiVersionsResponse> got(rig.to_client, version);
    EXPECT_EQ(offered(*got), (std::vector<Offered>{{0, 0, 13}, {1, 4, 12}, {10'042, 0, 7}}));
  }
}

TEST(ApiVersions, KeepFeatures) {
  MemoryBudget budget(kPlenty);
  Arena arena(budget);
  auto message = offer({{18, 0, 4}}, arena);
  message.finalized_features_epoch = 12;
  message.finalized_features = arena.make_array<kafka::ApiVersionsResponse::FinalizedFeatureKey>(1);
  message.finalized_features[0].name = "transaction.version";
  message.finalized_features[0].max_version_level = 2;
  Rig rig;
  ASSERT_TRUE(rig.client(raw_request(18, 4, 1, "body")));
  ASSERT_TRUE(rig.broker(reply_frame(message, 4, 1)));
  EXPECT_EQ(rig.to_client, reply_frame(message, 4, 1));
}

TEST(ApiVersions, OfABrokerThatIsOlderThanTheClient) {
  MemoryBudget budget(kPlenty);
  Arena arena(budget);
  auto message = offer({{18, 0, 2}}, arena);
  message.error_code = kUnsupportedVersion;
  Rig rig;
  ASSERT_TRUE(rig.client(raw_request(18, 4, 1, "body")));
  ASSERT_TRUE(rig.broker(reply_frame(message, 0, 1)));
  EXPECT_EQ(rig.to_client, reply_frame(message, 0, 1));
  EXPECT_TRUE(rig.session.idle());
}

TEST(ApiVersions, OfABrokerThatAnswersInAFormatOfItsOwn) {
  // As librdkafka's mock cluster does: error 35, then neither version 0 nor 3.
  const std::string body("\x00\x23\x01\x00\x12\x00\x00\x00\x02\x00\x00\x00\x00", 13);
  Rig rig;
  ASSERT_TRUE(rig.client(raw_request(18, 3, 1, "body")));
  ASSERT_TRUE(rig.broker(raw_reply(1, body)));
  Decoded<kafka::ApiVersionsResponse> got(rig.to_client, 0);
  EXPECT_EQ(got.correlation_id(), 1);
  EXPECT_EQ(got->error_code, kUnsupportedVersion);
  EXPECT_TRUE(got->api_keys.empty());
}

TEST(ApiVersions, OfAClientThatIsNewerThanTheGatewayAreAnsweredHere) {
  Rig rig;
  ASSERT_TRUE(rig.client(raw_request(18, 6, 9, "a body that nobody here can read")));
  EXPECT_EQ(rig.to_broker, "");
  Decoded<kafka::ApiVersionsResponse> got(rig.to_client, 0);
  EXPECT_EQ(got.correlation_id(), 9);
  EXPECT_EQ(got->error_code, kUnsupportedVersion);
  EXPECT_EQ(offered(*got), (std::vector<Offered>{{18, 0, 5}}));
  EXPECT_TRUE(rig.session.idle());
  // The client goes on with a version that both know.
  ASSERT_TRUE(rig.client(raw_request(18, 3, 10, "body")));
  EXPECT_EQ(rig.to_broker, raw_request(18, 3, 10, "body"));
}

TEST(ApiVersions, AnsweredHereWaitForTheirTurn) {
  Rig rig;
  ASSERT_TRUE(rig.client(raw_request(kHeartbeat, 3, 1, "x") + raw_request(18, 6, 2, "y") +
                         raw_request(kHeartbeat, 3, 3, "z")));
  EXPECT_EQ(rig.to_client, "");
  ASSERT_TRUE(rig.broker(raw_reply(1, "first")));
  const std::string first = raw_reply(1, "first");
  ASSERT_TRUE(rig.to_client.starts_with(first));
  Decoded<kafka::ApiVersionsResponse> second(rig.to_client.substr(first.size()), 0);
  EXPECT_EQ(second.correlation_id(), 2);
  ASSERT_TRUE(rig.broker(raw_reply(3, "third")));
  EXPECT_TRUE(rig.to_client.ends_with(raw_reply(3, "third")));
  EXPECT_TRUE(rig.session.idle());
}

std::string handshake(std::string_view mechanism, std::int16_t version) {
  kafka::SaslHandshakeRequest request;
  request.mechanism = mechanism;
  return request_frame(request, version, 1);
}

std::string handshake_reply(std::int16_t error, std::int16_t version) {
  kafka::SaslHandshakeResponse reply;
  reply.error_code = error;
  return reply_frame(reply, version, 1);
}

TEST(Sasl, RawTokensOfPlainAreCounted) {
  testing::for_seeds(50, [](std::mt19937_64& random) {
    Rig rig;
    const std::string token = with_length(std::string("\0alice\0secret", 13));
    const std::string heartbeat = raw_request(kHeartbeat, 3, 2, "x");
    ASSERT_TRUE(rig.client_split(handshake("PLAIN", 0) + token + heartbeat, random));
    // Until the broker agrees nobody knows how to read the token.
    EXPECT_EQ(rig.to_broker, handshake("PLAIN", 0));
    ASSERT_TRUE(rig.broker_split(handshake_reply(0, 0), random));
    EXPECT_EQ(rig.to_broker, handshake("PLAIN", 0) + token + heartbeat);
    EXPECT_TRUE(rig.notes.principals.empty());
    ASSERT_TRUE(rig.broker_split(with_length("") + raw_reply(2, "beat"), random));
    EXPECT_EQ(rig.to_client, handshake_reply(0, 0) + with_length("") + raw_reply(2, "beat"));
    EXPECT_EQ(rig.notes.principals, std::vector<std::string>{"alice"});
    EXPECT_EQ(rig.session.principal(), "alice");
    EXPECT_TRUE(rig.session.idle());
  });
}

TEST(Sasl, RawTokensOfScramAreCounted) {
  Rig rig;
  ASSERT_TRUE(rig.client(handshake("SCRAM-SHA-256", 0)));
  ASSERT_TRUE(rig.broker(handshake_reply(0, 0)));
  ASSERT_TRUE(rig.client(with_length("n,,n=bob=2Cjr,r=nonce")));
  ASSERT_TRUE(rig.broker(with_length("r=nonce2,s=salt,i=4096")));
  EXPECT_TRUE(rig.notes.principals.empty());
  ASSERT_TRUE(
      rig.client(with_length("c=biws,r=nonce2,p=proof") + raw_request(kHeartbeat, 3, 2, "x")));
  ASSERT_TRUE(rig.broker(with_length("v=signature") + raw_reply(2, "y")));
  EXPECT_EQ(rig.notes.principals, std::vector<std::string>{"bob,jr"});
  EXPECT_TRUE(rig.session.idle());
}

TEST(Sasl, OtherMechanismsMakeTheConnectionOpaque) {
  Rig rig;
  ASSERT_TRUE(rig.client(handshake("GSSAPI", 0)));
  ASSERT_TRUE(rig.broker(handshake_reply(0, 0)));
  ASSERT_TRUE(rig.client("anything \x01 at all"));
  ASSERT_TRUE(rig.broker("and anything back"));
  EXPECT_EQ(rig.to_broker, handshake("GSSAPI", 0) + "anything \x01 at all");
  EXPECT_EQ(rig.to_client, handshake_reply(0, 0) + "and anything back");
  EXPECT_TRUE(rig.session.takes_client_bytes());
}

TEST(Sasl, ARefusedMechanismChangesNothing) {
  Rig rig;
  ASSERT_TRUE(rig.client(handshake("GSSAPI", 0)));
  ASSERT_TRUE(rig.broker(handshake_reply(33, 0)));
  ASSERT_TRUE(rig.client(handshake("PLAIN", 1)));
  EXPECT_EQ(rig.to_broker, handshake("GSSAPI", 0) + handshake("PLAIN", 1));
}

std::string authenticate(std::string_view token, std::int16_t version, std::int32_t id) {
  kafka::SaslAuthenticateRequest request;
  request.auth_bytes = as_bytes(token);
  return request_frame(request, version, id);
}

std::string authenticate_reply(std::int16_t error, std::int16_t version, std::int32_t id) {
  kafka::SaslAuthenticateResponse reply;
  reply.error_code = error;
  return reply_frame(reply, version, id);
}

struct Login {
  std::string mechanism;
  std::vector<std::string> tokens;
  std::string user;
};

TEST(Sasl, LearnsTheUserThatTheBrokerAccepts) {
  const Login logins[] = {
      {"PLAIN", {std::string("\0alice\0secret", 13)}, "alice"},
      {"PLAIN", {std::string("someone\0alice\0secret", 20)}, "alice"},
      {"SCRAM-SHA-512", {"n,,n=carol,r=x", "c=biws,r=xy,p=z"}, "carol"},
      // {"alg":"none"} . {"sub":"svc-1"}
      {"OAUTHBEARER",
       {"n,,\x01"
        "auth=Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJzdmMtMSJ9.\x01\x01"},
       "svc-1"},
  };
  for (const Login& login : logins) {
    for (std::int16_t version = 0; version <= 2; ++version) {
      for (const std::int16_t error : {std::int16_t{0}, std::int16_t{58}}) {
        Rig rig;
        ASSERT_TRUE(rig.client(handshake(login.mechanism, 1)));
        ASSERT_TRUE(rig.broker(handshake_reply(0, 1)));
        std::int32_t id = 2;
        for (const std::string& token : login.tokens) {
          EXPECT_TRUE(rig.notes.principals.empty());
          const bool last = &token == &login.tokens.back();
          ASSERT_TRUE(rig.client(authenticate(token, version, id)));
          ASSERT_TRUE(rig.broker(authenticate_reply(last ? error : std::int16_t{0}, version, id)));
          ++id;
        }
        EXPECT_EQ(rig.notes.principals,
                  error == 0 ? std::vector<std::string>{login.user} : std::vector<std::string>{})
            << login.mechanism << " version " << version;
        EXPECT_TRUE(rig.session.idle());
      }
    }
  }
}

}  // namespace
}  // namespace grete::gateway

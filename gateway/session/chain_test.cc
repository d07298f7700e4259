// Sessions whose messages pass plug-ins: order, replies in the broker's stead, and ends.
#include <gtest/gtest.h>

#include "gateway/session/testing/rig.h"
#include "plugins/testing/fixture.h"

namespace grete::gateway {
namespace {

using plugins::MessageCall;
using plugins::Verdict;
using plugins::VerdictKind;
using testing::raw_reply;
using testing::raw_request;
using testing::Rig;

constexpr std::int16_t kHeartbeat = 12;
constexpr std::int16_t kLeaveGroup = 13;

class ChainTest : public ::testing::Test {
 protected:
  // A plug-in that sees the requests of one API and does as `decide` says.
  std::shared_ptr<plugins::ChainRuntime> chain(std::int16_t key,
                                               plugins::testing::MessageFunction decide) {
    kafka::lane::Interest interest;
    interest.api_key = key;
    interest.last_version = INT16_MAX;
    auto hook = plugins::testing::message_hook("test", interest, std::move(decide));
    return plugins::ChainRuntime::create(
        std::make_shared<const plugins::Chain>(
            std::vector<std::shared_ptr<const plugins::Hook>>{std::move(hook)}),
        worker_.worker);
  }

  static bool run(Rig& rig) {
    while (rig.session.chain_state() != ChainState::kEmpty) {
      if (!rig.run_chain()) {
        return false;
      }
    }
    return true;
  }

  plugins::testing::TestWorker worker_;
};

TEST_F(ChainTest, RequestsKeepTheirOrder) {
  testing::for_seeds(50, [this](std::mt19937_64& random) {
    Rig rig(testing::kPlenty, chain(kHeartbeat, [](const MessageCall&) { return Verdict{}; }));
    std::string sent;
    for (std::int32_t i = 0; i < 20; ++i) {
      const std::int16_t key = random() % 2 == 0 ? kHeartbeat : kLeaveGroup;
      const std::string request = raw_request(key, 0, i, std::string(random() % 50, 'x'));
      sent += request;
      ASSERT_TRUE(rig.client_split(request, random));
      if (random() % 2 == 0) {
        ASSERT_TRUE(run(rig));
      }
    }
    ASSERT_TRUE(run(rig));
    EXPECT_EQ(rig.to_broker, sent);
    EXPECT_EQ(rig.session.in_flight(), 20u);
  });
}

TEST_F(ChainTest, ARequestInTheChainHoldsTheNextBack) {
  Rig rig(testing::kPlenty, chain(kHeartbeat, [](const MessageCall&) { return Verdict{}; }));
  const std::string first = raw_request(kHeartbeat, 0, 1, "x");
  const std::string second = raw_request(kLeaveGroup, 0, 2, "y");
  ASSERT_TRUE(rig.client(first + second));
  EXPECT_EQ(rig.to_broker, "");
  EXPECT_FALSE(rig.session.takes_client_bytes());
  EXPECT_FALSE(rig.session.idle());
  ASSERT_TRUE(run(rig));
  EXPECT_EQ(rig.to_broker, first + second);
}

TEST_F(ChainTest, AReplyInTheBrokersSteadWaitsForItsTurn) {
  const auto body = std::make_shared<const std::vector<std::byte>>(6, std::byte{7});
  Rig rig(testing::kPlenty, chain(kHeartbeat, [&](const MessageCall&) {
            Verdict verdict;
            verdict.kind = VerdictKind::kReply;
            verdict.body = body;
            return verdict;
          }));
  const std::string other = raw_request(kLeaveGroup, 0, 1, "y");
  ASSERT_TRUE(rig.client(other + raw_request(kHeartbeat, 0, 2, "x")));
  ASSERT_TRUE(run(rig));
  EXPECT_EQ(rig.to_broker, other);
  EXPECT_EQ(rig.to_client, "");
  ASSERT_TRUE(rig.broker(raw_reply(1, "done")));
  EXPECT_EQ(rig.to_client, raw_reply(1, "done") + raw_reply(2, std::string(6, '\x07')));
  EXPECT_TRUE(rig.session.idle());
}

TEST_F(ChainTest, APlugInClosesTheConnection) {
  Rig rig(testing::kPlenty, chain(kHeartbeat, [](const MessageCall&) {
            Verdict verdict;
            verdict.kind = VerdictKind::kClose;
            return verdict;
          }));
  ASSERT_TRUE(rig.client(raw_request(kHeartbeat, 0, 1, "x")));
  EXPECT_FALSE(run(rig));
  EXPECT_EQ(rig.error->failure, SessionFailure::kPlugin);
  EXPECT_EQ(rig.to_broker, "");
}

}  // namespace
}  // namespace grete::gateway

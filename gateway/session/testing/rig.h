// What session tests have in common: frames, an observer that remembers, and a session whose bytes
// come in pieces of any size.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/arena.h"
#include "base/memory_budget.h"
#include "gateway/session/session.h"
#include "kafka/api_table.h"
#include "kafka/messages/request_header.h"
#include "kafka/messages/response_header.h"
#include "kafka/wire/reader.h"
#include "kafka/wire/writer.h"

namespace grete::gateway::testing {

inline constexpr std::uint64_t kPlenty = std::uint64_t{1} << 30;

// `body` with the length of itself before it.
std::string with_length(std::string_view body);

// A request frame of any API, its body as given: header version 1 or 2 by `flexible`.
std::string raw_request(std::int16_t key, std::int16_t version, std::int32_t correlation_id,
                        std::string_view body, std::string_view client_id = "test");
// A reply frame whose header has no tags.
std::string raw_reply(std::int32_t correlation_id, std::string_view body);

template <class Header, class Message>
std::string encoded_frame(kafka::ApiVersion header_version, const Header& header,
                          kafka::ApiVersion version, const Message& message) {
  MemoryBudget budget(kPlenty);
  Arena arena(budget);
  kafka::Writer writer(arena);
  EXPECT_TRUE(encode(writer, header_version, header).has_value());
  const auto encoded = encode(writer, version, message);
  EXPECT_TRUE(encoded.has_value()) << encoded.error().text();
  std::string bytes(writer.size(), '\0');
  writer.copy_to(reinterpret_cast<std::byte*>(bytes.data()));
  return with_length(bytes);
}

// A request frame as Apache Kafka's clients would send it.
template <class Message>
std::string request_frame(const Message& message, std::int16_t version, std::int32_t correlation_id,
                          std::string_view client_id = "test") {
  const kafka::ApiVersion v{version};
  kafka::RequestHeader header;
  header.request_api_key = Message::kApiKey;
  header.request_api_version = v;
  header.correlation_id = kafka::CorrelationId{correlation_id};
  header.client_id = client_id;
  return encoded_frame(kafka::request_header_version(Message::kApiKey, v), header, v, message);
}

template <class Message>
std::string reply_frame(const Message& message, std::int16_t version, std::int32_t correlation_id) {
  const kafka::ApiVersion v{version};
  const kafka::ResponseHeader header{.correlation_id = kafka::CorrelationId{correlation_id}};
  return encoded_frame(kafka::response_header_version(Message::kApiKey, v), header, v, message);
}

// Decodes a reply frame; its memory lives as long as the object.
template <class Message>
class Decoded {
 public:
  Decoded(std::string frame, std::int16_t version) : frame_(std::move(frame)), arena_(budget_) {
    kafka::Reader reader(as_bytes(frame_).subspan(4), arena_);
    const kafka::ApiVersion v{version};
    EXPECT_EQ(load_big<std::uint32_t>(as_bytes(frame_).data()), frame_.size() - 4);
    EXPECT_TRUE(decode(reader, kafka::response_header_version(Message::kApiKey, v), header_));
    const auto decoded = decode(reader, v, message_);
    EXPECT_TRUE(decoded.has_value()) << decoded.error().text();
    EXPECT_EQ(reader.remaining(), 0u);
  }

  Message* operator->() { return &message_; }
  Message& operator*() { return message_; }
  [[nodiscard]] std::int32_t correlation_id() const { return header_.correlation_id.value(); }

 private:
  std::string frame_;
  MemoryBudget budget_{kPlenty};
  Arena arena_;
  kafka::ResponseHeader header_;
  Message message_;
};

// Remembers what a session told.
class Notes final : public SessionObserver {
 public:
  void on_request(kafka::ApiKey key, kafka::ApiVersion, std::uint64_t bytes) override {
    requests.emplace_back(key.value(), bytes);
  }
  void on_reply(kafka::ApiKey key, std::uint64_t bytes, Duration) override {
    replies.emplace_back(key.value(), bytes);
  }
  void on_brokers(std::span<const BrokerAddress> told) override {
    brokers.assign(told.begin(), told.end());
  }
  void on_topics(std::span<const TopicId> told) override {
    for (const TopicId& topic : told) {
      topics_told.push_back(topic.name);
    }
  }
  void on_unreachable_broker(kafka::NodeId node) override { unreachable.push_back(node.value()); }
  void on_principal(std::string_view user) override { principals.emplace_back(user); }
  void on_plugins(kafka::ApiKey key, Duration) override { held.push_back(key.value()); }
  std::shared_ptr<const plugins::TopicNames> topics() override { return nullptr; }

  std::vector<std::pair<int, std::uint64_t>> requests;
  std::vector<std::pair<int, std::uint64_t>> replies;
  std::vector<BrokerAddress> brokers;
  std::vector<int> unreachable;
  std::vector<std::string> topics_told;
  std::vector<std::string> principals;
  std::vector<int> held;  // by plug-ins
};

// A session between two strings. Bytes that it does not take are kept and offered again, as a
// connection does.
class Rig {
 public:
  explicit Rig(std::uint64_t memory = kPlenty,
               std::shared_ptr<plugins::ChainRuntime> chain = nullptr)
      : budget(memory), session(settings, budget, notes, std::move(chain)) {}

  // Offers bytes of one side in one piece. False once the session has failed; see error.
  bool client(std::string_view bytes);
  bool broker(std::string_view bytes);

  // Lets plug-ins work for a slice, and offers what has waited. False once the session has failed.
  bool run_chain();

  // Offers `bytes` in pieces of random sizes, mostly small.
  bool client_split(std::string_view bytes, std::mt19937_64& random);
  bool broker_split(std::string_view bytes, std::mt19937_64& random);

  static SessionSettings default_settings();

  SessionSettings settings = default_settings();
  MemoryBudget budget;
  Notes notes;
  Session session;
  Moment now{};
  std::string to_broker;  // everything that left for the broker
  std::string to_client;
  std::size_t pieces = 0;  // in how many pieces the last call's output came
  std::string waiting;     // bytes of the client that the session has not taken
  std::optional<SessionError> error;

 private:
  bool run(bool from_client, std::string bytes);
  void collect(Outputs& out);
};

// A seed from the environment (GRETE_TEST_SEED) or from chance; printed when a test fails.
std::uint64_t test_seed();

// Calls `body` with `rounds` generators, naming the seed in failures.
void for_seeds(int rounds, const std::function<void(std::mt19937_64&)>& body);

}  // namespace grete::gateway::testing

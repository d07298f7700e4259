#include "gateway/session/testing/rig.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace grete::gateway::testing {

namespace {

template <std::integral T>
void append(std::string& bytes, T value) {
  std::byte encoded[sizeof(T)];
  store_big(encoded, value);
  bytes.append(reinterpret_cast<const char*>(encoded), sizeof encoded);
}

std::size_t random_size(std::mt19937_64& random, std::size_t most) {
  const std::size_t limit = random() % 4 == 0 ? most : std::min<std::size_t>(most, 16);
  return 1 + random() % limit;
}

}  // namespace

std::string with_length(std::string_view body) {
  std::string frame;
  append(frame, static_cast<std::int32_t>(body.size()));
  frame += body;
  return frame;
}

std::string raw_request(std::int16_t key, std::int16_t version, std::int32_t correlation_id,
                        std::string_view body, std::string_view client_id) {
  std::string frame;
  append(frame, key);
  append(frame, version);
  append(frame, correlation_id);
  append(frame, static_cast<std::int16_t>(client_id.size()));
  frame += client_id;
  frame += body;
  return with_length(frame);
}

std::string raw_reply(std::int32_t correlation_id, std::string_view body) {
  std::string frame;
  append(frame, correlation_id);
  frame += body;
  return with_length(frame);
}

SessionSettings Rig::default_settings() {
  SessionSettings settings;
  settings.ports = {.host = "gateway", .first = 20000, .last = 20009};
  return settings;
}

void Rig::collect(Outputs& out) {
  pieces = out.to_broker.pieces().size() + out.to_client.pieces().size();
  for (const auto& piece : out.to_broker.pieces()) {
    to_broker.append(reinterpret_cast<const char*>(piece.data), piece.size);
  }
  for (const auto& piece : out.to_client.pieces()) {
    to_client.append(reinterpret_cast<const char*>(piece.data), piece.size);
  }
}

bool Rig::run(bool from_client, std::string bytes) {
  Outputs out;
  MutableBytes input{reinterpret_cast<std::byte*>(bytes.data()), bytes.size()};
  const auto result =
      from_client ? session.client_bytes(input, now, out) : session.broker_bytes(input, now, out);
  collect(out);
  if (!result) {
    error = result.error();
    return false;
  }
  if (from_client) {
    waiting.assign(reinterpret_cast<const char*>(input.data()), input.size());
  } else {
    EXPECT_TRUE(input.empty());
  }
  return true;
}

bool Rig::client(std::string_view bytes) {
  return run(true, std::exchange(waiting, {}) + std::string(bytes));
}

bool Rig::broker(std::string_view bytes) {
  if (!run(false, std::string(bytes))) {
    return false;
  }
  return waiting.empty() || !session.takes_client_bytes() || client({});
}

bool Rig::run_chain() {
  Outputs out;
  const auto result = session.run_chain(now, out);
  collect(out);
  if (!result) {
    error = result.error();
    return false;
  }
  return waiting.empty() || !session.takes_client_bytes() || client({});
}

bool Rig::client_split(std::string_view bytes, std::mt19937_64& random) {
  while (!bytes.empty()) {
    const std::size_t size = random_size(random, bytes.size());
    if (!client(bytes.substr(0, size))) {
      return false;
    }
    bytes.remove_prefix(size);
  }
  return true;
}

bool Rig::broker_split(std::string_view bytes, std::mt19937_64& random) {
  while (!bytes.empty()) {
    const std::size_t size = random_size(random, bytes.size());
    if (!broker(bytes.substr(0, size))) {
      return false;
    }
    bytes.remove_prefix(size);
  }
  return true;
}

std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("GRETE_TEST_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  }();
  return seed;
}

void for_seeds(int rounds, const std::function<void(std::mt19937_64&)>& body) {
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t seed = test_seed() + static_cast<std::uint64_t>(round);
    SCOPED_TRACE("GRETE_TEST_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    body(random);
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace grete::gateway::testing

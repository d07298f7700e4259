// The requests that the load generator sends and the answers that the sink gives.
//
// Both keep a frame in two parts: kPrefixBytes that differ from one to the next (they end with the
// correlation id), and a rest that is made once and sent from where it lies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace grete::bench {

// API keys.
inline constexpr int kProduce = 0;
inline constexpr int kFetch = 1;
inline constexpr int kMetadata = 3;
inline constexpr int kApiVersions = 18;

// What the generator speaks: the newest versions of Produce that name topics, and of Fetch that
// librdkafka speaks.
inline constexpr int kProduceVersion = 11;
inline constexpr int kFetchVersion = 16;
inline constexpr int kMetadataVersion = 12;
inline constexpr int kApiVersionsVersion = 3;

inline constexpr std::string_view kTopic = "bench";
using TopicId = std::array<char, 16>;

// A request without its first bytes: size, API key, version, correlation id.
struct Request {
  static constexpr std::size_t kPrefixBytes = 12;
  int key = 0;
  int version = 0;
  std::string rest;

  [[nodiscard]] std::size_t frame_bytes() const { return kPrefixBytes + rest.size(); }
  [[nodiscard]] std::array<char, kPrefixBytes> prefix(std::int32_t correlation_id) const;
  // The whole frame, for the handshake.
  [[nodiscard]] std::string whole(std::int32_t correlation_id) const;
};

Request api_versions_request();
Request metadata_request();
// acks=1; `batch` goes to partition 0 of kTopic.
Request produce_request(std::string_view batch);
// Asks for at most `max_bytes` from offset 0 of partition 0, without a fetch session.
Request fetch_request(const TopicId& topic, std::int32_t max_bytes);

// Where partition 0 of kTopic is, from a Metadata response's body.
struct Leader {
  std::string host;
  int port = 0;
  TopicId topic{};
};
// None while the topic has no leader yet. `body` starts after the correlation id.
std::optional<Leader> find_leader(std::string_view body);

// The first error code in the answer to a Produce or Fetch of the versions above, 0 if there is
// none, or -1 if the bytes make no sense. `head` starts after the correlation id and holds the
// first 80 bytes at least, or all.
int response_error(int key, std::string_view head);

// An answer without its first bytes: size, correlation id.
struct Response {
  static constexpr std::size_t kPrefixBytes = 8;
  std::string rest;

  [[nodiscard]] std::size_t frame_bytes() const { return kPrefixBytes + rest.size(); }
  [[nodiscard]] std::array<char, kPrefixBytes> prefix(std::int32_t correlation_id) const;
};

// What the sink tells of itself.
struct Broker {
  std::int32_t node_id = 1;
  std::string host = "127.0.0.1";
  int port = 0;
};

// The sink's answer to (key, version); none if it does not speak that. ApiVersions of any version
// is answered. `records` is what a Fetch returns.
std::optional<Response> canned_response(int key, int version, const Broker& broker,
                                        std::string_view records);

// 1 MiB of record batches, for the sink's Fetch.
std::string make_fetch_records(std::int64_t timestamp_ms);

}  // namespace grete::bench

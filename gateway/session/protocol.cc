#include "gateway/session/protocol.h"

#include <fmt/format.h>

#include "kafka/api_table.h"

namespace grete::gateway {

namespace {

// The first versions with NodeEndpoints (KIP-951) and with the quorum's nodes (KIP-853).
constexpr std::int16_t kProduceWithAddresses = 10;
constexpr std::int16_t kFetchWithAddresses = 16;
constexpr std::int16_t kDescribeQuorumWithAddresses = 2;

}  // namespace

std::string name_of(kafka::ApiKey key) {
  const char* name = kafka::api_name(key);
  return name != nullptr ? std::string(name) : fmt::format("key {}", key.value());
}

ReplyMode reply_mode(kafka::ApiKey key, kafka::ApiVersion version) {
  const auto rewrite_from = [&](std::int16_t first) {
    return version.value() >= first ? ReplyMode::kRewrite : ReplyMode::kForward;
  };
  switch (key.value()) {
    case kProduceKey.value():
      return rewrite_from(kProduceWithAddresses);
    case kFetchKey.value():
      return version.value() >= kFetchWithAddresses ? ReplyMode::kWalkFetch : ReplyMode::kForward;
    case kMetadataKey.value():
    case kFindCoordinatorKey.value():
    case kDescribeClusterKey.value():
    case kShareFetchKey.value():
    case kShareAcknowledgeKey.value():
      return ReplyMode::kRewrite;
    case kDescribeQuorumKey.value():
      return rewrite_from(kDescribeQuorumWithAddresses);
    case kApiVersionsKey.value():
      return ReplyMode::kApiVersions;
    case kSaslHandshakeKey.value():
      return ReplyMode::kSaslHandshake;
    case kSaslAuthenticateKey.value():
      return ReplyMode::kSaslAuthenticate;
    default:
      return ReplyMode::kForward;
  }
}

std::optional<kafka::VersionRange> must_know_versions(kafka::ApiKey key) {
  constexpr kafka::ApiVersion kLater{INT16_MAX};
  if (reply_mode(key, kLater) == ReplyMode::kForward) {
    return std::nullopt;
  }
  const kafka::ApiInfo* api = kafka::find_api(key);
  return api == nullptr ? std::nullopt : std::optional(api->versions);
}

bool is_too_new_for_us(const RequestPrefix& request) {
  const auto known = must_know_versions(request.key);
  return known && request.version.value() > known->max;
}

HeaderTags reply_header_tags(kafka::ApiKey key, kafka::ApiVersion version) {
  return kafka::response_header_version(key, version).value() >= 1 ? HeaderTags::kPresent
                                                                   : HeaderTags::kNone;
}

}  // namespace grete::gateway

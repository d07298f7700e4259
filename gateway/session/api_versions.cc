#include "gateway/session/api_versions.h"

#include <algorithm>

#include "gateway/session/protocol.h"
#include "gateway/session/reply_codec.h"
#include "kafka/messages/api_versions_response.h"

namespace grete::gateway {

namespace {

constexpr std::int16_t kUnsupportedVersion = 35;
// Keys from here on belong to vendors.
constexpr std::int16_t kFirstVendorKey = 10'000;

// Whether the API is left; its range becomes the intersection.
bool intersect(std::int16_t key, std::int16_t& min, std::int16_t& max) {
  if (key >= kFirstVendorKey) {
    return true;
  }
  const kafka::ApiInfo* known = kafka::find_api(kafka::ApiKey{key});
  if (known == nullptr) {
    return false;
  }
  min = std::max(min, known->versions.min);
  max = std::min(max, known->versions.max);
  if (min > max) {
    return false;
  }
  if (kafka::ApiKey{key} == kProduceKey) {
    min = 0;
  }
  return true;
}

}  // namespace

Result<Buffer, std::string> intersect_api_versions(kafka::ApiVersion version, Bytes frame,
                                                   MemoryBudget& budget) {
  Arena arena(budget);
  kafka::ResponseHeader header;
  kafka::ApiVersionsResponse message;
  if (read_error_code(frame, HeaderTags::kNone) == kUnsupportedVersion) {
    version = kafka::ApiVersion{0};
    if (!decode_reply(frame, version, arena, header, message)) {
      // Old mock brokers answer in a format of their own. Without a list a client takes version 0.
      message = {};
      message.error_code = kUnsupportedVersion;
    }
  } else {
    GRETE_TRY(decode_reply(frame, version, arena, header, message));
  }
  std::uint32_t kept = 0;
  for (auto& api : message.api_keys) {
    if (intersect(api.api_key, api.min_version, api.max_version)) {
      message.api_keys[kept++] = api;
    }
  }
  message.api_keys.count = kept;
  return encode_reply(version, arena, header, message, budget);
}

Buffer unsupported_api_versions(kafka::CorrelationId correlation_id, MemoryBudget& budget) {
  Arena arena(budget);
  const kafka::ResponseHeader header{.correlation_id = correlation_id};
  kafka::ApiVersionsResponse message;
  message.error_code = kUnsupportedVersion;
  message.api_keys = arena.make_array<kafka::ApiVersionsResponse::ApiVersion>(1);
  if (message.api_keys.empty()) {
    return {};
  }
  const kafka::VersionRange known = kafka::find_api(kApiVersionsKey)->versions;
  message.api_keys[0].api_key = kApiVersionsKey.value();
  message.api_keys[0].min_version = known.min;
  message.api_keys[0].max_version = known.max;
  auto frame = encode_reply(kafka::ApiVersion{0}, arena, header, message, budget);
  return frame ? *std::move(frame) : Buffer();
}

}  // namespace grete::gateway

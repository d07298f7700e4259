// What a session must know of each API: whose replies hold broker addresses, whose versions it
// cannot do without.
#pragma once

#include <optional>
#include <string>

#include "gateway/session/pending_requests.h"
#include "gateway/session/request_prefix.h"
#include "gateway/session/sasl.h"
#include "kafka/ids.h"
#include "kafka/wire/reflection.h"

namespace grete::gateway {

inline constexpr kafka::ApiKey kProduceKey{0};
inline constexpr kafka::ApiKey kFetchKey{1};
inline constexpr kafka::ApiKey kMetadataKey{3};
inline constexpr kafka::ApiKey kFindCoordinatorKey{10};
inline constexpr kafka::ApiKey kSaslHandshakeKey{17};
inline constexpr kafka::ApiKey kApiVersionsKey{18};
inline constexpr kafka::ApiKey kSaslAuthenticateKey{36};
inline constexpr kafka::ApiKey kDescribeQuorumKey{55};
inline constexpr kafka::ApiKey kDescribeClusterKey{60};
inline constexpr kafka::ApiKey kShareFetchKey{78};
inline constexpr kafka::ApiKey kShareAcknowledgeKey{79};

// "Produce"; "key 4711" for a key without a name.
[[nodiscard]] std::string name_of(kafka::ApiKey key);

// What happens to the reply of such a request, plug-ins apart.
[[nodiscard]] ReplyMode reply_mode(kafka::ApiKey key, kafka::ApiVersion version);

// The versions of an API whose requests or replies must be understood for the gateway to be one;
// nullopt for APIs that may pass unread in versions that nobody here has heard of.
[[nodiscard]] std::optional<kafka::VersionRange> must_know_versions(kafka::ApiKey key);

// Whether an ApiVersions request is of a later version than any that is known here.
[[nodiscard]] bool is_too_new_for_us(const RequestPrefix& request);

[[nodiscard]] HeaderTags reply_header_tags(kafka::ApiKey key, kafka::ApiVersion version);

}  // namespace grete::gateway

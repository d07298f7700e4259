// Kafka's ids as types of their own, so that an API key is never taken for a version.
#pragma once

#include <cstdint>

#include "base/strong.h"

namespace grete::kafka {

// Which API a request asks for (Produce is 0). The generated kafka/api_keys.h names them all.
using ApiKey = Strong<struct ApiKeyTag, std::int16_t>;

// The version of one API's request and response, or of any other message.
using ApiVersion = Strong<struct ApiVersionTag, std::int16_t>;

// Chosen by the client; the response carries the same number.
using CorrelationId = Strong<struct CorrelationIdTag, std::int32_t>;

// A broker's id in its cluster; -1 means none.
using NodeId = Strong<struct NodeIdTag, std::int32_t>;

// Whether a message goes to the broker or comes from it.
enum class Direction : std::uint8_t { kRequest, kResponse };

}  // namespace grete::kafka

// Rejections in Kafka's own words: the response that tells a client why its request did not go on.
#pragma once

#include <optional>

#include "base/arena.h"
#include "base/bytes.h"
#include "kafka/ids.h"
#include "kafka/messages.h"
#include "plugins/hook_call.h"

namespace grete::plugins {

// The response to a request with this body that carries the rejection where clients of this API
// look for it: at every topic, partition, resource or group that was asked for, else at the top.
// Nothing where the API has no room for an error in this version, or the body cannot be decoded:
// then the connection has to be closed. The result borrows from body, rejection and arena.
[[nodiscard]] std::optional<kafka::AnyMessage> make_error_response(kafka::ApiKey key,
                                                                   kafka::ApiVersion version,
                                                                   Bytes request_body,
                                                                   const Rejection& rejection,
                                                                   Arena& arena);

// Likewise in place of a broker's response with this body.
[[nodiscard]] std::optional<kafka::AnyMessage> make_error_instead(kafka::ApiKey key,
                                                                  kafka::ApiVersion version,
                                                                  Bytes response_body,
                                                                  const Rejection& rejection,
                                                                  Arena& arena);

// The code as clients of this API can take it: consumers stop for good at codes that a fetch does
// not know.
[[nodiscard]] std::int16_t code_for(kafka::ApiKey key, std::int16_t code);

}  // namespace grete::plugins

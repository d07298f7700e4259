// The answer to "which APIs do you speak?": what broker and gateway both do.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "gateway/session/buffer.h"
#include "kafka/ids.h"

namespace grete::gateway {

// The broker's ApiVersions reply, intersected with the versions known here. Keys unknown here are
// left out, but for vendors' own. Produce is always offered from version 0: librdkafka stops
// compressing otherwise (KAFKA-18659), and the brokers refuse the versions that they do not have.
// `version` is the request's; a broker that does not know it answers with error 35 in version 0.
[[nodiscard]] Result<Buffer, std::string> intersect_api_versions(kafka::ApiVersion version,
                                                                 Bytes frame, MemoryBudget& budget);

// The answer to an ApiVersions request of a version later than any known here: version 0, error 35,
// and the versions of ApiVersions itself (KIP-511). Empty if there is no memory.
[[nodiscard]] Buffer unsupported_api_versions(kafka::CorrelationId correlation_id,
                                              MemoryBudget& budget);

}  // namespace grete::gateway

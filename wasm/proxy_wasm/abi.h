// The numbers of the Proxy-Wasm ABI, versions 0.1.0, 0.2.0 and 0.2.1.
// Source: https://github.com/proxy-wasm/spec
#pragma once

#include <cstdint>

#include "base/strong.h"

namespace grete::wasm::proxy_wasm {

// NOLINTBEGIN(performance-enum-size): all values of the ABI are 32 bits wide.

enum class Status : std::uint32_t {
  kOk = 0,
  kNotFound = 1,
  kBadArgument = 2,
  kSerializationFailure = 3,
  kParseFailure = 4,
  kInvalidMemoryAccess = 6,
  kEmpty = 7,
  kCasMismatch = 8,
  kInternalFailure = 10,
  kUnimplemented = 12,
};

// What a stream callback wants done with the buffered bytes.
enum class Action : std::uint32_t { kContinue = 0, kPause = 1 };

enum class BufferType : std::uint32_t {
  kHttpRequestBody = 0,
  kHttpResponseBody = 1,
  kDownstreamData = 2,
  kUpstreamData = 3,
  kHttpCallResponseBody = 4,
  kGrpcReceiveBuffer = 5,
  kVmConfiguration = 6,
  kPluginConfiguration = 7,
  kCallData = 8,
};

enum class StreamType : std::uint32_t {
  kHttpRequest = 0,
  kHttpResponse = 1,
  kDownstream = 2,
  kUpstream = 3,
};

// Who closed a connection.
enum class PeerType : std::uint32_t { kUnknown = 0, kLocal = 1, kRemote = 2 };

enum class MetricType : std::uint32_t { kCounter = 0, kGauge = 1, kHistogram = 2 };

enum class LogLevel : std::uint32_t {
  kTrace = 0,
  kDebug = 1,
  kInfo = 2,
  kWarn = 3,
  kError = 4,
  kCritical = 5,
};

// NOLINTEND(performance-enum-size)

// Contexts of a VM: the plug-in's own (root), and one per stream. From one counter, never 0.
using ContextId = Strong<struct ContextIdTag, std::uint32_t>;
using MetricId = Strong<struct MetricIdTag, std::uint32_t>;
using QueueId = Strong<struct QueueIdTag, std::uint32_t>;

}  // namespace grete::wasm::proxy_wasm

// Any bytes as a request, and as the response to one.
//
// Input: the request's size (uint16), the request, the response.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "kafka/json/frame_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace grete;  // NOLINT: a fuzz target
  if (size < 2) {
    return 0;
  }
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const std::size_t split = std::min<std::size_t>(load_big<std::uint16_t>(bytes.data()), size - 2);
  const Bytes request = bytes.subspan(2, split);
  const Bytes response = bytes.subspan(2 + split);
  MemoryBudget budget(std::uint64_t{1} << 20);
  const auto json = kafka::json::frames_to_json(
      request, response.empty() ? std::nullopt : std::optional(response), budget);
  if (json ? json->empty() : json.error().text.empty()) {
    std::abort();
  }
  static_cast<void>(kafka::json::parse_hex(as_text(bytes)));
  return 0;
}

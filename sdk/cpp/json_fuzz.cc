#include "sdk/cpp/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json =
      grete::sdk::parse_json(std::string_view(reinterpret_cast<const char*>(data), size));
  return !json && json.error().offset > size ? 1 : 0;
}

#include "kafka/api_table.h"

namespace grete::kafka {

const ApiInfo* find_api(ApiKey key) {
  const std::span<const ApiInfo> apis = all_apis();
  // Keys leave few gaps, so a key's place is at most its number.
  if (key.value() < 0 || apis.empty()) {
    return nullptr;
  }
  std::size_t at = std::min<std::size_t>(static_cast<std::size_t>(key.value()), apis.size() - 1);
  while (at > 0 && apis[at].key > key) {
    --at;
  }
  return apis[at].key == key ? &apis[at] : nullptr;
}

const char* api_name(ApiKey key) {
  const ApiInfo* api = find_api(key);
  return api == nullptr ? nullptr : api->name;
}

bool is_known(ApiKey key, ApiVersion version) {
  const ApiInfo* api = find_api(key);
  return api != nullptr && api->versions.contains(version.value());
}

ApiVersion request_header_version(ApiKey key, ApiVersion version) {
  if (key == api_key::kControlledShutdown && version == ApiVersion{0}) {
    return ApiVersion{0};
  }
  const ApiInfo* api = find_api(key);
  const bool flexible = api != nullptr && api->flexible.contains(version.value());
  return ApiVersion{static_cast<std::int16_t>(flexible ? 2 : 1)};
}

ApiVersion response_header_version(ApiKey key, ApiVersion version) {
  if (key == api_key::kApiVersions) {
    return ApiVersion{0};
  }
  const ApiInfo* api = find_api(key);
  const bool flexible = api != nullptr && api->flexible.contains(version.value());
  return ApiVersion{static_cast<std::int16_t>(flexible ? 1 : 0)};
}

}  // namespace grete::kafka

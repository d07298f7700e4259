#include "gateway/session/request_prefix.h"

#include <algorithm>

#include "gateway/limits.h"
#include "gateway/session/cursor.h"

namespace grete::gateway {

namespace {

// ProduceRequest.json.
constexpr std::int16_t kFirstProduceWithTransactionalId = 3;
constexpr std::int16_t kFirstFlexibleProduce = 9;

}  // namespace

RequestPrefix read_request_prefix(Bytes bytes) {
  return {.total = std::uint64_t{4} + load_big<std::uint32_t>(bytes.data()),
          .key = kafka::ApiKey{load_big<std::int16_t>(bytes.data() + 4)},
          .version = kafka::ApiVersion{load_big<std::int16_t>(bytes.data() + 6)},
          .correlation_id = kafka::CorrelationId{load_big<std::int32_t>(bytes.data() + 8)}};
}

AcksLookup find_acks(const RequestPrefix& prefix, Bytes bytes) {
  const std::int16_t version = prefix.version.value();
  const auto within_frame =
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), prefix.total));
  Cursor cursor(bytes.first(within_frame), kRequestPrefix);
  cursor.read_string();  // client id: never compact
  if (version >= kFirstFlexibleProduce) {
    cursor.skip_tags(kMaxHeaderTags);
    cursor.read_compact_string();
  } else if (version >= kFirstProduceWithTransactionalId) {
    cursor.read_string();
  }
  const auto acks = cursor.read<std::int16_t>();
  if (!cursor.failed()) {
    return {.state = AcksLookup::State::kFound, .acks = acks};
  }
  if (cursor.needed() == 0 || cursor.needed() > prefix.total ||
      cursor.needed() > kMaxRequestPrefix) {
    return {.state = AcksLookup::State::kMalformed};
  }
  return {.state = AcksLookup::State::kNeedMore, .needed = cursor.needed()};
}

}  // namespace grete::gateway

#include "sdk/cpp/stream/frame_head.h"

#include "kafka/messages/produce_request.h"

namespace grete::sdk {
namespace {

// Walks over fields, as far as there are bytes.
class Walk {
 public:
  explicit Walk(Bytes bytes) : bytes_(bytes) {}

  void skip(std::size_t count) {
    if (!good_ || count > bytes_.size()) {
      good_ = false;
      return;
    }
    bytes_ = bytes_.subspan(count);
  }
  std::int16_t read_int16() {
    if (!good_ || bytes_.size() < 2) {
      good_ = false;
      return 0;
    }
    const auto value = load_big<std::int16_t>(bytes_.data());
    skip(2);
    return value;
  }
  std::uint32_t read_varint() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      if (!good_ || bytes_.empty()) {
        break;
      }
      const auto byte = std::to_integer<std::uint32_t>(bytes_.front());
      skip(1);
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    good_ = false;
    return 0;
  }
  void skip_string() {
    const std::int16_t size = read_int16();
    skip(size > 0 ? static_cast<std::size_t>(size) : 0);
  }
  void skip_compact_string() {
    const std::uint32_t size = read_varint();
    skip(size > 0 ? size - 1 : 0);
  }
  void skip_tags() {
    for (std::uint32_t left = read_varint(); good_ && left > 0; --left) {
      read_varint();
      skip(read_varint());
    }
  }
  [[nodiscard]] bool good() const { return good_; }

 private:
  Bytes bytes_;
  bool good_ = true;
};

}  // namespace

RequestHead read_request_head(Bytes frame) {
  return {kafka::ApiKey(load_big<std::int16_t>(frame.data() + 4)),
          kafka::ApiVersion(load_big<std::int16_t>(frame.data() + 6)),
          load_big<std::int32_t>(frame.data() + 8)};
}

std::optional<std::int16_t> read_acks(Bytes prefix, kafka::ApiVersion version) {
  const bool flexible = version >= kafka::ProduceRequest::kFirstFlexible;
  Walk walk(prefix);
  walk.skip(kRequestHeadBytes);
  walk.skip_string();
  if (flexible) {
    walk.skip_tags();
    walk.skip_compact_string();
  } else if (version >= kafka::ApiVersion(3)) {
    walk.skip_string();
  }
  const std::int16_t acks = walk.read_int16();
  return walk.good() ? std::optional(acks) : std::nullopt;
}

}  // namespace grete::sdk

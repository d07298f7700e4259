// Bounds-checked reading of the few fields that are looked at without decoding a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace grete::gateway {

// Reads forward over borrowed bytes. A read beyond the end fails the cursor for good, returns
// zeroes, and leaves missing() with the number of bytes from the start that would have been needed.
class Cursor {
 public:
  explicit Cursor(Bytes bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool failed() const { return needed_ != 0 || malformed_; }
  // Whether the bytes can be right if more of them come: how many in all. 0 if they cannot.
  [[nodiscard]] std::size_t needed() const { return malformed_ ? 0 : needed_; }

  template <std::integral T>
  T read() {
    if (!has(sizeof(T))) {
      return 0;
    }
    const T value = load_big<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }

  std::uint32_t read_uvarint() {
    std::uint32_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const auto byte = std::to_integer<std::uint32_t>(std::byte{read<std::uint8_t>()});
      if (failed()) {
        return 0;
      }
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) {
        return value;
      }
    }
    malformed_ = true;
    return 0;
  }

  // A string with an int16 length, -1 for null (which reads as empty).
  std::string_view read_string() {
    const auto length = read<std::int16_t>();
    if (length < -1) {
      malformed_ = true;
    }
    return length <= 0 ? std::string_view{} : read_text(static_cast<std::size_t>(length));
  }

  // A string with a varint length of one more; 0 for null (which reads as empty).
  std::string_view read_compact_string() {
    const std::uint32_t length = read_uvarint();
    return length <= 1 ? std::string_view{} : read_text(length - 1);
  }

  std::string_view read_text(std::size_t size) {
    if (!has(size)) {
      return {};
    }
    const Bytes text = bytes_.subspan(at_, size);
    at_ += size;
    return as_text(text);
  }

  // A section of tagged fields (KIP-482), of which there are at most `most`.
  void skip_tags(std::uint32_t most) {
    const std::uint32_t count = read_uvarint();
    if (count > most) {
      malformed_ = true;
    }
    for (std::uint32_t i = 0; i < count && !failed(); ++i) {
      read_uvarint();
      read_text(read_uvarint());
    }
  }

 private:
  bool has(std::size_t size) {
    if (failed()) {
      return false;
    }
    if (size > bytes_.size() || at_ > bytes_.size() - size) {
      needed_ = at_ + size;
      return false;
    }
    return true;
  }

  Bytes bytes_;
  std::size_t at_;
  std::size_t needed_ = 0;
  bool malformed_ = false;
};

}  // namespace grete::gateway

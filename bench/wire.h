// Writes and reads the few Kafka structures that the bench programs need. Independent of kafka/ on
// purpose: what measures the gateway does not share its codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace grete::bench {

// Appends big-endian integers, varints and strings.
class Writer {
 public:
  void i8(int value) { out_.push_back(static_cast<char>(value)); }
  void i16(int value) { big(static_cast<std::uint16_t>(value), 2); }
  void i32(std::int64_t value) { big(static_cast<std::uint32_t>(value), 4); }
  void i64(std::int64_t value) { big(static_cast<std::uint64_t>(value), 8); }
  void uvarint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      i8(static_cast<int>(value & 0x7f) | 0x80);
    }
    i8(static_cast<int>(value));
  }
  void varint(std::int64_t value) {
    uvarint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void raw(std::string_view bytes) { out_.append(bytes); }
  // A string: int16 length, or uvarint length + 1 in flexible versions.
  void string(std::string_view text, bool flexible) {
    flexible ? uvarint(text.size() + 1) : i16(static_cast<int>(text.size()));
    raw(text);
  }
  void null_string(bool flexible) { flexible ? uvarint(0) : i16(-1); }
  // The length of an array, or of bytes.
  void length(std::size_t count, bool flexible) {
    flexible ? uvarint(count + 1) : i32(static_cast<std::int64_t>(count));
  }
  // The empty section of tagged fields that ends every structure of a flexible version.
  void tags(bool flexible) {
    if (flexible) {
      i8(0);
    }
  }
  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void big(std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      out_.push_back(static_cast<char>(value >> shift));
    }
  }

  std::string out_;
};

// Reads what Writer writes. Past the end it returns zeros and ok() is false from then on.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  int i8() { return static_cast<std::int8_t>(big(1)); }
  int i16() { return static_cast<std::int16_t>(big(2)); }
  std::int32_t i32() { return static_cast<std::int32_t>(big(4)); }
  std::int64_t i64() { return static_cast<std::int64_t>(big(8)); }
  std::uint64_t uvarint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 63 && ok_; shift += 7) {
      const std::uint64_t byte = big(1);
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) {
        return value;
      }
    }
    ok_ = false;
    return 0;
  }
  std::string_view raw(std::uint64_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  // Of a flexible version; null reads as empty.
  std::string_view string() {
    const std::uint64_t length = uvarint();
    return length == 0 ? std::string_view() : raw(length - 1);
  }
  // The number of items of an array of a flexible version, at most as many as bytes are left.
  std::size_t length() {
    const std::uint64_t length = uvarint();
    if (length > rest_.size() + 1) {
      ok_ = false;
    }
    return length == 0 || !ok_ ? 0 : length - 1;
  }
  void tags() {
    for (std::uint64_t left = uvarint(); left > 0 && ok_; --left) {
      uvarint();
      raw(uvarint());
    }
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::uint64_t big(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char byte : raw(bytes)) {
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace grete::bench

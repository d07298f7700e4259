// Borrowed bytes, and integers in network and in wasm byte order.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace grete {

// Bytes that somebody else owns.
using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads an integer in big-endian (Kafka's) order; `from` holds at least sizeof(T) bytes.
template <std::integral T>
T load_big(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little) {
    value = std::byteswap(value);
  }
  return value;
}

template <std::integral T>
void store_big(std::byte* to, T value) {
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little) {
    value = std::byteswap(value);
  }
  std::memcpy(to, &value, sizeof value);
}

// Reads an integer in little-endian (WebAssembly's) order; `from` holds at least sizeof(T) bytes.
template <std::integral T>
T load_little(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::big) {
    value = std::byteswap(value);
  }
  return value;
}

template <std::integral T>
void store_little(std::byte* to, T value) {
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::big) {
    value = std::byteswap(value);
  }
  std::memcpy(to, &value, sizeof value);
}

}  // namespace grete

// What the fields of generated messages are made of, beside integers.
//
// Every type here borrows and is trivially destructible: strings and bytes point into the buffer
// that was decoded (or into an arena), arrays and optional structs into the message's arena.
//
// Null: a `string_view`, `Bytes` or record span whose data() is a null pointer is null where the
// field is nullable in the version at hand. Elsewhere it counts as empty if the field is never
// nullable, and is an encode error if it is nullable in other versions only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/bytes.h"

namespace grete::kafka {

// 16 bytes in wire order. Kafka prints them as 22 characters of URL-safe base64.
struct Uuid {
  std::array<std::byte, 16> bytes{};

  friend bool operator==(const Uuid&, const Uuid&) = default;
};

// Assign it to a NullableArray.
struct Null {};
inline constexpr Null kNull;

inline constexpr std::string_view kNullString{};
inline constexpr Bytes kNullBytes{};
// Not null: its data() points somewhere.
inline constexpr std::byte kNothing{};
inline constexpr Bytes kEmptyBytes{&kNothing, 0};

inline bool is_null(std::string_view text) {
  return text.data() == nullptr;
}
inline bool is_null(Bytes bytes) {
  return bytes.data() == nullptr;
}

// An array that Kafka lets be null in some version. Null and empty differ: a Metadata request for a
// null array of topics asks for all of them.
template <class T>
struct NullableArray {
  T* items = nullptr;
  std::uint32_t count = 0;
  bool null = false;

  NullableArray() = default;
  NullableArray(Array<T> array) : items(array.items), count(array.count) {}  // NOLINT: implicit
  NullableArray(Null) : null(true) {}                                        // NOLINT: implicit

  [[nodiscard]] bool is_null() const { return null; }
  [[nodiscard]] std::uint32_t size() const { return count; }
  [[nodiscard]] bool empty() const { return count == 0; }
  [[nodiscard]] T* begin() { return items; }
  [[nodiscard]] T* end() { return items + count; }
  [[nodiscard]] const T* begin() const { return items; }
  [[nodiscard]] const T* end() const { return items + count; }
  [[nodiscard]] T& operator[](std::uint32_t index) { return items[index]; }
  [[nodiscard]] const T& operator[](std::uint32_t index) const { return items[index]; }
};

// A tagged field (KIP-482) that this build has no name for. Kept by decoding and written again by
// encoding, since a peer may be newer than we are. A list in ascending order of tags.
struct UnknownTag {
  const UnknownTag* next = nullptr;
  std::uint32_t tag = 0;
  Bytes value;
};

}  // namespace grete::kafka

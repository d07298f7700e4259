// What generated decoders are made of. Included by generated sources only.
//
// A decoder passes its position from step to step by value, so that it stays in a register; null
// says that something failed and that the reader holds the error. Integers are read in line;
// everything with a length is a call.
#pragma once

#include <concepts>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/strong.h"
#include "kafka/wire/reader.h"
#include "kafka/wire/reflection.h"
#include "kafka/wire/types.h"

namespace grete::kafka::wire {

// How a length-prefixed field looks in the version at hand.
inline constexpr unsigned kFlexible = 1;     // lengths are unsigned varints, plus one
inline constexpr unsigned kNullable = 2;     // null is allowed
inline constexpr unsigned kNullIsEmpty = 4;  // encoding: a null view stands for an empty one

template <class T>
void construct(void* memory) {
  new (memory) T{};
}

// --- integers ---

template <std::integral T>
  requires(!std::same_as<T, bool>)
[[gnu::always_inline]] inline bool get(Reader& r, Reader::Cursor& p, T& out) {
  if (r.end() - p < static_cast<std::ptrdiff_t>(sizeof(T))) [[unlikely]] {
    r.fail(DecodeErrorCode::kTruncated, p);
    return false;
  }
  out = load_big<T>(p);
  p += sizeof(T);
  return true;
}

[[gnu::always_inline]] inline bool get(Reader& r, Reader::Cursor& p, bool& out) {
  std::uint8_t byte = 0;
  if (!get(r, p, byte)) {
    return false;
  }
  out = byte != 0;
  return true;
}

[[gnu::always_inline]] inline bool get(Reader& r, Reader::Cursor& p, double& out) {
  std::uint64_t bits = 0;
  if (!get(r, p, bits)) {
    return false;
  }
  out = std::bit_cast<double>(bits);
  return true;
}

template <class Tag, class Value>
[[gnu::always_inline]] inline bool get(Reader& r, Reader::Cursor& p, Strong<Tag, Value>& out) {
  Value value{};
  if (!get(r, p, value)) {
    return false;
  }
  out = Strong<Tag, Value>(value);
  return true;
}

[[gnu::always_inline]] inline bool get(Reader& r, Reader::Cursor& p, Uuid& out) {
  if (r.end() - p < 16) [[unlikely]] {
    r.fail(DecodeErrorCode::kTruncated, p);
    return false;
  }
  std::memcpy(out.bytes.data(), p, 16);
  p += 16;
  return true;
}

// --- lengths, strings, bytes ---

struct Varint {
  Reader::Cursor next;  // null if it failed
  std::uint32_t value;
};

// A count of an array's elements, checked against the bytes that are left; negative for null.
struct Count {
  Reader::Cursor next;
  std::int64_t value;
};

Varint get_varint_slow(Reader& r, Reader::Cursor p);

[[gnu::always_inline]] inline Varint get_varint(Reader& r, Reader::Cursor p) {
  if (p < r.end() && static_cast<std::uint8_t>(*p) < 0x80) [[likely]] {
    return {p + 1, static_cast<std::uint8_t>(*p)};
  }
  return get_varint_slow(r, p);
}

Reader::Cursor get_string(Reader& r, Reader::Cursor p, unsigned flags, std::string_view& out);
Reader::Cursor get_bytes(Reader& r, Reader::Cursor p, unsigned flags, Bytes& out);

// `least` is the least number of bytes that an element takes.
Count get_count(Reader& r, Reader::Cursor p, unsigned flags, std::uint32_t least);

// --- arrays ---

// Uninitialised memory for `count` elements, or null with the error noted.
template <class T>
T* allocate(Reader& r, Reader::Cursor at, std::int64_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  const std::uint64_t size = static_cast<std::uint64_t>(count) * sizeof(T);
  void* memory =
      size > SIZE_MAX ? nullptr : r.arena().allocate(static_cast<std::size_t>(size), alignof(T));
  if (memory == nullptr) [[unlikely]] {
    r.fail(DecodeErrorCode::kOutOfMemory, at);
  }
  return static_cast<T*>(memory);
}

template <class Container>
void set_empty(Container& out, std::int64_t count) {
  out = Container{};
  if constexpr (requires { out.null; }) {
    out.null = count < 0;
  }
}

template <class Container, class T>
void set_items(Container& out, T* items, std::int64_t count) {
  out = Container{};
  out.items = items;
  out.count = static_cast<std::uint32_t>(count);
}

template <class Container>
using ElementOf = std::remove_pointer_t<decltype(Container::items)>;

// Copies `count` integers of T's size to `to`, in this machine's byte order.
template <class T>
void load_array(Reader::Cursor p, T* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if constexpr (std::same_as<T, Uuid>) {
      std::memcpy(to[i].bytes.data(), p + i * 16, 16);
    } else if constexpr (std::same_as<T, bool>) {
      to[i] = p[i] != std::byte{0};
    } else if constexpr (std::same_as<T, double>) {
      to[i] = std::bit_cast<double>(load_big<std::uint64_t>(p + i * 8));
    } else {
      to[i] = load_big<T>(p + i * static_cast<std::int64_t>(sizeof(T)));
    }
  }
}

template <class Container>
Reader::Cursor get_fixed_array(Reader& r, Reader::Cursor p, unsigned flags, Container& out) {
  using T = ElementOf<Container>;
  const Count count = get_count(r, p, flags, sizeof(T));
  if (count.next == nullptr || count.value <= 0) {
    set_empty(out, count.value);
    return count.next;
  }
  T* items = allocate<T>(r, p, count.value);
  if (items == nullptr) [[unlikely]] {
    return nullptr;
  }
  load_array(count.next, items, count.value);
  set_items(out, items, count.value);
  return count.next + count.value * static_cast<std::int64_t>(sizeof(T));
}

// An array of strings or of bytes. Its elements are never null.
template <class Container>
Reader::Cursor get_views(Reader& r, Reader::Cursor p, unsigned flags, Container& out) {
  using T = ElementOf<Container>;
  constexpr bool kStrings = std::same_as<T, std::string_view>;
  const unsigned element_flags = flags & kFlexible;
  const std::uint32_t least = element_flags != 0 ? 1 : (kStrings ? 2 : 4);
  const Count count = get_count(r, p, flags, least);
  if (count.next == nullptr || count.value <= 0) {
    set_empty(out, count.value);
    return count.next;
  }
  T* items = allocate<T>(r, p, count.value);
  if (items == nullptr) [[unlikely]] {
    return nullptr;
  }
  p = count.next;
  for (std::int64_t i = 0; i < count.value; ++i) {
    T* item = new (items + i) T{};
    if constexpr (kStrings) {
      p = get_string(r, p, element_flags, *item);
    } else {
      p = get_bytes(r, p, element_flags, *item);
    }
    if (p == nullptr) [[unlikely]] {
      r.note_index(i);
      return nullptr;
    }
  }
  set_items(out, items, count.value);
  return p;
}

template <auto kDecode, class Container>
Reader::Cursor get_structs(Reader& r, Reader::Cursor p, int v, unsigned flags, std::uint32_t least,
                           Container& out) {
  using T = ElementOf<Container>;
  const Count count = get_count(r, p, flags, least);
  if (count.next == nullptr || count.value <= 0) {
    set_empty(out, count.value);
    return count.next;
  }
  T* items = allocate<T>(r, p, count.value);
  if (items == nullptr) [[unlikely]] {
    return nullptr;
  }
  p = count.next;
  for (std::int64_t i = 0; i < count.value; ++i) {
    T* item = new (items + i) T{};
    p = kDecode(r, p, v, *item);
    if (p == nullptr) [[unlikely]] {
      r.note_index(i);
      return nullptr;
    }
  }
  set_items(out, items, count.value);
  return p;
}

// A struct behind a marker: -1 for null, 1 for a value.
template <auto kDecode, class T>
Reader::Cursor get_optional(Reader& r, Reader::Cursor p, int v, unsigned flags, T*& out) {
  std::int8_t marker = 0;
  const Reader::Cursor start = p;
  if (!get(r, p, marker)) [[unlikely]] {
    return nullptr;
  }
  if (marker == -1 && (flags & kNullable) != 0) {
    out = nullptr;
    return p;
  }
  if (marker != 1) [[unlikely]] {
    return r.fail(
        marker == -1 ? DecodeErrorCode::kUnexpectedNull : DecodeErrorCode::kBadStructMarker, start);
  }
  T* item = allocate<T>(r, start, 1);
  if (item == nullptr) [[unlikely]] {
    return nullptr;
  }
  out = new (item) T{};
  return kDecode(r, p, v, *item);
}

// --- tagged fields ---

// Decodes the value of `tag` at `p`; returns `p` itself if this version has no such tag.
using TagDecoder = Reader::Cursor (*)(Reader& r, Reader::Cursor p, int v, std::uint32_t tag,
                                      void* message);

Reader::Cursor get_tags_slow(Reader& r, Reader::Cursor p, int v, TagDecoder decode, void* message,
                             const UnknownTag*& unknown);

// The section of tagged fields that closes a struct. `decode` is null if it has no known ones.
[[gnu::always_inline]] inline Reader::Cursor get_tags(Reader& r, Reader::Cursor p, int v,
                                                      TagDecoder decode, void* message,
                                                      const UnknownTag*& unknown) {
  if (p < r.end() && *p == std::byte{0}) [[likely]] {
    return p + 1;
  }
  return get_tags_slow(r, p, v, decode, message, unknown);
}

// --- whole messages ---

template <auto kDecode, class M>
Result<void, DecodeError> decode_message(Reader& reader, ApiVersion version, M& message,
                                         const char* name) {
  message = M{};
  Reader::Cursor p = nullptr;
  if (version < M::kMinVersion || version > M::kMaxVersion) {
    reader.fail(DecodeErrorCode::kUnsupportedVersion, reader.position());
  } else {
    p = kDecode(reader, reader.position(), version.value(), message);
  }
  if (p == nullptr) [[unlikely]] {
    return unexpected(reader.take_error(name));
  }
  reader.advance_to(p);
  return {};
}

template <class M>
Result<void, DecodeError> decode_erased(Reader& reader, ApiVersion version, void* message) {
  return decode(reader, version, *static_cast<M*>(message));
}

}  // namespace grete::kafka::wire

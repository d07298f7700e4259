// What generated encoders are made of. Included by generated sources only.
//
// Like decoders, encoders pass their position by value. Each struct makes sure once of the room for
// all its integers; whatever has a length makes sure of its own room and of that for the integers
// that follow it (`following`), so that integers are stored without a check.
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/strong.h"
#include "kafka/wire/decode.h"
#include "kafka/wire/reflection.h"
#include "kafka/wire/types.h"
#include "kafka/wire/writer.h"

namespace grete::kafka::wire {

// An unsigned varint of 32 bits takes at most so many bytes.
inline constexpr std::size_t kMaxVarint = 5;

// --- integers; there is room ---

template <std::integral T>
[[gnu::always_inline]] inline Writer::Cursor put(Writer::Cursor p, T value) {
  if constexpr (std::same_as<T, bool>) {
    *p = std::byte{value};
  } else {
    store_big(p, value);
  }
  return p + sizeof(T);
}

[[gnu::always_inline]] inline Writer::Cursor put(Writer::Cursor p, double value) {
  return put(p, std::bit_cast<std::uint64_t>(value));
}

template <class Tag, class Value>
[[gnu::always_inline]] inline Writer::Cursor put(Writer::Cursor p, Strong<Tag, Value> value) {
  return put(p, value.value());
}

[[gnu::always_inline]] inline Writer::Cursor put(Writer::Cursor p, const Uuid& value) {
  std::memcpy(p, value.bytes.data(), 16);
  return p + 16;
}

[[gnu::always_inline]] inline Writer::Cursor put_varint(Writer::Cursor p, std::uint32_t value) {
  while (value >= 0x80) {
    *p++ = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  *p++ = static_cast<std::byte>(value);
  return p;
}

constexpr std::uint32_t varint_size(std::uint32_t value) {
  return (static_cast<std::uint32_t>(std::bit_width(value | 1)) * 9 + 64) / 64;
}

// --- strings, bytes ---

Writer::Cursor put_string(Writer& w, Writer::Cursor p, unsigned flags, std::string_view value,
                          std::size_t following);
Writer::Cursor put_bytes(Writer& w, Writer::Cursor p, unsigned flags, Bytes value,
                         std::size_t following);

// --- arrays ---

Writer::Cursor put_count_slow(Writer& w, Writer::Cursor p, unsigned flags, std::uint32_t count,
                              bool null, std::uint64_t room);

// An array's count, with `room` bytes after it. `null` marks a null array.
[[gnu::always_inline]] inline Writer::Cursor put_count(Writer& w, Writer::Cursor p, unsigned flags,
                                                       std::uint32_t count, bool null,
                                                       std::uint64_t room) {
  if ((flags & kFlexible) != 0 && !null && count < 0x7f && w.room(p) > room) [[likely]] {
    *p = static_cast<std::byte>(count + 1);
    return p + 1;
  }
  return put_count_slow(w, p, flags, count, null, room);
}

template <class Container>
bool is_null_array(const Container& array) {
  if constexpr (requires { array.null; }) {
    return array.null;
  } else {
    return false;
  }
}

template <class Container>
Writer::Cursor put_fixed_array(Writer& w, Writer::Cursor p, unsigned flags, const Container& array,
                               std::size_t following) {
  using T = ElementOf<Container>;
  p = put_count(w, p, flags, array.count, is_null_array(array),
                std::uint64_t{array.count} * sizeof(T) + following);
  if (p == nullptr) [[unlikely]] {
    return nullptr;
  }
  for (std::uint32_t i = 0; i < array.count; ++i) {
    p = put(p, array.items[i]);
  }
  return p;
}

template <class Container>
Writer::Cursor put_views(Writer& w, Writer::Cursor p, unsigned flags, const Container& array,
                         std::size_t following) {
  p = put_count(w, p, flags, array.count, is_null_array(array), following);
  const unsigned element_flags = (flags & kFlexible) | kNullIsEmpty;
  for (std::uint32_t i = 0; p != nullptr && i < array.count; ++i) {
    if constexpr (std::same_as<ElementOf<Container>, std::string_view>) {
      p = put_string(w, p, element_flags, array.items[i], following);
    } else {
      p = put_bytes(w, p, element_flags, array.items[i], following);
    }
    if (p == nullptr) [[unlikely]] {
      w.note_index(i);
    }
  }
  return p;
}

template <auto kEncode, class Container>
Writer::Cursor put_structs(Writer& w, Writer::Cursor p, int v, unsigned flags,
                           const Container& array, std::size_t following) {
  p = put_count(w, p, flags, array.count, is_null_array(array), following);
  if (p == nullptr) [[unlikely]] {
    return nullptr;
  }
  for (std::uint32_t i = 0; i < array.count; ++i) {
    p = kEncode(w, p, v, array.items[i]);
    if (p == nullptr) [[unlikely]] {
      w.note_index(i);
      return nullptr;
    }
  }
  p = w.ensure(p, following);
  return p;
}

// --- structs ---

template <auto kEncode, class T>
Writer::Cursor put_struct(Writer& w, Writer::Cursor p, int v, const T& value,
                          std::size_t following) {
  p = kEncode(w, p, v, value);
  return p == nullptr ? nullptr : w.ensure(p, following);
}

template <auto kEncode, class T>
Writer::Cursor put_optional(Writer& w, Writer::Cursor p, int v, unsigned flags, const T* value,
                            std::size_t following) {
  p = w.ensure(p, 1);
  if (p == nullptr) [[unlikely]] {
    return nullptr;
  }
  if (value == nullptr) {
    if ((flags & kNullable) == 0) [[unlikely]] {
      return w.fail(EncodeErrorCode::kNullNotAllowed);
    }
    return w.ensure(put(p, std::int8_t{-1}), following);
  }
  return put_struct<kEncode>(w, put(p, std::int8_t{1}), v, *value, following);
}

// --- tagged fields ---

// The section of tagged fields of a struct none of whose known ones is written.
Writer::Cursor put_unknown_tags_slow(Writer& w, Writer::Cursor p, const UnknownTag* unknown);

// There is room for a byte.
[[gnu::always_inline]] inline Writer::Cursor put_unknown_tags(Writer& w, Writer::Cursor p,
                                                              const UnknownTag* unknown) {
  if (unknown == nullptr) [[likely]] {
    *p = std::byte{0};
    return p + 1;
  }
  return put_unknown_tags_slow(w, p, unknown);
}

// Writes known and unknown tagged fields in one ascending order.
class TagWriter {
 public:
  explicit TagWriter(const UnknownTag* unknown) : next_(unknown) {}

  Writer::Cursor begin(Writer& w, Writer::Cursor p, std::uint32_t known);
  // The unknown fields before `field`, then its tag and size, with room for any integer after.
  Writer::Cursor known(Writer& w, Writer::Cursor p, int v, const FieldInfo& field,
                       const void* message);
  // The rest of the unknown ones.
  Writer::Cursor end(Writer& w, Writer::Cursor p);

 private:
  Writer::Cursor below(Writer& w, Writer::Cursor p, std::int64_t tag);

  const UnknownTag* next_;
  std::int64_t previous_ = -1;
};

[[gnu::cold]] Writer::Cursor not_in_version(Writer& w, const StructInfo& type, unsigned field);
[[gnu::cold]] Writer::Cursor no_tags_in_version(Writer& w);

// The bytes that a field's value takes, without tag and size.
std::uint64_t field_size(const FieldInfo& field, int v, const void* message);

// --- whole messages ---

template <auto kEncode, class M>
Result<void, EncodeError> encode_message(Writer& writer, ApiVersion version, const M& message,
                                         const char* name) {
  Writer::Cursor p = writer.ensure(writer.position(), 1);
  if (version < M::kMinVersion || version > M::kMaxVersion) {
    p = writer.fail(EncodeErrorCode::kUnsupportedVersion);
  } else if (p != nullptr) {
    p = kEncode(writer, p, version.value(), message);
  }
  if (p == nullptr) [[unlikely]] {
    return unexpected(writer.take_error(name));
  }
  writer.set_position(p);
  return {};
}

template <class M>
Result<void, EncodeError> encode_erased(Writer& writer, ApiVersion version, const void* message) {
  return encode(writer, version, *static_cast<const M*>(message));
}

}  // namespace grete::kafka::wire

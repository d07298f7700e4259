// Reading fields of any message through its reflection table.
#pragma once

#include <cstddef>
#include <cstring>

#include "kafka/wire/reflection.h"

namespace grete::kafka::wire {

// The object of type T at `memory`, copied out.
template <class T>
T value_at(const void* memory) {
  T value;
  std::memcpy(static_cast<void*>(&value), memory, sizeof value);  // NOLINT: T may be a pointer
  return value;
}

inline const void* field_at(const FieldInfo& field, const void* message) {
  return static_cast<const std::byte*>(message) + field.offset;
}
inline void* field_at(const FieldInfo& field, void* message) {
  return static_cast<std::byte*>(message) + field.offset;
}

// Bytes on the wire of an integer, bool, float or uuid.
constexpr std::size_t scalar_size(FieldKind kind) {
  switch (kind) {
    case FieldKind::kBool:
    case FieldKind::kInt8:
      return 1;
    case FieldKind::kInt16:
    case FieldKind::kUint16:
      return 2;
    case FieldKind::kInt32:
    case FieldKind::kUint32:
      return 4;
    case FieldKind::kInt64:
    case FieldKind::kFloat64:
      return 8;
    case FieldKind::kUuid:
      return 16;
    default:
      return 0;
  }
}

// The distance between two elements of an array field in memory.
inline std::size_t element_stride(const FieldInfo& field) {
  switch (field.kind) {
    case FieldKind::kString:
      return sizeof(std::string_view);
    case FieldKind::kBytes:
    case FieldKind::kRecords:
      return sizeof(Bytes);
    case FieldKind::kStruct:
      return field.type->size;
    default:
      return scalar_size(field.kind);
  }
}

// Whether the field is held behind a pointer, and not in its struct.
inline bool is_optional(const FieldInfo& field) {
  return field.kind == FieldKind::kStruct && !field.array && !field.nullable.empty();
}

// An integer or bool, widened. A float's bits.
std::int64_t integer_at(FieldKind kind, const void* value);

// The first unknown tagged field, or null.
const UnknownTag* unknown_tags(const StructInfo& type, const void* message);

// Whether the value at `value` (the field's own place) is null.
bool is_null(const FieldInfo& field, const void* value);

// Whether the field of `message` has its default value.
bool is_default(const FieldInfo& field, const void* message);

// The struct that a kStruct field (not an array) holds at `value`: there, or behind the pointer.
inline const void* struct_at(const FieldInfo& field, const void* value) {
  return is_optional(field) ? value_at<const void*>(value) : value;
}

}  // namespace grete::kafka::wire

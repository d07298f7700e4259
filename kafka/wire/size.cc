// How many bytes a value will take, by walking the reflection tables. Decoders and encoders do not
// need it but for tagged fields, whose size stands before their value.
#include "kafka/wire/encode.h"
#include "kafka/wire/reflection.h"
#include "kafka/wire/value.h"

namespace grete::kafka {

namespace wire {
namespace {

std::uint64_t struct_size(const StructInfo& type, int v, const void* value);

std::uint64_t prefix_size(std::uint64_t length, bool flexible, std::uint64_t fixed) {
  return flexible ? varint_size(static_cast<std::uint32_t>(length + 1)) : fixed;
}

std::uint64_t element_size(const FieldInfo& field, int v, bool flexible, const void* value) {
  switch (field.kind) {
    case FieldKind::kString: {
      const std::uint64_t size = value_at<std::string_view>(value).size();
      return size + prefix_size(size, flexible, 2);
    }
    case FieldKind::kBytes:
    case FieldKind::kRecords: {
      const std::uint64_t size = value_at<Bytes>(value).size();
      return size + prefix_size(size, flexible, 4);
    }
    case FieldKind::kStruct:
      return struct_size(*field.type, v, value);
    default:
      return scalar_size(field.kind);
  }
}

std::uint64_t tag_section_size(const StructInfo& type, int v, const void* value) {
  std::uint64_t size = 0;
  std::uint32_t count = 0;
  for (const FieldInfo& field : type.fields) {
    if (field.tagged.contains(v) && !is_default(field, value)) {
      const std::uint64_t own = field_size(field, v, value);
      size += varint_size(static_cast<std::uint32_t>(field.tag)) +
              varint_size(static_cast<std::uint32_t>(own)) + own;
      ++count;
    }
  }
  for (const UnknownTag* tag = unknown_tags(type, value); tag != nullptr; tag = tag->next) {
    size += varint_size(tag->tag) + varint_size(static_cast<std::uint32_t>(tag->value.size())) +
            tag->value.size();
    ++count;
  }
  return size + varint_size(count);
}

std::uint64_t struct_size(const StructInfo& type, int v, const void* value) {
  std::uint64_t size = type.flexible.contains(v) ? tag_section_size(type, v, value) : 0;
  for (const FieldInfo& field : type.fields) {
    if (field.versions.contains(v) && !field.tagged.contains(v)) {
      size += field_size(field, v, value);
    }
  }
  return size;
}

}  // namespace

std::uint64_t field_size(const FieldInfo& field, int v, const void* message) {
  const bool flexible = field.flexible.contains(v);
  const void* value = field_at(field, message);
  if (is_null(field, value)) {
    // A null view of a field that is never null is an empty one, of the same size.
    if (!field.array && field.kind == FieldKind::kStruct) {
      return 1;
    }
    return flexible ? 1 : !field.array && field.kind == FieldKind::kString ? 2 : 4;
  }
  if (!field.array) {
    if (field.kind != FieldKind::kStruct) {
      return element_size(field, v, flexible, value);
    }
    return (is_optional(field) ? 1 : 0) + struct_size(*field.type, v, struct_at(field, value));
  }
  const ErasedArray array = value_at<ErasedArray>(value);
  std::uint64_t size = prefix_size(array.count, flexible, 4);
  const std::size_t stride = element_stride(field);
  for (std::uint32_t i = 0; i < array.count; ++i) {
    size +=
        element_size(field, v, flexible, static_cast<const std::byte*>(array.items) + i * stride);
  }
  return size;
}

}  // namespace wire

std::uint64_t encoded_size(const StructInfo& type, ApiVersion version, const void* message) {
  return wire::struct_size(type, version.value(), message);
}

}  // namespace grete::kafka

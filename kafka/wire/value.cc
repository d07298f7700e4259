#include "kafka/wire/value.h"

namespace grete::kafka::wire {

namespace {

bool is_default_struct(const StructInfo& type, const void* value) {
  if (unknown_tags(type, value) != nullptr) {
    return false;
  }
  for (const FieldInfo& field : type.fields) {
    if (!is_default(field, value)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::int64_t integer_at(FieldKind kind, const void* value) {
  switch (kind) {
    case FieldKind::kBool:
      return value_at<std::uint8_t>(value) != 0 ? 1 : 0;
    case FieldKind::kInt8:
      return value_at<std::int8_t>(value);
    case FieldKind::kInt16:
      return value_at<std::int16_t>(value);
    case FieldKind::kUint16:
      return value_at<std::uint16_t>(value);
    case FieldKind::kInt32:
      return value_at<std::int32_t>(value);
    case FieldKind::kUint32:
      return value_at<std::uint32_t>(value);
    case FieldKind::kInt64:
    case FieldKind::kFloat64:
      return value_at<std::int64_t>(value);
    default:
      return 0;
  }
}

const UnknownTag* unknown_tags(const StructInfo& type, const void* message) {
  if (type.unknown_tags == StructInfo::kNoUnknownTags) {
    return nullptr;
  }
  return value_at<const UnknownTag*>(static_cast<const std::byte*>(message) + type.unknown_tags);
}

bool is_null(const FieldInfo& field, const void* value) {
  if (field.array) {
    return !field.nullable.empty() && value_at<ErasedNullableArray>(value).null;
  }
  switch (field.kind) {
    case FieldKind::kString:
      return value_at<std::string_view>(value).data() == nullptr;
    case FieldKind::kBytes:
    case FieldKind::kRecords:
      return value_at<Bytes>(value).data() == nullptr;
    case FieldKind::kStruct:
      return is_optional(field) && value_at<const void*>(value) == nullptr;
    default:
      return false;
  }
}

bool is_default(const FieldInfo& field, const void* message) {
  const void* value = field_at(field, message);
  const bool never_null = field.nullable.empty();
  if (is_null(field, value) && !(never_null && !field.null_default)) {
    return field.null_default;
  }
  if (field.null_default) {
    return false;
  }
  if (field.array) {
    return value_at<ErasedArray>(value).count == 0;
  }
  switch (field.kind) {
    case FieldKind::kString:
      return value_at<std::string_view>(value) ==
             (field.string_default == nullptr ? "" : field.string_default);
    case FieldKind::kBytes:
    case FieldKind::kRecords:
      return value_at<Bytes>(value).empty();
    case FieldKind::kUuid:
      return value_at<Uuid>(value) == Uuid{};
    case FieldKind::kStruct:
      return !is_optional(field) && is_default_struct(*field.type, value);
    default:
      return integer_at(field.kind, value) == field.integer_default;
  }
}

}  // namespace grete::kafka::wire

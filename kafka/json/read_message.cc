#include "kafka/json/read_message.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "kafka/wire/value.h"

namespace grete::kafka::json {

namespace {

using Tree = nlohmann::json;

template <class T>
void store(void* to, const T& value) {
  std::memcpy(to, static_cast<const void*>(&value), sizeof value);
}

// The value of a base64 digit of either alphabet, or -1.
int sextet(char c) {
  return c >= 'A' && c <= 'Z'   ? c - 'A'
         : c >= 'a' && c <= 'z' ? c - 'a' + 26
         : c >= '0' && c <= '9' ? c - '0' + 52
         : c == '+' || c == '-' ? 62
         : c == '/' || c == '_' ? 63
                                : -1;
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  std::vector<std::byte> bytes;
  std::uint32_t pending = 0;
  int bits = 0;
  for (const char c : text) {
    const int digit = sextet(c);
    if (digit < 0) {
      return std::nullopt;
    }
    pending = (pending << 6) | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<std::byte>(pending >> bits));
    }
  }
  return bytes;
}

class TreeReader {
 public:
  TreeReader(int version, Arena& arena) : version_(version), arena_(arena) {}

  // Fills the default-constructed struct at `to`. False with error() set.
  bool read_struct(const Tree& tree, const StructInfo& type, void* to, const std::string& path) {
    if (!tree.is_object()) {
      return fail(path, "an object is expected");
    }
    std::size_t used = 0;
    for (const FieldInfo& field : type.fields) {
      const auto found = tree.find(field.name);
      const std::string where = path + "." + field.name;
      if (!field.versions.contains(version_)) {
        continue;
      }
      if (found == tree.end()) {
        if (!field.tagged.contains(version_)) {
          return fail(where, "is missing");
        }
        continue;
      }
      ++used;
      if (!read_field(*found, field, wire::field_at(field, to), where)) {
        return false;
      }
    }
    if (used == tree.size()) {
      return true;
    }
    for (const auto& [name, value] : tree.items()) {
      if (!has_field(type, name)) {
        return fail(path + "." + name, "this version has no such field");
      }
    }
    return true;
  }

  [[nodiscard]] const std::string& error() const { return error_; }

  bool fail(const std::string& path, const std::string& what) {
    error_ = path + ": " + what;
    return false;
  }

 private:
  bool has_field(const StructInfo& type, std::string_view name) const {
    for (const FieldInfo& field : type.fields) {
      if (field.name == name && field.versions.contains(version_)) {
        return true;
      }
    }
    return false;
  }

  bool read_field(const Tree& tree, const FieldInfo& field, void* to, const std::string& path) {
    if (tree.is_null()) {
      return field.nullable.contains(version_) ? store_null(field, to)
                                               : fail(path, "null, where this version allows none");
    }
    if (field.array) {
      return read_array(tree, field, to, path);
    }
    if (!wire::is_optional(field)) {
      return read_element(tree, field, to, path);
    }
    void* inner = allocate(field.type->size, field.type->alignment, path);
    if (inner == nullptr) {
      return false;
    }
    field.type->construct(inner);
    store(to, inner);
    return read_struct(tree, *field.type, inner, path);
  }

  static bool store_null(const FieldInfo& field, void* to) {
    if (field.array) {
      store(to, ErasedNullableArray{nullptr, 0, true});
    } else if (field.kind == FieldKind::kString) {
      store(to, kNullString);
    } else if (field.kind == FieldKind::kStruct) {
      store<void*>(to, nullptr);
    } else {
      store(to, kNullBytes);
    }
    return true;
  }

  bool read_array(const Tree& tree, const FieldInfo& field, void* to, const std::string& path) {
    if (!tree.is_array()) {
      return fail(path, "an array is expected");
    }
    const std::size_t stride = wire::element_stride(field);
    auto* items =
        static_cast<std::byte*>(allocate(stride * tree.size(), alignof(std::max_align_t), path));
    if (items == nullptr) {
      return false;
    }
    for (std::size_t i = 0; i < tree.size(); ++i) {
      if (field.kind == FieldKind::kStruct) {
        field.type->construct(items + i * stride);
      }
      if (!read_element(tree[i], field, items + i * stride, path + "[" + std::to_string(i) + "]")) {
        return false;
      }
    }
    const auto count = static_cast<std::uint32_t>(tree.size());
    if (field.nullable.empty()) {
      store(to, ErasedArray{items, count});
    } else {
      store(to, ErasedNullableArray{items, count, false});
    }
    return true;
  }

  bool read_element(const Tree& tree, const FieldInfo& field, void* to, const std::string& path) {
    switch (field.kind) {
      case FieldKind::kStruct:
        return read_struct(tree, *field.type, to, path);
      case FieldKind::kString:
        return read_string(tree, to, path);
      case FieldKind::kBytes:
      case FieldKind::kRecords:
      case FieldKind::kUuid:
        return read_bytes(tree, field.kind, to, path);
      case FieldKind::kBool:
        store(to, tree.is_boolean() && tree.get<bool>());
        return tree.is_boolean() || fail(path, "true or false is expected");
      case FieldKind::kFloat64:
        store(to, tree.is_number() ? tree.get<double>() : 0.0);
        return tree.is_number() || fail(path, "a number is expected");
      case FieldKind::kInt8:
        return read_integer<std::int8_t>(tree, to, path);
      case FieldKind::kInt16:
        return read_integer<std::int16_t>(tree, to, path);
      case FieldKind::kUint16:
        return read_integer<std::uint16_t>(tree, to, path);
      case FieldKind::kInt32:
        return read_integer<std::int32_t>(tree, to, path);
      case FieldKind::kUint32:
        return read_integer<std::uint32_t>(tree, to, path);
      case FieldKind::kInt64:
        return read_integer<std::int64_t>(tree, to, path);
    }
    return fail(path, "is of a kind that is not known");
  }

  template <class T>
  bool read_integer(const Tree& tree, void* to, const std::string& path) {
    using Limits = std::numeric_limits<T>;
    const bool fits = tree.is_number_integer() &&
                      !(tree.is_number_unsigned() && tree.get<std::uint64_t>() > INT64_MAX) &&
                      std::in_range<T>(tree.get<std::int64_t>());
    if (!fits) {
      return fail(path, "an integer from " + std::to_string(Limits::min()) + " to " +
                            std::to_string(Limits::max()) + " is expected");
    }
    store(to, static_cast<T>(tree.get<std::int64_t>()));
    return true;
  }

  bool read_string(const Tree& tree, void* to, const std::string& path) {
    if (!tree.is_string()) {
      return fail(path, "a string is expected");
    }
    const auto& text = tree.get_ref<const std::string&>();
    void* copy = allocate(text.size(), 1, path);
    if (copy == nullptr) {
      return false;
    }
    std::memcpy(copy, text.data(), text.size());
    store(to, std::string_view(static_cast<const char*>(copy), text.size()));
    return true;
  }

  bool read_bytes(const Tree& tree, FieldKind kind, void* to, const std::string& path) {
    const auto bytes =
        tree.is_string() ? from_base64(tree.get_ref<const std::string&>()) : std::nullopt;
    if (!bytes || (kind == FieldKind::kUuid && bytes->size() != sizeof(Uuid))) {
      return fail(path, kind == FieldKind::kUuid ? "a uuid of 22 characters is expected"
                                                 : "a string of base64 is expected");
    }
    if (kind == FieldKind::kUuid) {
      std::memcpy(to, bytes->data(), sizeof(Uuid));
      return true;
    }
    void* copy = allocate(bytes->size(), 1, path);
    if (copy == nullptr) {
      return false;
    }
    if (!bytes->empty()) {
      std::memcpy(copy, bytes->data(), bytes->size());
    }
    store(to, Bytes{static_cast<const std::byte*>(copy), bytes->size()});
    return true;
  }

  // Not null for nothing, which is not a null value.
  void* allocate(std::size_t size, std::size_t alignment, const std::string& path) {
    void* memory = arena_.allocate(std::max<std::size_t>(size, 1), alignment);
    if (memory == nullptr) {
      fail(path, "takes more memory than the budget allows");
    }
    return memory;
  }

  int version_;
  Arena& arena_;
  std::string error_;
};

}  // namespace

Result<AnyMessage, ReadError> read_message(std::string_view text, const MessageInfo& info,
                                           ApiVersion version, Arena& arena) {
  if (!info.type->versions.contains(version.value())) {
    return unexpected(ReadError{std::string(info.name) + ": no such version"});
  }
  const Tree tree = Tree::parse(text, nullptr, /*allow_exceptions=*/false);
  if (tree.is_discarded()) {
    return unexpected(ReadError{std::string(info.name) + ": this is not JSON"});
  }
  void* value = arena.allocate(info.type->size, info.type->alignment);
  if (value == nullptr) {
    return unexpected(
        ReadError{std::string(info.name) + ": takes more memory than the budget allows"});
  }
  info.type->construct(value);
  TreeReader reader(version.value(), arena);
  if (!reader.read_struct(tree, *info.type, value, info.name)) {
    return unexpected(ReadError{reader.error()});
  }
  return AnyMessage{&info, value};
}

}  // namespace grete::kafka::json

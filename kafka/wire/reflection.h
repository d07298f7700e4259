// What generated messages know of themselves: one constant table a struct.
//
// From these tables JSON, redaction, sizes and the search for broker addresses are written once, as
// walks over any message. Decoding and encoding are generated as straight-line code instead, since
// they are what every request pays for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kafka/ids.h"
#include "kafka/wire/reader.h"
#include "kafka/wire/types.h"
#include "kafka/wire/writer.h"

namespace grete::kafka {

enum class FieldKind : std::uint8_t {
  kBool,
  kInt8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kFloat64,
  kUuid,     // Uuid
  kString,   // std::string_view
  kBytes,    // Bytes
  kRecords,  // Bytes: record batches or a message set
  kStruct,   // the struct itself; a pointer to it where the field is nullable in some version
};

// Inclusive; empty if max < min.
struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = -1;

  [[nodiscard]] constexpr bool contains(int version) const {
    return version >= min && version <= max;
  }
  [[nodiscard]] constexpr bool empty() const { return max < min; }

  friend constexpr bool operator==(const VersionRange&, const VersionRange&) = default;
};

// What the value stands for, where the descriptor says so ("entityType").
enum class EntityType : std::uint8_t {
  kNone,
  kBrokerId,
  kTopicName,
  kGroupId,
  kTransactionalId,
  kProducerId,
  kUnknown,  // a kind that this table has no name for
};

// Which part of a broker's address the field is, if any.
enum class AddressPart : std::uint8_t { kNone, kNode, kHost, kPort };

struct StructInfo;

struct FieldInfo {
  static constexpr std::int32_t kNotTagged = -1;

  const char* name;              // as Kafka's JSON spells it: "partitionIndex"
  const StructInfo* type;        // of kStruct (or an array of them), else null
  const char* string_default;    // of kString; null if the default is null (or the kind another)
  std::int64_t integer_default;  // of integers and bool; for kFloat64 the bits
  std::uint32_t offset;          // within the C++ struct
  std::int32_t tag;              // kNotTagged if in no version tagged
  VersionRange versions;         // those that have the field
  VersionRange nullable;         // those in which it can be null
  VersionRange tagged;           // those in which it is a tagged field
  VersionRange flexible;         // those in which its lengths are variable-length
  FieldKind kind;                // of the elements, if it is an array
  EntityType entity;
  bool array;
  bool ignorable;     // a value other than the default is dropped in versions without the field
  bool null_default;  // the default is null
  bool map_key;
  bool secret;  // a password, token or key: not for logs (overrides.json lists them)
  AddressPart address_part;
};

// The C++ field is an Array<T>, or a NullableArray<T> if `nullable` is not empty. Both begin so.
struct ErasedArray {
  void* items;
  std::uint32_t count;
};
struct ErasedNullableArray {
  void* items;
  std::uint32_t count;
  bool null;
};

struct StructInfo {
  static constexpr std::uint32_t kNoUnknownTags = UINT32_MAX;

  const char* name;
  std::span<const FieldInfo> fields;  // in the order of the wire
  VersionRange versions;
  VersionRange flexible;  // those that end in a section of tagged fields
  std::uint32_t size;     // sizeof the C++ struct
  std::uint32_t alignment;
  std::uint32_t unknown_tags;   // offset of `const UnknownTag* unknown_tags`, or kNoUnknownTags
  std::uint32_t min_wire_size;  // the least bytes that any version of it takes
  bool holds_addresses;         // it, or a struct within it, has a broker's host and port
  void (*construct)(void*);     // makes a default value in uninitialised memory
};

// A whole message: request, response, header or data blob.
struct MessageInfo {
  enum class Kind : std::uint8_t { kRequest, kResponse, kHeader, kData };

  const char* name;  // "MetadataRequest"
  Kind kind;
  ApiKey key;  // of requests and responses
  const StructInfo* type;
  // Decodes into the default-constructed struct at `message`; as the message's own decode().
  Result<void, DecodeError> (*decode)(Reader&, ApiVersion, void* message);
  Result<void, EncodeError> (*encode)(Writer&, ApiVersion, const void* message);
};

// The bytes that encoding `message`, a struct of `type`, will write. 64-bit: sums do not overflow.
[[nodiscard]] std::uint64_t encoded_size(const StructInfo& type, ApiVersion version,
                                         const void* message);

}  // namespace grete::kafka

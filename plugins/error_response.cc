#include "plugins/error_response.h"

#include <array>
#include <cstring>
#include <string_view>

#include "kafka/api_keys.h"
#include "kafka/wire/value.h"
#include "plugins/error_codes.h"

namespace grete::plugins {
namespace {

using kafka::AnyMessage;
using kafka::ApiKey;
using kafka::ApiVersion;
using kafka::FieldInfo;
using kafka::FieldKind;
using kafka::StructInfo;

// One array of the request, whose elements have their errors in an array of the response.
struct Level {
  const char* from = nullptr;
  const char* to = nullptr;
  // Which field of the response's element is the request's element (where that is no struct), or
  // the field named `alias` of it. Fields of kIdentity with the same name are copied anyway.
  const char* target = nullptr;
  const char* alias = nullptr;
};

// Where an API has its errors, if not at the top. Versions that no row covers have them there.
struct Shape {
  std::int16_t key;
  std::int16_t first;
  std::int16_t last;
  Level outer;
  Level inner = {};
  const char* error = "errorCode";
};

constexpr std::int16_t kEvery = 32767;

constexpr Shape kShapes[] = {
    {0, 0, kEvery, {"topicData", "responses"}, {"partitionData", "partitionResponses"}},
    {1,
     0,
     kEvery,
     {"topics", "responses"},
     {"partitions", "partitions", "partitionIndex", "partition"}},
    {2, 0, kEvery, {"topics", "topics"}, {"partitions", "partitions"}},
    {3, 0, kEvery, {"topics", "topics"}},
    {8, 0, kEvery, {"topics", "topics"}, {"partitions", "partitions"}},
    {9, 0, 1, {"topics", "topics"}, {"partitionIndexes", "partitions", "partitionIndex"}},
    {9, 8, kEvery, {"groups", "groups"}},
    {10, 4, kEvery, {"coordinatorKeys", "coordinators", "key"}},
    {15, 0, kEvery, {"groups", "groups", "groupId"}},
    {19, 0, kEvery, {"topics", "topics"}},
    {20, 0, 5, {"topicNames", "responses", "name"}},
    {20, 6, kEvery, {"topics", "responses"}},
    {21, 0, kEvery, {"topics", "topics"}, {"partitions", "partitions"}},
    {23, 0, kEvery, {"topics", "topics"}, {"partitions", "partitions"}},
    {24,
     0,
     3,
     {"v3AndBelowTopics", "resultsByTopicV3AndBelow"},
     {"partitions", "resultsByPartition", "partitionIndex"},
     "partitionErrorCode"},
    {28, 0, kEvery, {"topics", "topics"}, {"partitions", "partitions"}},
    {30, 0, kEvery, {"creations", "results"}},
    {31, 0, kEvery, {"filters", "filterResults"}},
    {32, 0, kEvery, {"resources", "results"}},
    {33, 0, kEvery, {"resources", "responses"}},
    {37, 0, kEvery, {"topics", "results"}},
    {42, 0, kEvery, {"groupsNames", "results", "groupId"}},
    {44, 0, kEvery, {"resources", "responses"}},
    {61, 0, kEvery, {"topics", "topics"}, {"partitionIndexes", "partitions", "partitionIndex"}},
    {65, 0, kEvery, {"transactionalIds", "transactionStates", "transactionalId"}},
    {69, 0, kEvery, {"groupIds", "groups", "groupId"}},
    {75, 0, kEvery, {"topics", "topics"}},
    {77, 0, kEvery, {"groupIds", "groups", "groupId"}},
    {89, 0, kEvery, {"groupIds", "groups", "groupId"}},
    {90, 0, kEvery, {"groups", "groups"}},
};

// Fields that say what an element is about.
constexpr std::string_view kIdentity[] = {
    "name",         "topic",        "topicId", "partitionIndex",  "index", "partition",
    "resourceType", "resourceName", "groupId", "transactionalId", "key"};

const Shape* find_shape(ApiKey key, ApiVersion version) {
  for (const Shape& shape : kShapes) {
    if (shape.key == key.value() && version.value() >= shape.first &&
        version.value() <= shape.last) {
      return &shape;
    }
  }
  return nullptr;
}

// A struct of a message, and how it is built.
struct Object {
  const StructInfo* type;
  void* at;
};

class Builder {
 public:
  Builder(ApiVersion version, const Rejection& rejection, Arena& arena)
      : version_(version), rejection_(&rejection), arena_(&arena) {}

  [[nodiscard]] const FieldInfo* find(const StructInfo& type, std::string_view name) const {
    for (const FieldInfo& field : type.fields) {
      if (name == field.name && field.versions.contains(version_.value())) {
        return &field;
      }
    }
    return nullptr;
  }

  // Sets the error in `to`; false if it has none.
  [[nodiscard]] bool set_error(Object to, const char* name) const {
    const FieldInfo* code = find(*to.type, name);
    if (code == nullptr || code->kind != FieldKind::kInt16 || code->array) {
      return false;
    }
    std::memcpy(kafka::wire::field_at(*code, to.at), &rejection_->code, sizeof rejection_->code);
    const FieldInfo* text = find(*to.type, "errorMessage");
    if (text != nullptr && !rejection_->message.empty()) {
      const std::string_view message = rejection_->message;
      std::memcpy(kafka::wire::field_at(*text, to.at), &message, sizeof message);
    }
    settle(to);
    return true;
  }

  // Makes an element of `to` for each element of `from`; false if that cannot be done.
  [[nodiscard]] bool make(Object from, const char* from_name, Object to, const Level& level,
                          const Level* inner, const char* error) const {
    const FieldInfo* source = find(*from.type, from_name);
    const FieldInfo* target = find(*to.type, level.to);
    if (source == nullptr || target == nullptr || !source->array || !target->array ||
        target->type == nullptr || kafka::wire::is_null(*source, field(*source, from))) {
      return false;
    }
    const auto items =
        kafka::wire::value_at<kafka::ErasedArray>(kafka::wire::field_at(*source, from.at));
    const StructInfo& type = *target->type;
    auto* made = static_cast<std::byte*>(
        arena_->allocate(std::size_t{items.count} * type.size + 1, type.alignment));
    if (made == nullptr) {
      return false;
    }
    const kafka::ErasedArray array{made, items.count};
    std::memcpy(kafka::wire::field_at(*target, to.at), &array, sizeof array);
    const std::size_t stride = kafka::wire::element_stride(*source);
    const bool in_place = from_name == level.to;
    for (std::uint32_t i = 0; i < items.count; ++i) {
      const Object element{&type, made + std::size_t{i} * type.size};
      type.construct(element.at);
      void* original = static_cast<std::byte*>(items.items) + i * stride;
      if (source->type == nullptr) {
        if (level.target != nullptr) {
          copy(*source, original, element, level.target);
        }
      } else {
        copy_identity({source->type, original}, element, in_place ? Level{} : level);
      }
      const bool done = inner == nullptr
                            ? set_error(element, error)
                            : source->type != nullptr &&
                                  make({source->type, original}, in_place ? inner->to : inner->from,
                                       element, *inner, nullptr, error);
      if (!done) {
        return false;
      }
    }
    return true;
  }

 private:
  static const void* field(const FieldInfo& info, Object object) {
    return kafka::wire::field_at(info, static_cast<const void*>(object.at));
  }

  void copy(const FieldInfo& source, const void* value, Object to, std::string_view name) const {
    const FieldInfo* target = find(*to.type, name);
    if (target != nullptr && target->kind == source.kind && !target->array) {
      std::memcpy(kafka::wire::field_at(*target, to.at), value,
                  kafka::wire::element_stride(source));
    }
  }

  void copy_identity(Object from, Object to, const Level& level) const {
    for (const FieldInfo& source : from.type->fields) {
      if (source.array || source.kind == FieldKind::kStruct ||
          !source.versions.contains(version_.value())) {
        continue;
      }
      for (const std::string_view name : kIdentity) {
        if (name == source.name) {
          copy(source, field(source, from), to, name);
        }
      }
      if (level.alias != nullptr && std::string_view(level.alias) == source.name) {
        copy(source, field(source, from), to, level.target);
      }
    }
  }

  // What brokers say beside an error, where it differs from a field's default.
  void settle(Object to) const {
    for (const std::string_view name : {"baseOffset", "highWatermark"}) {
      const FieldInfo* offset = find(*to.type, name);
      if (offset != nullptr && offset->kind == FieldKind::kInt64) {
        const std::int64_t none = -1;
        std::memcpy(kafka::wire::field_at(*offset, to.at), &none, sizeof none);
      }
    }
    // librdkafka takes null records for a broken response.
    const FieldInfo* records = find(*to.type, "records");
    if (records != nullptr && records->kind == FieldKind::kRecords) {
      const Bytes none = kafka::kEmptyBytes;
      std::memcpy(kafka::wire::field_at(*records, to.at), &none, sizeof none);
    }
  }

  ApiVersion version_;
  const Rejection* rejection_;
  Arena* arena_;
};

enum class Source : std::uint8_t { kRequest, kResponse };

std::optional<AnyMessage> make_error(ApiKey key, ApiVersion version, Bytes body, Source source,
                                     const Rejection& rejection, Arena& arena) {
  const kafka::MessageInfo* info = kafka::find_message(key, Direction::kResponse);
  if (info == nullptr || !info->type->versions.contains(version.value())) {
    return std::nullopt;
  }
  void* memory = arena.allocate(info->type->size, info->type->alignment);
  if (memory == nullptr) {
    return std::nullopt;
  }
  info->type->construct(memory);
  const Object response{info->type, memory};
  const Builder builder(version, rejection, arena);
  const Shape* shape = find_shape(key, version);
  if (shape == nullptr) {
    if (!builder.set_error(response, "errorCode")) {
      return std::nullopt;
    }
    return AnyMessage{info, memory};
  }
  const auto direction = source == Source::kRequest ? Direction::kRequest : Direction::kResponse;
  const kafka::MessageInfo* source_info = kafka::find_message(key, direction);
  if (source_info == nullptr) {
    return std::nullopt;
  }
  kafka::Reader reader(body, arena);
  const auto decoded = kafka::decode_any(reader, *source_info, version);
  if (!decoded) {
    return std::nullopt;
  }
  const Level* inner = shape->inner.to == nullptr ? nullptr : &shape->inner;
  const char* from = source == Source::kRequest ? shape->outer.from : shape->outer.to;
  if (!builder.make({source_info->type, decoded->value}, from, response, shape->outer, inner,
                    shape->error)) {
    return std::nullopt;
  }
  return AnyMessage{info, memory};
}

}  // namespace

std::int16_t code_for(ApiKey key, std::int16_t code) {
  if (key != kafka::api_key::kFetch) {
    return code;
  }
  // FetchCollector.handleInitializeErrors of Kafka's Java client.
  const bool known = code == error_code::kCorruptMessage ||
                     code == error_code::kTopicAuthorizationFailed ||
                     code == error_code::kUnknownServerError || code == error_code::kUnknownTopicId;
  return known ? code : error_code::kTopicAuthorizationFailed;
}

std::optional<AnyMessage> make_error_response(ApiKey key, ApiVersion version, Bytes request_body,
                                              const Rejection& rejection, Arena& arena) {
  return make_error(key, version, request_body, Source::kRequest, rejection, arena);
}

std::optional<AnyMessage> make_error_instead(ApiKey key, ApiVersion version, Bytes response_body,
                                             const Rejection& rejection, Arena& arena) {
  return make_error(key, version, response_body, Source::kResponse, rejection, arena);
}

}  // namespace grete::plugins

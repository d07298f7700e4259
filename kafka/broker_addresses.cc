#include "kafka/broker_addresses.h"

#include <cstring>

#include "kafka/wire/value.h"

namespace grete::kafka::wire {

namespace {

struct AddressFields {
  const FieldInfo* node = nullptr;
  const FieldInfo* host = nullptr;
  const FieldInfo* port = nullptr;
};

AddressFields find_address(const StructInfo& type, int version) {
  AddressFields found;
  for (const FieldInfo& field : type.fields) {
    if (!field.versions.contains(version)) {
      continue;
    }
    switch (field.address_part) {
      case AddressPart::kNode:
        found.node = &field;
        break;
      case AddressPart::kHost:
        found.host = &field;
        break;
      case AddressPart::kPort:
        found.port = &field;
        break;
      case AddressPart::kNone:
        break;
    }
  }
  return found;
}

void store_port(const FieldInfo& field, void* value, std::int32_t port) {
  void* at = field_at(field, value);
  if (field.kind == FieldKind::kUint16) {
    const auto small = static_cast<std::uint16_t>(port);
    std::memcpy(at, &small, sizeof small);
  } else {
    std::memcpy(at, &port, sizeof port);
  }
}

void visit_here(const AddressFields& fields, void* value, NodeId node, AddressVisitor visit,
                void* context) {
  BrokerAddress address{
      node, value_at<std::string_view>(field_at(*fields.host, value)),
      static_cast<std::int32_t>(integer_at(fields.port->kind, field_at(*fields.port, value)))};
  if (visit(context, address)) {
    std::memcpy(field_at(*fields.host, value), &address.host, sizeof address.host);
    store_port(*fields.port, value, address.port);
  }
}

}  // namespace

void visit_addresses(const StructInfo& type, int version, void* value, NodeId outer,
                     AddressVisitor visit, void* context) {
  const AddressFields fields = find_address(type, version);
  if (fields.node != nullptr) {
    outer = NodeId{value_at<std::int32_t>(field_at(*fields.node, value))};
  }
  if (fields.host != nullptr && fields.port != nullptr) {
    visit_here(fields, value, outer, visit, context);
  }
  for (const FieldInfo& field : type.fields) {
    if (field.kind != FieldKind::kStruct || !field.type->holds_addresses ||
        !field.versions.contains(version)) {
      continue;
    }
    void* at = field_at(field, value);
    if (field.array) {
      const ErasedArray array = value_at<ErasedArray>(at);
      for (std::uint32_t i = 0; i < array.count; ++i) {
        visit_addresses(*field.type, version,
                        static_cast<std::byte*>(array.items) + std::size_t{i} * field.type->size,
                        outer, visit, context);
      }
    } else if (void* inner = is_optional(field) ? value_at<void*>(at) : at; inner != nullptr) {
      visit_addresses(*field.type, version, inner, outer, visit, context);
    }
  }
}

}  // namespace grete::kafka::wire

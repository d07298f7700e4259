// Every broker address in a message: what a gateway must replace by its own.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "kafka/wire/reflection.h"

namespace grete::kafka {

struct BrokerAddress {
  NodeId node;
  std::string_view host;
  std::int32_t port;
};

// Whether `message` can hold addresses in any version: cheaper than decoding it to look.
inline bool holds_broker_addresses(const MessageInfo& info) {
  return info.type->holds_addresses;
}

namespace wire {

using AddressVisitor = bool (*)(void* context, BrokerAddress& address);
void visit_addresses(const StructInfo& type, int version, void* value, NodeId outer,
                     AddressVisitor visit, void* context);

}  // namespace wire

// Calls `visit(BrokerAddress&) -> bool` for every (node id, host, port) that `version` of the
// message writes; where it returns true, host and port are replaced by what it left there. The node
// id is never changed; it may stand in an enclosing struct. A host that is put in outlives the
// message. `message` is the struct that `info` describes.
template <class Visit>
void visit_broker_addresses(const MessageInfo& info, ApiVersion version, void* message,
                            Visit&& visit) {
  using Callable = std::remove_reference_t<Visit>;
  wire::visit_addresses(
      *info.type, version.value(), message, NodeId{-1},
      [](void* context, BrokerAddress& address) {
        return static_cast<bool>((*static_cast<Callable*>(context))(address));
      },
      const_cast<void*>(static_cast<const void*>(&visit)));
}

}  // namespace grete::kafka

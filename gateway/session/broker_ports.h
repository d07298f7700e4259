// Which address of ours stands for which broker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kafka/ids.h"
#include "kafka/wire/types.h"

namespace grete::gateway {

// Where a broker says it listens.
struct BrokerAddress {
  kafka::NodeId node;
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const BrokerAddress&, const BrokerAddress&) = default;
};

// A topic's id and name.
struct TopicId {
  kafka::Uuid id;
  std::string name;
};

// A listener's rule: the broker with node id N is reached at `host`, port `first` + N.
struct BrokerPorts {
  std::string host;
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // inclusive

  // nullopt if the range has no port for that node.
  [[nodiscard]] std::optional<std::uint16_t> port_of(kafka::NodeId node) const {
    if (node.value() < 0 || node.value() > last - first) {
      return std::nullopt;
    }
    return static_cast<std::uint16_t>(first + node.value());
  }
  // The node whose port this is; -1 if it is none's.
  [[nodiscard]] kafka::NodeId node_of(std::uint16_t port) const {
    return kafka::NodeId{port >= first && port <= last ? port - first : -1};
  }

  friend bool operator==(const BrokerPorts&, const BrokerPorts&) = default;
};

}  // namespace grete::gateway

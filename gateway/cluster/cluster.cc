#include "gateway/cluster/cluster.h"

#include <utility>

#include <fmt/format.h>

#include "gateway/limits.h"

namespace grete::gateway {

std::string HostPort::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

const HostPort* Topology::find(kafka::NodeId node) const {
  const auto found = nodes.find(node.value());
  return found == nodes.end() ? nullptr : &found->second;
}

Cluster::Cluster(std::string name, std::vector<HostPort> bootstrap)
    : name_(std::move(name)),
      bootstrap_(std::move(bootstrap)),
      topology_(std::make_shared<const Topology>()) {}

std::shared_ptr<const Topology> Cluster::topology() const {
  const std::lock_guard lock(mutex_);
  return topology_;
}

std::shared_ptr<const TopicTable> Cluster::topics() const {
  const std::lock_guard lock(mutex_);
  return topics_;
}

void Cluster::learn(std::span<const TopicId> topics) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<TopicTable> changed;
  for (const TopicId& topic : topics) {
    const TopicTable* known = changed ? changed.get() : topics_.get();
    if (known != nullptr &&
        (!known->name_of(topic.id).empty() || known->names_.size() >= kMaxTopics)) {
      continue;
    }
    if (!changed) {
      changed = topics_ ? std::make_shared<TopicTable>(*topics_) : std::make_shared<TopicTable>();
    }
    changed->names_.emplace(topic.id.bytes, topic.name);
  }
  if (changed) {
    topics_ = std::move(changed);
  }
}

void Cluster::learn(std::span<const BrokerAddress> brokers) {
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Topology> changed;
    for (const BrokerAddress& broker : brokers) {
      const HostPort address{broker.host, broker.port};
      const Topology& known = changed ? *changed : *topology_;
      const HostPort* before = known.find(broker.node);
      if ((before != nullptr && *before == address) ||
          (before == nullptr && known.nodes.size() >= kMaxBrokers)) {
        continue;
      }
      if (!changed) {
        changed = std::make_shared<Topology>(*topology_);
      }
      changed->nodes[broker.node.value()] = address;
    }
    if (!changed) {
      return;
    }
    topology_ = std::move(changed);
  }
  if (on_change_) {
    on_change_();
  }
}

}  // namespace grete::gateway

// One Kafka cluster behind the gateway: where to begin, and which node listens where.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "gateway/session/broker_ports.h"
#include "plugins/frame.h"

namespace grete::gateway {

// A host name or address, and a port.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  // "kafka-1:9092", "[::1]:9092".
  [[nodiscard]] std::string text() const;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// What is known of a cluster at one moment. Immutable.
struct Topology {
  std::map<std::int32_t, HostPort> nodes;

  // Null if that node has not been heard of.
  [[nodiscard]] const HostPort* find(kafka::NodeId node) const;
};

// The topics of a cluster by id. Immutable.
class TopicTable final : public plugins::TopicNames {
 public:
  [[nodiscard]] std::string_view name_of(const kafka::Uuid& id) const override {
    const auto found = names_.find(id.bytes);
    return found == names_.end() ? std::string_view{} : std::string_view(found->second);
  }

 private:
  friend class Cluster;
  std::map<std::array<std::byte, 16>, std::string> names_;
};

// Learns the topology from the replies that pass. Any thread.
class Cluster {
 public:
  Cluster(std::string name, std::vector<HostPort> bootstrap);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<HostPort>& bootstrap() const { return bootstrap_; }

  [[nodiscard]] std::shared_ptr<const Topology> topology() const;

  // Adds or changes addresses. Calls the listener of on_change() if anything is new. Brokers beyond
  // kMaxBrokers are ignored.
  void learn(std::span<const BrokerAddress> brokers);

  // Topics by their ids; null as long as none are known. A snapshot.
  [[nodiscard]] std::shared_ptr<const TopicTable> topics() const;
  // Adds topics that are not known. Topics beyond kMaxTopics are ignored.
  void learn(std::span<const TopicId> topics);

  // `listener` is called on the thread that learns, without a lock held. Set once, at start-up.
  void on_change(std::function<void()> listener) { on_change_ = std::move(listener); }

  // The bootstrap address to try next; they take turns.
  [[nodiscard]] std::size_t next_bootstrap() {
    return turn_.fetch_add(1, std::memory_order_relaxed) % bootstrap_.size();
  }

 private:
  std::string name_;
  std::vector<HostPort> bootstrap_;
  std::function<void()> on_change_;
  std::atomic<std::size_t> turn_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<const Topology> topology_;
  std::shared_ptr<const TopicTable> topics_;
};

}  // namespace grete::gateway

// What the connections of one worker share. One thread, unless said otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "gateway/cluster/cluster.h"
#include "gateway/config/config.h"
#include "gateway/net/poller.h"
#include "gateway/net/socket.h"
#include "gateway/session/output.h"
#include "gateway/session/session.h"
#include "gateway/telemetry/stats.h"
#include "plugins/chain.h"
#include "plugins/wasm_plugin.h"

namespace grete::gateway {

class Connection;

// One listener while the program runs. Shared by all workers, const but for its cluster.
struct Listener {
  std::string name;
  // Plug-ins for messages and records; null if it has none.
  std::shared_ptr<const plugins::Chain> chain;
  // Plug-ins on the byte stream, from the client to the broker.
  std::vector<std::shared_ptr<const plugins::WasmPlugin>> streams;
  SessionSettings settings;
  std::shared_ptr<Cluster> cluster;
};

// A client that has just connected.
struct AcceptedClient {
  Socket socket;
  std::shared_ptr<const Listener> listener;
  // The node whose port it connected to; -1 for the bootstrap port.
  kafka::NodeId node{-1};
};

// Finds the addresses of host names without blocking a worker. Any thread.
class AddressLookup {
 public:
  virtual ~AddressLookup() = default;
  using Found = std::function<void(std::vector<SocketAddress> addresses, std::string error)>;
  // Calls `found` later, on another thread.
  virtual void look_up(const HostPort& target, Found found) = 0;
};

// Set on a worker's thread, read by those who choose a worker or scrape.
struct WorkerContext {
  explicit WorkerContext(std::uint64_t memory_limit) : memory(memory_limit) {}

  Poller poller;
  MemoryBudget memory;
  LimitsConfig limits;
  WorkerStats stats;
  std::vector<std::byte> scratch;  // kReadSize bytes for a read
  Outputs outputs;                 // empty between two turns of a connection
  // Looks up `target` and calls back on this worker's thread if the connection still exists.
  std::function<void(std::uint64_t connection, const HostPort& target)> look_up;
  // Asks for a tick soon: somebody waits for memory or for a moment.
  std::function<void()> hurry;
  // Says that plug-ins hold a message of that connection.
  std::function<void(Connection& connection)> in_chain;
};

}  // namespace grete::gateway

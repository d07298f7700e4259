// A thread with its own poller, connections, memory and counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "gateway/net/connection.h"
#include "gateway/net/worker_context.h"
#include "gateway/net/worker_plugins.h"

namespace grete::gateway {

// A turn of its loop: wait for sockets, serve those that are ready, run what others posted, look at
// the clock. Started by start(), ended by stop() or by the destructor. Nothing is shared with other
// workers while bytes flow; a connection stays where it was accepted.
class Worker {
 public:
  // `memory` is the worker's share, in bytes; `plugins` are the names of all plug-ins. `lookup`
  // outlives the worker.
  Worker(unsigned index, const LimitsConfig& limits, std::uint64_t memory,
         const std::vector<std::string>& plugins, AddressLookup& lookup);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // `listeners` are those that the worker will see, so that their plug-ins are ready.
  void start(std::vector<std::shared_ptr<const Listener>> listeners);

  // Any thread: runs `task` on the worker's, soon.
  void post(std::function<void()> task);
  // Any thread: the connection is this worker's from here on.
  void accept(AcceptedClient client);
  // Any thread: the topology of a cluster has changed.
  void on_topology();
  // Any thread: no new requests; each connection closes when its replies are delivered.
  void drain();
  // Any thread: closes what is left and ends the thread.
  void stop();

  // Any thread: connections, including those on their way to the worker.
  [[nodiscard]] std::size_t load() const { return load_.load(std::memory_order_relaxed); }
  [[nodiscard]] const WorkerStats& stats() const { return context_.stats; }
  [[nodiscard]] unsigned index() const { return index_; }

 private:
  struct Wakeup final : PollHandler {
    void on_ready(std::uint32_t events) override;
    int descriptor = -1;
  };

  void run();
  void run_posted();
  void tick(Moment now);
  void look_up(std::uint64_t connection, const HostPort& target);

  unsigned index_;
  AddressLookup* lookup_;
  WorkerContext context_;
  std::unique_ptr<WorkerPlugins> plugins_;  // made on the worker's thread
  Wakeup wakeup_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  bool hurried_ = false;
  bool draining_ = false;
  bool stopping_ = false;
  std::atomic<std::size_t> load_ = 0;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::thread thread_;
};

}  // namespace grete::gateway

// What the VMs of one vm_id share, on whatever thread they are: data with compare-and-set, and
// queues. And the metrics that guests define.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wasm/proxy_wasm/abi.h"
#include "wasm/proxy_wasm/host.h"

namespace grete::wasm::proxy_wasm {

struct SharedValue {
  std::string bytes;
  // Changes with every write; never 0.
  std::uint32_t cas = 0;

  friend bool operator==(const SharedValue&, const SharedValue&) = default;
};

// Thread-safe; one a process. No lock is held while a guest or a listener runs.
class SharedState {
 public:
  // Told that a message waits in a queue; on any thread, so it only posts to its own.
  using QueueListener = std::function<void(QueueId)>;

  // kNotFound if the key is not there.
  [[nodiscard]] Result<SharedValue, Status> get(std::string_view vm_id, std::string_view key) const;
  // `cas` 0 writes in any case, else it must be the value's (kCasMismatch); a missing key is
  // inserted. kInternalFailure at limits::kMaxSharedEntries or kMaxSharedBytes.
  Status set(std::string_view vm_id, std::string_view key, std::string_view value,
             std::uint32_t cas);

  // The queue of that name, made if it is new. Who registered last is told of messages; `listener`
  // may be called until unregister(owner).
  Result<QueueId, Status> register_queue(std::string_view vm_id, std::string_view name,
                                         const void* owner, QueueListener listener);
  void unregister(const void* owner);
  [[nodiscard]] Result<QueueId, Status> resolve_queue(std::string_view vm_id,
                                                      std::string_view name) const;
  // kNotFound for an unknown queue; kInternalFailure if it is full.
  Status enqueue(QueueId queue, std::string_view message);
  // kEmpty if nothing waits.
  Result<std::string, Status> dequeue(QueueId queue);

 private:
  struct Queue {
    std::deque<std::string> messages;
    std::size_t bytes = 0;
    const void* owner = nullptr;
    QueueListener listener;
  };
  using Key = std::pair<std::string, std::string>;

  mutable std::mutex mutex_;
  std::map<Key, SharedValue> values_;
  std::size_t value_bytes_ = 0;
  std::uint32_t next_cas_ = 1;
  std::map<Key, QueueId> queue_ids_;
  // Index = id - 1.
  std::vector<Queue> queues_;
};

// One metric that guests of a plug-in defined. Values are summed over all VMs.
struct MetricSnapshot {
  std::string name;
  MetricType type = MetricType::kCounter;
  // Of a counter or gauge. Of a histogram: the number of recorded values.
  std::uint64_t value = 0;
  // Of a histogram: the sum of the values, and how many have a bit width of i (0 to 64).
  std::uint64_t sum = 0;
  std::vector<std::uint64_t> buckets;
};

// Keeps the metrics of one plug-in. Thread-safe: VMs on all workers write, a scrape reads.
class MetricStore final : public MetricSink {
 public:
  MetricStore();
  ~MetricStore() override;

  Result<MetricId, Status> define(MetricType type, std::string_view name) override;
  Status increment(MetricId id, std::int64_t by) override;
  Status record(MetricId id, std::uint64_t value) override;
  Result<std::uint64_t, Status> value(MetricId id) override;

  [[nodiscard]] std::vector<MetricSnapshot> snapshot() const;

 private:
  struct Metric;
  [[nodiscard]] Metric* find(MetricId id) const;

  mutable std::mutex mutex_;
  std::map<std::string, MetricId, std::less<>> ids_;
  // Fixed size, so that readers need no lock; entries are published with release.
  std::vector<std::atomic<Metric*>> metrics_;
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace grete::wasm::proxy_wasm

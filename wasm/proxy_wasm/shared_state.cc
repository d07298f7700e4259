#include "wasm/proxy_wasm/shared_state.h"

#include <array>
#include <bit>

#include "wasm/limits.h"

namespace grete::wasm::proxy_wasm {

Result<SharedValue, Status> SharedState::get(std::string_view vm_id, std::string_view key) const {
  const std::lock_guard lock{mutex_};
  const auto found = values_.find(Key{vm_id, key});
  if (found == values_.end()) {
    return unexpected(Status::kNotFound);
  }
  return found->second;
}

Status SharedState::set(std::string_view vm_id, std::string_view key, std::string_view value,
                        std::uint32_t cas) {
  const std::lock_guard lock{mutex_};
  const auto found = values_.find(Key{vm_id, key});
  const bool is_new = found == values_.end();
  if (!is_new && cas != 0 && cas != found->second.cas) {
    return Status::kCasMismatch;
  }
  const std::size_t before = is_new ? 0 : found->second.bytes.size();
  const std::size_t after = value_bytes_ - before + value.size() + (is_new ? key.size() : 0);
  if (after > limits::kMaxSharedBytes || (is_new && values_.size() >= limits::kMaxSharedEntries)) {
    return Status::kInternalFailure;
  }
  value_bytes_ = after;
  const std::uint32_t written = next_cas_++;
  next_cas_ += next_cas_ == 0 ? 1 : 0;
  values_[Key{vm_id, key}] = SharedValue{std::string{value}, written};
  return Status::kOk;
}

Result<QueueId, Status> SharedState::register_queue(std::string_view vm_id, std::string_view name,
                                                    const void* owner, QueueListener listener) {
  if (name.size() > limits::kMaxNameBytes) {
    return unexpected(Status::kBadArgument);
  }
  const std::lock_guard lock{mutex_};
  const auto found = queue_ids_.find(Key{vm_id, name});
  QueueId id;
  if (found != queue_ids_.end()) {
    id = found->second;
  } else if (queues_.size() < limits::kMaxQueues) {
    queues_.emplace_back();
    id = QueueId{static_cast<std::uint32_t>(queues_.size())};
    queue_ids_.emplace(Key{vm_id, name}, id);
  } else {
    return unexpected(Status::kInternalFailure);
  }
  Queue& queue = queues_[id.value() - 1];
  queue.owner = owner;
  queue.listener = std::move(listener);
  return id;
}

void SharedState::unregister(const void* owner) {
  const std::lock_guard lock{mutex_};
  for (Queue& queue : queues_) {
    if (queue.owner == owner) {
      queue.owner = nullptr;
      queue.listener = nullptr;
    }
  }
}

Result<QueueId, Status> SharedState::resolve_queue(std::string_view vm_id,
                                                   std::string_view name) const {
  const std::lock_guard lock{mutex_};
  const auto found = queue_ids_.find(Key{vm_id, name});
  if (found == queue_ids_.end()) {
    return unexpected(Status::kNotFound);
  }
  return found->second;
}

Status SharedState::enqueue(QueueId queue, std::string_view message) {
  QueueListener listener;
  {
    const std::lock_guard lock{mutex_};
    if (queue.value() == 0 || queue.value() > queues_.size()) {
      return Status::kNotFound;
    }
    Queue& target = queues_[queue.value() - 1];
    if (target.messages.size() >= limits::kMaxQueuedMessages ||
        message.size() > limits::kMaxQueuedBytes - target.bytes) {
      return Status::kInternalFailure;
    }
    target.messages.emplace_back(message);
    target.bytes += message.size();
    listener = target.listener;
  }
  if (listener) {
    listener(queue);
  }
  return Status::kOk;
}

Result<std::string, Status> SharedState::dequeue(QueueId queue) {
  const std::lock_guard lock{mutex_};
  if (queue.value() == 0 || queue.value() > queues_.size()) {
    return unexpected(Status::kNotFound);
  }
  Queue& source = queues_[queue.value() - 1];
  if (source.messages.empty()) {
    return unexpected(Status::kEmpty);
  }
  std::string message = std::move(source.messages.front());
  source.messages.pop_front();
  source.bytes -= message.size();
  return message;
}

struct MetricStore::Metric {
  std::string name;
  MetricType type = MetricType::kCounter;
  std::atomic<std::uint64_t> value{0};
  std::atomic<std::uint64_t> sum{0};
  std::array<std::atomic<std::uint64_t>, 65> buckets{};
};

MetricStore::MetricStore() : metrics_(limits::kMaxMetrics) {}

MetricStore::~MetricStore() {
  for (std::uint32_t i = 0; i < count_; ++i) {
    delete metrics_[i].load();
  }
}

Result<MetricId, Status> MetricStore::define(MetricType type, std::string_view name) {
  const std::lock_guard lock{mutex_};
  if (const auto found = ids_.find(name); found != ids_.end()) {
    if (find(found->second)->type != type) {
      return unexpected(Status::kBadArgument);
    }
    return found->second;
  }
  const std::uint32_t index = count_.load(std::memory_order_relaxed);
  if (index >= metrics_.size()) {
    return unexpected(Status::kInternalFailure);
  }
  auto metric = std::make_unique<Metric>();
  metric->name = name;
  metric->type = type;
  metrics_[index].store(metric.release(), std::memory_order_release);
  count_.store(index + 1, std::memory_order_release);
  const MetricId id{index + 1};
  ids_.emplace(name, id);
  return id;
}

MetricStore::Metric* MetricStore::find(MetricId id) const {
  if (id.value() == 0 || id.value() > count_.load(std::memory_order_acquire)) {
    return nullptr;
  }
  return metrics_[id.value() - 1].load(std::memory_order_acquire);
}

Status MetricStore::increment(MetricId id, std::int64_t by) {
  Metric* const metric = find(id);
  if (metric == nullptr) {
    return Status::kNotFound;
  }
  if (metric->type == MetricType::kHistogram || (metric->type == MetricType::kCounter && by <= 0)) {
    return Status::kBadArgument;
  }
  metric->value.fetch_add(static_cast<std::uint64_t>(by), std::memory_order_relaxed);
  return Status::kOk;
}

Status MetricStore::record(MetricId id, std::uint64_t value) {
  Metric* const metric = find(id);
  if (metric == nullptr) {
    return Status::kNotFound;
  }
  switch (metric->type) {
    case MetricType::kCounter:
      metric->value.fetch_add(value, std::memory_order_relaxed);
      break;
    case MetricType::kGauge:
      metric->value.store(value, std::memory_order_relaxed);
      break;
    case MetricType::kHistogram:
      metric->value.fetch_add(1, std::memory_order_relaxed);
      metric->sum.fetch_add(value, std::memory_order_relaxed);
      metric->buckets[static_cast<std::size_t>(std::bit_width(value))].fetch_add(
          1, std::memory_order_relaxed);
      break;
  }
  return Status::kOk;
}

Result<std::uint64_t, Status> MetricStore::value(MetricId id) {
  const Metric* const metric = find(id);
  if (metric == nullptr) {
    return unexpected(Status::kNotFound);
  }
  if (metric->type == MetricType::kHistogram) {
    return unexpected(Status::kBadArgument);
  }
  return metric->value.load(std::memory_order_relaxed);
}

std::vector<MetricSnapshot> MetricStore::snapshot() const {
  std::vector<MetricSnapshot> all;
  const std::uint32_t count = count_.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Metric& metric = *metrics_[i].load(std::memory_order_acquire);
    MetricSnapshot& snapshot = all.emplace_back();
    snapshot.name = metric.name;
    snapshot.type = metric.type;
    snapshot.value = metric.value.load(std::memory_order_relaxed);
    snapshot.sum = metric.sum.load(std::memory_order_relaxed);
    if (metric.type == MetricType::kHistogram) {
      for (const auto& bucket : metric.buckets) {
        snapshot.buckets.push_back(bucket.load(std::memory_order_relaxed));
      }
    }
  }
  return all;
}

}  // namespace grete::wasm::proxy_wasm

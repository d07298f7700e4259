// What a worker counts. Written by its own thread alone, read by the thread that is scraped.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "gateway/session/session.h"
#include "kafka/ids.h"

namespace grete::gateway {

// A number with one writer: adding is a plain load and store, without a locked instruction.
class Counter {
 public:
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// Durations in buckets that double: up to 16 us, 32 us, ... 16.8 s, and beyond.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 22;
  static constexpr std::uint64_t kFirstBoundUs = 16;

  void observe(Duration duration) {
    const auto us = static_cast<std::uint64_t>(duration.count() < 0 ? 0 : duration.count()) / 1000;
    const std::size_t bucket =
        us <= kFirstBoundUs ? 0
                            : static_cast<std::size_t>(std::bit_width((us - 1) / kFirstBoundUs));
    buckets_[bucket < kBuckets ? bucket : kBuckets - 1].add();
    sum_ns_.add(static_cast<std::uint64_t>(duration.count() < 0 ? 0 : duration.count()));
  }

  // The upper bound of a bucket, in seconds; the last has none.
  [[nodiscard]] static double bound_seconds(std::size_t bucket) {
    return static_cast<double>(kFirstBoundUs << bucket) / 1e6;
  }
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const { return buckets_[bucket].get(); }
  [[nodiscard]] double sum_seconds() const { return static_cast<double>(sum_ns_.get()) / 1e9; }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_ns_;
};

struct ApiStats {
  Counter requests;
  Counter request_bytes;
  Counter replies;
  Counter reply_bytes;
  Histogram duration;  // from a request's first bytes to its reply's last
  Histogram in_chain;  // that plug-ins held a message
};

// Reasons that a connection ends for, beside SessionFailure.
enum class CloseCause : std::uint8_t {
  kClient,   // the client closed
  kBroker,   // the broker closed
  kConnect,  // no broker could be reached
  kIdle,
  kDrain,
  kWrongBroker,  // paired by guess, and the guess was wrong
  kReset,        // a socket failed
  kRefused,      // a SessionFailure
};
inline constexpr std::size_t kCloseCauses = 8;
// For metrics and logs: "wrong-broker".
[[nodiscard]] std::string_view name_of(CloseCause cause);
inline constexpr std::size_t kSessionFailures = 10;

struct WorkerStats {
  // API keys above share the last place.
  static constexpr std::size_t kApis = 128;

  std::array<ApiStats, kApis + 1> apis;
  Counter connections_accepted;
  Counter connections_open;
  std::array<Counter, kCloseCauses> closed;
  std::array<Counter, kSessionFailures> refused;
  Counter connect_failures;
  Counter bytes_from_clients;
  Counter bytes_from_brokers;
  Counter reads_paused;      // a peer was slow, or memory short
  Counter hidden_addresses;  // Fetch replies whose broker addresses were hidden
  Counter memory_used;       // bytes, now
  Counter tasks_waiting;     // messages in plug-ins, now
  Histogram turn;            // one turn of the worker's loop

  [[nodiscard]] ApiStats& api(kafka::ApiKey key) {
    const auto index = static_cast<std::size_t>(key.value());
    return apis[key.value() >= 0 && index < kApis ? index : kApis];
  }
};

}  // namespace grete::gateway

// Numbers that one thread counts and another reads.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

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

}  // namespace grete::gateway

// Latencies counted in buckets whose width grows with the value, as in HdrHistogram: a quantile is
// right to 0.8 %, and recording costs no allocation.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace grete::bench {

class Histogram {
 public:
  // `nanoseconds`: any value.
  void record(std::uint64_t nanoseconds) {
    ++counts_[bucket_of(nanoseconds)];
    ++total_;
  }

  // The smallest value that a share `quantile` (0 to 1) of the recorded ones does not exceed, in
  // nanoseconds, rounded up to its bucket's end; 0 if nothing was recorded.
  [[nodiscard]] std::uint64_t at(double quantile) const {
    const auto wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen > 0 && seen >= wanted) {
        return end_of(bucket);
      }
    }
    return 0;
  }

  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  static constexpr unsigned kBits = 7;  // 128 buckets between a power of two and the next
  static constexpr std::size_t kBuckets = (64 - kBits + 1) << kBits;

  static std::size_t bucket_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > kBits + 1 ? width - kBits - 1 : 0;
    return (std::size_t{shift} << kBits) + static_cast<std::size_t>(value >> shift);
  }
  // The largest value of a bucket.
  static std::uint64_t end_of(std::size_t bucket) {
    const std::size_t step = bucket >> kBits;
    const std::uint64_t shift = step == 0 ? 0 : step - 1;
    const std::uint64_t start = (bucket - (shift << kBits)) << shift;
    return start + (std::uint64_t{1} << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace grete::bench

// A limit on memory, told to everything that holds bytes on behalf of a peer.
//
// Budgets nest: a connection's lies within its worker's, which lies within the process's share.
// A budget belongs to one thread. It counts and refuses; it allocates nothing itself.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>

namespace grete {

class MemoryBudget {
 public:
  // `limit` is in bytes. `parent`, if any, is charged too and outlives this budget.
  explicit MemoryBudget(std::uint64_t limit, MemoryBudget* parent = nullptr)
      : limit_(limit), parent_(parent) {}

  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  ~MemoryBudget() { assert(used_ == 0 && "everything reserved must be released first"); }

  // Charges `bytes`; false, and nothing charged, if that would pass this limit or a parent's.
  [[nodiscard]] bool reserve(std::uint64_t bytes) {
    if (bytes > limit_ - used_ || (parent_ != nullptr && !parent_->reserve(bytes))) {
      return false;
    }
    used_ += bytes;
    peak_ = std::max(peak_, used_);
    return true;
  }

  // Gives back what was reserved.
  void release(std::uint64_t bytes) {
    assert(bytes <= used_);
    used_ -= bytes;
    if (parent_ != nullptr) {
      parent_->release(bytes);
    }
  }

  [[nodiscard]] std::uint64_t limit() const { return limit_; }
  [[nodiscard]] std::uint64_t used() const { return used_; }
  [[nodiscard]] std::uint64_t available() const { return limit_ - used_; }
  // The most that was ever in use at once.
  [[nodiscard]] std::uint64_t peak() const { return peak_; }

 private:
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
  std::uint64_t peak_ = 0;
  MemoryBudget* parent_;
};

}  // namespace grete

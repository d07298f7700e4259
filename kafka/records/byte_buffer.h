// Growable contiguous memory that is charged to a budget.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/memory_budget.h"

namespace grete::kafka::records {

// Like a vector of bytes, but: growing can fail, what it holds is charged, new bytes are not
// initialised. One thread. clear() keeps the memory, so a reused buffer allocates nothing in steady
// state.
class ByteBuffer {
 public:
  // `budget` outlives the buffer.
  explicit ByteBuffer(MemoryBudget& budget) : budget_(&budget) {}
  ~ByteBuffer() { release(); }

  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] Bytes bytes() const { return {data_, size_}; }

  // Makes room for `more` bytes after size(); false if the budget or the machine has no more.
  // Doubles where the budget allows, else grows by just enough. Moves the contents.
  [[nodiscard]] bool reserve(std::size_t more) { return more <= capacity_ - size_ || grow(more); }

  // The reserved room after size().
  [[nodiscard]] MutableBytes room() { return {data_ + size_, capacity_ - size_}; }

  // Says that the first `count` bytes of room() are filled.
  void commit(std::size_t count) { size_ += count; }

  // Shrinks the contents; `size` is at most size().
  void truncate(std::size_t size) { size_ = size; }

  [[nodiscard]] bool append(Bytes bytes) {
    if (!reserve(bytes.size())) {
      return false;
    }
    if (!bytes.empty()) {
      std::memcpy(data_ + size_, bytes.data(), bytes.size());
    }
    size_ += bytes.size();
    return true;
  }

  // Exchanges contents and memory with `other`, a buffer of the same budget.
  void swap(ByteBuffer& other) noexcept {
    assert(budget_ == other.budget_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  // Forgets the contents and keeps the memory.
  void clear() { size_ = 0; }

  // Forgets the contents, and gives the memory back if it is more than `keep` bytes.
  void clear_and_trim(std::size_t keep);

  // Forgets the contents and gives the memory back.
  void release();

 private:
  [[nodiscard]] bool grow(std::size_t more);

  MemoryBudget* budget_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace grete::kafka::records

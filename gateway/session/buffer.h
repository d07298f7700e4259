// Bytes that the gateway owns on behalf of a connection, charged to its budget.
#pragma once

#include <cstddef>
#include <utility>

#include "base/bytes.h"
#include "base/memory_budget.h"

namespace grete::gateway {

// A contiguous, growable block of bytes. Movable; one thread. The budget outlives it.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(MemoryBudget& budget) : budget_(&budget) {}
  Buffer(Buffer&& other) noexcept
      : budget_(other.budget_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = other.budget_;
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
  }
  ~Buffer() { release(); }

  // Adds a copy of `bytes`. False, and nothing changed, if the budget or the machine has no room.
  // Capacity doubles while the budget allows, and grows to what is needed where it does not.
  [[nodiscard]] bool append(Bytes bytes);

  // Makes room for `size` bytes in all. False, and nothing changed, if there is none.
  [[nodiscard]] bool reserve(std::size_t size);

  // Sets the size to `size`; bytes beyond the old size are uninitialised. As reserve otherwise.
  [[nodiscard]] bool resize(std::size_t size);

  // Forgets the bytes and frees the memory.
  void release();

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] MutableBytes bytes() { return {data_, size_}; }
  [[nodiscard]] Bytes bytes() const { return {data_, size_}; }

 private:
  MemoryBudget* budget_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace grete::gateway

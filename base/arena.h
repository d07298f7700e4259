// Memory for one message: allocated by moving a pointer, freed all at once, charged to a budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>

#include "base/memory_budget.h"

namespace grete {

// A borrowed array in an arena (or anywhere that outlives it). Trivially destructible; 32-bit
// sizes, since no Kafka array is larger.
template <class T>
struct Array {
  T* items = nullptr;
  std::uint32_t count = 0;

  [[nodiscard]] std::uint32_t size() const { return count; }
  [[nodiscard]] bool empty() const { return count == 0; }
  [[nodiscard]] T* begin() { return items; }
  [[nodiscard]] T* end() { return items + count; }
  [[nodiscard]] const T* begin() const { return items; }
  [[nodiscard]] const T* end() const { return items + count; }
  [[nodiscard]] T& operator[](std::uint32_t index) { return items[index]; }
  [[nodiscard]] const T& operator[](std::uint32_t index) const { return items[index]; }
};

// A bump allocator for trivially destructible objects. One thread.
//
// Blocks are malloc'ed and charged to the budget as a whole. reset() keeps the first block, so a
// reused arena allocates nothing in steady state.
class Arena {
 public:
  // The size of the first block, in bytes; later blocks double up to kMaxBlock.
  static constexpr std::size_t kFirstBlock = 4096;
  static constexpr std::size_t kMaxBlock = std::size_t{1} << 20;

  // `budget` outlives the arena.
  explicit Arena(MemoryBudget& budget) : budget_(&budget) {}
  ~Arena();

  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised memory, or null if the budget or the machine has no more. `alignment` is a power
  // of two, at most alignof(std::max_align_t).
  [[nodiscard]] void* allocate(std::size_t size, std::size_t alignment) {
    const std::uintptr_t start = (cursor_ + alignment - 1) & ~(alignment - 1);
    if (start < cursor_ || start > end_ || size > end_ - start) {
      return allocate_in_new_block(size);
    }
    cursor_ = start + size;
    return reinterpret_cast<void*>(start);
  }

  // `count` value-initialised objects; items is null if there is no memory (and count is not 0).
  template <class T>
  [[nodiscard]] Array<T> make_array(std::uint32_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
    if (count == 0 || count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      return {};
    }
    void* memory = allocate(std::size_t{count} * sizeof(T), alignof(T));
    if (memory == nullptr) {
      return {};
    }
    T* items = static_cast<T*>(memory);
    for (std::uint32_t i = 0; i < count; ++i) {
      new (items + i) T{};
    }
    return {items, count};
  }

  // Frees everything but the first block. What was allocated before dangles.
  void reset();

  // Bytes charged to the budget.
  [[nodiscard]] std::size_t reserved() const { return reserved_; }

 private:
  struct Block;

  void* allocate_in_new_block(std::size_t size);
  void free_block(Block* block);

  MemoryBudget* budget_;
  Block* newest_ = nullptr;
  std::uintptr_t cursor_ = 0;
  std::uintptr_t end_ = 0;
  std::size_t reserved_ = 0;
};

}  // namespace grete

#include "base/arena.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "base/memory_budget.h"

namespace grete {
namespace {

TEST(ArenaTest, GivesAlignedMemoryThatDoesNotOverlap) {
  MemoryBudget budget(1 << 20);
  Arena arena(budget);
  auto* first = static_cast<std::byte*>(arena.allocate(3, 1));
  auto* second = static_cast<std::byte*>(arena.allocate(8, 8));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second) % 8, 0U);
  EXPECT_GE(second, first + 3);
}

TEST(ArenaTest, RefusesWhatTheBudgetDoesNotHold) {
  MemoryBudget budget(10'000);
  {
    Arena arena(budget);
    EXPECT_NE(arena.allocate(5'000, 8), nullptr);
    EXPECT_EQ(arena.allocate(6'000, 8), nullptr);
    EXPECT_NE(arena.allocate(1'000, 8), nullptr);
    EXPECT_LE(budget.used(), 10'000U);
    EXPECT_TRUE((arena.make_array<std::uint64_t>(0xffff'ffff).items == nullptr));
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ArenaTest, ResetKeepsTheFirstBlockAndReturnsTheRest) {
  MemoryBudget budget(1 << 20);
  Arena arena(budget);
  void* first = arena.allocate(16, 8);
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(arena.allocate(1000, 8), nullptr);
  }
  arena.reset();
  EXPECT_EQ(budget.used(), Arena::kFirstBlock);
  EXPECT_EQ(arena.allocate(16, 8), first);
}

TEST(ArenaTest, SizesThatOverflowAreRefused) {
  MemoryBudget budget(UINT64_MAX);
  Arena arena(budget);
  EXPECT_EQ(arena.allocate(SIZE_MAX - 4, 8), nullptr);
}

TEST(MemoryBudgetTest, AChildIsBoundedByItsParent) {
  MemoryBudget process(100);
  MemoryBudget connection(80, &process);
  MemoryBudget other(80, &process);
  EXPECT_TRUE(connection.reserve(80));
  EXPECT_FALSE(connection.reserve(1));
  EXPECT_FALSE(other.reserve(30));
  EXPECT_TRUE(other.reserve(20));
  connection.release(80);
  other.release(20);
  EXPECT_EQ(process.used(), 0U);
  EXPECT_EQ(process.peak(), 100U);
}

}  // namespace
}  // namespace grete

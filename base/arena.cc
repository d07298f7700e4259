#include "base/arena.h"

#include <algorithm>
#include <cstdlib>

namespace grete {

struct alignas(std::max_align_t) Arena::Block {
  Block* previous;
  std::size_t size;  // with this header
};

Arena::~Arena() {
  while (newest_ != nullptr) {
    Block* previous = newest_->previous;
    free_block(newest_);
    newest_ = previous;
  }
}

void Arena::reset() {
  while (newest_ != nullptr && newest_->previous != nullptr) {
    Block* previous = newest_->previous;
    free_block(newest_);
    newest_ = previous;
  }
  if (newest_ != nullptr) {
    cursor_ = reinterpret_cast<std::uintptr_t>(newest_) + sizeof(Block);
    end_ = reinterpret_cast<std::uintptr_t>(newest_) + newest_->size;
  }
}

void* Arena::allocate_in_new_block(std::size_t size) {
  if (size > std::numeric_limits<std::size_t>::max() - sizeof(Block)) {
    return nullptr;
  }
  const std::size_t wanted =
      newest_ == nullptr ? kFirstBlock : std::min(newest_->size * 2, kMaxBlock);
  std::size_t block_size = std::max(wanted, size + sizeof(Block));
  if (!budget_->reserve(block_size)) {
    // A tight budget still serves what fits exactly.
    block_size = size + sizeof(Block);
    if (!budget_->reserve(block_size)) {
      return nullptr;
    }
  }
  auto* block = static_cast<Block*>(std::malloc(block_size));
  if (block == nullptr) {
    budget_->release(block_size);
    return nullptr;
  }
  *block = {newest_, block_size};
  newest_ = block;
  reserved_ += block_size;
  const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(block) + sizeof(Block);
  cursor_ = start + size;
  end_ = reinterpret_cast<std::uintptr_t>(block) + block_size;
  return reinterpret_cast<void*>(start);
}

void Arena::free_block(Block* block) {
  budget_->release(block->size);
  reserved_ -= block->size;
  std::free(block);
}

}  // namespace grete

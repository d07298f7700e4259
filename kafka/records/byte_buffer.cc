#include "kafka/records/byte_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace grete::kafka::records {
namespace {

constexpr std::size_t kSmallest = 1024;

}  // namespace

bool ByteBuffer::grow(std::size_t more) {
  if (more > std::numeric_limits<std::size_t>::max() / 2 - size_) {
    return false;
  }
  const std::size_t needed = size_ + more;
  std::size_t target = std::max({needed, capacity_ * 2, kSmallest});
  if (!budget_->reserve(target - capacity_)) {
    target = needed;
    if (!budget_->reserve(target - capacity_)) {
      return false;
    }
  }
  void* moved = std::realloc(data_, target);
  if (moved == nullptr) {
    budget_->release(target - capacity_);
    return false;
  }
  data_ = static_cast<std::byte*>(moved);
  capacity_ = target;
  return true;
}

void ByteBuffer::clear_and_trim(std::size_t keep) {
  size_ = 0;
  if (capacity_ > keep) {
    release();
  }
}

void ByteBuffer::release() {
  std::free(data_);
  budget_->release(capacity_);
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

}  // namespace grete::kafka::records

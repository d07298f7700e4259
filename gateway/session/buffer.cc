#include "gateway/session/buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace grete::gateway {

bool Buffer::reserve(std::size_t size) {
  if (size <= capacity_) {
    return true;
  }
  if (budget_ == nullptr) {
    return false;
  }
  std::size_t wanted = std::max({size, capacity_ * 2, std::size_t{64}});
  if (!budget_->reserve(wanted - capacity_)) {
    wanted = size;
    if (!budget_->reserve(wanted - capacity_)) {
      return false;
    }
  }
  auto* grown = static_cast<std::byte*>(std::realloc(data_, wanted));
  if (grown == nullptr) {
    budget_->release(wanted - capacity_);
    return false;
  }
  data_ = grown;
  capacity_ = wanted;
  return true;
}

bool Buffer::append(Bytes bytes) {
  if (bytes.empty()) {
    return true;
  }
  if (bytes.size() > SIZE_MAX - size_ || !reserve(size_ + bytes.size())) {
    return false;
  }
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return true;
}

bool Buffer::resize(std::size_t size) {
  if (!reserve(size)) {
    return false;
  }
  size_ = size;
  return true;
}

void Buffer::release() {
  if (data_ != nullptr) {
    std::free(data_);
    budget_->release(capacity_);
    data_ = nullptr;
  }
  size_ = 0;
  capacity_ = 0;
}

}  // namespace grete::gateway

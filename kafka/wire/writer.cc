#include "kafka/wire/writer.h"

#include <algorithm>
#include <cstring>

#include "kafka/wire/reflection.h"

namespace grete::kafka {

namespace {

constexpr std::size_t kMaxChunk = std::size_t{1} << 16;

}  // namespace

bool Writer::append(Bytes bytes) {
  if (bytes.size() >= kCopyBelow) {
    const Cursor after = refer(position_, bytes, 0);
    position_ = after == nullptr ? position_ : after;
    return after != nullptr;
  }
  std::byte* to = set_aside(bytes.size());
  if (to != nullptr && !bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return to != nullptr;
}

std::byte* Writer::set_aside(std::size_t size) {
  // At least a byte, so that a first call without bytes does not look like a failure.
  const Cursor at = ensure(position_, std::max<std::size_t>(size, 1));
  if (at != nullptr) {
    position_ = at + size;
  }
  return at;
}

std::span<const Bytes> Writer::pieces() {
  close_piece(position_);  // needs no memory: there is always a spare place in the list
  return {pieces_, piece_count_};
}

void Writer::copy_to(std::byte* to) {
  for (std::uint32_t i = 0; i < piece_count_; ++i) {
    std::memcpy(to, pieces_[i].data(), pieces_[i].size());
    to += pieces_[i].size();
  }
  if (position_ != piece_start_) {
    std::memcpy(to, piece_start_, static_cast<std::size_t>(position_ - piece_start_));
  }
}

Writer::Cursor Writer::refer(Cursor at, Bytes bytes, std::size_t following) {
  if (!close_piece(at) || !reserve_piece()) {
    return nullptr;
  }
  pieces_[piece_count_++] = bytes;
  closed_size_ += bytes.size();
  if (!reserve_piece()) {
    return nullptr;
  }
  return ensure(at, std::max<std::size_t>(following, 1));
}

Writer::Cursor Writer::grow(Cursor at, std::size_t size) {
  if (at != piece_start_ && !close_piece(at)) {
    return nullptr;
  }
  const std::size_t chunk = std::max(next_chunk_, size);
  next_chunk_ = std::min(next_chunk_ * 2, kMaxChunk);
  auto* start = static_cast<Cursor>(arena_->allocate(chunk, 1));
  if (start == nullptr) {
    return fail(EncodeErrorCode::kOutOfMemory);
  }
  limit_ = start + chunk;
  piece_start_ = start;
  position_ = start;
  return start;
}

bool Writer::close_piece(Cursor at) {
  if (at == piece_start_) {
    return true;
  }
  const Bytes piece{piece_start_, static_cast<std::size_t>(at - piece_start_)};
  piece_start_ = at;
  position_ = at;
  closed_size_ += piece.size();
  if (piece_count_ != 0) {
    Bytes& last = pieces_[piece_count_ - 1];
    if (last.data() + last.size() == piece.data()) {
      last = {last.data(), last.size() + piece.size()};
      return true;
    }
  }
  pieces_[piece_count_++] = piece;
  return reserve_piece();
}

// Makes sure of a free place in the list.
bool Writer::reserve_piece() {
  if (piece_count_ == piece_capacity_) {
    const std::uint32_t capacity = piece_capacity_ * 2;
    void* memory = arena_->allocate(capacity * sizeof(Bytes), alignof(Bytes));
    if (memory == nullptr) {
      fail(EncodeErrorCode::kOutOfMemory);
      return false;
    }
    std::memcpy(memory, pieces_, piece_count_ * sizeof(Bytes));
    pieces_ = static_cast<Bytes*>(memory);
    piece_capacity_ = capacity;
  }
  return true;
}

Writer::Cursor Writer::fail(EncodeErrorCode code) {
  error_ = EncodeError{};
  error_.code = code;
  return nullptr;
}

Writer::Cursor Writer::fail_in(const StructInfo& type, unsigned field) {
  error_.path.prepend(type.fields[field].name, index_);
  index_ = FieldPath::kNoIndex;
  return nullptr;
}

EncodeError Writer::take_error(const char* message) {
  error_.path.set_message(message);
  return error_;
}

}  // namespace grete::kafka

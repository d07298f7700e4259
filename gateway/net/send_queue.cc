#include "gateway/net/send_queue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace grete::gateway {

namespace {

constexpr std::size_t kMaxPieces = 64;

}  // namespace

Transfer SendQueue::send(const Socket& socket, Output& output) {
  std::size_t sent = 0;
  while (queue_.empty() && sent < output.size()) {
    std::array<iovec, kMaxPieces> pieces;
    std::size_t count = 0;
    std::size_t wanted = 0;
    std::size_t skip = sent;
    for (const Output::Piece& piece : output.pieces()) {
      if (skip >= piece.size) {
        skip -= piece.size;
        continue;
      }
      if (count == pieces.size()) {
        break;
      }
      pieces[count++] = {const_cast<std::byte*>(piece.data) + skip, piece.size - skip};
      wanted += piece.size - skip;
      skip = 0;
    }
    const Transfer written = socket.write(std::span(pieces).first(count));
    if (written.state == Transfer::State::kFailed) {
      return written;
    }
    sent += written.bytes;
    if (written.bytes < wanted) {
      break;
    }
  }
  if (sent == output.size()) {
    return {};
  }
  if (!keep(output, sent)) {
    return {.state = Transfer::State::kFailed, .error = ENOMEM};
  }
  return {.state = Transfer::State::kWouldBlock};
}

bool SendQueue::keep(Output& output, std::size_t sent) {
  for (const Output::Piece& piece : output.pieces()) {
    if (sent >= piece.size) {
      sent -= piece.size;
      continue;
    }
    Entry entry{piece.data + sent, piece.size - sent, {}};
    sent = 0;
    if (piece.keeper != Output::Piece::kBorrowed) {
      entry.keeper = std::move(output.keeper(piece));
    } else {
      Buffer copy(*budget_);
      if (!copy.append({entry.data, entry.size})) {
        return false;
      }
      entry.data = copy.data();
      entry.keeper.buffer = std::move(copy);
    }
    size_ += entry.size;
    queue_.push_back(std::move(entry));
  }
  return true;
}

Transfer SendQueue::flush(const Socket& socket) {
  while (!queue_.empty()) {
    std::array<iovec, kMaxPieces> pieces;
    const std::size_t count = std::min(queue_.size(), pieces.size());
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      pieces[i] = {const_cast<std::byte*>(queue_[i].data), queue_[i].size};
      wanted += queue_[i].size;
    }
    const Transfer written = socket.write(std::span(pieces).first(count));
    if (written.state == Transfer::State::kFailed) {
      return written;
    }
    size_ -= written.bytes;
    std::size_t left = written.bytes;
    while (!queue_.empty() && left >= queue_.front().size) {
      left -= queue_.front().size;
      queue_.pop_front();
    }
    if (left != 0) {
      queue_.front().data += left;
      queue_.front().size -= left;
    }
    if (written.bytes < wanted) {
      return {.state = Transfer::State::kWouldBlock};
    }
  }
  return {};
}

void SendQueue::clear() {
  queue_.clear();
  size_ = 0;
}

}  // namespace grete::gateway

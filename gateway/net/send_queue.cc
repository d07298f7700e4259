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
  size_ += output.size() - sent;
  for (const Output::Piece& piece : output.pieces()) {
    if (sent >= piece.size) {
      sent -= piece.size;
      continue;
    }
    if (piece.owner != Output::Piece::kBorrowed) {
      if (queue_.empty()) {
        sent_of_first_ = sent;
        queue_.push_back(std::move(output.owned(piece.owner)));
        sent = 0;
        continue;
      }
      if (sent == 0) {
        queue_.push_back(std::move(output.owned(piece.owner)));
        continue;
      }
    }
    Buffer copy(*budget_);
    if (!copy.append({piece.data + sent, piece.size - sent})) {
      return false;
    }
    queue_.push_back(std::move(copy));
    sent = 0;
  }
  return true;
}

Transfer SendQueue::flush(const Socket& socket) {
  while (!queue_.empty()) {
    std::array<iovec, kMaxPieces> pieces;
    const std::size_t count = std::min(queue_.size(), pieces.size());
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t skip = i == 0 ? sent_of_first_ : 0;
      pieces[i] = {queue_[i].data() + skip, queue_[i].size() - skip};
      wanted += pieces[i].iov_len;
    }
    const Transfer written = socket.write(std::span(pieces).first(count));
    if (written.state == Transfer::State::kFailed) {
      return written;
    }
    size_ -= written.bytes;
    std::size_t left = written.bytes + sent_of_first_;
    while (!queue_.empty() && left >= queue_.front().size()) {
      left -= queue_.front().size();
      queue_.pop_front();
    }
    sent_of_first_ = left;
    if (written.bytes < wanted) {
      return {.state = Transfer::State::kWouldBlock};
    }
  }
  return {};
}

void SendQueue::clear() {
  queue_.clear();
  sent_of_first_ = 0;
  size_ = 0;
}

}  // namespace grete::gateway

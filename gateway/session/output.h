// Where a session's bytes go: a list of pieces for one peer, in order, copied only if they must be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "gateway/session/buffer.h"

namespace grete::gateway {

// What one turn of a session has for one peer. Pieces either borrow from the input of that turn or
// are owned; neighbouring borrowed pieces melt into one, so a stretch of frames that only pass
// through is one piece. The caller writes the pieces, keeps what the socket did not take, and
// clears. Reused from turn to turn; one thread.
class Output {
 public:
  struct Piece {
    static constexpr std::int32_t kBorrowed = -1;

    const std::byte* data = nullptr;
    std::size_t size = 0;
    std::int32_t owner = kBorrowed;  // an index into owned(), or kBorrowed
  };

  // Adds bytes that live until this turn ends.
  void borrow(Bytes bytes) {
    if (bytes.empty()) {
      return;
    }
    size_ += bytes.size();
    if (!pieces_.empty() && pieces_.back().owner == Piece::kBorrowed &&
        pieces_.back().data + pieces_.back().size == bytes.data()) {
      pieces_.back().size += bytes.size();
      return;
    }
    pieces_.push_back({bytes.data(), bytes.size(), Piece::kBorrowed});
  }

  // Adds bytes and takes over their memory.
  void own(Buffer buffer) {
    if (buffer.empty()) {
      return;
    }
    size_ += buffer.size();
    pieces_.push_back({buffer.data(), buffer.size(), static_cast<std::int32_t>(owned_.size())});
    owned_.push_back(std::move(buffer));
  }

  void clear() {
    pieces_.clear();
    owned_.clear();
    size_ = 0;
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Bytes in all pieces.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  // The memory of an owned piece, to be moved from by whoever keeps it.
  [[nodiscard]] Buffer& owned(std::int32_t owner) {
    return owned_[static_cast<std::size_t>(owner)];
  }

 private:
  std::vector<Piece> pieces_;
  std::vector<Buffer> owned_;
  std::size_t size_ = 0;
};

// The two directions of one turn.
struct Outputs {
  Output to_broker;
  Output to_client;

  void clear() {
    to_broker.clear();
    to_client.clear();
  }
};

}  // namespace grete::gateway

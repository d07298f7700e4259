// Where a session's bytes go: a list of pieces for one peer, in order, copied only if they must be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "gateway/session/buffer.h"

namespace grete::gateway {

// Whatever keeps a piece's bytes valid.
struct Keeper {
  Buffer buffer;
  std::shared_ptr<const void> shared;
};

// What one turn of a session has for one peer. Pieces either borrow from the input of that turn or
// are kept; neighbouring borrowed pieces melt into one, so a stretch of frames that only pass
// through is one piece. The caller writes the pieces, keeps what the socket did not take, and
// clears. Reused from turn to turn; one thread.
class Output {
 public:
  struct Piece {
    static constexpr std::int32_t kBorrowed = -1;

    const std::byte* data = nullptr;
    std::size_t size = 0;
    std::int32_t keeper = kBorrowed;  // for keeper(), or kBorrowed
  };

  // Adds bytes that live until this turn ends.
  void borrow(Bytes bytes) {
    if (bytes.empty()) {
      return;
    }
    size_ += bytes.size();
    if (!pieces_.empty() && pieces_.back().keeper == Piece::kBorrowed &&
        pieces_.back().data + pieces_.back().size == bytes.data()) {
      pieces_.back().size += bytes.size();
      return;
    }
    pieces_.push_back({bytes.data(), bytes.size(), Piece::kBorrowed});
  }

  // Adds bytes and takes over their memory.
  void own(Buffer buffer) {
    const Bytes bytes = buffer.bytes();
    keep(bytes, {std::move(buffer), nullptr});
  }

  // Adds bytes that live as long as `owner`.
  void share(Bytes bytes, std::shared_ptr<const void> owner) {
    keep(bytes, {Buffer(), std::move(owner)});
  }

  void clear() {
    pieces_.clear();
    keepers_.clear();
    size_ = 0;
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Bytes in all pieces.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  // What keeps a piece, to be moved from by whoever goes on keeping it.
  [[nodiscard]] Keeper& keeper(const Piece& piece) {
    return keepers_[static_cast<std::size_t>(piece.keeper)];
  }

 private:
  void keep(Bytes bytes, Keeper keeper) {
    if (bytes.empty()) {
      return;
    }
    size_ += bytes.size();
    pieces_.push_back({bytes.data(), bytes.size(), static_cast<std::int32_t>(keepers_.size())});
    keepers_.push_back(std::move(keeper));
  }

  std::vector<Piece> pieces_;
  std::vector<Keeper> keepers_;
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

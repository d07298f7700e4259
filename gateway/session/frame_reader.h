// Splits a byte stream into length-prefixed frames, holding as little of them as it can.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "gateway/session/buffer.h"
#include "gateway/session/output.h"

namespace grete::gateway {

// A pull parser: next() takes bytes off the input until there is something to tell.
//
//                 want(n)
//               +--------+
//               v        |     forward(total)                        last chunk
//        +-> prefix ---kPrefix ----------------> forwarding --kChunk----------+
//        |                 |    buffer(total)                                 |
//        |                 +-------------------> buffering ---kFrame----------+
//        |                 |    discard(total)                                |
//        |                 +-------------------> discarding ------------------+
//        +--------------------------------------------------------------------+
//
// After kPrefix the caller has the first bytes of a frame and either wants more of them or says
// what becomes of the frame. Bytes that lie in the input as a whole are never copied; only what
// straddles two inputs is, into memory charged to the budget.
class FrameReader {
 public:
  enum class Event : std::uint8_t {
    kNeedInput,  // the input is used up
    kPrefix,     // prefix() holds what was wanted
    kChunk,      // chunk() is a piece of a forwarded frame
    kFrame,      // frame() is a whole buffered frame
    kNoMemory,   // the budget has no room for the rest of the input
  };

  // `first_prefix` is the number of bytes wanted of every frame; at least 4. The budget outlives
  // the reader.
  FrameReader(MemoryBudget& budget, std::size_t first_prefix)
      : carry_(budget),
        frame_(budget),
        budget_(&budget),
        first_prefix_(first_prefix),
        wanted_(first_prefix) {}

  // Takes what it uses off the front of `input`. What chunk() and frame() return lives until the
  // next call, or, where it lies in the input, as long as that.
  [[nodiscard]] Event next(MutableBytes& input);

  // After kPrefix: the frame from its length field on; it may reach beyond the frame's end.
  [[nodiscard]] Bytes prefix() const { return prefix_; }

  // After kPrefix: asks for `bytes` of the frame before the next decision.
  void want(std::size_t bytes) { wanted_ = bytes; }

  // After kPrefix: the frame of `total` bytes, its length field included, is handed on in chunks,
  // kept until it is whole, or thrown away.
  void forward(std::uint64_t total);
  void buffer(std::uint64_t total);
  void discard(std::uint64_t total);

  // From here on everything is one endless forwarded frame.
  void forward_everything();

  // After kChunk. The caller may change the bytes in place before it emits them.
  [[nodiscard]] MutableBytes chunk() { return chunk_; }
  // Whether the chunk ends its frame.
  [[nodiscard]] bool last() const { return remaining_ == 0; }
  // Hands the chunk to `out`.
  void emit(Output& out);

  // After kFrame.
  [[nodiscard]] MutableBytes frame() { return frame_view_; }
  // The frame in memory of its own: moved if it already is, else copied. Empty if there is no
  // memory for it.
  [[nodiscard]] Buffer take_frame();
  // Hands the frame to `out` as it is.
  void emit_frame(Output& out);

  // Whether no frame has begun that is not taken in full.
  [[nodiscard]] bool at_boundary() const {
    switch (state_) {
      case State::kPrefix:
        return carry_.empty();
      case State::kBuffer:
        return total_ == 0;
      case State::kForward:
      case State::kDiscard:
        return remaining_ == 0;
    }
    return false;
  }

  // At a boundary: changes the number of bytes wanted of every frame.
  void set_first_prefix(std::size_t bytes) {
    first_prefix_ = bytes;
    if (state_ == State::kPrefix) {
      wanted_ = bytes;
    }
  }

 private:
  enum class State : std::uint8_t { kPrefix, kForward, kBuffer, kDiscard };

  Event next_prefix(MutableBytes& input);
  Event next_chunk(MutableBytes& input);
  Event next_frame(MutableBytes& input);
  void start_prefix();

  State state_ = State::kPrefix;
  bool chunk_is_carry_ = false;
  Buffer carry_;  // the first bytes of a frame, if they came in more than one input
  Buffer frame_;  // a buffered frame that came in more than one input
  Bytes prefix_;
  MutableBytes chunk_;
  MutableBytes frame_view_;
  MemoryBudget* budget_;
  std::size_t first_prefix_;
  std::size_t wanted_;
  std::uint64_t remaining_ = 0;  // bytes of the frame not yet taken (forwarding, discarding)
  std::uint64_t total_ = 0;      // bytes of a buffered frame
};

}  // namespace grete::gateway

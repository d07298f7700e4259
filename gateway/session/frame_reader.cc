#include "gateway/session/frame_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace grete::gateway {

namespace {

MutableBytes take(MutableBytes& input, std::uint64_t at_most) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(at_most, input.size()));
  const MutableBytes taken = input.first(size);
  input = input.subspan(size);
  return taken;
}

}  // namespace

FrameReader::Event FrameReader::next(MutableBytes& input) {
  for (;;) {
    switch (state_) {
      case State::kPrefix:
        return next_prefix(input);
      case State::kForward:
        if (remaining_ != 0) {
          return next_chunk(input);
        }
        start_prefix();
        break;
      case State::kBuffer:
        if (total_ != 0) {
          return next_frame(input);
        }
        start_prefix();
        break;
      case State::kDiscard:
        remaining_ -= take(input, remaining_).size();
        if (remaining_ != 0) {
          return Event::kNeedInput;
        }
        start_prefix();
        break;
    }
  }
}

void FrameReader::start_prefix() {
  state_ = State::kPrefix;
  wanted_ = first_prefix_;
  chunk_is_carry_ = false;
  carry_.release();
  frame_.release();
}

FrameReader::Event FrameReader::next_prefix(MutableBytes& input) {
  if (carry_.empty()) {
    if (input.size() >= wanted_) {
      prefix_ = input;
      return Event::kPrefix;
    }
    if (!carry_.append(input)) {
      return Event::kNoMemory;
    }
    input = {};
    return Event::kNeedInput;
  }
  if (carry_.size() < wanted_) {
    const std::size_t missing = std::min(wanted_ - carry_.size(), input.size());
    if (!carry_.append(input.first(missing))) {
      return Event::kNoMemory;
    }
    input = input.subspan(missing);
  }
  if (carry_.size() < wanted_) {
    return Event::kNeedInput;
  }
  prefix_ = carry_.bytes();
  return Event::kPrefix;
}

void FrameReader::forward(std::uint64_t total) {
  state_ = State::kForward;
  remaining_ = total;
}

void FrameReader::buffer(std::uint64_t total) {
  state_ = State::kBuffer;
  total_ = total;
  frame_ = std::exchange(carry_, Buffer(*budget_));
}

void FrameReader::discard(std::uint64_t total) {
  state_ = State::kDiscard;
  remaining_ = total - carry_.size();
  carry_.release();
}

void FrameReader::forward_everything() {
  forward(std::numeric_limits<std::uint64_t>::max());
}

FrameReader::Event FrameReader::next_chunk(MutableBytes& input) {
  if (!carry_.empty()) {
    chunk_ = carry_.bytes();
    chunk_is_carry_ = true;
  } else {
    if (input.empty()) {
      return Event::kNeedInput;
    }
    chunk_ = take(input, remaining_);
    chunk_is_carry_ = false;
  }
  if (remaining_ != std::numeric_limits<std::uint64_t>::max()) {
    remaining_ -= chunk_.size();
  }
  return Event::kChunk;
}

void FrameReader::emit(Output& out) {
  if (chunk_is_carry_) {
    out.own(std::exchange(carry_, Buffer(*budget_)));
  } else {
    out.borrow(chunk_);
  }
}

FrameReader::Event FrameReader::next_frame(MutableBytes& input) {
  if (frame_.empty() && input.size() >= total_) {
    frame_view_ = take(input, total_);
    total_ = 0;
    return Event::kFrame;
  }
  const auto missing = std::min<std::uint64_t>(total_ - frame_.size(), input.size());
  if (!frame_.append(input.first(static_cast<std::size_t>(missing)))) {
    return Event::kNoMemory;
  }
  input = input.subspan(static_cast<std::size_t>(missing));
  if (frame_.size() < total_) {
    return Event::kNeedInput;
  }
  frame_view_ = frame_.bytes();
  total_ = 0;
  return Event::kFrame;
}

Buffer FrameReader::take_frame() {
  if (!frame_.empty()) {
    return std::exchange(frame_, Buffer(*budget_));
  }
  Buffer copy(*budget_);
  if (!copy.append(frame_view_)) {
    return Buffer();
  }
  return copy;
}

void FrameReader::emit_frame(Output& out) {
  if (!frame_.empty()) {
    out.own(std::exchange(frame_, Buffer(*budget_)));
  } else {
    out.borrow(frame_view_);
  }
}

}  // namespace grete::gateway

#include "gateway/session/fetch_walker.h"

#include <algorithm>

namespace grete::gateway {

namespace {

// FetchResponse.json, version 16: fixed-size fields before each varint.
constexpr std::uint64_t kBeforeTopics = 4 + 2 + 4;           // throttle, error, session id
constexpr std::uint64_t kTopicId = 16;                       // before the partitions' count
constexpr std::uint64_t kBeforeAborted = 4 + 2 + 8 + 8 + 8;  // index, error, three offsets
constexpr std::uint64_t kAbortedTransaction = 8 + 8;         // producer id, first offset
constexpr std::uint64_t kPreferredReadReplica = 4;           // before the records' size
constexpr std::uint32_t kNodeEndpointsTag = 0;
// One byte as a varint, like the tag that it stands in for; no Kafka message uses it.
constexpr std::byte kUnknownTag{127};
constexpr int kMaxVarintWidth = 5;

}  // namespace

bool FetchWalker::walk(MutableBytes bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (skip_ != 0) {
      const auto step_size =
          static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size() - at));
      skip_ -= step_size;
      at += step_size;
      continue;
    }
    if (state_ == State::kDone || varint_width_ == kMaxVarintWidth) {
      return false;
    }
    std::byte& byte = bytes[at++];
    varint_ |= (std::to_integer<std::uint32_t>(byte) & 0x7f) << (7 * varint_width_);
    ++varint_width_;
    if ((byte & std::byte{0x80}) != std::byte{0}) {
      continue;
    }
    const std::uint32_t value = varint_;
    const int width = varint_width_;
    varint_ = 0;
    varint_width_ = 0;
    if (!step(value, byte, width)) {
      return false;
    }
  }
  return true;
}

bool FetchWalker::step(std::uint32_t value, std::byte& last_byte, int width) {
  // A compact length is one more than the length; 0 means null.
  const std::uint32_t length = value == 0 ? 0 : value - 1;
  switch (state_) {
    case State::kTagCount:
      tags_left_ = value;
      if (tags_left_ == 0) {
        leave_tags();
      } else {
        state_ = State::kTag;
      }
      return true;
    case State::kTag:
      if (level_ == Level::kTop && value == kNodeEndpointsTag) {
        if (width != 1) {
          return false;  // a padded varint: no encoder writes it, and it cannot be replaced in
                         // place
        }
        last_byte = kUnknownTag;
        hid_addresses_ = true;
      }
      state_ = State::kTagSize;
      return true;
    case State::kTagSize:
      skip_ = value;
      if (--tags_left_ == 0) {
        const std::uint64_t tag_bytes = skip_;
        leave_tags();
        skip_ += tag_bytes;
      } else {
        state_ = State::kTag;
      }
      return true;
    case State::kTopics:
      topics_left_ = length;
      next_topic();
      return true;
    case State::kPartitions:
      partitions_left_ = length;
      next_partition();
      return true;
    case State::kAborted:
      aborted_left_ = length;
      next_aborted();
      return true;
    case State::kRecords:
      enter_tags(Level::kPartition, length);
      return true;
    case State::kDone:
      return false;
  }
  return false;
}

void FetchWalker::enter_tags(Level level, std::uint64_t skip_before) {
  level_ = level;
  state_ = State::kTagCount;
  skip_ = skip_before;
}

void FetchWalker::leave_tags() {
  skip_ = 0;
  switch (level_) {
    case Level::kHeader:
      state_ = State::kTopics;
      skip_ = kBeforeTopics;
      break;
    case Level::kTop:
      state_ = State::kDone;
      break;
    case Level::kTopic:
      --topics_left_;
      next_topic();
      break;
    case Level::kPartition:
      --partitions_left_;
      next_partition();
      break;
    case Level::kAborted:
      --aborted_left_;
      next_aborted();
      break;
  }
}

void FetchWalker::next_topic() {
  if (topics_left_ == 0) {
    enter_tags(Level::kTop, 0);
    return;
  }
  state_ = State::kPartitions;
  skip_ = kTopicId;
}

void FetchWalker::next_partition() {
  if (partitions_left_ == 0) {
    enter_tags(Level::kTopic, 0);
    return;
  }
  state_ = State::kAborted;
  skip_ = kBeforeAborted;
}

void FetchWalker::next_aborted() {
  if (aborted_left_ == 0) {
    state_ = State::kRecords;
    skip_ = kPreferredReadReplica;
    return;
  }
  enter_tags(Level::kAborted, kAbortedTransaction);
}

}  // namespace grete::gateway

// Hides broker addresses at the end of a Fetch response whose length is already sent.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace grete::gateway {

// Walks a Fetch response of version 16 or later by its lengths, as it passes in pieces. If its
// top-level tagged section holds NodeEndpoints (tag 0, KIP-951), the tag becomes 127 in place: the
// length stays, and clients skip a tag they do not know and find the new leader with a Metadata
// request. Holds a few integers and no bytes.
class FetchWalker {
 public:
  // Walks the next bytes of the frame, from its length field on. False if they are not a Fetch
  // response; what was walked before is already changed.
  [[nodiscard]] bool walk(MutableBytes bytes);

  // Whether the response ended where its structure says it does.
  [[nodiscard]] bool complete() const { return state_ == State::kDone && skip_ == 0; }

  // Whether NodeEndpoints was there (and is hidden now).
  [[nodiscard]] bool hid_addresses() const { return hid_addresses_; }

 private:
  // What the next varint means. Fixed-size fields in between are skipped.
  enum class State : std::uint8_t {
    kTagCount,
    kTag,
    kTagSize,
    kTopics,
    kPartitions,
    kAborted,
    kRecords,
    kDone,
  };
  // Which structure a tagged section closes.
  enum class Level : std::uint8_t { kHeader, kTop, kTopic, kPartition, kAborted };

  bool step(std::uint32_t value, std::byte& last_byte, int width);
  void enter_tags(Level level, std::uint64_t skip_before);
  void leave_tags();
  void next_topic();
  void next_partition();
  void next_aborted();

  State state_ = State::kTagCount;
  Level level_ = Level::kHeader;
  bool hid_addresses_ = false;
  std::uint8_t varint_width_ = 0;
  std::uint32_t varint_ = 0;
  std::uint32_t tags_left_ = 0;
  std::uint32_t topics_left_ = 0;
  std::uint32_t partitions_left_ = 0;
  std::uint32_t aborted_left_ = 0;
  std::uint64_t skip_ = 8;  // length and correlation id
};

}  // namespace grete::gateway

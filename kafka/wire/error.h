// What can be wrong with a message, where, without allocating.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace grete::kafka {

// The way from a message to one of its fields: `topicData[2].partitionData[0].records`. Names are
// static strings, as Kafka's JSON spells them.
class FieldPath {
 public:
  // Deeper than any of Kafka's messages nests; the generator checks.
  static constexpr std::size_t kMaxDepth = 8;
  static constexpr std::int64_t kNoIndex = -1;

  // Prepends a step: errors are told from the innermost field outwards.
  void prepend(const char* name, std::int64_t index) {
    if (depth_ < kMaxDepth) {
      steps_[depth_++] = {name, index};
    }
  }
  void set_message(const char* name) { message_ = name; }

  [[nodiscard]] std::size_t depth() const { return depth_; }
  // The message's name, such as "ProduceRequest".
  [[nodiscard]] const char* message() const { return message_; }
  // "ProduceRequest.topicData[2].name"; the message alone if the error is in no field of it.
  [[nodiscard]] std::string text() const;

 private:
  struct Step {
    const char* name;
    std::int64_t index;
  };
  std::array<Step, kMaxDepth> steps_;  // innermost first
  std::size_t depth_ = 0;
  const char* message_ = "";
};

enum class DecodeErrorCode : std::uint8_t {
  kTruncated,           // the bytes end within the field
  kBadVarint,           // a variable-length integer of more than 5 bytes or 32 bits
  kBadLength,           // a negative length other than -1
  kStringTooLong,       // above 32,767 bytes, Kafka's own limit
  kUnexpectedNull,      // null where this version has no null
  kCountTooLarge,       // more elements than the remaining bytes could hold
  kOutOfMemory,         // the arena's budget is used up
  kUnsupportedVersion,  // no such version of the message
  kTagOrder,            // tagged fields not in ascending order (KIP-482)
  kTagSize,             // a tagged field's size disagrees with its value
  kBadStructMarker,     // the byte before an optional struct is neither -1 nor 1
  kTrailingBytes,       // bytes left after the message
};

struct DecodeError {
  DecodeErrorCode code{};
  // Where in the reader's bytes, in bytes from their start.
  std::uint64_t offset = 0;
  FieldPath path;

  // "at byte 17: ProduceRequest.topicData: count is larger than the remaining bytes can hold".
  [[nodiscard]] std::string text() const;
};

enum class EncodeErrorCode : std::uint8_t {
  kFieldNotInVersion,   // has a value other than its default, and this version lacks the field
  kTagsNotInVersion,    // unknown tagged fields in a version without tagged fields
  kNullNotAllowed,      // null where this version has no null
  kTooLong,             // a string above 32,767 bytes, or a size above 2,147,483,647
  kTagOrder,            // unknown tags not ascending, or one with the number of a known field
  kOutOfMemory,         // the arena's budget is used up
  kUnsupportedVersion,  // no such version of the message
};

struct EncodeError {
  EncodeErrorCode code{};
  FieldPath path;

  [[nodiscard]] std::string text() const;
};

// A phrase for people, without a full stop.
const char* describe(DecodeErrorCode code);
const char* describe(EncodeErrorCode code);

}  // namespace grete::kafka

// Own patterns as trees: what their text says, before any automaton is made of it.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "filters/pii/pattern.h"

namespace grete::filters::pii {

using ByteSet = std::bitset<256>;

struct PatternNode {
  enum class Kind : std::uint8_t { kBytes, kSequence, kAlternatives, kRepeat };
  static constexpr std::size_t kNoLimit = std::size_t(-1);

  Kind kind = Kind::kSequence;
  ByteSet bytes;                      // kBytes: any one of them
  std::vector<PatternNode> children;  // kRepeat has one
  std::size_t least = 0;              // kRepeat
  std::size_t most = 0;               // kRepeat; kNoLimit: any number
};

struct ParsedPattern {
  PatternNode root;
  PatternEdge begin = PatternEdge::kAny;
  PatternEdge end = PatternEdge::kAny;
};

// Whether a byte is a letter, digit or underscore of ASCII.
bool is_word_byte(std::uint8_t byte);

Result<ParsedPattern, PatternError> parse_pattern(std::string_view regex);

}  // namespace grete::filters::pii

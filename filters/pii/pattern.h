// Own patterns: a regular language, compiled to two tables when configured, and looked for in time
// linear in the text whatever text and pattern are.
//
// A position automaton (Glushkov's) is made deterministic in both directions. The first table runs
// forwards and tells which positions of the pattern may have been reached; only if some match ends
// somewhere, the second one runs backwards and tells which may still lead to an end. A byte belongs
// to a match exactly where both agree. So every byte that lies in any match is found, overlapping
// matches included, and none is looked at more than three times.
//
//   alternation   a|b   group (a)   any byte but newline .   class [a-z0-9_], [^"]
//   repetition    a* a+ a? a{3} a{2,} a{2,5}                 escapes \d \w \s \D \W \S \n \t \. ...
//   at the ends of the pattern only: ^ $ (begin, end of the text), \b (no word goes on there)
//   (?i) at the beginning: letters of ASCII in either case
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace grete::filters::pii {

inline constexpr std::size_t kMaxPatterns = 32;
// Bytes of one pattern's text.
inline constexpr std::size_t kMaxPatternBytes = 1024;
// Places where a byte is matched, after repetitions are written out.
inline constexpr std::size_t kMaxPositions = 256;
// States of each of the two tables.
inline constexpr std::size_t kMaxStates = 2048;

struct PatternError {
  std::size_t offset = 0;  // in the pattern
  std::string what;
};

// Bytes [begin, end) of a text.
struct ByteRange {
  std::uint32_t begin;
  std::uint32_t end;

  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// What a match must not be preceded, or followed, by.
enum class PatternEdge : std::uint8_t { kAny, kWord, kText };

// A set of the pattern's positions.
class PositionSet {
 public:
  void add(std::size_t position) { words_[position / 64] |= std::uint64_t{1} << (position % 64); }
  [[nodiscard]] bool has(std::size_t position) const {
    return (words_[position / 64] >> (position % 64) & 1) != 0;
  }
  [[nodiscard]] bool empty() const { return *this == PositionSet{}; }
  [[nodiscard]] bool meets(const PositionSet& other) const {
    std::uint64_t common = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      common |= words_[i] & other.words_[i];
    }
    return common != 0;
  }
  PositionSet& operator|=(const PositionSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] |= other.words_[i];
    }
    return *this;
  }
  PositionSet& operator&=(const PositionSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] &= other.words_[i];
    }
    return *this;
  }
  friend bool operator==(const PositionSet&, const PositionSet&) = default;
  [[nodiscard]] std::uint64_t hash() const;

 private:
  std::array<std::uint64_t, kMaxPositions / 64> words_{};
};

// A deterministic automaton over classes of bytes; state 0 is where it starts.
struct PatternTable {
  std::array<std::uint8_t, 256> classes{};
  std::size_t class_count = 0;
  std::vector<std::uint16_t> next;  // [state * class_count + class]
  std::vector<std::uint8_t> accepts;
  std::vector<PositionSet> positions;  // of each state
};

// Immutable but for its scratch memory; one thread.
class Pattern {
 public:
  static Result<Pattern, PatternError> compile(std::string_view regex);

  // Appends the maximal stretches of bytes that lie in a match, ascending. `text` is below 4 GiB.
  // Allocates only to grow its scratch memory and `ranges`.
  void find(std::string_view text, std::vector<ByteRange>& ranges);

 private:
  // The end of the last match's last byte; 0 if there is no match.
  [[nodiscard]] std::size_t last_end(std::string_view text) const;

  PatternTable forwards_;
  PatternTable backwards_;
  PatternEdge end_ = PatternEdge::kAny;
  std::vector<std::uint16_t> states_;
};

}  // namespace grete::filters::pii

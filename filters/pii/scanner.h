// Finds personal data and credentials in text, in one pass and in time linear in the text.
//
// A prefilter looks at 64 bytes at a time for positions where something may begin or be
// anchored: the first digit of a number, an '@', or the first three bytes of a known token (a
// lookup of nibbles in the manner of Hyperscan's "Teddy"). Only there the detectors of matchers.h
// look closer.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "filters/pii/detectors.h"
#include "filters/pii/matchers.h"
#include "filters/pii/simd.h"

namespace grete::filters::pii {

// Immutable after construction but for the step counter; one thread.
class Scanner {
 public:
  explicit Scanner(DetectorSet enabled);

  // Appends the matches in `text`, ascending and not overlapping. `text` is below 4 GiB. Allocates
  // only to grow `matches`.
  void find(std::string_view text, std::vector<Match>& matches);

  // How many bytes detectors have walked over so far, beside the prefilter's one pass.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  // Positions in a block of 64 bytes, as bits.
  struct Block {
    std::uint64_t digits = 0;
    std::uint64_t anchors = 0;  // '@', and beginnings of known tokens
  };

  void add_literal(int bucket, std::string_view first_three);
  Block look(const char* at) const;
  void visit(Text& text, std::size_t from, Block block, bool after_digit,
             std::vector<Match>& matches) const;

  DetectorSet enabled_;
  bool numbers_ = false;
  bool emails_ = false;
  // Bit b of low_[i][n]: in bucket b, some literal's byte i has the low nibble n; high_ likewise.
  Vector16 low_[3];
  Vector16 high_[3];
  std::uint64_t steps_ = 0;
};

}  // namespace grete::filters::pii

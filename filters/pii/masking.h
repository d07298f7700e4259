// What is written in the place of a match.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "filters/pii/matchers.h"

namespace grete::filters::pii {

// The length of the mask of a match: e-mail addresses become two stars, everything else keeps its
// length, so that fixed layouts stay intact.
inline std::size_t mask_length(const Match& match) {
  return match.detector == Detector::kEmail ? 2 : match.end - match.begin;
}

// `text` with its matches masked. For tests and tools; the filter edits in place.
inline std::string masked(std::string_view text, const std::vector<Match>& matches) {
  std::string result;
  std::size_t from = 0;
  for (const Match& match : matches) {
    result.append(text.substr(from, match.begin - from));
    result.append(mask_length(match), '*');
    from = match.end;
  }
  result.append(text.substr(from));
  return result;
}

}  // namespace grete::filters::pii

// The detectors: each looks at the text around one candidate position and says what matched.
//
// A detector walks over a bounded stretch, or over bytes that no other candidate of its kind walks
// over again; so the whole scan is linear in the text. What each accepts is the table of README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "filters/pii/detectors.h"
#include "filters/pii/text.h"

namespace grete::filters::pii {

// The bytes [begin, end) of a text, to be masked.
struct Match {
  std::uint32_t begin;
  std::uint32_t end;
  Detector detector;

  friend bool operator==(const Match&, const Match&) = default;
};

// An e-mail address around the '@' at `at`.
std::optional<Match> match_email(Text& text, std::size_t at);

// An IPv4 address, US social security number, credit card or phone number whose first digit is at
// `at`; the byte before is no digit.
std::optional<Match> match_number(Text& text, std::size_t at, DetectorSet enabled);

// A token with a known beginning at `at`, a NAME=value whose name begins there, a private key, or a
// URL whose "://" is there.
std::optional<Match> match_token(Text& text, std::size_t at, DetectorSet enabled);

inline Match make_match(std::size_t begin, std::size_t end, Detector detector) {
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), detector};
}

}  // namespace grete::filters::pii

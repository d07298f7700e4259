// Classes of bytes, and the text around a candidate: what every detector asks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace grete::filters::pii {

// Bits of a byte's entry in kClasses.
enum ByteClass : std::uint8_t {
  kDigit = 1,
  kAlpha = 2,
  kUnderscore = 4,
  kDash = 8,
  kLocalPart = 16,   // of an e-mail address
  kValueEnd = 32,    // ends an unquoted value of NAME=value
  kSpace = 64,       // space, tab, CR, LF
  kBase64Mark = 128  // + / =
};
inline constexpr std::uint8_t kAlnum = kDigit | kAlpha;
inline constexpr std::uint8_t kWord = kAlnum | kUnderscore;
inline constexpr std::uint8_t kToken = kWord | kDash;
inline constexpr std::uint8_t kBase64 = kAlnum | kBase64Mark;

inline constexpr auto kClasses = [] {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    int bits = 0;
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bits |= digit ? kDigit : 0;
    bits |= alpha ? kAlpha : 0;
    bits |= c == '_' ? kUnderscore : 0;
    bits |= c == '-' ? kDash : 0;
    bits |= digit || alpha || c == '_' || c == '-' || c == '.' || c == '+' ? kLocalPart : 0;
    bits |= c == '+' || c == '/' || c == '=' ? kBase64Mark : 0;
    bits |= c == ' ' || c == '\t' || c == '\r' || c == '\n' ? kSpace : 0;
    bits |= c <= ' ' || c == 0x7F ? kValueEnd : 0;
    for (const char end : std::string_view("\"'`\\,;&<>()[]{}|")) {
      bits |= c == end ? kValueEnd : 0;
    }
    table[static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(bits);
  }
  return table;
}();

inline bool is(char c, int classes) {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}

// The text that is being scanned, with the end of the last match: nothing before it is looked at
// as part of another match. Counts the bytes that detectors walk over, for the proof that the work
// is linear in the text.
struct Text {
  std::string_view bytes;
  std::size_t taken = 0;    // end of the last match
  std::uint64_t steps = 0;  // bytes walked over
  // A match found ahead of the scan; none if its end is 0.
  std::size_t pending_begin = 0;
  std::size_t pending_end = 0;

  [[nodiscard]] std::size_t size() const { return bytes.size(); }
  // The byte at `at`, or NUL beyond the end.
  [[nodiscard]] char at(std::size_t at) const { return at < bytes.size() ? bytes[at] : '\0'; }
  [[nodiscard]] bool starts_with(std::size_t at, std::string_view literal) const {
    return bytes.size() - at >= literal.size() && bytes.compare(at, literal.size(), literal) == 0;
  }
  // The first position from `at` on, at most `limit` bytes on, whose byte is not of `classes`.
  std::size_t skip(std::size_t at, int classes, std::size_t limit = std::size_t(-1)) {
    const std::size_t end = limit < bytes.size() - at ? at + limit : bytes.size();
    std::size_t next = at;
    while (next < end && is(bytes[next], classes)) {
      ++next;
    }
    steps += next - at + 1;
    return next;
  }
  // The byte `count` before `at`, as it will read once the last match is masked; NUL before the
  // text.
  [[nodiscard]] char before(std::size_t at, std::size_t count) const {
    if (at < count) {
      return '\0';
    }
    return at - count < taken ? '*' : bytes[at - count];
  }
  // Whether a word may begin at `at`: the byte before is not of `classes`, or it is the letter of
  // an escape such as the \n of JSON strings and logs.
  [[nodiscard]] bool begins_at(std::size_t at, int classes) const {
    const char letter = before(at, 1);
    if (!is(letter, classes)) {
      return true;
    }
    return before(at, 2) == '\\' && (letter == 'n' || letter == 't' || letter == 'r');
  }
};

}  // namespace grete::filters::pii

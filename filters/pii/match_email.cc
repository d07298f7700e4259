#include <array>

#include "filters/pii/matchers.h"

namespace grete::filters::pii {
namespace {

// Where the letters of an escape end that the text before `from` leads into: `\n` and `\u003c` are
// not part of the word that follows them.
std::size_t after_escape(const Text& text, std::size_t from, std::size_t at) {
  if (from == 0 || text.bytes[from - 1] != '\\' || from == at) {
    return from;
  }
  const char letter = text.bytes[from];
  if (letter == 'n' || letter == 't' || letter == 'r' || letter == 'b' || letter == 'f') {
    return from + 1;
  }
  return letter == 'u' && at - from > 5 ? from + 5 : from;
}

// Where the local part that ends at `at` begins; `at` itself if there is none.
std::size_t local_part(Text& text, std::size_t at) {
  std::size_t from = at;
  while (from > text.taken && is(text.bytes[from - 1], kLocalPart)) {
    --from;
  }
  text.steps += at - from + 1;
  from = after_escape(text, from, at);
  while (from < at && !is(text.bytes[from], kWord)) {
    ++from;
  }
  return from;
}

// The end of the longest domain from `from` on: labels joined by dots, the last one of letters.
// `from` itself if there is none.
std::size_t domain(Text& text, std::size_t from) {
  std::size_t end = from;
  std::size_t label = from;
  bool has_dot = false;
  while (label < text.size() && is(text.bytes[label], kAlnum)) {
    const std::size_t letters_end = text.skip(label, kAlpha);
    const std::size_t label_end = text.skip(letters_end, kAlnum | kDash);
    const bool is_top_level =
        letters_end - label >= 2 && (letters_end == label_end || text.bytes[letters_end] == '-');
    if (has_dot && is_top_level) {
      end = letters_end;
    }
    if (text.at(label_end) != '.') {
      break;
    }
    has_dot = true;
    label = label_end + 1;
  }
  return end;
}

// "logo@2x.png": a picture for dense screens, not an address.
bool is_picture(std::string_view domain) {
  constexpr std::array<std::string_view, 7> kSuffixes = {"x.png", "x.jpg",  "x.jpeg", "x.gif",
                                                         "x.svg", "x.webp", "x.avif"};
  if (domain.empty() || !is(domain[0], kDigit)) {
    return false;
  }
  for (const std::string_view suffix : kSuffixes) {
    if (domain.substr(1) == suffix) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Match> match_email(Text& text, std::size_t at) {
  if (at + 1 >= text.size() || !is(text.bytes[at + 1], kAlnum)) {
    return std::nullopt;
  }
  const std::size_t begin = local_part(text, at);
  if (begin == at) {
    return std::nullopt;
  }
  const std::size_t end = domain(text, at + 1);
  if (end == at + 1 || is_picture(text.bytes.substr(at + 1, end - at - 1))) {
    return std::nullopt;
  }
  // "git@host.org:path" names a repository.
  if (text.at(end) == ':' && text.bytes.substr(begin, at - begin) == "git") {
    return std::nullopt;
  }
  return make_match(begin, end, Detector::kEmail);
}

}  // namespace grete::filters::pii

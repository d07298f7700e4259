#include "filters/pii/pattern_syntax.h"

#include <utility>

namespace grete::filters::pii {
namespace {

using Kind = PatternNode::Kind;

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxRepeat = 255;

PatternNode bytes_node(ByteSet set) {
  PatternNode node;
  node.kind = Kind::kBytes;
  node.bytes = set;
  return node;
}

ByteSet range(unsigned first, unsigned last) {
  ByteSet set;
  for (unsigned byte = first; byte <= last; ++byte) {
    set.set(byte);
  }
  return set;
}

ByteSet word_bytes() {
  return range('a', 'z') | range('A', 'Z') | range('0', '9') | range('_', '_');
}

ByteSet space_bytes() {
  return range('\t', '\r') | range(' ', ' ');
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<ParsedPattern, PatternError> parse() {
    ParsedPattern parsed;
    if (text_.size() > kMaxPatternBytes) {
      return unexpected(PatternError{kMaxPatternBytes, "the pattern is too long"});
    }
    if (take("(?i)")) {
      any_case_ = true;
    }
    const std::size_t edges_at = at_;
    parsed.begin = take("\\b") ? PatternEdge::kWord
                   : take("^") ? PatternEdge::kText
                               : PatternEdge::kAny;
    if (!parse_alternatives(parsed.root, 0)) {
      return unexpected(error_);
    }
    const std::size_t end_at = at_;
    parsed.end = take("\\b") ? PatternEdge::kWord
                 : take("$") ? PatternEdge::kText
                             : PatternEdge::kAny;
    if (at_ != text_.size()) {
      at_ = end_at;
      fail(peek() == ')' ? "a ')' without its '('"
                         : "^, $ and \\b are possible only at the ends of the whole pattern");
      return unexpected(error_);
    }
    const bool edges = parsed.begin != PatternEdge::kAny || parsed.end != PatternEdge::kAny;
    if (edges && parsed.root.kind == Kind::kAlternatives) {
      at_ = edges_at;
      fail("with ^, $ or \\b, put the alternatives into a group");
      return unexpected(error_);
    }
    return parsed;
  }

 private:
  bool fail(std::string_view what) {
    error_ = {at_, std::string(what)};
    return false;
  }
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool take(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal) {
      return false;
    }
    at_ += literal.size();
    return true;
  }
  [[nodiscard]] bool at_edge() const {
    return peek() == '$' || peek() == '^' || (peek() == '\\' && peek(1) == 'b');
  }

  bool parse_alternatives(PatternNode& node, int depth) {
    if (depth > kMaxDepth) {
      return fail("groups are nested too deeply");
    }
    std::vector<PatternNode> alternatives(1);
    if (!parse_sequence(alternatives.back(), depth)) {
      return false;
    }
    while (take("|")) {
      alternatives.emplace_back();
      if (!parse_sequence(alternatives.back(), depth)) {
        return false;
      }
    }
    if (alternatives.size() == 1) {
      node = std::move(alternatives.front());
      return true;
    }
    node.kind = Kind::kAlternatives;
    node.children = std::move(alternatives);
    return true;
  }

  bool parse_sequence(PatternNode& node, int depth) {
    node.kind = Kind::kSequence;
    while (!done() && peek() != '|' && peek() != ')' && !at_edge()) {
      PatternNode atom;
      if (!parse_atom(atom, depth) || !parse_repeat(atom)) {
        return false;
      }
      node.children.push_back(std::move(atom));
    }
    return true;
  }

  bool parse_atom(PatternNode& node, int depth) {
    const char c = peek();
    switch (c) {
      case '(':
        return parse_group(node, depth);
      case '[':
        return parse_class(node);
      case '.':
        ++at_;
        node = bytes_node(~range('\n', '\n'));
        return true;
      case '*':
      case '+':
      case '?':
      case '{':
        return fail("nothing before it to repeat");
      case '\\': {
        ByteSet set;
        if (!parse_escape(set)) {
          return false;
        }
        node = bytes_node(set);
        return true;
      }
      default:
        return parse_literal(node);
    }
  }

  // One character; in UTF-8 it may be several bytes, which repeat together.
  bool parse_literal(PatternNode& node) {
    const auto lead = static_cast<unsigned char>(peek());
    const std::size_t size = lead < 0x80 ? 1U : lead >= 0xF0 ? 4U : lead >= 0xE0 ? 3U : 2U;
    if (size == 1) {
      node = bytes_node(cased(range(lead, lead)));
      ++at_;
      return true;
    }
    if (at_ + size > text_.size()) {
      return fail("not UTF-8");
    }
    for (std::size_t i = 0; i < size; ++i) {
      const auto byte = static_cast<unsigned char>(text_[at_++]);
      node.children.push_back(bytes_node(range(byte, byte)));
    }
    return true;
  }

  bool parse_group(PatternNode& node, int depth) {
    const std::size_t open = at_++;
    if (peek() == '?' && !take("?:")) {
      return fail("look-around, flags and named groups are not possible; (?:...) is");
    }
    if (!parse_alternatives(node, depth + 1)) {
      return false;
    }
    if (at_edge()) {
      return fail("^, $ and \\b are possible only at the ends of the whole pattern");
    }
    if (!take(")")) {
      at_ = open;
      return fail("a '(' without its ')'");
    }
    // Kept apart from its surroundings, so that what follows repeats the whole group.
    PatternNode group;
    group.children.push_back(std::move(node));
    node = std::move(group);
    return true;
  }

  bool parse_class(PatternNode& node) {
    const std::size_t open = at_++;
    const bool negated = take("^");
    ByteSet set;
    bool first = true;
    while (!done() && (peek() != ']' || first)) {
      first = false;
      ByteSet one;
      if (!parse_class_member(one)) {
        return false;
      }
      if (peek() == '-' && peek(1) != ']' && peek(1) != '\0') {
        const std::size_t range_at = at_++;
        ByteSet last;
        if (!parse_class_member(last)) {
          return false;
        }
        if (one.count() != 1 || last.count() != 1 || index_of(one) > index_of(last)) {
          at_ = range_at;
          return fail("a range goes from one character to a later one");
        }
        one = range(index_of(one), index_of(last));
      }
      set |= one;
    }
    if (!take("]")) {
      at_ = open;
      return fail("a '[' without its ']'");
    }
    set = cased(set);
    node = bytes_node(negated ? ~set : set);
    return true;
  }

  bool parse_class_member(ByteSet& set) {
    if (peek() == '\\') {
      return parse_escape(set);
    }
    const auto byte = static_cast<unsigned char>(peek());
    if (byte >= 0x80) {
      return fail("only ASCII is possible in [...]; use (a|b) for other characters");
    }
    ++at_;
    set = range(byte, byte);
    return true;
  }

  bool parse_escape(ByteSet& set) {
    const char c = peek(1);
    constexpr std::string_view kLetters = "nrtfv";
    constexpr std::string_view kControls = "\n\r\t\f\v";
    if (const std::size_t i = kLetters.find(c); c != '\0' && i != std::string_view::npos) {
      set =
          range(static_cast<unsigned char>(kControls[i]), static_cast<unsigned char>(kControls[i]));
    } else if (c == 'd' || c == 'D') {
      set = c == 'd' ? range('0', '9') : ~range('0', '9');
    } else if (c == 'w' || c == 'W') {
      set = c == 'w' ? word_bytes() : ~word_bytes();
    } else if (c == 's' || c == 'S') {
      set = c == 's' ? space_bytes() : ~space_bytes();
    } else if (c == 'x') {
      return parse_hex(set);
    } else if (c >= '1' && c <= '9') {
      return fail("back-references are not possible");
    } else if (c == 'b') {
      return fail("^, $ and \\b are possible only at the ends of the whole pattern");
    } else if (c == '\0' || static_cast<unsigned char>(c) >= 0x80 ||
               is_word_byte(static_cast<std::uint8_t>(c))) {
      return fail("an unknown escape");
    } else {
      set = range(static_cast<unsigned char>(c), static_cast<unsigned char>(c));
    }
    at_ += 2;
    return true;
  }

  bool parse_hex(ByteSet& set) {
    unsigned value = 0;
    for (std::size_t i = 2; i < 4; ++i) {
      const char c = peek(i);
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) {
        return fail("\\x takes two hexadecimal digits");
      }
      value = value * 16 + static_cast<unsigned>(digit);
    }
    at_ += 4;
    set = range(value, value);
    return true;
  }

  bool parse_repeat(PatternNode& atom) {
    std::size_t least = 0;
    std::size_t most = PatternNode::kNoLimit;
    const char c = peek();
    if (c == '{') {
      if (!parse_counts(least, most)) {
        return false;
      }
    } else if (c == '*' || c == '+' || c == '?') {
      least = c == '+' ? 1 : 0;
      most = c == '?' ? 1 : PatternNode::kNoLimit;
      ++at_;
    } else {
      return true;
    }
    if (peek() == '?' || peek() == '+') {
      return fail("all of a match is masked, so lazy and possessive repetition have no meaning");
    }
    if (peek() == '*' || peek() == '{') {
      return fail("a repetition of a repetition: put the first into a group");
    }
    PatternNode repeat;
    repeat.kind = Kind::kRepeat;
    repeat.least = least;
    repeat.most = most;
    repeat.children.push_back(std::move(atom));
    atom = std::move(repeat);
    return true;
  }

  bool parse_counts(std::size_t& least, std::size_t& most) {
    const std::size_t open = at_++;
    const auto count = [this](std::size_t& value) {
      const std::size_t from = at_;
      value = 0;
      while (peek() >= '0' && peek() <= '9' && value <= kMaxRepeat) {
        value = value * 10 + static_cast<std::size_t>(text_[at_++] - '0');
      }
      return at_ > from;
    };
    bool good = count(least);
    most = least;
    if (good && take(",")) {
      most = PatternNode::kNoLimit;
      if (peek() != '}') {
        good = count(most);
      }
    }
    if (!good || !take("}")) {
      at_ = open;
      return fail("expected {m}, {m,} or {m,n}, with counts up to 255; write \\{ for a brace");
    }
    const bool too_many =
        least > kMaxRepeat || (most != PatternNode::kNoLimit && most > kMaxRepeat);
    if (too_many || least > most || most == 0) {
      at_ = open;
      return fail(too_many ? "more than 255 repetitions"
                           : "a repetition from more to less, or of nothing");
    }
    return true;
  }

  static unsigned index_of(const ByteSet& set) {
    unsigned i = 0;
    while (i < 255 && !set.test(i)) {
      ++i;
    }
    return i;
  }

  [[nodiscard]] ByteSet cased(ByteSet set) const {
    if (any_case_) {
      for (unsigned lower = 'a'; lower <= 'z'; ++lower) {
        const unsigned upper = lower - 'a' + 'A';
        const bool either = set.test(lower) || set.test(upper);
        set.set(lower, either);
        set.set(upper, either);
      }
    }
    return set;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool any_case_ = false;
  PatternError error_;
};

}  // namespace

bool is_word_byte(std::uint8_t byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_';
}

Result<ParsedPattern, PatternError> parse_pattern(std::string_view regex) {
  return Parser(regex).parse();
}

}  // namespace grete::filters::pii

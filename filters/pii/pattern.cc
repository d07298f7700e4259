#include "filters/pii/pattern.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "filters/pii/pattern_syntax.h"

namespace grete::filters::pii {
namespace {

using Kind = PatternNode::Kind;

// The most nodes that are visited while repetitions are written out.
constexpr std::size_t kMaxVisits = 20'000;

// Glushkov's construction: the positions of a pattern, which may come first and last, and which may
// follow which.
class Positions {
 public:
  struct Part {
    bool nullable = true;
    PositionSet first;
    PositionSet last;
  };

  // False: the pattern has too many positions.
  bool build(const PatternNode& root) { return build(root, whole_); }

  [[nodiscard]] const Part& whole() const { return whole_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] const ByteSet& bytes(std::size_t position) const { return bytes_[position]; }
  [[nodiscard]] const PositionSet& follow(std::size_t position) const { return follow_[position]; }

  // Which positions a position may follow.
  [[nodiscard]] std::vector<PositionSet> precede() const {
    std::vector<PositionSet> result(size());
    for (std::size_t p = 0; p < size(); ++p) {
      for (std::size_t q = 0; q < size(); ++q) {
        if (follow_[p].has(q)) {
          result[q].add(p);
        }
      }
    }
    return result;
  }

 private:
  bool build(const PatternNode& node, Part& part) {
    if (++visits_ > kMaxVisits) {
      return false;
    }
    switch (node.kind) {
      case Kind::kBytes:
        return add_position(node.bytes, part);
      case Kind::kSequence:
        for (const PatternNode& child : node.children) {
          Part next;
          if (!build(child, next)) {
            return false;
          }
          append(part, next);
        }
        return true;
      case Kind::kAlternatives:
        part.nullable = false;
        for (const PatternNode& child : node.children) {
          Part next;
          if (!build(child, next)) {
            return false;
          }
          part.nullable = part.nullable || next.nullable;
          part.first |= next.first;
          part.last |= next.last;
        }
        return true;
      case Kind::kRepeat:
        return build_repeat(node, part);
    }
    return true;
  }

  // a{2,4} is aaa?a?, and a{2,} is aaa*.
  bool build_repeat(const PatternNode& node, Part& part) {
    const bool endless = node.most == PatternNode::kNoLimit;
    const std::size_t copies = endless ? std::max<std::size_t>(node.least, 1) : node.most;
    for (std::size_t i = 0; i < copies; ++i) {
      Part next;
      if (!build(node.children.front(), next)) {
        return false;
      }
      if (endless && i + 1 == copies) {
        link(next.last, next.first);
      }
      next.nullable = next.nullable || i >= node.least;
      append(part, next);
    }
    return true;
  }

  bool add_position(const ByteSet& bytes, Part& part) {
    if (bytes_.size() == kMaxPositions) {
      return false;
    }
    part.nullable = false;
    part.first.add(bytes_.size());
    part.last.add(bytes_.size());
    bytes_.push_back(bytes);
    follow_.emplace_back();
    return true;
  }

  void link(const PositionSet& from, const PositionSet& to) {
    for (std::size_t p = 0; p < size(); ++p) {
      if (from.has(p)) {
        follow_[p] |= to;
      }
    }
  }

  void append(Part& part, const Part& next) {
    link(part.last, next.first);
    if (part.nullable) {
      part.first |= next.first;
    }
    if (!next.nullable) {
      part.last = next.last;
    } else {
      part.last |= next.last;
    }
    part.nullable = part.nullable && next.nullable;
  }

  Part whole_;
  std::vector<ByteSet> bytes_;
  std::vector<PositionSet> follow_;
  std::size_t visits_ = 0;
};

// Makes a position automaton deterministic, in either direction: `entry` are the positions that a
// match may enter by, `next` those that come after each, `exit` those that end one.
class TableBuilder {
 public:
  TableBuilder(const Positions& positions, PatternEdge edge, const PositionSet& entry,
               const std::vector<PositionSet>& next, const PositionSet& exit)
      : positions_(&positions), edge_(edge), entry_(entry), next_(&next), exit_(exit) {
    find_classes();
    slots_.assign(4 * kMaxStates, 0);
  }

  // False: there are too many states.
  bool build() {
    if (!state_of({}, true)) {
      return false;
    }
    for (std::size_t state = 0; state < table_.positions.size(); ++state) {
      PositionSet reached = enters_[state] ? entry_ : PositionSet{};
      for (std::size_t p = 0; p < positions_->size(); ++p) {
        if (table_.positions[state].has(p)) {
          reached |= (*next_)[p];
        }
      }
      for (std::size_t c = 0; c < table_.class_count; ++c) {
        PositionSet set = reached;
        set &= class_positions_[c];
        const bool enters = edge_ == PatternEdge::kAny ||
                            (edge_ == PatternEdge::kWord && !is_word_byte(class_bytes_[c]));
        const auto to = state_of(set, enters);
        if (!to) {
          return false;
        }
        table_.next.push_back(*to);
      }
    }
    return true;
  }

  PatternTable take() { return std::move(table_); }

 private:
  // Bytes that no position and no edge tells apart share a class.
  void find_classes() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      PositionSet set;
      for (std::size_t p = 0; p < positions_->size(); ++p) {
        if (positions_->bytes(p).test(byte)) {
          set.add(p);
        }
      }
      std::size_t c = 0;
      while (c < class_positions_.size() &&
             !(class_positions_[c] == set &&
               is_word_byte(class_bytes_[c]) == is_word_byte(static_cast<std::uint8_t>(byte)))) {
        ++c;
      }
      if (c == class_positions_.size()) {
        class_positions_.push_back(set);
        class_bytes_.push_back(static_cast<std::uint8_t>(byte));
      }
      table_.classes[byte] = static_cast<std::uint8_t>(c);
    }
    table_.class_count = class_positions_.size();
  }

  std::optional<std::uint16_t> state_of(const PositionSet& set, bool enters) {
    std::size_t slot = (set.hash() * 2 + (enters ? 1 : 0)) % slots_.size();
    for (; slots_[slot] != 0; slot = (slot + 1) % slots_.size()) {
      const std::size_t state = slots_[slot] - 1U;
      if (table_.positions[state] == set && enters_[state] == enters) {
        return static_cast<std::uint16_t>(state);
      }
    }
    if (table_.positions.size() == kMaxStates) {
      return std::nullopt;
    }
    table_.positions.push_back(set);
    table_.accepts.push_back(set.meets(exit_) ? 1 : 0);
    enters_.push_back(enters);
    slots_[slot] = static_cast<std::uint16_t>(table_.positions.size());
    return static_cast<std::uint16_t>(table_.positions.size() - 1);
  }

  const Positions* positions_;
  PatternEdge edge_;
  PositionSet entry_;
  const std::vector<PositionSet>* next_;
  PositionSet exit_;
  PatternTable table_;
  std::vector<bool> enters_;  // whether a match may enter behind this state
  std::vector<PositionSet> class_positions_;
  std::vector<std::uint8_t> class_bytes_;
  std::vector<std::uint16_t> slots_;  // a hash table of states, each + 1
};

std::unexpected<PatternError> too_large(std::string_view what) {
  return unexpected(PatternError{0, std::string(what)});
}

}  // namespace

std::uint64_t PositionSet::hash() const {
  std::uint64_t result = 0;
  for (const std::uint64_t word : words_) {
    result = (result ^ word) * 0x9E3779B97F4A7C15U;
    result ^= result >> 29;
  }
  return result;
}

Result<Pattern, PatternError> Pattern::compile(std::string_view regex) {
  GRETE_TRY_ASSIGN(const ParsedPattern parsed, parse_pattern(regex));
  Positions positions;
  if (!positions.build(parsed.root)) {
    return too_large("the pattern is too large once its repetitions are written out");
  }
  if (positions.whole().nullable) {
    return too_large("the pattern matches the empty text");
  }
  std::vector<PositionSet> follow;
  for (std::size_t p = 0; p < positions.size(); ++p) {
    follow.push_back(positions.follow(p));
  }
  const std::vector<PositionSet> precede = positions.precede();
  const auto& whole = positions.whole();
  TableBuilder forwards(positions, parsed.begin, whole.first, follow, whole.last);
  TableBuilder backwards(positions, parsed.end, whole.last, precede, whole.first);
  if (!forwards.build() || !backwards.build()) {
    return too_large("the pattern needs too many states: repeat less, or repeat narrower classes");
  }
  Pattern pattern;
  pattern.end_ = parsed.end;
  pattern.forwards_ = forwards.take();
  pattern.backwards_ = backwards.take();
  return pattern;
}

std::size_t Pattern::last_end(std::string_view text) const {
  const std::uint16_t* next = forwards_.next.data();
  std::size_t state = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    state = next[state * forwards_.class_count +
                 forwards_.classes[static_cast<unsigned char>(text[i])]];
    if (forwards_.accepts[state] != 0) {
      end = i + 1;
    }
  }
  return end;
}

void Pattern::find(std::string_view text, std::vector<ByteRange>& ranges) {
  std::size_t end = last_end(text);
  if (end == 0) {
    return;
  }
  if (end_ != PatternEdge::kAny) {
    // Whether a match may end there depends on what follows.
    end = text.size();
  }
  if (states_.size() < end) {
    states_.resize(end);
  }
  std::size_t state = 0;
  for (std::size_t i = 0; i < end; ++i) {
    state = forwards_.next[state * forwards_.class_count +
                           forwards_.classes[static_cast<unsigned char>(text[i])]];
    states_[i] = static_cast<std::uint16_t>(state);
  }
  const std::size_t before = ranges.size();
  state = 0;
  for (std::size_t i = end; i-- > 0;) {
    state = backwards_.next[state * backwards_.class_count +
                            backwards_.classes[static_cast<unsigned char>(text[i])]];
    if (!forwards_.positions[states_[i]].meets(backwards_.positions[state])) {
      continue;
    }
    const auto at = static_cast<std::uint32_t>(i);
    if (ranges.size() > before && ranges.back().begin == at + 1) {
      ranges.back().begin = at;
    } else {
      ranges.push_back({at, at + 1});
    }
  }
  std::reverse(ranges.begin() + static_cast<std::ptrdiff_t>(before), ranges.end());
}

}  // namespace grete::filters::pii

#include "filters/pii/pattern.h"

#include <random>
#include <regex>

#include <gtest/gtest.h>

namespace grete::filters::pii {
namespace {

// `text` with what the pattern finds in stars, or "error at N: ..." for a bad pattern.
std::string mask(std::string_view regex, std::string_view text) {
  auto pattern = Pattern::compile(regex);
  if (!pattern) {
    return "error at " + std::to_string(pattern.error().offset) + ": " + pattern.error().what;
  }
  std::vector<ByteRange> ranges;
  pattern->find(text, ranges);
  std::string result(text);
  for (const ByteRange& range : ranges) {
    result.replace(range.begin, range.end - range.begin, range.end - range.begin, '*');
  }
  return result;
}

TEST(Pattern, FindsWhatItSays) {
  EXPECT_EQ(mask("abc", "xabcabcx"), "x******x");
  EXPECT_EQ(mask("EMP-\\d{6}", "id EMP-123456, EMP-12345"), "id **********, EMP-12345");
  EXPECT_EQ(mask("(cat|dog)s?", "cats and dog"), "**** and ***");
  EXPECT_EQ(mask("[A-Z]{2,3}\\d+", "a AB12 ABCD1 A1"), "a **** A**** A1");
  EXPECT_EQ(mask("\"[^\"]*\"", "a \"b\" c"), "a *** c");
  EXPECT_EQ(mask("a.c", "abc a\nc"), "*** a\nc");
  EXPECT_EQ(mask("(?i)secret", "SeCrEt"), "******");
  EXPECT_EQ(mask("(?:ab)+c", "ababc ab"), "***** ab");
  EXPECT_EQ(mask("caf\xc3\xa9+", "caf\xc3\xa9\xc3\xa9!"), "*******!");
  EXPECT_EQ(mask("\\x41\\.", "A. A"), "** A");
  EXPECT_EQ(mask("[\\]\\-x-]+", "a]-x"), "a***");
  EXPECT_EQ(mask("a{0,2}b", "aaab"), "a***");
  EXPECT_EQ(mask("x", ""), "");
}

TEST(Pattern, OverlappingMatchesAreAllFound) {
  EXPECT_EQ(mask("aba", "ababa"), "*****");
  EXPECT_EQ(mask("\\d{3}", "12345"), "*****");
  EXPECT_EQ(mask("a.*b|a", "aaxxb a"), "***** *");
}

TEST(Pattern, Edges) {
  EXPECT_EQ(mask("\\bcat\\b", "cat concat cats cat_ (cat)"), "*** concat cats cat_ (***)");
  EXPECT_EQ(mask("^id\\d+", "id1 id2"), "*** id2");
  EXPECT_EQ(mask("\\d+$", "1 22"), "1 **");
  EXPECT_EQ(mask("^(a|b)$", "a"), "*");
  EXPECT_EQ(mask("^(a|b)$", "ab"), "ab");
}

TEST(Pattern, SaysWhatIsWrongAndWhere) {
  struct Row {
    std::string_view regex;
    std::size_t offset;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"a(b", 1},    {"a)b", 1},    {"[a", 0},         {"*a", 0},        {"a**", 2},
           {"a*?", 2},    {"a{2,1}", 1}, {"a{x}", 1},       {"a{999}", 1},    {"a\\q", 1},
           {"(a)\\1", 3}, {"(?=a)", 1},  {"a\\bc", 1},      {"a$b", 1},       {"[z-a]", 2},
           {"\\xg0", 0},  {"(a^)", 2},   {"[\xc3\xa9]", 1}, {"\\ba|b\\b", 0}, {"\xc3", 0}}) {
    const std::string result = mask(row.regex, "");
    EXPECT_EQ(result.substr(0, result.find(':')), "error at " + std::to_string(row.offset))
        << row.regex << " gave " << result;
  }
  for (const std::string_view regex :
       {"", "a*", "(a|b?)", "((a{255}){255}){255}", "(a|b)*a(a|b){14}", "((){255}){255}a*"}) {
    EXPECT_EQ(mask(regex, "").substr(0, 8), "error at") << regex;
  }
}

// The same as std::regex finds, whose matches of all starts and ends are tried one by one.
TEST(Pattern, AgreesWithAnotherImplementation) {
  constexpr std::uint64_t kSeed = 20261122;
  std::mt19937_64 random(kSeed);
  const auto pick = [&random](std::initializer_list<const char*> words) {
    return std::string(*(words.begin() + static_cast<std::ptrdiff_t>(random() % words.size())));
  };
  int compared = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string regex;
    const auto parts = 1 + random() % 4;
    for (std::size_t p = 0; p < parts; ++p) {
      regex += pick({"a", "b", "[ab]", "(a|bb)", "(ab)", ".", "[^a]", "(a(b|c))", "c"});
      regex += pick({"", "", "*", "+", "?", "{2}", "{1,2}", "{2,}"});
    }
    auto pattern = Pattern::compile(regex);
    if (!pattern) {
      continue;
    }
    const std::regex reference(regex);
    for (int t = 0; t < 4; ++t) {
      std::string text;
      for (auto size = random() % 10; size > 0; --size) {
        text += "abc"[random() % 3];
      }
      std::string expected = text;
      for (std::size_t from = 0; from < text.size(); ++from) {
        for (std::size_t to = from + 1; to <= text.size(); ++to) {
          if (std::regex_match(text.substr(from, to - from), reference)) {
            expected.replace(from, to - from, to - from, '*');
          }
        }
      }
      ASSERT_EQ(mask(regex, text), expected) << "seed " << kSeed << ": " << regex << " in " << text;
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace grete::filters::pii

// Properties of every text, checked on seeded random ones.
#include <random>

#include <gtest/gtest.h>

#include "filters/pii/masking.h"
#include "filters/pii/scanner.h"

namespace grete::filters::pii {
namespace {

constexpr std::string_view kPieces[] = {"bob@example.com",
                                        "a.b",
                                        "@",
                                        "x@y.com",
                                        "192.168.0.1",
                                        "1.2.3",
                                        ".",
                                        "-",
                                        " ",
                                        "+1 212 555 0123",
                                        "212-555-0123",
                                        "123-45-6789",
                                        "4111 1111 1111 1111",
                                        "4111111111111111",
                                        "AKIAIOSFODNN7EXAMPLE",
                                        "AWS_SECRET_ACCESS_KEY=",
                                        "AWS_SECRET_ACCESS_KEY=value",
                                        "\"",
                                        "\\n",
                                        "\\",
                                        "AZURE_CLIENT_SECRET: ",
                                        "DATABASE_URL=postgres://u:p@h/d",
                                        "postgres://u:pw@h",
                                        "://",
                                        ":",
                                        "@h",
                                        "eyJhbGciOiJIUzI1NiJ9.",
                                        "eyJzdWIiOiIxMjM0In0",
                                        ".sig",
                                        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
                                        "xoxb-1234567890-abc",
                                        "sk_live_abcdefghijklmnop",
                                        "-----BEGIN PRIVATE KEY-----",
                                        "MIIEvQIBADANBgkq",
                                        "\n",
                                        "AccountKey=",
                                        "aGVsbG8gd29ybGQgaGVsbG8=",
                                        "abc8Q~abcdefghijklmnopqrstuvwxyz01234567",
                                        "(212) ",
                                        "+",
                                        "(",
                                        ")",
                                        "*",
                                        "**",
                                        "_",
                                        "=",
                                        "hooks.slack.com/services/T00/B00/abc",
                                        "ya29.",
                                        "\\u003c",
                                        ",",
                                        "\xc3\xa9",
                                        "7",
                                        "42"};

std::string random_text(std::mt19937_64& random) {
  std::string text;
  const auto pieces = random() % 24;
  for (std::size_t i = 0; i < pieces; ++i) {
    switch (random() % 6) {
      case 0:
        text += static_cast<char>(random() % 256);
        break;
      case 1:
        text += "0123456789.-+@ "[random() % 15];
        break;
      default:
        text += kPieces[random() % std::size(kPieces)];
    }
  }
  return text;
}

// The seed is printed with what fails; set it here to repeat a run.
constexpr std::uint64_t kSeed = 20261122;

TEST(ScannerProperty, MatchesAreInOrderAndWithinTheText) {
  std::mt19937_64 random(kSeed);
  Scanner scanner(DetectorSet::all());
  std::vector<Match> matches;
  for (int i = 0; i < 50000; ++i) {
    const std::string text = random_text(random);
    matches.clear();
    scanner.find(text, matches);
    std::size_t taken = 0;
    for (const Match& match : matches) {
      ASSERT_LE(taken, match.begin) << "seed " << kSeed << ": " << text;
      ASSERT_LT(match.begin, match.end) << "seed " << kSeed << ": " << text;
      taken = match.end;
    }
    ASSERT_LE(taken, text.size());
  }
}

TEST(ScannerProperty, MaskedTextHoldsNothingToFind) {
  std::mt19937_64 random(kSeed);
  Scanner scanner(DetectorSet::all());
  std::vector<Match> matches;
  for (int i = 0; i < 100000; ++i) {
    const std::string text = random_text(random);
    matches.clear();
    scanner.find(text, matches);
    const std::string once = masked(text, matches);
    matches.clear();
    scanner.find(once, matches);
    ASSERT_TRUE(matches.empty()) << "seed " << kSeed << "\n"
                                 << text << "\n"
                                 << once << "\n"
                                 << masked(once, matches);
  }
}

// Whatever surrounds it, a text of its own line masks as it does alone.
TEST(ScannerProperty, LinesAreIndependent) {
  std::mt19937_64 random(kSeed);
  Scanner scanner(DetectorSet::all());
  std::vector<Match> matches;
  const auto mask = [&](const std::string& text) {
    matches.clear();
    scanner.find(text, matches);
    return masked(text, matches);
  };
  for (int i = 0; i < 20000; ++i) {
    std::string line = random_text(random);
    std::erase_if(line, [](char c) { return c == '\n' || c == '\r'; });
    if (line.find("BEGIN") != std::string::npos) {
      continue;
    }
    const std::string around(random() % 40, 'x');
    ASSERT_EQ(mask(around + "|\x01" + line + "\x01|" + around),
              around + "|\x01" + mask(line) + "\x01|" + around)
        << "seed " << kSeed << "\n"
        << line;
  }
}

// The number of bytes walked over grows with the text, not with its square.
TEST(ScannerProperty, StepsAreLinearInTheText) {
  std::mt19937_64 random(kSeed);
  constexpr std::size_t kSize = 1 << 16;
  constexpr std::uint64_t kStepsPerByte = 24;
  for (const std::string_view piece : kPieces) {
    for (const std::string_view other : kPieces) {
      std::string text;
      while (text.size() < kSize) {
        text += piece;
        text += other;
      }
      Scanner scanner(DetectorSet::all());
      std::vector<Match> matches;
      scanner.find(text, matches);
      ASSERT_LE(scanner.steps(), kStepsPerByte * text.size()) << piece << " and " << other;
    }
  }
  for (const std::string_view piece :
       {"a@", "xoxb-", "AWS_", "eyJa.", "1.", "1-", "://u:", "\"", "AWS_KEY=\"", "BEGIN ", "ghp_",
        "google_key", "4444-", "whsec_/", "+1", "AKIA"}) {
    std::string text;
    while (text.size() < kSize) {
      text += piece;
    }
    Scanner scanner(DetectorSet::all());
    std::vector<Match> matches;
    scanner.find(text, matches);
    EXPECT_LE(scanner.steps(), kStepsPerByte * text.size()) << piece;
  }
}

}  // namespace
}  // namespace grete::filters::pii

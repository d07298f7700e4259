#include "filters/pii/scanner.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace grete::filters::pii {
namespace {

using enum Detector;

// What a literal's first three bytes may lead to. Literals that share letters share a bucket, so
// that the nibble tables let few others pass. '?' stands for any byte.
struct Literal {
  std::string_view first_three;
  int bucket;
  Detector detector;
};

constexpr Literal kLiterals[] = {
    {"AKI", 0, kAwsAccessKeyId},
    {"ASI", 0, kAwsAccessKeyId},
    {"ABI", 0, kAwsAccessKeyId},
    {"ACC", 0, kAwsAccessKeyId},
    {"AWS", 0, kAwsEnvironment},
    {"AZU", 0, kAzureEnvironment},
    {"ARM", 0, kAzureEnvironment},
    {"Acc", 1, kAzureStorageKey},
    {"Sha", 1, kAzureStorageKey},
    {"AIz", 1, kGoogleApiKey},
    {"GOO", 2, kGcpEnvironment},
    {"GCP", 2, kGcpEnvironment},
    {"GCL", 2, kGcpEnvironment},
    {"GOC", 2, kGoogleOauth},
    {"BEG", 2, kPrivateKey},
    {"DAT", 2, kDatabaseEnvironment},
    {"ghp", 3, kGithubToken},
    {"gho", 3, kGithubToken},
    {"ghu", 3, kGithubToken},
    {"ghs", 3, kGithubToken},
    {"ghr", 3, kGithubToken},
    {"git", 3, kGithubToken},
    {"goo", 3, kGcpEnvironment},
    {"sk_", 4, kStripeKey},
    {"rk_", 4, kStripeKey},
    {"xox", 5, kSlackToken},
    {"xap", 5, kSlackToken},
    {"hoo", 5, kSlackToken},
    {"whs", 5, kStripeKey},
    {"ya2", 5, kGoogleOauth},
    {"://", 6, kDatabaseUrl},
    {"Q~?", 6, kAzureClientSecret},
    {"eyJ", 7, kJwt},
    {"aws", 7, kAwsEnvironment},
    {"gcp", 7, kGcpEnvironment},
    {"gcl", 7, kGcpEnvironment},
    {"azu", 7, kAzureEnvironment},
    {"arm", 7, kAzureEnvironment},
    {"dat", 7, kDatabaseEnvironment},
};

constexpr std::size_t kBlock = 64;
constexpr std::size_t kVector = 16;
// A block's literals reach this far beyond it.
constexpr std::size_t kReach = 2;

// What may follow the first run of digits of an address, phone, card or social security number.
constexpr auto kJoins = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view(".-) ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

// Runs of digits that may be card numbers.
constexpr int kLongRun = 13;

// Of the runs of digits in a block, the first digits of those that are worth a look: most numbers
// in JSON are followed by a comma, quote or brace, and are ruled out here.
std::uint64_t number_starts(const Text& text, std::size_t from, std::uint64_t digits,
                            bool after_digit) {
  std::uint64_t starts = digits & ~(digits << 1 | static_cast<std::uint64_t>(after_digit));
  std::uint64_t kept = 0;
  for (; starts != 0; starts &= starts - 1) {
    const int start = std::countr_zero(starts);
    const int run = std::countr_one(digits >> start);
    const std::size_t at = from + static_cast<std::size_t>(start);
    const auto after = static_cast<unsigned char>(text.at(at + static_cast<std::size_t>(run)));
    const bool keep = kJoins[after] || run >= kLongRun || start + run == static_cast<int>(kBlock) ||
                      text.before(at, 1) == '+';
    kept |= static_cast<std::uint64_t>(keep) << start;
  }
  return kept;
}

// A password's match is found at the "://" before it, and taken only here, when the scan has come
// to it: the user's name between them may hold something as well.
void settle(Text& text, std::size_t at, std::vector<Match>& matches) {
  if (text.pending_end == 0 || text.pending_begin > at) {
    return;
  }
  if (text.pending_begin >= text.taken) {
    matches.push_back(make_match(text.pending_begin, text.pending_end, kDatabaseUrl));
    text.taken = text.pending_end;
  }
  text.pending_end = 0;
}

}  // namespace

Scanner::Scanner(DetectorSet enabled) : enabled_(enabled) {
  const DetectorSet numbers = DetectorSet::of(kIpv4) | DetectorSet::of(kPhone) |
                              DetectorSet::of(kUsSsn) | DetectorSet::of(kCreditCard);
  numbers_ = enabled.intersects(numbers);
  emails_ = enabled.has(kEmail);
  std::memset(low_, 0, sizeof low_);
  std::memset(high_, 0, sizeof high_);
  for (const Literal& literal : kLiterals) {
    if (enabled.has(literal.detector)) {
      add_literal(literal.bucket, literal.first_three);
    }
  }
}

void Scanner::add_literal(int bucket, std::string_view first_three) {
  const auto bit = static_cast<std::uint8_t>(1 << bucket);
  for (std::size_t i = 0; i < 3; ++i) {
    std::uint8_t low[kVector];
    std::uint8_t high[kVector];
    std::memcpy(low, &low_[i], kVector);
    std::memcpy(high, &high_[i], kVector);
    const auto byte = static_cast<std::uint8_t>(first_three[i]);
    for (std::size_t nibble = 0; nibble < kVector; ++nibble) {
      const bool any = byte == '?';
      low[nibble] |= any || (byte & 15u) == nibble ? bit : std::uint8_t{0};
      high[nibble] |= any || (byte >> 4u) == nibble ? bit : std::uint8_t{0};
    }
    std::memcpy(&low_[i], low, kVector);
    std::memcpy(&high_[i], high, kVector);
  }
}

// Looks at the 64 bytes from `at` on; 66 are readable.
Scanner::Block Scanner::look(const char* at) const {
  Block block;
  for (std::size_t i = 0; i < kBlock; i += kVector) {
    const Vector16 first = Vector16::load(at + i);
    const Vector16 second = Vector16::load(at + i + 1);
    const Vector16 third = Vector16::load(at + i + 2);
    const Vector16 buckets =
        (low_[0].lookup(first.low_nibbles()) & high_[0].lookup(first.high_nibbles())) &
        (low_[1].lookup(second.low_nibbles()) & high_[1].lookup(second.high_nibbles())) &
        (low_[2].lookup(third.low_nibbles()) & high_[2].lookup(third.high_nibbles()));
    std::uint64_t anchors = buckets.nonzero();
    if (emails_) {
      anchors |= first.equals('@');
    }
    block.anchors |= anchors << i;
    block.digits |= std::uint64_t{first.digits()} << i;
  }
  return block;
}

void Scanner::visit(Text& text, std::size_t from, Block block, bool after_digit,
                    std::vector<Match>& matches) const {
  std::uint64_t candidates = block.anchors;
  if (numbers_) {
    candidates |= number_starts(text, from, block.digits, after_digit);
  }
  for (; candidates != 0; candidates &= candidates - 1) {
    const std::size_t at = from + static_cast<std::size_t>(std::countr_zero(candidates));
    settle(text, at, matches);
    if (at < text.taken) {
      continue;
    }
    const char c = text.bytes[at];
    const std::optional<Match> match = c == '@'        ? match_email(text, at)
                                       : is(c, kDigit) ? match_number(text, at, enabled_)
                                                       : match_token(text, at, enabled_);
    if (match && match->detector == kDatabaseUrl) {
      text.pending_begin = match->begin;
      text.pending_end = match->end;
    } else if (match) {
      matches.push_back(*match);
      text.taken = match->end;
    }
  }
}

void Scanner::find(std::string_view bytes, std::vector<Match>& matches) {
  Text text{bytes};
  bool after_digit = false;
  std::size_t from = 0;
  for (; from + kBlock + kReach <= bytes.size(); from += kBlock) {
    const Block block = look(bytes.data() + from);
    visit(text, from, block, after_digit, matches);
    after_digit = block.digits >> (kBlock - 1) != 0;
  }
  // The rest is shorter than a block and its reach: look at a copy with zeros behind.
  for (; from < bytes.size(); from += kBlock) {
    char rest[kBlock + kReach] = {};
    std::memcpy(rest, bytes.data() + from, std::min(bytes.size() - from, sizeof rest));
    const Block block = look(rest);
    visit(text, from, block, after_digit, matches);
    after_digit = block.digits >> (kBlock - 1) != 0;
  }
  settle(text, bytes.size(), matches);
  steps_ += text.steps;
}

}  // namespace grete::filters::pii

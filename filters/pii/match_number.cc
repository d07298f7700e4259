#include <array>

#include "filters/pii/matchers.h"

namespace grete::filters::pii {
namespace {

// The longest run of digits that any detector wants to know, and one more to see that it is longer.
constexpr std::size_t kMaxRun = 20;

int digit(const Text& text, std::size_t at) {
  return text.bytes[at] - '0';
}

int number(const Text& text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    value = value * 10 + digit(text, at + i);
  }
  return value;
}

std::size_t digits_at(Text& text, std::size_t at, std::size_t limit = kMaxRun) {
  return at < text.size() ? text.skip(at, kDigit, limit) - at : 0;
}

// Whether a number may begin at `at`: not within a word, nor behind "5." or "5-".
bool begins_number(const Text& text, std::size_t at) {
  if (!text.begins_at(at, kWord)) {
    return false;
  }
  const char before = text.before(at, 1);
  return (before != '.' && before != '-') || !is(text.before(at, 2), kDigit);
}

// Whether a number may end at `end`: not within a word, and not before ".5" or "-5".
bool ends_number(const Text& text, std::size_t end) {
  const char after = text.at(end);
  if (end < text.size() && (is(after, kWord) || after == '@')) {
    return false;
  }
  return (after != '.' && after != '-') || !is(text.at(end + 1), kDigit);
}

std::optional<Match> match_ipv4(Text& text, std::size_t at) {
  std::size_t next = at;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && text.at(next++) != '.') {
      return std::nullopt;
    }
    const std::size_t count = digits_at(text, next, 4);
    if (count == 0 || count > 3 || number(text, next, count) > 255 ||
        (count > 1 && text.bytes[next] == '0')) {
      return std::nullopt;
    }
    next += count;
  }
  if (!ends_number(text, next)) {
    return std::nullopt;
  }
  return make_match(at, next, Detector::kIpv4);
}

// AAA-GG-SSSS; areas 000, 666 and 9xx, group 00 and serial 0000 are never issued.
std::optional<Match> match_us_ssn(Text& text, std::size_t at) {
  if (text.at(at + 3) != '-' || digits_at(text, at + 4, 3) != 2 || text.at(at + 6) != '-' ||
      digits_at(text, at + 7, 5) != 4 || !ends_number(text, at + 11)) {
    return std::nullopt;
  }
  const int area = number(text, at, 3);
  if (area == 0 || area == 666 || area >= 900 || number(text, at + 4, 2) == 0 ||
      number(text, at + 7, 4) == 0) {
    return std::nullopt;
  }
  return make_match(at, at + 11, Detector::kUsSsn);
}

// Whether cards of the large schemes begin with these four digits and have that many.
bool is_card_prefix(int four, std::size_t digits) {
  const int two = four / 100;
  const int three = four / 10;
  if (two / 10 == 4) {
    return digits == 13 || digits == 16 || digits == 19;  // Visa
  }
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) {
    return digits == 16;  // Mastercard
  }
  if (two == 34 || two == 37) {
    return digits == 15;  // American Express
  }
  if (two == 36 || two == 38 || two == 39 || (three >= 300 && three <= 305)) {
    return digits == 14;  // Diners Club
  }
  if (four == 6011 || two == 65 || (three >= 644 && three <= 649) || two == 62) {
    return digits >= 16 && digits <= 19;  // Discover, UnionPay
  }
  return four >= 3528 && four <= 3589 && digits >= 16 && digits <= 19;  // JCB
}

// The check digit of ISO/IEC 7812-1, annex B.
bool passes_luhn(const std::array<std::uint8_t, kMaxRun>& digits, std::size_t count) {
  int sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int value = digits[count - 1 - i];
    const int doubled = value * 2;
    sum += i % 2 == 0 ? value : doubled - (doubled > 9 ? 9 : 0);
  }
  return sum % 10 == 0;
}

struct CardDigits {
  std::array<std::uint8_t, kMaxRun> values;
  std::size_t count = 0;

  void take(const Text& text, std::size_t at, std::size_t run) {
    for (std::size_t i = 0; i < run; ++i) {
      values[count++] = static_cast<std::uint8_t>(digit(text, at + i));
    }
  }
};

bool is_card(const Text& text, std::size_t at, std::size_t end, const CardDigits& digits) {
  return ends_number(text, end) && is_card_prefix(number(text, at, 4), digits.count) &&
         passes_luhn(digits.values, digits.count);
}

// A card number in one run of digits, or in groups of 4-4-4-4(-3), 4-6-5 or 4-6-4 with one and the
// same separator, space or dash.
std::optional<Match> match_credit_card(Text& text, std::size_t at, std::size_t first_run) {
  CardDigits digits;
  digits.take(text, at, first_run);
  std::size_t end = at + first_run;
  if (first_run != 4) {
    return is_card(text, at, end, digits)
               ? std::optional(make_match(at, end, Detector::kCreditCard))
               : std::nullopt;
  }
  const char separator = text.at(end);
  std::optional<Match> match;
  std::size_t fours = 1;
  bool six = false;
  while (text.at(end) == separator) {
    const std::size_t run = digits_at(text, end + 1, 7);
    const bool last = fours == 4 ? run == 3 : six && (run == 4 || run == 5);
    if (!last && (six || fours == 4 || (run != 4 && (run != 6 || fours != 1)))) {
      break;
    }
    digits.take(text, end + 1, run);
    end += 1 + run;
    fours += run == 4 && !six ? 1 : 0;
    six = six || run == 6;
    if ((last || fours == 4) && is_card(text, at, end, digits)) {
      match = make_match(at, end, Detector::kCreditCard);
    }
    if (last) {
      break;
    }
  }
  return match;
}

// +CC and more digits, 8 to 15 in all (E.164), with single separators; `at` is the first digit.
std::optional<Match> match_international_phone(Text& text, std::size_t at) {
  const std::size_t begin = at - 1;
  if (!text.begins_at(begin, kWord) || text.bytes[at] == '0') {
    return std::nullopt;
  }
  const bool american = text.bytes[at] == '1';
  const std::size_t least = american ? 11 : 8;
  const std::size_t most = american ? 11 : 15;
  std::size_t end = at;
  std::size_t taken = 0;
  std::size_t count = 0;
  std::size_t next = at;
  while (next < text.size() && count <= most) {
    const std::size_t run = digits_at(text, next);
    if (run == 0 || count + run > most) {
      break;
    }
    count += run;
    next += run;
    // A group that runs into a word is not of the number.
    if (next == text.size() || (!is(text.bytes[next], kWord) && text.bytes[next] != '@')) {
      end = next;
      taken = count;
    }
    if (run >= 9) {
      break;
    }
    if (text.at(next) == ')') {
      ++next;
    }
    if (const char c = text.at(next); c == ' ' || c == '-' || c == '.') {
      ++next;
    }
    if (text.at(next) == '(') {
      ++next;
    }
  }
  if (taken < least) {
    return std::nullopt;
  }
  return make_match(begin, end, Detector::kPhone);
}

// A number of the North American plan, in three groups: (212) 555-0123, 212-555-0123 and so on,
// with "1" and a separator before it or not. Area and exchange begin with 2 to 9.
std::optional<Match> match_american_phone(Text& text, std::size_t at, std::size_t first_run) {
  std::size_t begin = at;
  std::size_t area = at;
  if (first_run == 1) {
    if (text.bytes[at] != '1' || at + 2 >= text.size()) {
      return std::nullopt;
    }
    area = at + 2;
    if (text.bytes[area] == '(') {
      ++area;
    }
    if (digits_at(text, area, 4) != 3) {
      return std::nullopt;
    }
  }
  const bool parenthesis = text.before(area, 1) == '(';
  if (parenthesis && first_run == 3) {
    begin = at - 1;
  }
  if (!begins_number(text, begin)) {
    return std::nullopt;
  }
  std::size_t next = area + 3;
  if (parenthesis && text.at(next++) != ')') {
    return std::nullopt;
  }
  const char separator = text.at(next);
  const bool separated = separator == ' ' || separator == '-' || separator == '.';
  if (!separated && !parenthesis) {
    return std::nullopt;
  }
  next += separated ? 1 : 0;
  const std::size_t exchange = next;
  if (digits_at(text, exchange, 4) != 3) {
    return std::nullopt;
  }
  next += 3;
  const char second = text.at(next);
  if (parenthesis ? second != '-' && second != ' ' && second != '.' : second != separator) {
    return std::nullopt;
  }
  ++next;
  if (digits_at(text, next, 5) != 4 || text.bytes[area] < '2' || text.bytes[exchange] < '2' ||
      !ends_number(text, next + 4)) {
    return std::nullopt;
  }
  return make_match(begin, next + 4, Detector::kPhone);
}

}  // namespace

std::optional<Match> match_number(Text& text, std::size_t at, DetectorSet enabled) {
  const std::size_t run = digits_at(text, at);
  const char after = text.at(at + run);
  if (text.before(at, 1) == '+' && enabled.has(Detector::kPhone)) {
    if (auto match = match_international_phone(text, at)) {
      return match;
    }
  }
  const bool is_start = begins_number(text, at);
  if (run <= 3 && after == '.' && is_start && enabled.has(Detector::kIpv4)) {
    if (auto match = match_ipv4(text, at)) {
      return match;
    }
  }
  if (run == 3 && after == '-' && is_start && enabled.has(Detector::kUsSsn)) {
    if (auto match = match_us_ssn(text, at)) {
      return match;
    }
  }
  const bool card_like = (run >= 13 && run <= 19) || (run == 4 && (after == ' ' || after == '-'));
  if (card_like && is_start && enabled.has(Detector::kCreditCard)) {
    if (auto match = match_credit_card(text, at, run)) {
      return match;
    }
  }
  if ((run == 3 || run == 1) && enabled.has(Detector::kPhone) &&
      (after == '-' || after == '.' || after == ' ' || after == ')')) {
    return match_american_phone(text, at, run);
  }
  return std::nullopt;
}

}  // namespace grete::filters::pii

#include "sdk/cpp/json.h"

#include <utility>

namespace grete::sdk {
namespace {

constexpr int kMaxDepth = 64;

void append_utf8(std::string& to, std::uint32_t point) {
  const auto put = [&to](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json, JsonError> parse() {
    Json value;
    if (!parse_value(value, 0)) {
      return unexpected(error_);
    }
    skip_space();
    if (at_ != text_.size()) {
      return unexpected(JsonError{at_, "more text after the value"});
    }
    return value;
  }

 private:
  bool fail(std::string_view what) {
    error_ = {at_, what};
    return false;
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool take(char c) {
    skip_space();
    if (peek() != c || at_ >= text_.size()) {
      return false;
    }
    ++at_;
    return true;
  }

  bool parse_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) {
      return fail("not a value");
    }
    at_ += word.size();
    return true;
  }

  bool parse_value(Json& value, int depth) {
    skip_space();
    if (depth > kMaxDepth) {
      return fail("nested too deeply");
    }
    switch (peek()) {
      case '{':
        return parse_object(value, depth);
      case '[':
        return parse_array(value, depth);
      case '"':
        value.kind = Json::Kind::kString;
        return parse_string(value.text);
      case 't':
      case 'f':
        value.kind = Json::Kind::kBoolean;
        value.boolean = peek() == 't';
        return parse_word(value.boolean ? "true" : "false");
      case 'n':
        return parse_word("null");
      default:
        return parse_number(value);
    }
  }

  bool parse_object(Json& value, int depth) {
    value.kind = Json::Kind::kObject;
    ++at_;
    if (take('}')) {
      return true;
    }
    do {
      skip_space();
      std::string name;
      if (peek() != '"') {
        return fail("expected a name in quotes");
      }
      const std::size_t name_at = at_;
      if (!parse_string(name)) {
        return false;
      }
      if (value.find(name) != nullptr) {
        at_ = name_at;
        return fail("a name that was there before");
      }
      if (!take(':')) {
        return fail("expected ':'");
      }
      value.names.push_back(std::move(name));
      value.items.emplace_back();
      if (!parse_value(value.items.back(), depth + 1)) {
        return false;
      }
    } while (take(','));
    return take('}') || fail("expected ',' or '}'");
  }

  bool parse_array(Json& value, int depth) {
    value.kind = Json::Kind::kArray;
    ++at_;
    if (take(']')) {
      return true;
    }
    do {
      value.items.emplace_back();
      if (!parse_value(value.items.back(), depth + 1)) {
        return false;
      }
    } while (take(','));
    return take(']') || fail("expected ',' or ']'");
  }

  bool parse_hex(std::uint32_t& value) {
    value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = peek();
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint32_t>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<std::uint32_t>(c - 'A' + 10);
      } else {
        return fail("expected four hexadecimal digits");
      }
      value = value * 16 + digit;
      ++at_;
    }
    return true;
  }

  bool parse_unicode(std::string& text) {
    std::uint32_t point = 0;
    if (!parse_hex(point)) {
      return false;
    }
    if (point >= 0xD800 && point < 0xDC00) {
      std::uint32_t low = 0;
      if (text_.substr(at_, 2) != "\\u") {
        return fail("half of a surrogate pair");
      }
      at_ += 2;
      if (!parse_hex(low)) {
        return false;
      }
      if (low < 0xDC00 || low > 0xDFFF) {
        return fail("half of a surrogate pair");
      }
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point <= 0xDFFF) {
      return fail("half of a surrogate pair");
    }
    append_utf8(text, point);
    return true;
  }

  bool parse_string(std::string& text) {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_++];
      if (c == '"') {
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        --at_;
        return fail("a control character in a string");
      }
      if (c != '\\') {
        text.push_back(c);
        continue;
      }
      const char escape = peek();
      const std::size_t known = kEscapes.find(escape);
      ++at_;
      if (escape == 'u') {
        if (!parse_unicode(text)) {
          return false;
        }
      } else if (known != std::string_view::npos && at_ <= text_.size()) {
        text.push_back(kMeanings[known]);
      } else {
        --at_;
        return fail("an unknown escape");
      }
    }
    return fail("a string without an end");
  }

  // Exact up to 2^53, and near enough beyond: strtod would bring all of stdio into a module.
  bool parse_number(Json& value) {
    const std::size_t start = at_;
    double number = 0;
    int scale = 0;
    const auto digits = [&](int scale_step) {
      const std::size_t from = at_;
      for (; peek() >= '0' && peek() <= '9'; ++at_) {
        number = number * 10 + (peek() - '0');
        scale += scale_step;
      }
      return at_ - from;
    };
    const bool negative = peek() == '-';
    at_ += negative ? 1 : 0;
    const bool zero = peek() == '0';
    const std::size_t whole = digits(0);
    bool good = whole > 0 && !(zero && whole > 1);
    if (good && peek() == '.') {
      ++at_;
      good = digits(-1) > 0;
    }
    if (good && (peek() == 'e' || peek() == 'E')) {
      ++at_;
      good = parse_exponent(scale);
    }
    if (!good || at_ - start > 64) {
      at_ = start;
      return fail("not a value");
    }
    for (; scale > 0; --scale) {
      number *= 10;
    }
    for (; scale < 0; ++scale) {
      number /= 10;
    }
    value.kind = Json::Kind::kNumber;
    value.number = negative ? -number : number;
    return true;
  }

  bool parse_exponent(int& scale) {
    const bool negative = peek() == '-';
    at_ += negative || peek() == '+' ? 1 : 0;
    int exponent = 0;
    const std::size_t from = at_;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      exponent = exponent < 1000 ? exponent * 10 + (peek() - '0') : exponent;
    }
    scale += negative ? -exponent : exponent;
    return at_ > from;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  JsonError error_;
};

}  // namespace

const Json* Json::find(std::string_view name) const {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) {
      return &items[i];
    }
  }
  return nullptr;
}

std::string_view kind_name(Json::Kind kind) {
  switch (kind) {
    case Json::Kind::kNull:
      return "null";
    case Json::Kind::kBoolean:
      return "true or false";
    case Json::Kind::kNumber:
      return "a number";
    case Json::Kind::kString:
      return "a string";
    case Json::Kind::kArray:
      return "a list";
    case Json::Kind::kObject:
      return "an object";
  }
  return "a value";
}

Result<Json, JsonError> parse_json(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace grete::sdk

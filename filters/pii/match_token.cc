#include <algorithm>
#include <array>

#include "filters/pii/matchers.h"

namespace grete::filters::pii {
namespace {

// The longest NAME of a NAME=value, in bytes.
constexpr std::size_t kMaxName = 64;

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool equals_ignoring_case(std::string_view text, std::string_view upper_case) {
  if (text.size() != upper_case.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (upper(text[i]) != upper_case[i]) {
      return false;
    }
  }
  return true;
}

// Whether all of it is stars: masked before, so nothing to find.
bool is_masked(std::string_view value) {
  return value.find_first_not_of('*') == std::string_view::npos;
}

// A literal, then `min` to `max` bytes of `classes`, with no such byte before or behind.
struct FixedToken {
  std::string_view prefix;
  int classes;
  std::size_t min;
  std::size_t max;
  Detector detector;
};

constexpr std::size_t kAnyLength = 1u << 31;

constexpr FixedToken kTokens[] = {
    {"AKIA", kAlnum, 16, 16, Detector::kAwsAccessKeyId},
    {"ASIA", kAlnum, 16, 16, Detector::kAwsAccessKeyId},
    {"ABIA", kAlnum, 16, 16, Detector::kAwsAccessKeyId},
    {"ACCA", kAlnum, 16, 16, Detector::kAwsAccessKeyId},
    {"AIza", kToken, 35, 35, Detector::kGoogleApiKey},
    {"GOCSPX-", kToken, 28, 28, Detector::kGoogleOauth},
    {"ya29.", kToken, 20, kAnyLength, Detector::kGoogleOauth},
    {"ghp_", kAlnum, 36, 255, Detector::kGithubToken},
    {"gho_", kAlnum, 36, 255, Detector::kGithubToken},
    {"ghu_", kAlnum, 36, 255, Detector::kGithubToken},
    {"ghs_", kAlnum, 36, 255, Detector::kGithubToken},
    {"ghr_", kAlnum, 36, 255, Detector::kGithubToken},
    {"github_pat_", kWord, 36, 255, Detector::kGithubToken},
    {"xoxa-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxb-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxc-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxe-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxe.", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxo-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxp-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxr-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xoxs-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"xapp-", kToken, 10, kAnyLength, Detector::kSlackToken},
    {"sk_live_", kAlnum, 16, 255, Detector::kStripeKey},
    {"sk_test_", kAlnum, 16, 255, Detector::kStripeKey},
    {"rk_live_", kAlnum, 16, 255, Detector::kStripeKey},
    {"rk_test_", kAlnum, 16, 255, Detector::kStripeKey},
    {"whsec_", kBase64, 24, 255, Detector::kStripeKey},
};

std::optional<Match> match_fixed(Text& text, std::size_t at, DetectorSet enabled) {
  for (const FixedToken& token : kTokens) {
    if (!text.starts_with(at, token.prefix)) {
      continue;
    }
    if (!enabled.has(token.detector) || !text.begins_at(at, kWord)) {
      return std::nullopt;
    }
    const std::size_t body = at + token.prefix.size();
    const std::size_t end = text.skip(body, token.classes, token.max + 1);
    if (end - body < token.min || end - body > token.max) {
      return std::nullopt;
    }
    return make_match(at, end, token.detector);
  }
  return std::nullopt;
}

// A Slack webhook's secret is the path: https://hooks.slack.com/services/T0/B0/secret
std::optional<Match> match_slack_hook(Text& text, std::size_t at) {
  constexpr std::string_view kStart = "hooks.slack.com/services/";
  if (!text.starts_with(at, kStart)) {
    return std::nullopt;
  }
  const std::size_t begin = at + kStart.size();
  const std::size_t end = text.skip(begin, kWord | kBase64Mark);
  if (end - begin < 10) {
    return std::nullopt;
  }
  return make_match(begin, end, Detector::kSlackToken);
}

// A JSON Web Token: header and payload are base64url of a JSON object ("eyJ" is `{"`), the
// signature may be empty (RFC 7515); an encrypted one has five parts (RFC 7516).
std::optional<Match> match_jwt(Text& text, std::size_t at) {
  if (!text.begins_at(at, kToken)) {
    return std::nullopt;
  }
  std::size_t end = text.skip(at, kToken);
  if (end - at < 10 || text.at(end) != '.') {
    return std::nullopt;
  }
  const bool is_signed = text.starts_with(end + 1, "eyJ");
  const std::size_t payload = end + 1;
  end = text.skip(payload, kToken);
  int parts = 2;
  while (parts < 5 && text.at(end) == '.') {
    end = text.skip(end + 1, kToken);
    ++parts;
  }
  if (is_signed ? parts < 3 && end - payload < 8 : parts < 5) {
    return std::nullopt;
  }
  return make_match(at, end, Detector::kJwt);
}

// The base64 lines of a PEM private key, with the line ends as they are or escaped.
std::optional<Match> match_private_key(Text& text, std::size_t at) {
  constexpr std::string_view kMark = "PRIVATE KEY-----";
  std::size_t next = at + 6;
  const std::size_t name_end = next + 10;  // "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "
  const auto is_name = [](char c) { return c == ' ' || (c >= 'A' && c <= 'Z'); };
  while (next < name_end && next < text.size() && is_name(text.bytes[next]) &&
         !text.starts_with(next, kMark)) {
    ++next;
  }
  if (next >= text.size() || !text.starts_with(next, kMark)) {
    return std::nullopt;
  }
  const auto is_break = [&text](std::size_t i) { return is(text.bytes[i], kSpace); };
  const auto is_escape = [&text](std::size_t i) {
    return text.bytes[i] == '\\' && (text.at(i + 1) == 'n' || text.at(i + 1) == 'r');
  };
  std::size_t begin = next + kMark.size();
  while (begin < text.size() && (is_break(begin) || is_escape(begin))) {
    begin += is_break(begin) ? 1 : 2;
  }
  std::size_t end = begin;
  std::size_t scan = begin;
  while (scan < text.size()) {
    if (is_escape(scan)) {
      scan += 2;
    } else if (is_break(scan)) {
      ++scan;
    } else if (is(text.bytes[scan], kBase64)) {
      end = ++scan;
    } else {
      break;
    }
  }
  text.steps += scan - at;
  if (end - begin < 16) {
    return std::nullopt;
  }
  return make_match(begin, end, Detector::kPrivateKey);
}

// Whether a name such as AWS_SECRET_ACCESS_KEY speaks of a secret: one of its words says so and the
// last one does not say that it only names or locates it.
bool names_secret(std::string_view name) {
  constexpr std::array<std::string_view, 13> kSecretWords = {
      "SECRET",  "KEY",        "KEYS", "TOKEN", "PASSWORD", "CREDENTIAL", "CREDENTIALS",
      "KEYFILE", "CONNECTION", "SAS",  "PASS",  "PWD",      "CREDS"};
  constexpr std::array<std::string_view, 9> kHarmlessEnds = {
      "ARN", "NAME", "REGION", "PATH", "URL", "URI", "VERSION", "TYPE", "EXPIRATION"};
  bool secret = false;
  std::string_view word;
  for (std::size_t from = 0; from <= name.size();) {
    const std::size_t to = std::min(name.find('_', from), name.size());
    word = name.substr(from, to - from);
    for (const std::string_view candidate : kSecretWords) {
      secret = secret || equals_ignoring_case(word, candidate);
    }
    from = to + 1;
  }
  for (const std::string_view harmless : kHarmlessEnds) {
    if (equals_ignoring_case(word, harmless)) {
      return false;
    }
  }
  return secret;
}

struct NamePrefix {
  std::string_view prefix;
  Detector detector;
};

constexpr NamePrefix kNames[] = {
    {"AWS_", Detector::kAwsEnvironment},
    {"GOOGLE_", Detector::kGcpEnvironment},
    {"GCP_", Detector::kGcpEnvironment},
    {"GCLOUD_", Detector::kGcpEnvironment},
    {"AZURE_", Detector::kAzureEnvironment},
    {"ARM_", Detector::kAzureEnvironment},
    {"DATABASE_URL", Detector::kDatabaseEnvironment},
};

std::size_t skip_blanks(const Text& text, std::size_t at) {
  for (int i = 0; i < 4 && (text.at(at) == ' ' || text.at(at) == '\t'); ++i) {
    ++at;
  }
  return at;
}

// The opening quote at `at`, as written: " or ', or either behind a backslash; or nothing.
std::string_view quote_at(const Text& text, std::size_t at) {
  const char c = text.at(at);
  if (c == '"' || c == '\'') {
    return text.bytes.substr(at, 1);
  }
  if (c == '\\' && (text.at(at + 1) == '"' || text.at(at + 1) == '\'')) {
    return text.bytes.substr(at, 2);
  }
  return {};
}

// The value of NAME=value, NAME: value, "NAME": "value" and the like, behind the name's end.
std::optional<Match> match_value(Text& text, std::size_t name_end, Detector detector) {
  std::size_t next = name_end + quote_at(text, name_end).size();
  next = skip_blanks(text, next);
  if (text.at(next) != '=' && text.at(next) != ':') {
    return std::nullopt;
  }
  next = skip_blanks(text, next + 1);
  const std::string_view quote = quote_at(text, next);
  const std::size_t begin = next + quote.size();
  std::size_t end = begin;
  if (quote.empty()) {
    while (end < text.size() && !is(text.bytes[end], kValueEnd)) {
      ++end;
    }
  } else {
    while (end < text.size() && static_cast<unsigned char>(text.bytes[end]) >= ' ' &&
           text.bytes[end] != quote.back() && text.bytes[end] != '\\') {
      ++end;
    }
  }
  text.steps += end - name_end;
  if (end == begin || is_masked(text.bytes.substr(begin, end - begin))) {
    return std::nullopt;
  }
  return make_match(begin, end, detector);
}

std::optional<Match> match_environment(Text& text, std::size_t at, DetectorSet enabled) {
  for (const NamePrefix& name : kNames) {
    if (text.size() - at < name.prefix.size() ||
        !equals_ignoring_case(text.bytes.substr(at, name.prefix.size()), name.prefix)) {
      continue;
    }
    if (!enabled.has(name.detector) || !text.begins_at(at, kAlnum)) {
      return std::nullopt;
    }
    const std::size_t end = text.skip(at, kWord, kMaxName + 1);
    if (end - at > kMaxName) {
      return std::nullopt;
    }
    const bool whole_name = name.detector == Detector::kDatabaseEnvironment;
    if (whole_name ? end - at != name.prefix.size()
                   : !names_secret(text.bytes.substr(at, end - at))) {
      return std::nullopt;
    }
    return match_value(text, end, name.detector);
  }
  return std::nullopt;
}

// Keys in the connection strings of Azure Storage, Service Bus and Event Hubs.
std::optional<Match> match_azure_storage_key(Text& text, std::size_t at) {
  for (const std::string_view name : {"AccountKey=", "SharedAccessKey="}) {
    if (text.starts_with(at, name)) {
      const std::size_t begin = at + name.size();
      const std::size_t end = text.skip(begin, kBase64);
      if (end - begin >= 20) {
        return make_match(begin, end, Detector::kAzureStorageKey);
      }
    }
  }
  return std::nullopt;
}

// A client secret of Microsoft Entra: three characters, a digit, "Q~", 31 to 34 characters.
std::optional<Match> match_azure_client_secret(Text& text, std::size_t at) {
  const auto is_part = [](char c) { return is(c, kToken) || c == '.' || c == '~'; };
  if (at < 4 || at - 4 < text.taken || !is(text.bytes[at - 1], kDigit)) {
    return std::nullopt;
  }
  if (is(text.before(at - 4, 1), kAlnum)) {
    return std::nullopt;
  }
  for (std::size_t i = at - 4; i < at - 1; ++i) {
    if (!is_part(text.bytes[i])) {
      return std::nullopt;
    }
  }
  std::size_t end = at + 2;
  while (end < text.size() && end < at + 2 + 35 && is_part(text.bytes[end])) {
    ++end;
  }
  text.steps += end - at;
  const std::size_t length = end - at - 2;
  if (length < 31 || length > 34) {
    return std::nullopt;
  }
  return make_match(at - 4, end, Detector::kAzureClientSecret);
}

bool is_database_scheme(std::string_view text_before) {
  constexpr std::array<std::string_view, 17> kSchemes = {
      "postgres",    "postgresql", "mysql",  "mysqlx",    "mariadb",  "mongodb",
      "mongodb+srv", "redis",      "rediss", "sqlserver", "mssql",    "oracle",
      "cockroachdb", "clickhouse", "amqp",   "amqps",     "cassandra"};
  for (const std::string_view scheme : kSchemes) {
    if (text_before.size() < scheme.size()) {
      continue;
    }
    const std::string_view before = text_before.substr(0, text_before.size() - scheme.size());
    if (text_before.ends_with(scheme) &&
        (before.empty() || !is(before.back(), kAlnum) ||
         (before.size() > 1 && before[before.size() - 2] == '\\'))) {
      return true;
    }
  }
  return false;
}

// The password of scheme://user:password@host; it may itself hold an '@'.
std::optional<Match> match_database_url(Text& text, std::size_t at) {
  constexpr std::size_t kLongestScheme = 32;
  const std::size_t from = std::max(text.taken, at > kLongestScheme ? at - kLongestScheme : 0);
  std::string_view before = text.bytes.substr(from, at - from);
  std::size_t driver = before.size();  // as in postgresql+psycopg2
  while (driver > 0 && is(before[driver - 1], kWord)) {
    --driver;
  }
  if (driver > 0 && before[driver - 1] == '+' && !before.ends_with("+srv")) {
    before = before.substr(0, driver - 1);
  }
  if (!is_database_scheme(before)) {
    return std::nullopt;
  }
  std::size_t colon = 0;
  std::size_t last_at = 0;
  std::size_t next = at + 3;
  for (; next < text.size(); ++next) {
    const char c = text.bytes[next];
    // Two stars are what an earlier mask left, and what it hid may have ended the password.
    if (c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || c == '\\' || c == '<' ||
        c == '>' || is(c, kSpace) || (c == '*' && text.at(next + 1) == '*')) {
      break;
    }
    if (c == '@' && colon == 0) {
      break;
    }
    if (c == ':' && colon == 0) {
      colon = next;
    } else if (c == '@' && colon != 0 && is(text.at(next + 1), kAlnum)) {
      last_at = next;
    }
  }
  text.steps += next - at;
  if (last_at == 0 || last_at == colon + 1 ||
      is_masked(text.bytes.substr(colon + 1, last_at - colon - 1))) {
    return std::nullopt;
  }
  return make_match(colon + 1, last_at, Detector::kDatabaseUrl);
}

}  // namespace

std::optional<Match> match_token(Text& text, std::size_t at, DetectorSet enabled) {
  switch (text.bytes[at]) {
    case ':':
      return text.starts_with(at, "://") && enabled.has(Detector::kDatabaseUrl)
                 ? match_database_url(text, at)
                 : std::nullopt;
    case 'e':
      return text.starts_with(at, "eyJ") && enabled.has(Detector::kJwt) ? match_jwt(text, at)
                                                                        : std::nullopt;
    case 'Q':
      return text.starts_with(at, "Q~") && enabled.has(Detector::kAzureClientSecret)
                 ? match_azure_client_secret(text, at)
                 : std::nullopt;
    case 'B':
      return text.starts_with(at, "BEGIN ") && enabled.has(Detector::kPrivateKey)
                 ? match_private_key(text, at)
                 : std::nullopt;
    case 'S':
      return enabled.has(Detector::kAzureStorageKey) ? match_azure_storage_key(text, at)
                                                     : std::nullopt;
    case 'h':
      return enabled.has(Detector::kSlackToken) ? match_slack_hook(text, at) : std::nullopt;
    default:
      break;
  }
  if (text.starts_with(at, "Acco") && enabled.has(Detector::kAzureStorageKey)) {
    return match_azure_storage_key(text, at);
  }
  if (auto match = match_fixed(text, at, enabled)) {
    return match;
  }
  return match_environment(text, at, enabled);
}

}  // namespace grete::filters::pii

#include "gateway/session/sasl.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "gateway/limits.h"
#include "gateway/session/cursor.h"
#include "gateway/session/request_prefix.h"

namespace grete::gateway {

namespace {

constexpr std::int16_t kFirstFlexibleSaslAuthenticate = 2;

std::string plain_user(std::string_view token) {
  // [authorization id] NUL authentication id NUL password
  const auto first = token.find('\0');
  const auto second = first == std::string_view::npos ? first : token.find('\0', first + 1);
  if (second == std::string_view::npos) {
    return {};
  }
  return std::string(token.substr(first + 1, second - first - 1));
}

std::string scram_user(std::string_view token) {
  // gs2 header ("n,," or "n,a=...,"), then "n=user,r=nonce"; commas in names are "=2C", "=" is
  // "=3D".
  const auto comma = token.find(',');
  const auto bare = comma == std::string_view::npos ? comma : token.find(',', comma + 1);
  if (bare == std::string_view::npos || token.substr(bare + 1, 2) != "n=") {
    return {};
  }
  std::string_view name = token.substr(bare + 3);
  name = name.substr(0, name.find(','));
  std::string user;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i, 3) == "=2C") {
      user += ',';
      i += 2;
    } else if (name.substr(i, 3) == "=3D") {
      user += '=';
      i += 2;
    } else {
      user += name[i];
    }
  }
  return user;
}

std::string decode_base64url(std::string_view text) {
  std::string decoded;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<std::uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      value = static_cast<std::uint32_t>(c - '0') + 52;
    } else if (c == '-') {
      value = 62;
    } else if (c == '_') {
      value = 63;
    } else {
      break;
    }
    bits = (bits << 6) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      decoded += static_cast<char>((bits >> count) & 0xff);
    }
  }
  return decoded;
}

std::string oauth_user(std::string_view token) {
  constexpr std::string_view kBearer = "auth=Bearer ";
  const auto bearer = token.find(kBearer);
  if (bearer == std::string_view::npos) {
    return {};
  }
  std::string_view jwt = token.substr(bearer + kBearer.size());
  jwt = jwt.substr(0, jwt.find('\x01'));
  const auto dot = jwt.find('.');
  if (dot == std::string_view::npos) {
    return {};
  }
  std::string_view payload = jwt.substr(dot + 1);
  payload = payload.substr(0, payload.find('.'));
  const auto claims = nlohmann::json::parse(decode_base64url(payload), nullptr, false);
  if (!claims.is_object() || !claims.contains("sub") || !claims["sub"].is_string()) {
    return {};
  }
  return claims["sub"].get<std::string>();
}

}  // namespace

SaslMechanism sasl_mechanism(std::string_view name) {
  if (name == "PLAIN") {
    return SaslMechanism::kPlain;
  }
  if (name == "SCRAM-SHA-256" || name == "SCRAM-SHA-512") {
    return SaslMechanism::kScram;
  }
  return name == "OAUTHBEARER" ? SaslMechanism::kOauthBearer : SaslMechanism::kOther;
}

std::optional<std::uint8_t> sasl_tokens(SaslMechanism mechanism) {
  switch (mechanism) {
    case SaslMechanism::kPlain:
      return 1;
    case SaslMechanism::kScram:
      return 2;
    case SaslMechanism::kOauthBearer:
    case SaslMechanism::kOther:
      break;
  }
  return std::nullopt;
}

std::string sasl_user(SaslMechanism mechanism, Bytes token) {
  const std::string_view text = as_text(token);
  std::string user;
  switch (mechanism) {
    case SaslMechanism::kPlain:
      user = plain_user(text);
      break;
    case SaslMechanism::kScram:
      user = scram_user(text);
      break;
    case SaslMechanism::kOauthBearer:
      user = oauth_user(text);
      break;
    case SaslMechanism::kOther:
      break;
  }
  return user.size() > kMaxPrincipal ? std::string() : user;
}

void SaslExchange::on_client_token(Bytes token) {
  if (client_tokens_ == 0) {
    user_ = sasl_user(mechanism_, token);
  }
  if (client_tokens_ < UINT8_MAX) {
    ++client_tokens_;
  }
}

std::optional<std::string> SaslExchange::on_accepted() {
  if (accepted_ < UINT8_MAX) {
    ++accepted_;
  }
  const std::uint8_t proofs = sasl_tokens(mechanism_).value_or(1);
  if (accepted_ < proofs || accepted_ < client_tokens_ || user_.empty()) {
    return std::nullopt;
  }
  return std::exchange(user_, {});
}

std::optional<std::string> read_sasl_handshake(Bytes frame) {
  Cursor cursor(frame, kRequestPrefix);
  cursor.read_string();  // client id
  const std::string_view mechanism = cursor.read_string();
  if (cursor.failed()) {
    return std::nullopt;
  }
  return std::string(mechanism);
}

std::optional<Bytes> read_sasl_authenticate(Bytes frame, std::int16_t version) {
  Cursor cursor(frame, kRequestPrefix);
  cursor.read_string();  // client id
  std::string_view token;
  if (version >= kFirstFlexibleSaslAuthenticate) {
    cursor.skip_tags(kMaxHeaderTags);
    token = cursor.read_compact_string();
  } else {
    const auto size = cursor.read<std::int32_t>();
    if (size < 0) {
      return std::nullopt;
    }
    token = cursor.read_text(static_cast<std::size_t>(size));
  }
  if (cursor.failed()) {
    return std::nullopt;
  }
  return as_bytes(token);
}

std::optional<std::int16_t> read_error_code(Bytes frame, HeaderTags tags) {
  Cursor cursor(frame, kResponsePrefix);
  if (tags == HeaderTags::kPresent) {
    cursor.skip_tags(kMaxHeaderTags);
  }
  const auto code = cursor.read<std::int16_t>();
  if (cursor.failed()) {
    return std::nullopt;
  }
  return code;
}

}  // namespace grete::gateway

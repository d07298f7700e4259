// What passes between client and broker while the client authenticates. The gateway takes no part
// in it: it counts tokens that have no Kafka header, and learns who the client is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace grete::gateway {

enum class SaslMechanism : std::uint8_t { kPlain, kScram, kOauthBearer, kOther };

// "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"; anything else is kOther.
[[nodiscard]] SaslMechanism sasl_mechanism(std::string_view name);

// How many tokens each side sends after a SaslHandshake of version 0, where the mechanism tells.
[[nodiscard]] std::optional<std::uint8_t> sasl_tokens(SaslMechanism mechanism);

// The user name in the client's first token: of PLAIN the authentication id (RFC 4616), of SCRAM
// the attribute n (RFC 5802), of OAUTHBEARER (RFC 7628) the JSON web token's "sub", unverified: the
// broker verifies it. Empty if there is none or it is unreasonable.
[[nodiscard]] std::string sasl_user(SaslMechanism mechanism, Bytes token);

// Follows one exchange; a client may begin another later (KIP-368).
class SaslExchange {
 public:
  explicit SaslExchange(SaslMechanism mechanism) : mechanism_(mechanism) {}

  [[nodiscard]] SaslMechanism mechanism() const { return mechanism_; }
  void on_client_token(Bytes token);
  // The broker took the latest token. Returns the user once nothing is left to prove.
  [[nodiscard]] std::optional<std::string> on_accepted();

 private:
  SaslMechanism mechanism_;
  std::uint8_t client_tokens_ = 0;
  std::uint8_t accepted_ = 0;
  std::string user_;
};

// The mechanism that a SaslHandshake request frame names (its length field included); nullopt if
// the frame is malformed.
[[nodiscard]] std::optional<std::string> read_sasl_handshake(Bytes frame);
// The token in a SaslAuthenticate request frame of that version.
[[nodiscard]] std::optional<Bytes> read_sasl_authenticate(Bytes frame, std::int16_t version);
// The error code in a SaslHandshake or SaslAuthenticate response frame. `flexible` ones have tagged
// fields in their header.
enum class HeaderTags : std::uint8_t { kNone, kPresent };
[[nodiscard]] std::optional<std::int16_t> read_error_code(Bytes frame, HeaderTags tags);

}  // namespace grete::gateway

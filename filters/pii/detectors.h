// The kinds of personal data and credentials that the filter knows, their names and groups.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace grete::filters::pii {

// One kind of sensitive text. The order is that of the table in README.md.
enum class Detector : std::uint8_t {
  kEmail,
  kIpv4,
  kPhone,
  kUsSsn,
  kCreditCard,
  kAwsAccessKeyId,
  kAwsEnvironment,
  kGcpEnvironment,
  kAzureEnvironment,
  kAzureStorageKey,
  kAzureClientSecret,
  kPrivateKey,
  kGoogleApiKey,
  kGoogleOauth,
  kGithubToken,
  kSlackToken,
  kStripeKey,
  kJwt,
  kDatabaseUrl,
  kDatabaseEnvironment,
};
inline constexpr int kDetectorCount = 20;

// A set of detectors, as bits.
class DetectorSet {
 public:
  constexpr DetectorSet() = default;
  static constexpr DetectorSet all() { return DetectorSet((1u << kDetectorCount) - 1); }
  static constexpr DetectorSet of(Detector one) {
    return DetectorSet(1u << static_cast<unsigned>(one));
  }

  [[nodiscard]] constexpr bool has(Detector one) const { return (bits_ & of(one).bits_) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr bool intersects(DetectorSet other) const {
    return (bits_ & other.bits_) != 0;
  }
  constexpr DetectorSet& operator|=(DetectorSet other) {
    bits_ |= other.bits_;
    return *this;
  }
  friend constexpr DetectorSet operator|(DetectorSet a, DetectorSet b) { return a |= b; }
  friend constexpr bool operator==(DetectorSet, DetectorSet) = default;

 private:
  constexpr explicit DetectorSet(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

// The name of a detector in configurations, messages and metrics, such as "us-ssn".
std::string_view name_of(Detector detector);

// The detectors that a word of the configuration stands for: a detector's own name, a group
// ("aws", "gcp", "azure", "google", "database", "secrets"), or "all". Nothing for another word.
std::optional<DetectorSet> detectors_named(std::string_view word);

// Every word that detectors_named accepts.
std::span<const std::string_view> detector_words();

}  // namespace grete::filters::pii

#include "filters/pii/detectors.h"

#include <array>

namespace grete::filters::pii {
namespace {

using enum Detector;

constexpr std::array<std::string_view, kDetectorCount> kNames = {
    "email",
    "ipv4",
    "phone",
    "us-ssn",
    "credit-card",
    "aws-access-key-id",
    "aws-environment",
    "gcp-environment",
    "azure-environment",
    "azure-storage-key",
    "azure-client-secret",
    "private-key",
    "google-api-key",
    "google-oauth",
    "github",
    "slack",
    "stripe",
    "jwt",
    "database-url",
    "database-environment",
};

constexpr DetectorSet set(std::initializer_list<Detector> detectors) {
  DetectorSet result;
  for (const Detector one : detectors) {
    result |= DetectorSet::of(one);
  }
  return result;
}

struct Group {
  std::string_view name;
  DetectorSet detectors;
};

constexpr DetectorSet kSecrets =
    set({kAwsAccessKeyId, kAwsEnvironment, kGcpEnvironment, kAzureEnvironment, kAzureStorageKey,
         kAzureClientSecret, kPrivateKey, kGoogleApiKey, kGoogleOauth, kGithubToken, kSlackToken,
         kStripeKey, kJwt, kDatabaseUrl, kDatabaseEnvironment});

constexpr std::array<Group, 8> kGroups = {{
    {"all", DetectorSet::all()},
    {"aws", set({kAwsAccessKeyId, kAwsEnvironment})},
    {"gcp", set({kGcpEnvironment, kPrivateKey, kGoogleApiKey, kGoogleOauth})},
    {"azure", set({kAzureEnvironment, kAzureStorageKey, kAzureClientSecret})},
    {"google", set({kGoogleApiKey, kGoogleOauth})},
    {"database", set({kDatabaseUrl, kDatabaseEnvironment})},
    {"personal", set({kEmail, kIpv4, kPhone, kUsSsn, kCreditCard})},
    {"secrets", kSecrets},
}};

constexpr auto kWords = [] {
  std::array<std::string_view, kDetectorCount + kGroups.size()> words{};
  std::size_t next = 0;
  for (const std::string_view name : kNames) {
    words[next++] = name;
  }
  for (const Group& group : kGroups) {
    words[next++] = group.name;
  }
  return words;
}();

}  // namespace

std::string_view name_of(Detector detector) {
  return kNames[static_cast<std::size_t>(detector)];
}

std::optional<DetectorSet> detectors_named(std::string_view word) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == word) {
      return DetectorSet::of(static_cast<Detector>(i));
    }
  }
  for (const Group& group : kGroups) {
    if (group.name == word) {
      return group.detectors;
    }
  }
  return std::nullopt;
}

std::span<const std::string_view> detector_words() {
  return kWords;
}

}  // namespace grete::filters::pii

#include "plugins/subscription.h"

#include <algorithm>

namespace grete::plugins {
namespace {

using kafka::lane::Payload;

bool covers(kafka::lane::Direction told, Direction direction) {
  const auto wanted = direction == Direction::kRequest ? kafka::lane::Direction::kRequest
                                                       : kafka::lane::Direction::kResponse;
  return (static_cast<unsigned>(told) & static_cast<unsigned>(wanted)) != 0;
}

}  // namespace

void Subscription::add(const kafka::lane::Interest& interest) {
  entries_.push_back(interest);
  table_.resize(static_cast<std::size_t>(kTableKeys) * kTableVersions);
  const Payloads payload(interest.payload);
  std::uint8_t bits = 0;
  if (covers(interest.direction, Direction::kRequest)) {
    bits |= payload.bits();
  }
  if (covers(interest.direction, Direction::kResponse)) {
    bits |= static_cast<std::uint8_t>(payload.bits() << 4);
  }
  const bool every = interest.api_key == -1;
  const int first_key = every ? 0 : interest.api_key;
  const int last_key = every ? kTableKeys - 1 : interest.api_key;
  const int last_version = std::min<int>(interest.last_version, kTableVersions - 1);
  for (int key = first_key; key <= std::min<int>(last_key, kTableKeys - 1); ++key) {
    for (int version = interest.first_version; version <= last_version; ++version) {
      table_[static_cast<std::size_t>(key) * kTableVersions + static_cast<std::size_t>(version)] |=
          bits;
    }
  }
}

void Subscription::add(const Subscription& other) {
  for (const kafka::lane::Interest& interest : other.entries_) {
    add(interest);
  }
}

Payloads Subscription::search(kafka::ApiKey key, kafka::ApiVersion version,
                              Direction direction) const {
  Payloads found;
  for (const kafka::lane::Interest& interest : entries_) {
    if ((interest.api_key == -1 || interest.api_key == key.value()) &&
        version.value() >= interest.first_version && version.value() <= interest.last_version &&
        covers(interest.direction, direction)) {
      found |= Payloads(interest.payload);
    }
  }
  return found;
}

}  // namespace grete::plugins

// Which messages a plug-in wants to see, and how much of each; answered in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kafka/ids.h"
#include "kafka/lane/format.h"

namespace grete::plugins {

using kafka::Direction;

// How much of a message must be at hand before the plug-ins can see it.
enum class Interest : std::uint8_t {
  kNone,    // nobody asks: forward the bytes as they come
  kHeader,  // the header alone
  kWhole,   // the whole message, in one buffer
};

// A set of payloads: what is shown of one (key, version, direction).
class Payloads {
 public:
  constexpr Payloads() = default;
  constexpr explicit Payloads(std::uint8_t bits) : bits_(bits) {}
  constexpr explicit Payloads(kafka::lane::Payload payload)
      : bits_(static_cast<std::uint8_t>(1U << (static_cast<unsigned>(payload) - 1))) {}

  [[nodiscard]] constexpr bool has(kafka::lane::Payload payload) const {
    return (bits_ & Payloads(payload).bits_) != 0;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  // A call with the message, or its header.
  [[nodiscard]] constexpr bool asks_for_message() const {
    return has(kafka::lane::Payload::kHeader) || has(kafka::lane::Payload::kMessage);
  }
  // Calls with the batches, or their records.
  [[nodiscard]] constexpr bool asks_for_records() const {
    return has(kafka::lane::Payload::kRecords) || has(kafka::lane::Payload::kBatches);
  }
  [[nodiscard]] constexpr Interest interest() const {
    if (empty()) {
      return Interest::kNone;
    }
    return bits_ == Payloads(kafka::lane::Payload::kHeader).bits_ ? Interest::kHeader
                                                                  : Interest::kWhole;
  }
  constexpr Payloads& operator|=(Payloads other) {
    bits_ |= other.bits_;
    return *this;
  }
  [[nodiscard]] constexpr std::uint8_t bits() const { return bits_; }

  friend constexpr bool operator==(Payloads, Payloads) = default;

 private:
  std::uint8_t bits_ = 0;
};

// A value. Made once from the entries of kafka.subscribe (docs/kafka-lane.md), then only read.
class Subscription {
 public:
  // Kafka's keys and versions lie far below these; what lies above is found by a slower search.
  static constexpr std::int16_t kTableKeys = 128;
  static constexpr std::int16_t kTableVersions = 32;

  Subscription() = default;

  void add(const kafka::lane::Interest& interest);
  void add(const Subscription& other);

  [[nodiscard]] Payloads payloads(kafka::ApiKey key, kafka::ApiVersion version,
                                  Direction direction) const {
    if (entries_.empty()) {
      return {};
    }
    const std::int16_t k = key.value();
    const std::int16_t v = version.value();
    if (k >= 0 && k < kTableKeys && v >= 0 && v < kTableVersions) {
      const std::uint8_t both =
          table_[static_cast<std::size_t>(k) * kTableVersions + static_cast<std::size_t>(v)];
      return Payloads(direction == Direction::kRequest ? both & 0x0f : both >> 4);
    }
    return search(key, version, direction);
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const std::vector<kafka::lane::Interest>& entries() const { return entries_; }

 private:
  [[nodiscard]] Payloads search(kafka::ApiKey key, kafka::ApiVersion version,
                                Direction direction) const;

  std::vector<kafka::lane::Interest> entries_;
  // A byte for each (key, version): payloads of the request below, of the response above.
  std::vector<std::uint8_t> table_;
};

}  // namespace grete::plugins

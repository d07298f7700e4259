// Valid record batches (magic 2) of order events in JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace grete::bench {

enum class Codec : std::uint8_t { kNone = 0, kLz4 = 3 };

struct BatchSpec {
  int records = 1;          // at least 1
  int record_bytes = 1024;  // of each record's value
  Codec codec = Codec::kNone;
  std::uint32_t seed = 1;  // another seed gives other events
  std::int64_t base_offset = 0;
  std::int64_t timestamp_ms = 0;
};

// One batch without producer id, so that a broker takes it any number of times. One record in four
// holds an e-mail address, so that a filter which masks them has something to do.
std::string make_batch(const BatchSpec& spec);

// The JSON of one event, padded to exactly `bytes` (at least 256).
std::string make_event(std::uint32_t& seed, int bytes, int number);

// CRC-32C (Castagnoli).
std::uint32_t crc32c(std::string_view bytes);

}  // namespace grete::bench

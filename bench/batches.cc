#include "bench/batches.h"

#include <array>
#include <cstdlib>

#include <lz4frame.h>

#include "bench/wire.h"

namespace grete::bench {
namespace {

// Good enough to vary text, and the same everywhere (Numerical Recipes' constants).
std::uint32_t next(std::uint32_t& seed) {
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

std::string compress_lz4(const std::string& plain) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  std::string out(LZ4F_compressFrameBound(plain.size(), &preferences), '\0');
  const std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), plain.data(), plain.size(), &preferences);
  if (LZ4F_isError(size) != 0) {
    std::abort();
  }
  out.resize(size);
  return out;
}

std::string make_records(const BatchSpec& spec) {
  Writer records;
  std::uint32_t seed = spec.seed;
  for (int i = 0; i < spec.records; ++i) {
    Writer record;
    record.i8(0);      // attributes
    record.varint(0);  // timestamp delta
    record.varint(i);  // offset delta
    const std::string key = "order-" + std::to_string(next(seed) % 100000);
    record.varint(static_cast<std::int64_t>(key.size()));
    record.raw(key);
    const std::string value = make_event(seed, spec.record_bytes, i);
    record.varint(static_cast<std::int64_t>(value.size()));
    record.raw(value);
    record.varint(0);  // headers
    const std::string bytes = record.take();
    records.varint(static_cast<std::int64_t>(bytes.size()));
    records.raw(bytes);
  }
  return records.take();
}

}  // namespace

std::string make_event(std::uint32_t& seed, int bytes, int number) {
  static constexpr std::array<std::string_view, 8> kGoods = {
      "walnut desk", "reading lamp", "wool blanket",  "oak chair",
      "tea kettle",  "bookshelf",    "picture frame", "linen curtain"};
  std::string event = "{\"type\":\"order.placed\",\"number\":" + std::to_string(next(seed)) +
                      ",\"shop\":\"prague-" + std::to_string(next(seed) % 40) + "\",\"customer\":{";
  event += number % 4 == 0
               ? "\"mail\":\"g.samsa" + std::to_string(next(seed) % 1000) + "@example.com\""
               : "\"id\":\"c" + std::to_string(next(seed) % 100000) + "\"";
  event += "},\"items\":[";
  // 96 bytes are left for the longest item and the closing note.
  for (int item = 0; event.size() + 96 < static_cast<std::size_t>(bytes); ++item) {
    event += item == 0 ? "" : ",";
    event += "{\"name\":\"";
    event += kGoods[next(seed) % kGoods.size()];
    event += "\",\"count\":" + std::to_string(1 + next(seed) % 9) +
             ",\"cents\":" + std::to_string(next(seed) % 100000) + "}";
  }
  event += "],\"note\":\"";
  while (event.size() + 2 < static_cast<std::size_t>(bytes)) {
    event.push_back(static_cast<char>('a' + next(seed) % 26));
  }
  return event + "\"}";
}

std::uint32_t crc32c(std::string_view bytes) {
  static const auto remainders = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) {
        value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78u : 0);
      }
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc = crc >> 8 ^ remainders[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  }
  return ~crc;
}

std::string make_batch(const BatchSpec& spec) {
  std::string records = make_records(spec);
  if (spec.codec == Codec::kLz4) {
    records = compress_lz4(records);
  }
  Writer checked;  // what the checksum covers
  checked.i16(static_cast<int>(spec.codec));
  checked.i32(spec.records - 1);
  checked.i64(spec.timestamp_ms);
  checked.i64(spec.timestamp_ms);
  checked.i64(-1);  // producer id
  checked.i16(-1);  // producer epoch
  checked.i32(-1);  // base sequence
  checked.i32(spec.records);
  checked.raw(records);
  const std::string body = checked.take();
  Writer batch;
  batch.i64(spec.base_offset);
  batch.i32(static_cast<std::int64_t>(4 + 1 + 4 + body.size()));
  batch.i32(0);  // partition leader epoch
  batch.i8(2);   // magic
  batch.i32(crc32c(body));
  batch.raw(body);
  return batch.take();
}

}  // namespace grete::bench

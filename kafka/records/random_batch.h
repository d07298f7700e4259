// Seeded random records, for this folder's tests and benches.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"

namespace grete::kafka::records {

using Text = std::optional<std::string>;

inline std::optional<Bytes> as_field(const Text& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

inline Text as_text_field(const std::optional<Bytes>& bytes) {
  return bytes ? Text(as_text(*bytes)) : std::nullopt;
}

// A record that owns what it holds.
struct OwnedRecord {
  std::int64_t timestamp = -1;
  Text key;
  Text value;
  std::vector<std::pair<std::string, Text>> headers;

  friend bool operator==(const OwnedRecord&, const OwnedRecord&) = default;
};

// The seed of GRETE_SEED, or a new one, which it prints.
inline std::uint32_t test_seed() {
  const char* given = std::getenv("GRETE_SEED");
  const auto seed =
      given != nullptr ? static_cast<std::uint32_t>(std::atoll(given)) : std::random_device{}();
  std::printf("seed: GRETE_SEED=%u\n", seed);
  return seed;
}

class RandomRecords {
 public:
  explicit RandomRecords(std::uint32_t seed) : random_(seed) {}

  // 0 to limit - 1.
  std::size_t below(std::size_t limit) { return random_() % limit; }

  // Half noise, half text that compresses.
  std::string bytes(std::size_t size) {
    std::string result(size, '\0');
    const bool is_noise = below(2) == 0;
    for (std::size_t i = 0; i < size; ++i) {
      result[i] = is_noise ? static_cast<char>(random_())
                           : "compressible text; "[(i + (i % 37 == 0 ? below(19) : 0)) % 19];
    }
    return result;
  }

  Text text(std::size_t limit) {
    const std::size_t kind = below(8);
    return kind == 0 ? std::nullopt : Text(bytes(kind == 1 ? 0 : below(limit)));
  }

  OwnedRecord record(std::int8_t magic, std::size_t limit = 200) {
    OwnedRecord record{
        .timestamp = magic == 0 ? -1 : 1600000000000 + static_cast<std::int64_t>(below(1 << 30)),
        .key = text(30),
        .value = text(limit),
        .headers = {}};
    for (std::size_t i = magic == 2 && below(2) == 0 ? below(4) : 0; i > 0; --i) {
      record.headers.emplace_back("h" + std::to_string(i), text(20));
    }
    return record;
  }

  std::vector<OwnedRecord> records(std::int8_t magic, std::size_t count, std::size_t limit = 200) {
    std::vector<OwnedRecord> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(record(magic, limit));
    }
    return all;
  }

 private:
  std::mt19937 random_;
};

inline std::vector<HeaderView> header_views(const OwnedRecord& record) {
  std::vector<HeaderView> views;
  views.reserve(record.headers.size());
  for (const auto& [key, value] : record.headers) {
    views.push_back({.key = key, .value = as_field(value)});
  }
  return views;
}

template <class Worker>
Result<void, Error> run_to_end(Worker& worker) {
  while (true) {
    GRETE_TRY_ASSIGN(const Progress progress, worker.step());
    if (progress == Progress::kDone) {
      return {};
    }
  }
}

// A new batch of `records`; aborts if that fails.
inline std::string make_batch(BatchBuilder& builder, const BatchHeader& header,
                              const std::vector<OwnedRecord>& records) {
  builder.create(header);
  for (const OwnedRecord& record : records) {
    const std::vector<HeaderView> headers = header_views(record);
    if (!builder.append({.timestamp = record.timestamp,
                         .key = as_field(record.key),
                         .value = as_field(record.value),
                         .headers = headers})) {
      std::abort();
    }
  }
  if (!run_to_end(builder)) {
    std::abort();
  }
  return std::string(as_text(builder.batch()));
}

// What the reader, at kDone, holds.
inline Result<std::vector<OwnedRecord>, Error> owned_records(const BatchReader& reader) {
  std::vector<OwnedRecord> all;
  RecordIterator iterator = reader.records();
  while (true) {
    GRETE_TRY_ASSIGN(const Record* record, iterator.next());
    if (record == nullptr) {
      return all;
    }
    OwnedRecord copy{.timestamp = record->timestamp,
                     .key = as_text_field(record->key),
                     .value = as_text_field(record->value),
                     .headers = {}};
    for (const HeaderView& header : record->headers) {
      copy.headers.emplace_back(header.key, as_text_field(header.value));
    }
    all.push_back(std::move(copy));
  }
}

}  // namespace grete::kafka::records

// CRC, iteration, codecs, and an edit of one record of N.
#include <benchmark/benchmark.h>

#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"
#include "kafka/records/crc32c.h"
#include "kafka/records/random_batch.h"

namespace grete::kafka::records {
namespace {

constexpr std::uint32_t kSeed = 1;

// What services log: JSON whose keys repeat and whose values differ.
std::string json_line(RandomRecords& random) {
  std::string line = R"({"level":"info","service":"checkout","user":")" +
                     std::to_string(random.below(1'000'000'000)) + R"(","amount":)" +
                     std::to_string(random.below(100'000)) + R"(,"trace":")";
  for (int i = 0; i < 32; ++i) {
    line += "0123456789abcdef"[random.below(16)];
  }
  return line + R"(","message":"order accepted"})";
}

// A batch of JSON of about `bytes` bytes, plain.
std::string json_batch(Codec codec, std::size_t bytes) {
  MemoryBudget budget(1 << 30);
  CodecPool pool(budget);
  BatchBuilder builder(pool, budget);
  RandomRecords random(kSeed);
  std::vector<OwnedRecord> records;
  for (std::size_t size = 0; size < bytes;) {
    std::string line = json_line(random);
    size += line.size() + 10;
    records.push_back(
        {.timestamp = 1600000000000, .key = {}, .value = std::move(line), .headers = {}});
  }
  return make_batch(builder, {.attributes = static_cast<std::int16_t>(codec)}, records);
}

void crc(benchmark::State& state) {
  RandomRecords random(kSeed);
  const std::string bytes = random.bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(crc32c(as_bytes(bytes)));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(crc)->Name("crc32c")->Arg(100)->Arg(1 << 10)->Arg(16 << 10)->Arg(1 << 20);

void crc_portable(benchmark::State& state) {
  RandomRecords random(kSeed);
  const std::string bytes = random.bytes(16 << 10);
  for (auto _ : state) {
    benchmark::DoNotOptimize(crc32c_portable(as_bytes(bytes)));
  }
  state.SetBytesProcessed(state.iterations() * 16 * 1024);
}
BENCHMARK(crc_portable)->Name("crc32c_portable/16384");

void iterate(benchmark::State& state) {
  const std::string batch = json_batch(Codec::kNone, 1 << 20);
  MemoryBudget budget(1 << 30);
  CodecPool pool(budget);
  BatchReader reader(pool, budget);
  if (!reader.start(as_bytes(batch)) || !run_to_end(reader)) {
    return state.SkipWithError("unreadable");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(reader.validate().has_value());
  }
  state.SetItemsProcessed(state.iterations() * reader.header().count);
}
BENCHMARK(iterate);

void read(benchmark::State& state) {
  const auto codec = static_cast<Codec>(state.range(0));
  const std::string batch = json_batch(codec, static_cast<std::size_t>(state.range(1)));
  MemoryBudget budget(1 << 30);
  CodecPool pool(budget);
  BatchReader reader(pool, budget);
  std::size_t plain = 0;
  for (auto _ : state) {
    if (!reader.start(as_bytes(batch)) || !run_to_end(reader)) {
      return state.SkipWithError("unreadable");
    }
    plain = reader.encoded_records().size();
  }
  state.SetLabel(std::string(codec_name(codec)));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(plain));
}
BENCHMARK(read)->ArgsProduct({{0, 1, 2, 3, 4}, {16 << 10, 1 << 20}});

// Changes one record of a batch that was read, and builds the new one.
void edit_one(benchmark::State& state) {
  const auto codec = static_cast<Codec>(state.range(0));
  const std::string batch = json_batch(codec, static_cast<std::size_t>(state.range(1)));
  MemoryBudget budget(1 << 30);
  CodecPool pool(budget);
  BatchReader reader(pool, budget);
  BatchBuilder builder(pool, budget);
  if (!reader.start(as_bytes(batch)) || !run_to_end(reader)) {
    return state.SkipWithError("unreadable");
  }
  RecordIterator iterator = reader.records();
  Record middle;
  for (std::int32_t i = 0; i <= reader.header().count / 2; ++i) {
    middle = **iterator.next();
  }
  for (auto _ : state) {
    builder.edit(reader);
    if (!builder.replace(middle, {.key = {},
                                  .value = FieldEdit::set(as_bytes("masked")),
                                  .headers = {},
                                  .timestamp = {}}) ||
        !run_to_end(builder)) {
      return state.SkipWithError("not built");
    }
  }
  state.SetLabel(std::string(codec_name(codec)) + ", one of " +
                 std::to_string(reader.header().count));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(reader.encoded_records().size()));
}
BENCHMARK(edit_one)->ArgsProduct({{0, 1, 2, 3, 4}, {16 << 10, 1 << 20}});

void edit_all(benchmark::State& state) {
  const std::string batch = json_batch(Codec::kNone, 1 << 20);
  MemoryBudget budget(1 << 30);
  CodecPool pool(budget);
  BatchReader reader(pool, budget);
  BatchBuilder builder(pool, budget);
  if (!reader.start(as_bytes(batch)) || !run_to_end(reader)) {
    return state.SkipWithError("unreadable");
  }
  for (auto _ : state) {
    builder.edit(reader);
    RecordIterator iterator = reader.records();
    while (const Record* record = *iterator.next()) {
      if (!builder.replace(
              *record, {.key = FieldEdit::null(), .value = {}, .headers = {}, .timestamp = {}})) {
        return state.SkipWithError("not replaced");
      }
    }
    benchmark::DoNotOptimize(run_to_end(builder).has_value());
  }
  state.SetItemsProcessed(state.iterations() * reader.header().count);
}
BENCHMARK(edit_all);

}  // namespace
}  // namespace grete::kafka::records

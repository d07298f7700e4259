// How fast is the scan of what Kafka topics mostly hold: JSON with little or nothing to mask?
#include <random>
#include <string>

#include <benchmark/benchmark.h>

#include "filters/pii/scanner.h"

namespace grete::filters::pii {
namespace {

std::string json(std::size_t size, int emails_per_1000) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) {
    text += "{\"order_id\":" + std::to_string(random() % 1000000) + ",\"customer\":\"c-" +
            std::to_string(random() % 100000) + "\",\"created_at\":\"2026-11-22T18:0" +
            std::to_string(random() % 10) + ":00Z\",\"amount\":" + std::to_string(random() % 1000) +
            ".25,\"currency\":\"EUR\",\"note\":\"deliver to the back door, ask for Anna\"";
    if (static_cast<int>(random() % 1000) < emails_per_1000) {
      text += ",\"email\":\"anna.smith@example.com\"";
    }
    text += "}\n";
  }
  text.resize(size);
  return text;
}

void BM_Scan(benchmark::State& state) {
  const std::string text =
      json(static_cast<std::size_t>(state.range(0)), static_cast<int>(state.range(1)));
  Scanner scanner(DetectorSet::all());
  std::vector<Match> matches;
  for (auto _ : state) {
    matches.clear();
    scanner.find(text, matches);
    benchmark::DoNotOptimize(matches.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(BM_Scan)
    ->Args({1 << 10, 0})
    ->Args({1 << 14, 0})
    ->Args({1 << 14, 1000})
    ->Args({1 << 20, 0});

}  // namespace
}  // namespace grete::filters::pii

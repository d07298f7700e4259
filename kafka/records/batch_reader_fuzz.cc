// Any bytes as the records field of a request: splitting, headers, every codec, every record, of
// every magic. Memory stays within the budget.
#include <cstdint>
#include <cstdlib>

#include "kafka/records/batch_reader.h"

using namespace grete;
using namespace grete::kafka::records;

namespace {

// Touches every byte that a record refers to, so that a sanitizer sees a wrong view.
std::uint64_t touch(Bytes bytes) {
  std::uint64_t sum = bytes.size();
  for (const std::byte byte : bytes) {
    sum += std::to_integer<std::uint64_t>(byte);
  }
  return sum;
}

void read_records(const BatchReader& reader) {
  volatile std::uint64_t sink = 0;
  RecordIterator iterator = reader.records();
  std::int32_t count = 0;
  while (true) {
    const auto record = iterator.next();
    if (!record) {
      return;
    }
    if (*record == nullptr) {
      break;
    }
    ++count;
    sink = sink + touch((*record)->key.value_or(Bytes{})) +
           touch((*record)->value.value_or(Bytes{})) + touch((*record)->encoded);
    for (const HeaderView& header : (*record)->headers) {
      sink = sink + touch(as_bytes(header.key)) + touch(header.value.value_or(Bytes{}));
    }
  }
  if (count != reader.header().count) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MemoryBudget budget(8 << 20);
  CodecPool pool(budget);
  BatchReader reader(pool, budget, 4 << 20);
  BatchSplitter splitter({reinterpret_cast<const std::byte*>(data), size});
  while (true) {
    const std::optional<Bytes> batch = splitter.next().value_or(std::nullopt);
    if (!batch) {
      return 0;
    }
    if (!reader.start(*batch, CrcCheck::kSkip)) {
      continue;
    }
    auto progress = reader.step();
    while (progress && *progress == Progress::kMore) {
      progress = reader.step();
    }
    if (progress) {
      read_records(reader);
    }
    if (budget.peak() > budget.limit()) {
      std::abort();
    }
  }
}

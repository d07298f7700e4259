// Any bytes as a compressed stream of the codec that FUZZ_CODEC names. Output obeys its limit and
// memory its budget; what decompresses is compressed and decompressed again.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "kafka/records/compression.h"
#include "kafka/records/limits.h"

using namespace grete;
using namespace grete::kafka::records;

namespace {

constexpr std::uint64_t kLimit = 1 << 20;

template <class Worker>
bool finish(Worker& worker, ByteBuffer& out) {
  while (true) {
    const std::size_t before = out.size();
    const auto progress = worker.step(out);
    if (!progress) {
      return false;
    }
    if (out.size() - before > kStepBytes + 64) {
      std::abort();
    }
    if (*progress == Progress::kDone) {
      return true;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MemoryBudget budget(8 << 20);
  CodecPool pool(budget);
  ByteBuffer plain(budget);
  const Codec codec = Codec::FUZZ_CODEC;
  for (const Lz4Header header : {Lz4Header::kStandard, Lz4Header::kMagic0}) {
    plain.clear();
    Decompressor decompressor(pool);
    decompressor.start(codec, {reinterpret_cast<const std::byte*>(data), size}, kLimit, header);
    const bool valid = finish(decompressor, plain);
    if (plain.size() > kLimit || budget.peak() > budget.limit()) {
      std::abort();
    }
    if (!valid || plain.size() > kStepBytes / 4) {
      continue;
    }
    ByteBuffer again(budget);
    ByteBuffer compressed(budget);
    Compressor compressor(pool);
    compressor.start(codec, plain.bytes(), header);
    if (!finish(compressor, compressed)) {
      continue;
    }
    decompressor.start(codec, compressed.bytes(), kLimit, header);
    if (finish(decompressor, again) && as_text(again.bytes()) != as_text(plain.bytes())) {
      std::abort();
    }
  }
  return 0;
}

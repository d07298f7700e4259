// The first byte picks a codec and magic, the rest is put, compressed, into a wrapper: what lies
// within a compressed message set is reached without a right CRC or a right stream.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kafka/records/batch_reader.h"
#include "kafka/records/message_set.h"

using namespace grete;
using namespace grete::kafka::records;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const auto codec = static_cast<Codec>(1 + data[0] % 3);
  const std::size_t magic = (data[0] / 3) % 2;
  MemoryBudget budget(8 << 20);
  CodecPool pool(budget);
  Compressor compressor(pool);
  ByteBuffer message(budget);
  const std::size_t overhead = magic == 1 ? 34 : 26;
  if (!message.reserve(overhead)) {
    std::abort();
  }
  std::fill_n(message.data(), overhead, std::byte{0});
  message.commit(overhead);
  compressor.start(codec, {reinterpret_cast<const std::byte*>(data + 1), size - 1});
  auto progress = compressor.step(message);
  while (progress && *progress == Progress::kMore) {
    progress = compressor.step(message);
  }
  if (!progress) {
    return 0;
  }
  store_big(message.data() + 8, static_cast<std::int32_t>(message.size() - 12));
  message.data()[16] = static_cast<std::byte>(magic);
  message.data()[kMessageAttributesAt] = static_cast<std::byte>(codec);
  store_big(message.data() + overhead - 8, std::int32_t{-1});
  store_big(message.data() + overhead - 4, static_cast<std::int32_t>(message.size() - overhead));
  BatchReader reader(pool, budget, 4 << 20);
  if (!reader.start(message.bytes(), CrcCheck::kSkip)) {
    std::abort();
  }
  progress = reader.step();
  while (progress && *progress == Progress::kMore) {
    progress = reader.step();
  }
  // What was numbered can be read.
  if (progress && !reader.validate()) {
    std::abort();
  }
  return 0;
}

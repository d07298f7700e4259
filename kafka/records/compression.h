// The codecs of record batches behind one resumable interface.
//
// Input is contiguous and borrowed; output is appended to a ByteBuffer, at most about kStepBytes a
// step(), so that a worker can serve other connections between two steps. Library contexts (zstd's
// are megabytes) are pooled in CodecPool, one a thread.
//
// Formats are those of Apache Kafka: gzip (also several members); snappy in snappy-java's framing,
// or one raw block as librdkafka writes it (told apart on read); lz4 frames, which for magic 0
// carry the wrong header checksum that Kafka 0.8 and 0.9 wrote (KAFKA-3160); zstd. Levels are
// Kafka's defaults: gzip 6, lz4 fast, zstd 3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "kafka/records/byte_buffer.h"
#include "kafka/records/error.h"

namespace grete::kafka::records {

// As in bits 0-2 of a batch's attributes.
enum class Codec : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };
inline constexpr std::size_t kCodecs = 5;

// Kafka's name of the codec, as in compression.type: "none", "gzip", ...
std::string_view codec_name(Codec codec);

// Which lz4 header checksum is right: that of the lz4 specification, or that of magic 0.
enum class Lz4Header : std::uint8_t { kStandard, kMagic0 };

class CompressionStream;

// The contexts of the compression libraries, for one thread. Streams take what they need and give
// it back. All memory of the libraries is charged to the pool's budget.
class CodecPool {
 public:
  // `budget` (a worker's, rather than a connection's: contexts outlive batches) outlives the pool,
  // and the pool outlives every Compressor and Decompressor that uses it.
  explicit CodecPool(MemoryBudget& budget);
  ~CodecPool();

  CodecPool(const CodecPool&) = delete;
  CodecPool& operator=(const CodecPool&) = delete;

  // Frees the contexts that are not in use.
  void trim();

 private:
  friend class Compressor;
  friend class Decompressor;
  enum class Direction : std::uint8_t { kCompress, kDecompress };
  using Idle = std::vector<std::unique_ptr<CompressionStream>>;

  std::unique_ptr<CompressionStream> take(Codec codec, Direction direction);
  void give_back(Codec codec, Direction direction, std::unique_ptr<CompressionStream> stream);
  Idle& idle(Codec codec, Direction direction);

  MemoryBudget* budget_;
  std::array<Idle, 2 * kCodecs> idle_;
};

// Turns compressed bytes into plain ones. One thread; reusable; a stream in progress may be
// abandoned by start() or by destruction.
class Decompressor {
 public:
  explicit Decompressor(CodecPool& pool);
  ~Decompressor();

  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // `input` stays valid until the last step(). `codec` is not kNone. Fails with kDecompressedTooBig
  // as soon as more than `max_output` bytes come out.
  void start(Codec codec, Bytes input, std::uint64_t max_output,
             Lz4Header header = Lz4Header::kStandard);

  // Appends to `output`, the same at every step. After kDone or an error, start() again. Errors:
  // kCorruptStream, kTruncated, kDecompressedTooBig, kOutOfMemory; position counts input bytes.
  [[nodiscard]] Result<Progress, Error> step(ByteBuffer& output);

 private:
  void finish();

  CodecPool* pool_;
  std::unique_ptr<CompressionStream> stream_;
  Codec codec_ = Codec::kNone;
  std::uint64_t left_ = 0;
};

// Turns plain bytes into compressed ones. One thread; reusable.
class Compressor {
 public:
  explicit Compressor(CodecPool& pool);
  ~Compressor();

  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // As Decompressor::start.
  void start(Codec codec, Bytes input, Lz4Header header = Lz4Header::kStandard);

  // Takes about kStepBytes of input a call. The only error is kOutOfMemory.
  [[nodiscard]] Result<Progress, Error> step(ByteBuffer& output);

 private:
  void finish();

  CodecPool* pool_;
  std::unique_ptr<CompressionStream> stream_;
  Codec codec_ = Codec::kNone;
};

}  // namespace grete::kafka::records

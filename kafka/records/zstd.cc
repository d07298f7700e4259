// zstd. The static-only part of its interface is used for one thing: to charge its memory.
#define ZSTD_STATIC_LINKING_ONLY
#include <algorithm>

#include <zstd.h>
#include <zstd_errors.h>

#include "kafka/records/compression_stream.h"

namespace grete::kafka::records {
namespace {

// Kafka's default for compression.zstd.level.
constexpr int kZstdLevel = 3;

ZSTD_customMem hooks(LibraryMemory& memory) {
  return {LibraryMemory::allocate, LibraryMemory::free, &memory};
}

class ZstdDecompressor final : public CompressionStream {
 public:
  explicit ZstdDecompressor(MemoryBudget& budget) : memory_(budget) {}
  ~ZstdDecompressor() override { ZSTD_freeDCtx(zstd_); }

  void start(Bytes input, Lz4Header /*header*/) override {
    input_ = {input.data(), input.size(), 0};
    fresh_ = true;
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t limit) override {
    if (fresh_ && !begin()) {
      return fail(ErrorCode::kOutOfMemory);
    }
    std::uint64_t most = std::min<std::uint64_t>(kStepBytes, limit + 1);
    while (most != 0) {
      const MutableBytes room = room_for(output, most, input_.size - input_.pos);
      if (room.empty()) {
        return fail(ErrorCode::kOutOfMemory, input_.pos);
      }
      ZSTD_outBuffer out{room.data(), room.size(), 0};
      const std::size_t hint = ZSTD_decompressStream(zstd_, &out, &input_);
      if (ZSTD_isError(hint)) {
        return fail(meaning(hint), input_.pos);
      }
      output.commit(out.pos);
      most -= out.pos;
      if (hint == 0 && input_.pos == input_.size) {
        return Progress::kDone;
      }
      if (input_.pos == input_.size && out.pos < out.size) {
        return fail(ErrorCode::kTruncated, input_.pos);
      }
    }
    return Progress::kMore;
  }

  [[nodiscard]] std::uint64_t memory() const override { return memory_.used(); }

 private:
  bool begin() {
    if (zstd_ == nullptr) {
      zstd_ = ZSTD_createDCtx_advanced(hooks(memory_));
      if (zstd_ == nullptr) {
        return false;
      }
      ZSTD_DCtx_setParameter(zstd_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    }
    ZSTD_DCtx_reset(zstd_, ZSTD_reset_session_only);
    fresh_ = false;
    return true;
  }

  static ErrorCode meaning(std::size_t error) {
    switch (ZSTD_getErrorCode(error)) {
      case ZSTD_error_memory_allocation:
        return ErrorCode::kOutOfMemory;
      case ZSTD_error_frameParameter_windowTooLarge:
        return ErrorCode::kDecompressedTooBig;
      default:
        return ErrorCode::kCorruptStream;
    }
  }

  LibraryMemory memory_;
  ZSTD_DCtx* zstd_ = nullptr;
  ZSTD_inBuffer input_{};
  bool fresh_ = true;
};

class ZstdCompressor final : public CompressionStream {
 public:
  explicit ZstdCompressor(MemoryBudget& budget) : memory_(budget) {}
  ~ZstdCompressor() override { ZSTD_freeCCtx(zstd_); }

  void start(Bytes input, Lz4Header /*header*/) override {
    input_ = input;
    fresh_ = true;
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t /*limit*/) override {
    if (fresh_ && !begin()) {
      return fail(ErrorCode::kOutOfMemory);
    }
    const Bytes part = input_.first(std::min(kStepBytes, input_.size()));
    input_ = input_.subspan(part.size());
    ZSTD_inBuffer in{part.data(), part.size(), 0};
    const ZSTD_EndDirective directive = input_.empty() ? ZSTD_e_end : ZSTD_e_continue;
    while (true) {
      // With this much room zstd takes a batch of one step in one pass, without buffers.
      if (!output.reserve(ZSTD_compressBound(part.size()))) {
        return fail(ErrorCode::kOutOfMemory);
      }
      const MutableBytes room = output.room();
      ZSTD_outBuffer out{room.data(), room.size(), 0};
      const std::size_t left = ZSTD_compressStream2(zstd_, &out, &in, directive);
      if (ZSTD_isError(left)) {
        return fail(ErrorCode::kOutOfMemory);
      }
      output.commit(out.pos);
      if (directive == ZSTD_e_end && left == 0) {
        return Progress::kDone;
      }
      if (directive == ZSTD_e_continue && in.pos == in.size) {
        return Progress::kMore;
      }
    }
  }

  [[nodiscard]] std::uint64_t memory() const override { return memory_.used(); }

 private:
  bool begin() {
    if (zstd_ == nullptr) {
      zstd_ = ZSTD_createCCtx_advanced(hooks(memory_));
      if (zstd_ == nullptr) {
        return false;
      }
      ZSTD_CCtx_setParameter(zstd_, ZSTD_c_compressionLevel, kZstdLevel);
    }
    ZSTD_CCtx_reset(zstd_, ZSTD_reset_session_only);
    ZSTD_CCtx_setPledgedSrcSize(zstd_, input_.size());
    fresh_ = false;
    return true;
  }

  LibraryMemory memory_;
  ZSTD_CCtx* zstd_ = nullptr;
  Bytes input_;
  bool fresh_ = true;
};

}  // namespace

std::unique_ptr<CompressionStream> make_zstd_decompressor(MemoryBudget& budget) {
  return std::make_unique<ZstdDecompressor>(budget);
}

std::unique_ptr<CompressionStream> make_zstd_compressor(MemoryBudget& budget) {
  return std::make_unique<ZstdCompressor>(budget);
}

}  // namespace grete::kafka::records

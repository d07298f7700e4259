// lz4 frames. The static-only part of the library's interface is used to charge its memory.
#define LZ4F_STATIC_LINKING_ONLY
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <lz4frame.h>

#include "kafka/records/compression_stream.h"

namespace grete::kafka::records {
namespace {

constexpr std::size_t kLz4MagicBytes = 4;
// Magic, FLG, BD, content size, dictionary id, header checksum.
constexpr std::size_t kMaxLz4HeaderBytes = 4 + 2 + 8 + 4 + 1;

// XXH32 of fewer than 16 bytes, with seed 0: enough for the checksum of a frame's header.
std::uint32_t xxh32_short(Bytes bytes) {
  constexpr std::uint32_t kPrime1 = 2654435761;
  constexpr std::uint32_t kPrime2 = 2246822519;
  constexpr std::uint32_t kPrime3 = 3266489917;
  constexpr std::uint32_t kPrime4 = 668265263;
  constexpr std::uint32_t kPrime5 = 374761393;
  std::uint32_t hash = kPrime5 + static_cast<std::uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    hash = std::rotl(hash + load_little<std::uint32_t>(bytes.data()) * kPrime3, 17) * kPrime4;
  }
  for (const std::byte byte : bytes) {
    hash = std::rotl(hash + std::to_integer<std::uint32_t>(byte) * kPrime5, 11) * kPrime1;
  }
  hash = (hash ^ (hash >> 15)) * kPrime2;
  hash = (hash ^ (hash >> 13)) * kPrime3;
  return hash ^ (hash >> 16);
}

// The header checksum of a frame: over the descriptor, or, in magic 0, over the frame's magic
// number too.
std::byte header_checksum(Bytes header, Lz4Header kind) {
  const std::size_t from = kind == Lz4Header::kStandard ? kLz4MagicBytes : 0;
  return static_cast<std::byte>(xxh32_short(header.subspan(from, header.size() - 1 - from)) >> 8);
}

// The bytes of the frame header that `input` begins with; 0 if it is cut short.
std::size_t header_size(Bytes input) {
  if (input.size() < kLz4MagicBytes + 3) {
    return 0;
  }
  const auto flags = std::to_integer<unsigned>(input[kLz4MagicBytes]);
  const std::size_t size =
      kLz4MagicBytes + 2 + ((flags & 0x08) != 0 ? 8 : 0) + ((flags & 0x01) != 0 ? 4 : 0) + 1;
  return size <= input.size() ? size : 0;
}

LZ4F_CustomMem hooks(LibraryMemory& memory) {
  return {LibraryMemory::allocate, nullptr, LibraryMemory::free, &memory};
}

// Levels, blocks and flags as Kafka's Lz4BlockOutputStream writes them.
LZ4F_preferences_t preferences() {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.autoFlush = 1;
  return preferences;
}

class Lz4Decompressor final : public CompressionStream {
 public:
  explicit Lz4Decompressor(MemoryBudget& budget) : memory_(budget) {}
  ~Lz4Decompressor() override { LZ4F_freeDecompressionContext(lz4_); }

  void start(Bytes input, Lz4Header header) override {
    input_ = input;
    at_ = 0;
    header_ = header;
    fresh_ = true;
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t limit) override {
    if (fresh_) {
      GRETE_TRY(begin());
    }
    std::uint64_t most = std::min<std::uint64_t>(kStepBytes, limit + 1);
    while (most != 0) {
      const Bytes left = input_.subspan(at_);
      const MutableBytes room = room_for(output, most, left.size());
      if (room.empty()) {
        return fail(ErrorCode::kOutOfMemory, at_);
      }
      std::size_t made = room.size();
      std::size_t taken = left.size();
      const std::size_t hint =
          LZ4F_decompress(lz4_, room.data(), &made, left.data(), &taken, nullptr);
      if (LZ4F_isError(hint)) {
        return fail(meaning(hint), at_);
      }
      output.commit(made);
      at_ += taken;
      most -= made;
      if (hint == 0) {
        return Progress::kDone;  // as in Kafka, what follows the frame does not matter
      }
      if (at_ == input_.size() && made < room.size()) {
        return fail(ErrorCode::kTruncated, at_);
      }
    }
    return Progress::kMore;
  }

  [[nodiscard]] std::uint64_t memory() const override { return memory_.used(); }

 private:
  Result<void, Error> begin() {
    if (lz4_ == nullptr) {
      lz4_ = LZ4F_createDecompressionContext_advanced(hooks(memory_), LZ4F_VERSION);
      if (lz4_ == nullptr) {
        return fail(ErrorCode::kOutOfMemory);
      }
    }
    LZ4F_resetDecompressionContext(lz4_);
    fresh_ = false;
    return header_ == Lz4Header::kMagic0 ? feed_corrected_header() : Result<void, Error>{};
  }

  // As Kafka does, the checksum of a magic 0 header is not looked at: the library gets a copy of
  // the header with the right one.
  Result<void, Error> feed_corrected_header() {
    const std::size_t size = header_size(input_);
    if (size == 0) {
      return fail(ErrorCode::kTruncated, input_.size());
    }
    if (size - kLz4MagicBytes > 15) {
      return fail(ErrorCode::kCorruptStream);  // a dictionary, which Kafka has none of
    }
    std::array<std::byte, kMaxLz4HeaderBytes> header;
    std::copy_n(input_.begin(), size, header.begin());
    header[size - 1] = header_checksum({header.data(), size}, Lz4Header::kStandard);
    std::size_t made = 0;
    std::size_t taken = size;
    const std::size_t hint = LZ4F_decompress(lz4_, nullptr, &made, header.data(), &taken, nullptr);
    if (LZ4F_isError(hint) || taken != size) {
      return fail(LZ4F_isError(hint) ? meaning(hint) : ErrorCode::kCorruptStream);
    }
    at_ = size;
    return {};
  }

  static ErrorCode meaning(std::size_t error) {
    return LZ4F_getErrorCode(error) == LZ4F_ERROR_allocation_failed ? ErrorCode::kOutOfMemory
                                                                    : ErrorCode::kCorruptStream;
  }

  LibraryMemory memory_;
  LZ4F_dctx* lz4_ = nullptr;
  Bytes input_;
  std::size_t at_ = 0;
  Lz4Header header_ = Lz4Header::kStandard;
  bool fresh_ = true;
};

class Lz4Compressor final : public CompressionStream {
 public:
  explicit Lz4Compressor(MemoryBudget& budget) : memory_(budget), preferences_(preferences()) {}
  ~Lz4Compressor() override { LZ4F_freeCompressionContext(lz4_); }

  void start(Bytes input, Lz4Header header) override {
    input_ = input;
    header_ = header;
    fresh_ = true;
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t /*limit*/) override {
    const Bytes part = input_.first(std::min(kStepBytes, input_.size()));
    if (!output.reserve(LZ4F_HEADER_SIZE_MAX + LZ4F_compressBound(part.size(), &preferences_))) {
      return fail(ErrorCode::kOutOfMemory);
    }
    if (fresh_ && !begin(output)) {
      return fail(ErrorCode::kOutOfMemory);
    }
    input_ = input_.subspan(part.size());
    const MutableBytes room = output.room();
    std::size_t made =
        LZ4F_compressUpdate(lz4_, room.data(), room.size(), part.data(), part.size(), nullptr);
    if (LZ4F_isError(made)) {
      return fail(ErrorCode::kOutOfMemory);
    }
    output.commit(made);
    if (!input_.empty()) {
      return Progress::kMore;
    }
    // compressBound counts the end mark too.
    made = LZ4F_compressEnd(lz4_, output.room().data(), output.room().size(), nullptr);
    if (LZ4F_isError(made)) {
      return fail(ErrorCode::kOutOfMemory);
    }
    output.commit(made);
    return Progress::kDone;
  }

  [[nodiscard]] std::uint64_t memory() const override { return memory_.used(); }

 private:
  bool begin(ByteBuffer& output) {
    if (lz4_ == nullptr) {
      lz4_ = LZ4F_createCompressionContext_advanced(hooks(memory_), LZ4F_VERSION);
      if (lz4_ == nullptr) {
        return false;
      }
    }
    const MutableBytes room = output.room();
    const std::size_t made = LZ4F_compressBegin(lz4_, room.data(), room.size(), &preferences_);
    if (LZ4F_isError(made)) {
      return false;
    }
    if (header_ == Lz4Header::kMagic0) {
      room[made - 1] = header_checksum(room.first(made), Lz4Header::kMagic0);
    }
    output.commit(made);
    fresh_ = false;
    return true;
  }

  LibraryMemory memory_;
  LZ4F_preferences_t preferences_;
  LZ4F_cctx* lz4_ = nullptr;
  Bytes input_;
  Lz4Header header_ = Lz4Header::kStandard;
  bool fresh_ = true;
};

}  // namespace

std::unique_ptr<CompressionStream> make_lz4_decompressor(MemoryBudget& budget) {
  return std::make_unique<Lz4Decompressor>(budget);
}

std::unique_ptr<CompressionStream> make_lz4_compressor(MemoryBudget& budget) {
  return std::make_unique<Lz4Compressor>(budget);
}

}  // namespace grete::kafka::records

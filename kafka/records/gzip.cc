// gzip by zlib.
#include <algorithm>

#include <zlib.h>

#include "kafka/records/compression_stream.h"

namespace grete::kafka::records {
namespace {

// 15: the largest window; 16: a gzip wrapper.
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kDefaultMemLevel = 8;
// deflate is slow: this much input takes a millisecond or two.
constexpr std::size_t kDeflateStepBytes = std::size_t{64} << 10;
constexpr std::size_t kDeflateRoomBytes = std::size_t{16} << 10;

void* zlib_allocate(void* memory, unsigned items, unsigned size) {
  return LibraryMemory::allocate(memory, std::size_t{items} * size);
}

Bytef* as_zlib(const std::byte* bytes) {
  // zlib does not write to its input; its types are older than const.
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes));
}

class GzipDecompressor final : public CompressionStream {
 public:
  explicit GzipDecompressor(MemoryBudget& budget) : memory_(budget) {}
  ~GzipDecompressor() override {
    if (initialised_) {
      inflateEnd(&zlib_);
    }
  }

  void start(Bytes input, Lz4Header /*header*/) override {
    input_ = input;
    fresh_ = true;
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t limit) override {
    if (fresh_ && !begin()) {
      return fail(ErrorCode::kOutOfMemory);
    }
    std::uint64_t most = std::min<std::uint64_t>(kStepBytes, limit + 1);
    while (most != 0) {
      const MutableBytes room = room_for(output, most, zlib_.avail_in);
      if (room.empty()) {
        return fail(ErrorCode::kOutOfMemory, position());
      }
      zlib_.next_out = as_zlib(room.data());
      zlib_.avail_out = static_cast<uInt>(room.size());
      const int status = inflate(&zlib_, Z_NO_FLUSH);
      const std::size_t made = room.size() - zlib_.avail_out;
      output.commit(made);
      most -= made;
      if (status == Z_STREAM_END) {
        if (!at_next_member()) {
          return Progress::kDone;
        }
        inflateReset(&zlib_);
      } else if (status == Z_MEM_ERROR) {
        return fail(ErrorCode::kOutOfMemory, position());
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return fail(ErrorCode::kCorruptStream, position());
      } else if (zlib_.avail_in == 0 && zlib_.avail_out != 0) {
        return fail(ErrorCode::kTruncated, position());
      }
    }
    return Progress::kMore;
  }

  [[nodiscard]] std::uint64_t memory() const override { return memory_.used(); }

 private:
  bool begin() {
    if (!initialised_) {
      zlib_ = {};
      zlib_.zalloc = zlib_allocate;
      zlib_.zfree = LibraryMemory::free;
      zlib_.opaque = &memory_;
      if (inflateInit2(&zlib_, kGzipWindowBits) != Z_OK) {
        return false;
      }
      initialised_ = true;
    } else {
      inflateReset(&zlib_);
    }
    zlib_.next_in = as_zlib(input_.data());
    zlib_.avail_in = static_cast<uInt>(input_.size());
    fresh_ = false;
    return true;
  }

  // As Java's GZIPInputStream: another member goes on, anything else is left alone.
  [[nodiscard]] bool at_next_member() const {
    return zlib_.avail_in >= 2 && zlib_.next_in[0] == 0x1f && zlib_.next_in[1] == 0x8b;
  }

  [[nodiscard]] std::uint64_t position() const { return input_.size() - zlib_.avail_in; }

  LibraryMemory memory_;
  z_stream zlib_{};
  Bytes input_;
  bool initialised_ = false;
  bool fresh_ = true;
};

class GzipCompressor final : public CompressionStream {
 public:
  explicit GzipCompressor(MemoryBudget& budget) : memory_(budget) {}
  ~GzipCompressor() override {
    if (initialised_) {
      deflateEnd(&zlib_);
    }
  }

  void start(Bytes input, Lz4Header /*header*/) override {
    input_ = input;
    fresh_ = true;
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t /*limit*/) override {
    if (fresh_ && !begin()) {
      return fail(ErrorCode::kOutOfMemory);
    }
    const Bytes part = input_.first(std::min(kDeflateStepBytes, input_.size()));
    input_ = input_.subspan(part.size());
    zlib_.next_in = as_zlib(part.data());
    zlib_.avail_in = static_cast<uInt>(part.size());
    const int flush = input_.empty() ? Z_FINISH : Z_NO_FLUSH;
    do {
      if (!output.reserve(kDeflateRoomBytes)) {
        return fail(ErrorCode::kOutOfMemory);
      }
      const MutableBytes room = output.room().first(kDeflateRoomBytes);
      zlib_.next_out = as_zlib(room.data());
      zlib_.avail_out = static_cast<uInt>(room.size());
      deflate(&zlib_, flush);
      output.commit(room.size() - zlib_.avail_out);
    } while (zlib_.avail_out == 0);
    return flush == Z_FINISH ? Progress::kDone : Progress::kMore;
  }

  [[nodiscard]] std::uint64_t memory() const override { return memory_.used(); }

 private:
  bool begin() {
    if (!initialised_) {
      zlib_ = {};
      zlib_.zalloc = zlib_allocate;
      zlib_.zfree = LibraryMemory::free;
      zlib_.opaque = &memory_;
      if (deflateInit2(&zlib_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindowBits, kDefaultMemLevel,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
      }
      initialised_ = true;
    } else {
      deflateReset(&zlib_);
    }
    fresh_ = false;
    return true;
  }

  LibraryMemory memory_;
  z_stream zlib_{};
  Bytes input_;
  bool initialised_ = false;
  bool fresh_ = true;
};

}  // namespace

std::unique_ptr<CompressionStream> make_gzip_decompressor(MemoryBudget& budget) {
  return std::make_unique<GzipDecompressor>(budget);
}

std::unique_ptr<CompressionStream> make_gzip_compressor(MemoryBudget& budget) {
  return std::make_unique<GzipCompressor>(budget);
}

}  // namespace grete::kafka::records

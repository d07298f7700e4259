// snappy: blocks of its own format, in snappy-java's framing or alone.
//
//   framing => 82 'S' 'N' 'A' 'P' 'P' 'Y' 00, version i32, compatible version i32, then chunks
//   chunk   => size i32, block                (a framing header may stand between chunks again)
//
// The library compresses. It cannot pause within a block, and librdkafka puts a whole batch into
// one, so blocks are decompressed here (format_description.txt in snappy's sources).
#include <algorithm>
#include <array>
#include <cstring>

#include <snappy.h>

#include "kafka/records/compression_stream.h"

namespace grete::kafka::records {
namespace {

constexpr std::size_t kFramingHeaderBytes = 16;
constexpr std::array<unsigned char, kFramingHeaderBytes> kFramingHeader = {
    0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
constexpr std::size_t kFramingMagicBytes = 8;
// What a chunk size would be if it were the start of another framing header.
constexpr std::uint32_t kHeaderAsSize = 0x82534e41;
// What snappy-java, and with it Kafka, compresses at once.
constexpr std::size_t kChunkBytes = std::size_t{32} << 10;
// Copies run over their end by less than this.
constexpr std::size_t kSlack = 80;

bool is_framed(Bytes input) {
  return input.size() >= kFramingHeaderBytes &&
         std::memcmp(input.data(), kFramingHeader.data(), kFramingMagicBytes) == 0;
}

// Copies `length` (at most 64) bytes from `offset` bytes before `to`, where the two may overlap;
// writes up to 15 bytes more.
void copy_back(std::byte* to, std::size_t offset, std::size_t length) {
  const std::byte* from = to - offset;
  if (offset >= 16) {
    for (std::size_t i = 0; i < length; i += 16) {
      std::memcpy(to + i, from + i, 16);
    }
  } else if (offset >= 8) {
    for (std::size_t i = 0; i < length; i += 8) {
      std::memcpy(to + i, from + i, 8);
    }
  } else {
    for (std::size_t i = 0; i < length; ++i) {
      to[i] = from[i];
    }
  }
}

class SnappyDecompressor final : public CompressionStream {
 public:
  void start(Bytes input, Lz4Header /*header*/) override {
    begin_ = input.data();
    at_ = begin_;
    end_ = begin_ + input.size();
    block_left_ = 0;
    literal_left_ = 0;
    framed_ = is_framed(input);
    between_blocks_ = true;
    if (framed_) {
      at_ += kFramingHeaderBytes;
    }
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t limit) override {
    const std::uint64_t most = std::min<std::uint64_t>(kStepBytes, limit + 1);
    std::uint64_t made = 0;
    while (made < most) {
      if (between_blocks_) {
        if (at_ == end_ && (framed_ || at_ != begin_)) {
          return Progress::kDone;
        }
        GRETE_TRY(begin_block(output.size()));
        if (between_blocks_) {
          continue;
        }
      }
      const auto count = static_cast<std::size_t>(std::min(most - made, block_left_));
      GRETE_TRY_ASSIGN(const std::size_t size, decode(output, count));
      made += size;
    }
    return Progress::kMore;
  }

  [[nodiscard]] std::uint64_t memory() const override { return 0; }

 private:
  [[nodiscard]] std::unexpected<Error> fail_here(ErrorCode code) const {
    return fail(code, static_cast<std::uint64_t>(at_ - begin_));
  }

  // Reads the chunk's size where there is one, and the block's uncompressed size.
  Result<void, Error> begin_block(std::size_t output_size) {
    block_end_ = end_;
    if (framed_) {
      if (end_ - at_ < 4) {
        return fail_here(ErrorCode::kTruncated);
      }
      const auto size = load_big<std::uint32_t>(at_);
      if (size == kHeaderAsSize) {
        if (!is_framed({at_, end_})) {
          return fail_here(ErrorCode::kCorruptStream);
        }
        at_ += kFramingHeaderBytes;
        return {};
      }
      if (size > static_cast<std::size_t>(end_ - at_) - 4) {
        return fail_here(ErrorCode::kTruncated);
      }
      at_ += 4;
      block_end_ = at_ + size;
    }
    std::uint32_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (at_ == block_end_) {
        return fail_here(ErrorCode::kTruncated);
      }
      const auto byte = std::to_integer<std::uint32_t>(*at_++);
      if (shift == 28 && byte > 0x0f) {
        return fail_here(ErrorCode::kCorruptStream);
      }
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        break;
      }
    }
    block_start_ = output_size;
    block_left_ = size;
    between_blocks_ = false;
    return block_left_ == 0 ? end_block() : Result<void, Error>{};
  }

  Result<void, Error> end_block() {
    if (at_ != block_end_ || literal_left_ != 0) {
      return fail_here(ErrorCode::kCorruptStream);
    }
    between_blocks_ = true;
    return {};
  }

  // Decodes `count` bytes of the block, of which at least as many are left, and up to 63 more to
  // finish a copy. Returns how many.
  Result<std::size_t, Error> decode(ByteBuffer& output, std::size_t count) {
    if (!output.reserve(count + kSlack)) {
      return fail_here(ErrorCode::kOutOfMemory);
    }
    const std::byte* const block = output.data() + block_start_;
    std::byte* const first = output.data() + output.size();
    std::byte* const until = first + count;
    std::byte* to = first;
    while (to < until) {
      if (literal_left_ != 0) {
        const auto size = std::min(literal_left_, static_cast<std::size_t>(until - to));
        std::memcpy(to, at_, size);
        to += size;
        at_ += size;
        literal_left_ -= size;
        continue;
      }
      const std::uint64_t left = block_left_ - static_cast<std::uint64_t>(to - first);
      Element element;
      if (!read_element(element) || element.length > left) {
        return fail_here(ErrorCode::kCorruptStream);
      }
      if (element.offset == 0) {
        const auto input_left = static_cast<std::size_t>(block_end_ - at_);
        if (element.length > input_left) {
          return fail_here(ErrorCode::kCorruptStream);
        }
        if (element.length <= 16 && input_left >= 16) {
          std::memcpy(to, at_, 16);
          to += element.length;
          at_ += element.length;
        } else {
          literal_left_ = static_cast<std::size_t>(element.length);
        }
      } else {
        if (element.offset > static_cast<std::size_t>(to - block)) {
          return fail_here(ErrorCode::kCorruptStream);
        }
        copy_back(to, element.offset, static_cast<std::size_t>(element.length));
        to += element.length;
      }
    }
    const auto made = static_cast<std::size_t>(to - first);
    output.commit(made);
    block_left_ -= made;
    if (block_left_ == 0) {
      GRETE_TRY(end_block());
    }
    return made;
  }

  // A literal (offset 0) of up to 4 GiB, or a copy of up to 64 bytes.
  struct Element {
    std::uint64_t length;
    std::size_t offset;
  };

  // Moves past a tag and what belongs to it, but not past a literal's bytes. False if the input is
  // cut short or the copy goes nowhere.
  bool read_element(Element& element) {
    const auto input_left = static_cast<std::size_t>(block_end_ - at_);
    if (input_left == 0) {
      return false;
    }
    const auto tag = std::to_integer<std::uint32_t>(*at_);
    const std::uint32_t kind = tag & 3;
    const std::uint32_t upper = tag >> 2;
    // How many bytes follow the tag.
    const std::size_t extra = kind == 0 ? (upper < 60 ? 0 : upper - 59) : kind == 3 ? 4 : kind;
    if (extra >= input_left) {
      return false;
    }
    std::uint32_t number = 0;
    if (input_left >= 5) [[likely]] {
      constexpr std::array<std::uint32_t, 5> kMasks = {0, 0xff, 0xffff, 0xffffff, 0xffffffff};
      number = load_little<std::uint32_t>(at_ + 1) & kMasks[extra];
    } else {
      for (std::size_t i = 0; i < extra; ++i) {
        number |= std::to_integer<std::uint32_t>(at_[1 + i]) << (8 * i);
      }
    }
    at_ += 1 + extra;
    if (kind == 0) {
      element = {std::uint64_t{1} + (extra == 0 ? upper : number), 0};
      return true;
    }
    if (kind == 1) {
      element = {4 + (upper & 7), ((tag & 0xe0) << 3) | number};
    } else {
      element = {upper + 1, number};
    }
    return element.offset != 0;
  }

  const std::byte* begin_ = nullptr;
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  const std::byte* block_end_ = nullptr;
  std::uint64_t block_left_ = 0;
  std::size_t block_start_ = 0;
  std::size_t literal_left_ = 0;
  bool framed_ = false;
  bool between_blocks_ = true;
};

class SnappyCompressor final : public CompressionStream {
 public:
  void start(Bytes input, Lz4Header /*header*/) override {
    input_ = input;
    fresh_ = true;
  }

  Result<Progress, Error> step(ByteBuffer& output, std::uint64_t /*limit*/) override {
    if (fresh_ && !output.append(std::as_bytes(std::span(kFramingHeader)))) {
      return fail(ErrorCode::kOutOfMemory);
    }
    fresh_ = false;
    for (std::size_t taken = 0; taken < kStepBytes && !input_.empty(); taken += kChunkBytes) {
      const Bytes chunk = input_.first(std::min(kChunkBytes, input_.size()));
      if (!output.reserve(4 + snappy::MaxCompressedLength(chunk.size()))) {
        return fail(ErrorCode::kOutOfMemory);
      }
      const MutableBytes room = output.room();
      std::size_t made = 0;
      snappy::RawCompress(reinterpret_cast<const char*>(chunk.data()), chunk.size(),
                          reinterpret_cast<char*>(room.data() + 4), &made);
      store_big(room.data(), static_cast<std::uint32_t>(made));
      output.commit(4 + made);
      input_ = input_.subspan(chunk.size());
    }
    return input_.empty() ? Progress::kDone : Progress::kMore;
  }

  [[nodiscard]] std::uint64_t memory() const override { return 0; }

 private:
  Bytes input_;
  bool fresh_ = true;
};

}  // namespace

std::unique_ptr<CompressionStream> make_snappy_decompressor() {
  return std::make_unique<SnappyDecompressor>();
}

std::unique_ptr<CompressionStream> make_snappy_compressor() {
  return std::make_unique<SnappyCompressor>();
}

}  // namespace grete::kafka::records

// What each codec implements; known to this folder only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "kafka/records/byte_buffer.h"
#include "kafka/records/compression.h"
#include "kafka/records/error.h"
#include "kafka/records/limits.h"

namespace grete::kafka::records {

// Charges what a compression library allocates. One a stream, at a fixed address.
class LibraryMemory {
 public:
  explicit LibraryMemory(MemoryBudget& budget) : budget_(&budget) {}
  ~LibraryMemory() = default;

  LibraryMemory(const LibraryMemory&) = delete;
  LibraryMemory& operator=(const LibraryMemory&) = delete;

  [[nodiscard]] std::uint64_t used() const { return used_; }

  // The hooks of the libraries; `self` is a LibraryMemory.
  static void* allocate(void* self, std::size_t size) {
    return static_cast<LibraryMemory*>(self)->allocate(size);
  }
  static void free(void* self, void* memory) { static_cast<LibraryMemory*>(self)->free(memory); }

 private:
  // Before each piece: its size, and padding that keeps the alignment of malloc.
  static constexpr std::size_t kPrefix = alignof(std::max_align_t);
  static_assert(kPrefix >= sizeof(std::size_t));

  void* allocate(std::size_t size) {
    const std::uint64_t charged = std::uint64_t{size} + kPrefix;
    if (charged > SIZE_MAX || !budget_->reserve(charged)) {
      return nullptr;
    }
    auto* memory = static_cast<std::byte*>(std::malloc(static_cast<std::size_t>(charged)));
    if (memory == nullptr) {
      budget_->release(charged);
      return nullptr;
    }
    used_ += charged;
    std::memcpy(memory, &size, sizeof size);
    return memory + kPrefix;
  }

  void free(void* memory) {
    if (memory == nullptr) {
      return;
    }
    std::byte* start = static_cast<std::byte*>(memory) - kPrefix;
    std::size_t size;
    std::memcpy(&size, start, sizeof size);
    used_ -= std::uint64_t{size} + kPrefix;
    budget_->release(std::uint64_t{size} + kPrefix);
    std::free(start);
  }

  MemoryBudget* budget_;
  std::uint64_t used_ = 0;
};

// One compression or decompression at a time, over and over.
class CompressionStream {
 public:
  CompressionStream() = default;
  virtual ~CompressionStream() = default;
  CompressionStream(const CompressionStream&) = delete;
  CompressionStream& operator=(const CompressionStream&) = delete;

  // Forgets what was in progress. `input` stays valid until the last step().
  virtual void start(Bytes input, Lz4Header header) = 0;

  // Appends to `output`: at most `limit` bytes and a few more, which tell the caller that the limit
  // does not suffice. A decompressor makes about kStepBytes; a compressor takes about as many and
  // ignores the limit.
  virtual Result<Progress, Error> step(ByteBuffer& output, std::uint64_t limit) = 0;

  // Bytes that the library holds.
  [[nodiscard]] virtual std::uint64_t memory() const = 0;
};

// Room for a decompressor to write to: no more than `most`, guessed from what is left of the input
// so that a small batch takes little memory. Empty if there is no memory.
inline MutableBytes room_for(ByteBuffer& output, std::uint64_t most, std::size_t input_left) {
  constexpr std::uint64_t kLeast = 1024;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(
      most, std::max<std::uint64_t>(kLeast, std::uint64_t{4} * input_left)));
  if (!output.reserve(wanted)) {
    return {};
  }
  const MutableBytes room = output.room();
  return room.first(static_cast<std::size_t>(std::min<std::uint64_t>(most, room.size())));
}

std::unique_ptr<CompressionStream> make_gzip_decompressor(MemoryBudget& budget);
std::unique_ptr<CompressionStream> make_gzip_compressor(MemoryBudget& budget);
std::unique_ptr<CompressionStream> make_snappy_decompressor();
std::unique_ptr<CompressionStream> make_snappy_compressor();
std::unique_ptr<CompressionStream> make_lz4_decompressor(MemoryBudget& budget);
std::unique_ptr<CompressionStream> make_lz4_compressor(MemoryBudget& budget);
std::unique_ptr<CompressionStream> make_zstd_decompressor(MemoryBudget& budget);
std::unique_ptr<CompressionStream> make_zstd_compressor(MemoryBudget& budget);

}  // namespace grete::kafka::records

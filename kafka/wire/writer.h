// The bytes of one message on their way out: a list of pieces for scatter/gather output.
//
// What is small is copied into chunks of the arena; strings, bytes and records of kCopyBelow bytes
// or more are referred to where they lie, so they outlive the pieces. A Produce request whose
// records did not change is encoded without copying them.
//
//   Writer writer(arena);
//   if (auto encoded = encode(writer, version, response); !encoded) { ... encoded.error().text() }
//   for (Bytes piece : writer.pieces()) { ... }
//
// After an error nothing that was written is of use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"
#include "kafka/wire/error.h"

namespace grete::kafka {

struct StructInfo;

class Writer {
 public:
  using Cursor = std::byte*;
  static constexpr std::size_t kCopyBelow = 4096;

  // `arena` and everything that is referred to outlive the pieces.
  explicit Writer(Arena& arena) : arena_(&arena) {}

  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Appends `bytes`, copied if they are fewer than kCopyBelow; false if the arena has no memory.
  [[nodiscard]] bool append(Bytes bytes);

  // Sets aside `size` bytes to be filled in later, such as a frame's length; null if there is no
  // memory. `size` is at most kCopyBelow.
  [[nodiscard]] std::byte* set_aside(std::size_t size);

  // Bytes written so far.
  [[nodiscard]] std::uint64_t size() const {
    return closed_size_ + static_cast<std::uint64_t>(position_ - piece_start_);
  }
  // Everything written so far, in order. Valid until the next write.
  [[nodiscard]] std::span<const Bytes> pieces();
  // Copies everything to `to`, which holds at least size() bytes.
  void copy_to(std::byte* to);

  // --- for generated code and kafka/wire only ---
  [[nodiscard]] Cursor position() const { return position_; }
  void set_position(Cursor position) { position_ = position; }
  // A cursor with room for `size` bytes: `at`, or the start of a new chunk. Null without memory.
  [[nodiscard]] Cursor ensure(Cursor at, std::size_t size) {
    return room(at) >= size ? at : grow(at, size);
  }
  // Bytes between `at` and the end of its chunk.
  [[nodiscard]] std::size_t room(Cursor at) const { return static_cast<std::size_t>(limit_ - at); }
  // Adds `bytes` as a piece of its own after what was written up to `at`. Returns a cursor with
  // room for `following` bytes, or null.
  [[nodiscard]] Cursor refer(Cursor at, Bytes bytes, std::size_t following);
  [[gnu::cold]] Cursor fail(EncodeErrorCode code);
  void note_index(std::int64_t index) { index_ = index; }
  [[gnu::cold]] Cursor fail_in(const StructInfo& type, unsigned field);
  [[gnu::cold]] EncodeError take_error(const char* message);

 private:
  Cursor grow(Cursor at, std::size_t size);
  bool close_piece(Cursor at);
  bool reserve_piece();

  Cursor limit_ = nullptr;
  Cursor position_ = nullptr;
  Cursor piece_start_ = nullptr;
  Arena* arena_;
  std::size_t next_chunk_ = 512;
  static constexpr std::uint32_t kFirstPieces = 4;
  std::array<Bytes, kFirstPieces> first_pieces_;  // few messages have more
  Bytes* pieces_ = first_pieces_.data();
  std::uint32_t piece_count_ = 0;
  std::uint32_t piece_capacity_ = kFirstPieces;
  std::uint64_t closed_size_ = 0;
  std::int64_t index_ = FieldPath::kNoIndex;
  EncodeError error_;
};

}  // namespace grete::kafka

// The bytes of one message on their way in.
//
//   Arena arena(budget);
//   Reader reader(frame, arena);
//   MetadataResponse response;
//   if (auto decoded = decode(reader, version, response); !decoded) { ... decoded.error().text() }
//
// The decoded message borrows from `frame` and `arena`; both outlive it. Each generated message has
// its own overload of decode(), in kafka/messages/<message>.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"
#include "kafka/wire/error.h"
#include "kafka/wire/types.h"

namespace grete::kafka {

struct StructInfo;

class Reader {
 public:
  using Cursor = const std::byte*;

  Reader(Bytes bytes, Arena& arena)
      : begin_(bytes.data() == nullptr ? &kNothing : bytes.data()),
        end_(begin_ + bytes.size()),
        position_(begin_),
        arena_(&arena) {}

  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Bytes read so far.
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(position_ - begin_); }
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - position_); }
  // What is not read yet.
  [[nodiscard]] Bytes rest() const { return {position_, remaining()}; }
  [[nodiscard]] Arena& arena() { return *arena_; }

  // An error unless everything is read.
  [[nodiscard]] Result<void, DecodeError> expect_end(const char* message);

  // --- for generated code and kafka/wire only ---
  [[nodiscard]] Cursor position() const { return position_; }
  [[nodiscard]] Cursor end() const { return end_; }
  void advance_to(Cursor position) { position_ = position; }
  // Notes what is wrong and where. Returns null.
  [[gnu::cold]] Cursor fail(DecodeErrorCode code, Cursor at);
  // Notes which element of an array is being left because of an error.
  void note_index(std::int64_t index) { index_ = index; }
  // Adds a step to the path of the error under way. Returns null.
  [[gnu::cold]] Cursor fail_in(const StructInfo& type, unsigned field);
  [[gnu::cold]] DecodeError take_error(const char* message);

 private:
  Cursor begin_;
  Cursor end_;
  Cursor position_;
  Arena* arena_;
  std::int64_t index_ = FieldPath::kNoIndex;
  DecodeError error_;
};

}  // namespace grete::kafka

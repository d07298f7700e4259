// What can be wrong with a record batch, or with an edit of one.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace grete::kafka::records {

enum class ErrorCode : std::uint8_t {
  kTruncated,           // a batch, record or compressed stream ends too early
  kBadLength,           // a batch length that no batch can have
  kUnsupportedMagic,    // a magic byte other than 0, 1, 2
  kUnsupportedCodec,    // a codec id without meaning in this magic
  kCrcMismatch,         // the bytes are not those that the CRC was made of
  kBadRecordCount,      // a count that is negative, or that the bytes cannot hold
  kBadRecordLength,     // a record that is longer or shorter than its length says
  kBadVarint,           // a varint of more than 5 (varlong: 10) bytes
  kBadField,            // a negative length where none is allowed
  kTrailingBytes,       // bytes after the last record
  kNestedCompression,   // a compressed message inside a compressed message
  kMagicMismatch,       // messages of different magic in one wrapper
  kCorruptStream,       // the codec's own format is violated
  kDecompressedTooBig,  // the limit on the decompressed size
  kOutOfMemory,         // the memory budget, or the machine's memory
  kBatchTooBig,         // a built batch passes 2 GiB
  kEditOutOfOrder,      // records are edited in their order, each at most once
  kNotInThisMagic,      // headers before magic 2, timestamps in magic 0
  kTimestampFixed,      // the batch carries the broker's append time, not the records' own
  kMayNotDrop,          // a message set cannot tell that messages are missing
};

struct Error {
  ErrorCode code;
  // Where: a byte offset in the batch, or in the decompressed records.
  std::uint64_t position = 0;

  friend bool operator==(const Error&, const Error&) = default;
};

// A lower-case phrase for messages and logs, without a full stop.
std::string_view describe(ErrorCode code);

inline std::unexpected<Error> fail(ErrorCode code, std::uint64_t position = 0) {
  return std::unexpected(Error{code, position});
}

// What a resumable piece of work says: call again, or it is done.
enum class Progress : std::uint8_t { kMore, kDone };

}  // namespace grete::kafka::records

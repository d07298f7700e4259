#include "kafka/records/error.h"

namespace grete::kafka::records {

std::string_view describe(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTruncated:
      return "ends too early";
    case ErrorCode::kBadLength:
      return "impossible batch length";
    case ErrorCode::kUnsupportedMagic:
      return "unknown magic byte; 0, 1 and 2 are known";
    case ErrorCode::kUnsupportedCodec:
      return "unknown compression codec";
    case ErrorCode::kCrcMismatch:
      return "CRC does not match: the batch was damaged on its way";
    case ErrorCode::kBadRecordCount:
      return "impossible number of records";
    case ErrorCode::kBadRecordLength:
      return "a record is longer or shorter than its length says";
    case ErrorCode::kBadVarint:
      return "a varint is too long";
    case ErrorCode::kBadField:
      return "a field has an impossible length or value";
    case ErrorCode::kTrailingBytes:
      return "bytes follow the last record";
    case ErrorCode::kNestedCompression:
      return "a compressed message inside a compressed message";
    case ErrorCode::kMagicMismatch:
      return "a message's magic differs from its wrapper's";
    case ErrorCode::kCorruptStream:
      return "corrupt compressed data";
    case ErrorCode::kDecompressedTooBig:
      return "decompresses to more than the limit";
    case ErrorCode::kOutOfMemory:
      return "the memory budget is used up";
    case ErrorCode::kBatchTooBig:
      return "the batch would pass 2 GiB";
    case ErrorCode::kEditOutOfOrder:
      return "records must be edited in their order, each once";
    case ErrorCode::kNotInThisMagic:
      return "this record format has no such field";
    case ErrorCode::kTimestampFixed:
      return "the timestamp is the broker's append time";
    case ErrorCode::kMayNotDrop:
      return "a message set cannot leave messages out";
  }
  return "unknown error";
}

}  // namespace grete::kafka::records

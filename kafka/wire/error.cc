#include "kafka/wire/error.h"

namespace grete::kafka {

std::string FieldPath::text() const {
  std::string text = message_;
  for (std::size_t i = depth_; i-- > 0;) {
    if (!text.empty()) {
      text += '.';
    }
    text += steps_[i].name;
    if (steps_[i].index != kNoIndex) {
      text += '[';
      text += std::to_string(steps_[i].index);
      text += ']';
    }
  }
  return text;
}

std::string DecodeError::text() const {
  return "at byte " + std::to_string(offset) + ": " + path.text() + ": " + describe(code);
}

std::string EncodeError::text() const {
  return path.text() + ": " + describe(code);
}

const char* describe(DecodeErrorCode code) {
  switch (code) {
    case DecodeErrorCode::kTruncated:
      return "the bytes end within this field";
    case DecodeErrorCode::kBadVarint:
      return "a variable-length integer has more than 32 bits";
    case DecodeErrorCode::kBadLength:
      return "the length is negative";
    case DecodeErrorCode::kStringTooLong:
      return "the string is longer than 32767 bytes";
    case DecodeErrorCode::kUnexpectedNull:
      return "null, where this version allows none";
    case DecodeErrorCode::kCountTooLarge:
      return "the count is larger than the remaining bytes can hold";
    case DecodeErrorCode::kOutOfMemory:
      return "decoding it takes more memory than the budget allows";
    case DecodeErrorCode::kUnsupportedVersion:
      return "no such version";
    case DecodeErrorCode::kTagOrder:
      return "tagged fields are not in ascending order";
    case DecodeErrorCode::kTagSize:
      return "a tagged field's size disagrees with its value";
    case DecodeErrorCode::kBadStructMarker:
      return "the byte before an optional struct is neither -1 nor 1";
    case DecodeErrorCode::kTrailingBytes:
      return "bytes are left after the message";
  }
  return "unknown error";
}

const char* describe(EncodeErrorCode code) {
  switch (code) {
    case EncodeErrorCode::kFieldNotInVersion:
      return "has a value, but this version lacks the field";
    case EncodeErrorCode::kTagsNotInVersion:
      return "has unknown tagged fields, but this version has no tagged fields";
    case EncodeErrorCode::kNullNotAllowed:
      return "null, where this version allows none";
    case EncodeErrorCode::kTooLong:
      return "longer than the protocol allows";
    case EncodeErrorCode::kTagOrder:
      return "unknown tagged fields are not in ascending order, or one has a known field's number";
    case EncodeErrorCode::kOutOfMemory:
      return "encoding it takes more memory than the budget allows";
    case EncodeErrorCode::kUnsupportedVersion:
      return "no such version";
  }
  return "unknown error";
}

}  // namespace grete::kafka

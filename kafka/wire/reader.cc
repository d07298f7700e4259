#include "kafka/wire/reader.h"

#include "kafka/wire/reflection.h"

namespace grete::kafka {

Reader::Cursor Reader::fail(DecodeErrorCode code, Cursor at) {
  error_ = DecodeError{};
  error_.code = code;
  error_.offset = static_cast<std::uint64_t>(at - begin_);
  return nullptr;
}

Reader::Cursor Reader::fail_in(const StructInfo& type, unsigned field) {
  error_.path.prepend(type.fields[field].name, index_);
  index_ = FieldPath::kNoIndex;
  return nullptr;
}

DecodeError Reader::take_error(const char* message) {
  error_.path.set_message(message);
  return error_;
}

Result<void, DecodeError> Reader::expect_end(const char* message) {
  if (position_ != end_) {
    fail(DecodeErrorCode::kTrailingBytes, position_);
    return unexpected(take_error(message));
  }
  return {};
}

}  // namespace grete::kafka

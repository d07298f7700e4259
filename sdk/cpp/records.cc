#include "sdk/cpp/records.h"

namespace grete::sdk {
namespace {

using kafka::lane::Edit;

kafka::records::BatchHeader header_of(const kafka::lane::RecordsHead& head) {
  kafka::records::BatchHeader header;
  header.base_offset = head.base_offset;
  header.base_timestamp = head.base_timestamp;
  header.max_timestamp = head.max_timestamp;
  header.attributes = head.attributes;
  header.count = static_cast<std::int32_t>(head.count);
  return header;
}

}  // namespace

void EditBuffer::clear() {
  bytes_.clear();
  count_ = 0;
}

void EditBuffer::add(const Edit& edit) {
  if (bytes_.empty()) {
    bytes_.resize(kafka::lane::kEditsHeadBytes);
  }
  const std::size_t at = bytes_.size();
  bytes_.resize(at + kafka::lane::edit_size(edit));
  kafka::lane::write_edit(MutableBytes(bytes_).subspan(at), edit);
  ++count_;
}

Bytes EditBuffer::arguments(std::uint64_t token) {
  if (bytes_.empty()) {
    bytes_.resize(kafka::lane::kEditsHeadBytes);
  }
  kafka::lane::write_edits_head(bytes_, token, count_);
  return bytes_;
}

Records::Records(const kafka::lane::Call& call, EditBuffer& edits)
    : call_(&call), edits_(&edits), iterator_(header_of(call.head.records), call.body) {}

const Record* Records::next() {
  const auto record = iterator_.next();
  if (!record) {
    malformed_ = true;
    return nullptr;
  }
  return *record;
}

void Records::replace(const Record& record, Field field, std::size_t offset, std::size_t length,
                      Bytes bytes, std::size_t header) {
  edits_->add({.record = index_of(record),
               .field = field,
               .header = static_cast<std::uint16_t>(header),
               .offset = static_cast<std::uint32_t>(offset),
               .length = static_cast<std::uint32_t>(length),
               .bytes = bytes});
}

void Records::set(const Record& record, Field field, std::size_t header,
                  std::optional<Bytes> bytes) {
  edits_->add({.record = index_of(record),
               .field = field,
               .header = static_cast<std::uint16_t>(header),
               .offset = 0,
               .length = kafka::lane::kToEnd,
               .bytes = bytes});
}

void Records::set_key(const Record& record, std::optional<Bytes> bytes) {
  set(record, Field::kKey, 0, bytes);
}

void Records::set_value(const Record& record, std::optional<Bytes> bytes) {
  set(record, Field::kValue, 0, bytes);
}

void Records::set_header_value(const Record& record, std::size_t header,
                               std::optional<Bytes> bytes) {
  set(record, Field::kHeaderValue, header, bytes);
}

void Records::drop(const Record& record) {
  edits_->add({.record = index_of(record),
               .field = Field::kDrop,
               .header = 0,
               .offset = 0,
               .length = 0,
               .bytes = Bytes{}});
}

}  // namespace grete::sdk

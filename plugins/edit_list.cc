#include "plugins/edit_list.h"

#include <tuple>

namespace grete::plugins {
namespace {

using kafka::lane::Edit;
using kafka::lane::Field;
using kafka::lane::kToEnd;

// Where an edit of a field ends, in the field's bytes.
std::uint64_t end_of(std::uint32_t offset, std::uint32_t length) {
  return length == kToEnd ? UINT64_MAX : std::uint64_t{offset} + length;
}

bool is_header_part(Field field) {
  return field == Field::kHeaderKey || field == Field::kHeaderValue;
}

}  // namespace

const char* describe(EditError error) {
  switch (error) {
    case EditError::kOutsideWindow:
      return "an edit names a record outside the window";
    case EditError::kOutOfOrder:
      return "edits do not ascend by (record, field, header, offset), or overlap";
    case EditError::kMayNotDrop:
      return "records of this batch may not be dropped: its producer numbers them";
    case EditError::kConflict:
      return "a drop or a replacement of all headers stands beside other edits of the same";
    case EditError::kNoHeaders:
      return "the batch is of an old format that has no headers";
    case EditError::kOutOfMemory:
      return "the connection's memory budget is used up";
  }
  return "";
}

std::optional<EditError> EditList::check(const Edit& edit) const {
  if (edit.record < window_.first || edit.record - window_.first >= window_.count) {
    return EditError::kOutsideWindow;
  }
  if (edit.field == Field::kDrop && !window_.may_drop) {
    return EditError::kMayNotDrop;
  }
  if (!window_.has_headers && (edit.field == Field::kHeaders || is_header_part(edit.field))) {
    return EditError::kNoHeaders;
  }
  if (entries_.empty()) {
    return std::nullopt;
  }
  const Entry& last = entries_.back();
  if (edit.record < last.record) {
    return EditError::kOutOfOrder;
  }
  if (edit.record > last.record) {
    return std::nullopt;
  }
  if (last.field == Field::kDrop || (edit.field == Field::kHeaders && is_header_part(last.field))) {
    return EditError::kConflict;
  }
  const std::tuple here(edit.field, edit.header);
  const std::tuple before(last.field, last.header);
  if (here < before) {
    return EditError::kOutOfOrder;
  }
  if (here == before && (last.null || edit.offset < end_of(last.offset, last.length))) {
    return EditError::kOutOfOrder;
  }
  return std::nullopt;
}

Result<void, EditError> EditList::add(const Edit& edit) {
  if (const auto error = check(edit)) {
    return unexpected(*error);
  }
  const Bytes bytes = edit.bytes.value_or(Bytes{});
  if (entries_.size() == entries_.capacity()) {
    const std::size_t more = entries_.capacity() == 0 ? 64 : entries_.capacity();
    if (!budget_->reserve(more * sizeof(Entry))) {
      return unexpected(EditError::kOutOfMemory);
    }
    charged_ += more * sizeof(Entry);
    entries_.reserve(entries_.capacity() + more);
  }
  const std::size_t at = bytes_.size();
  if (!bytes_.append(bytes)) {
    return unexpected(EditError::kOutOfMemory);
  }
  entries_.push_back({edit.record, edit.field, !edit.bytes.has_value(), edit.header, edit.offset,
                      edit.length, at, static_cast<std::uint32_t>(bytes.size())});
  return {};
}

void EditList::roll_back(Mark mark) {
  entries_.resize(mark.entries);
  bytes_.truncate(mark.bytes);
}

void EditList::clear() {
  entries_.clear();
  bytes_.clear();
}

EditList::~EditList() {
  budget_->release(charged_);
}

}  // namespace grete::plugins

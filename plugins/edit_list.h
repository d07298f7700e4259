// What a plug-in wants changed in the records of one batch: checked when told, applied later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "kafka/lane/format.h"
#include "kafka/records/byte_buffer.h"

namespace grete::plugins {

enum class EditError : std::uint8_t {
  kOutsideWindow,  // the record is not in the window shown
  kOutOfOrder,     // edits ascend by record, field, header, offset, and do not overlap
  kMayNotDrop,     // records of this batch may not be dropped
  kConflict,       // a drop, or new headers, beside other edits of the same
  kNoHeaders,      // the batch is a message set, which has no headers
  kOutOfMemory,    // the connection's memory budget is used up
};
// A phrase for the plug-in's log.
[[nodiscard]] const char* describe(EditError error);

// Holds edits and copies of their bytes, charged to a budget. One thread; reused from batch to
// batch. Offsets and lengths are not yet checked against the fields themselves: that is done when
// the edits are applied, where a field too short is the plug-in's failure.
class EditList {
 public:
  // Which records of the batch the plug-in sees now, and what it may do with them.
  struct Window {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool may_drop = false;
    bool has_headers = true;
  };

  struct Entry {
    std::uint32_t record;
    kafka::lane::Field field;
    bool null;
    std::uint16_t header;
    std::uint32_t offset;
    std::uint32_t length;    // or lane::kToEnd
    std::uint64_t bytes_at;  // in the list's buffer
    std::uint32_t bytes_size;
  };

  explicit EditList(MemoryBudget& budget) : bytes_(budget), budget_(&budget) {}
  ~EditList();
  EditList(const EditList&) = delete;
  EditList& operator=(const EditList&) = delete;

  void open(const Window& window) { window_ = window; }
  // Copies edit.bytes.
  [[nodiscard]] Result<void, EditError> add(const kafka::lane::Edit& edit);

  // What was added, for taking back the edits of one call.
  struct Mark {
    std::size_t entries;
    std::size_t bytes;
  };
  [[nodiscard]] Mark mark() const { return {entries_.size(), bytes_.size()}; }
  void roll_back(Mark mark);

  void clear();

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] Bytes bytes_of(const Entry& entry) const {
    return bytes_.bytes().subspan(entry.bytes_at, entry.bytes_size);
  }

 private:
  [[nodiscard]] std::optional<EditError> check(const kafka::lane::Edit& edit) const;

  Window window_;
  std::vector<Entry> entries_;
  kafka::records::ByteBuffer bytes_;
  MemoryBudget* budget_;
  std::uint64_t charged_ = 0;
};

}  // namespace grete::plugins

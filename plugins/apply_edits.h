// Carries out an EditList on the records of a batch.
#pragma once

#include <cstdint>
#include <vector>

#include "base/arena.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"
#include "plugins/edit_list.h"
#include "plugins/hook.h"

namespace grete::plugins {

// Reusable; one batch at a time, one thread. Works in steps of about 256 KiB of records.
class EditApplier {
 public:
  // `budget` outlives the applier, and is charged with edited headers.
  explicit EditApplier(MemoryBudget& budget) : arena_(budget) {}

  // `builder` has begun an edit of what `reader` has read. All stay until step() says kDone.
  void start(const EditList& edits, const kafka::records::BatchReader& reader,
             kafka::records::BatchBuilder& builder);

  // Names to the builder what changes. kTrap: an edit reaches beyond its field, or brings headers
  // that are none, so the plug-in is at fault; kMemory: the budget is used up.
  [[nodiscard]] Result<kafka::records::Progress, Failure> step();

 private:
  using Entry = EditList::Entry;

  [[nodiscard]] Result<void, Failure> edit_record(const kafka::records::Record& record);
  [[nodiscard]] Result<kafka::records::FieldEdit, Failure> edit_field(
      const std::optional<Bytes>& old, kafka::lane::Field field, std::vector<Bytes>& pieces);
  [[nodiscard]] Result<void, Failure> edit_headers(const kafka::records::Record& record);
  [[nodiscard]] Result<void, Failure> read_headers(Bytes encoded);
  [[nodiscard]] Result<std::optional<Bytes>, Failure> edit_header_part(
      const std::optional<Bytes>& old);
  [[nodiscard]] bool at(std::uint32_t record, kafka::lane::Field field) const;

  const EditList* edits_ = nullptr;
  kafka::records::BatchBuilder* builder_ = nullptr;
  kafka::records::RecordIterator records_{{}, {}};
  std::size_t next_ = 0;
  std::vector<Bytes> key_;
  std::vector<Bytes> value_;
  std::vector<kafka::records::HeaderView> headers_;
  Arena arena_;
};

}  // namespace grete::plugins

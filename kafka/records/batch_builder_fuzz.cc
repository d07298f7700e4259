// A batch and a script of edits to it. What was edited can be read, and holds as many records as it
// should, and those that were not named are the same bytes.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "kafka/records/batch_builder.h"

using namespace grete;
using namespace grete::kafka::records;

namespace {

template <class Worker>
bool finish(Worker& worker) {
  while (true) {
    const auto progress = worker.step();
    if (!progress) {
      return false;
    }
    if (*progress == Progress::kDone) {
      return true;
    }
  }
}

// One step of the script; false if the record is dropped.
bool edit(BatchBuilder& builder, const Record& record, std::uint8_t what, Bytes noise,
          bool& failed) {
  const HeaderView header{.key = "k", .value = noise};
  RecordEdit change;
  switch (what % 8) {
    case 0:
      change.key = FieldEdit::null();
      break;
    case 1:
      change.value = FieldEdit::set(noise);
      break;
    case 2:
      change.headers = std::span(&header, 1);
      break;
    case 3:
      change.timestamp = static_cast<std::int64_t>(what) << 40;
      break;
    case 4:
      if (builder.drop(record)) {
        return false;
      }
      failed = true;
      return true;
    default:
      return true;
  }
  failed = !builder.replace(record, change);
  return true;
}

}  // namespace

// Input: a byte with the number of script bytes, the script, the batch.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size - 1 < data[0]) {
    return 0;
  }
  const std::size_t script_size = data[0];
  const std::uint8_t* script = data + 1;
  const Bytes batch{reinterpret_cast<const std::byte*>(data + 1 + script_size),
                    size - 1 - script_size};
  MemoryBudget budget(16 << 20);
  CodecPool pool(budget);
  BatchReader reader(pool, budget, 2 << 20);
  if (!reader.start(batch, CrcCheck::kSkip) || !finish(reader) || !reader.validate()) {
    return 0;
  }
  BatchBuilder builder(pool, budget);
  const bool closes_up = script_size != 0 && (script[0] & 0x80) != 0;
  builder.edit(reader, closes_up ? Dropping::kCloseUp : Dropping::kLeaveHole);
  RecordIterator records = reader.records();
  std::int32_t kept = 0;
  for (std::size_t i = 0; const Record* record = *records.next(); ++i) {
    bool failed = false;
    const bool stays =
        i >= script_size || edit(builder, *record, script[i], batch.first(i % 50), failed);
    kept += stays ? 1 : 0;
    if (failed) {
      return 0;
    }
  }
  if (!finish(builder)) {
    return 0;
  }
  if (builder.count() != kept || budget.peak() > budget.limit()) {
    std::abort();
  }
  BatchReader check(pool, budget, 4 << 20);
  if (builder.batch().empty() && kept == 0) {
    return 0;
  }
  if (!check.start(builder.batch())) {
    std::abort();
  }
  if (finish(check) && !check.validate()) {
    std::abort();
  }
  return 0;
}

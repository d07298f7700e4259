// Shows the batches of one partition to a filter, and puts together what comes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/memory_budget.h"
#include "kafka/lane/format.h"
#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"
#include "sdk/cpp/plugin.h"

namespace grete::sdk {

struct PartitionOutcome {
  enum class Kind : std::uint8_t { kSame, kChanged, kRejected, kClose };
  Kind kind = Kind::kSame;
  Bytes records;    // kChanged: the partition's new records, in the arena
  Verdict verdict;  // kRejected
};

// Decompresses, shows, edits and compresses again, natively or in a module. One thread.
class RecordPass {
 public:
  explicit RecordPass(Plugin& plugin);

  // `head` tells all but the batch. `records` is the field of a Produce request or a Fetch
  // response; what comes out lies in `arena`.
  PartitionOutcome run(const kafka::lane::CallHead& head, Bytes records, Arena& arena);

 private:
  // The batch's bytes afterwards: in the builder, or as they came. Nothing: `outcome` says why.
  std::optional<Bytes> run_batch(kafka::lane::CallHead& head, Bytes batch, Arena& arena,
                                 PartitionOutcome& outcome);
  [[nodiscard]] bool read(Bytes batch);
  // The records in Kafka's format v2, whatever the batch's own is.
  [[nodiscard]] std::optional<Bytes> as_v2();
  [[nodiscard]] bool finish(kafka::records::BatchBuilder& builder);

  static constexpr std::uint64_t kBudgetBytes = std::uint64_t{512} << 20;

  Plugin* plugin_;
  MemoryBudget budget_{kBudgetBytes};
  kafka::records::CodecPool codecs_{budget_};
  kafka::records::BatchReader reader_{codecs_, budget_};
  kafka::records::BatchBuilder builder_{codecs_, budget_};
  kafka::records::BatchBuilder v2_builder_{codecs_, budget_};
  std::vector<std::byte> out_;
};

}  // namespace grete::sdk

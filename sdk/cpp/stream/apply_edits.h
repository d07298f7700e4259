// Carries a filter's edits out on a whole batch, where no host does it.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"
#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"

namespace grete::sdk {

// Begins a changed copy of the batch that `reader` has read and applies `arguments`, edits in the
// form of kafka.edit. Then builder.step() until it is done. `arena` holds what is spliced until
// then. The error says which rule of docs/kafka-lane.md an edit breaks.
[[nodiscard]] Result<void, std::string_view> apply_edits(Bytes arguments,
                                                         const kafka::records::BatchReader& reader,
                                                         kafka::records::BatchBuilder& builder,
                                                         Arena& arena,
                                                         kafka::records::Dropping dropping);

}  // namespace grete::sdk

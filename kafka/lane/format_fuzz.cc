// Every reader of the lane on hostile bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "kafka/lane/format.h"

using namespace grete;
using namespace grete::kafka;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  if (auto subscribe = lane::read_subscribe(bytes)) {
    for (std::uint16_t i = 0; i < subscribe->count; ++i) {
      static_cast<void>((*subscribe)[i]);
    }
  }
  static_cast<void>(lane::read_subscribed(bytes));
  for (const std::uint32_t function : {lane::kMessageCall, lane::kRecordsCall}) {
    if (auto call = lane::read_call(function, bytes); call && call->body.size() > size) {
      std::abort();
    }
  }
  if (auto reader = lane::EditReader::open(bytes)) {
    while (reader->next()) {
    }
  }
  if (auto verdict = lane::read_verdict(bytes)) {
    for (std::size_t i = 0; i < verdict->record_count(); ++i) {
      static_cast<void>(verdict->record(i));
    }
  }
  return 0;
}

// Blobs that begin with their version: what consumers put into group metadata
// (ConsumerProtocolSubscription, ConsumerProtocolAssignment), and principals in Envelope requests.
#pragma once

#include "base/result.h"
#include "kafka/ids.h"
#include "kafka/wire/decode.h"
#include "kafka/wire/reader.h"
#include "kafka/wire/writer.h"

namespace grete::kafka {

// Reads the version (int16) and the message. A version newer than any known one is decoded as the
// newest, as Kafka's consumers do: newer ones only append. Returns the version that was read.
template <class M>
[[nodiscard]] Result<ApiVersion, DecodeError> decode_versioned(Reader& reader, const char* name,
                                                               M& message) {
  std::int16_t number = 0;
  Reader::Cursor p = reader.position();
  if (!wire::get(reader, p, number)) {
    return unexpected(reader.take_error(name));
  }
  reader.advance_to(p);
  const ApiVersion version{number};
  GRETE_TRY(decode(reader, version > M::kMaxVersion ? M::kMaxVersion : version, message));
  return version;
}

// Writes the version and the message.
template <class M>
[[nodiscard]] Result<void, EncodeError> encode_versioned(Writer& writer, ApiVersion version,
                                                         const char* name, const M& message) {
  std::byte* to = writer.set_aside(sizeof(std::int16_t));
  if (to == nullptr) {
    return unexpected(writer.take_error(name));
  }
  store_big(to, version.value());
  return encode(writer, version, message);
}

}  // namespace grete::kafka

// CRC-32C (Castagnoli), the checksum of record batches of magic 2.
//
// On x86-64 with SSE4.2 and on ARMv8 with the CRC extension three interleaved streams hide the
// latency of the CRC instruction; elsewhere, and in WebAssembly, tables take 8 bytes a turn.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace grete::kafka::records {

// The CRC of `bytes`. `previous` is the CRC of the bytes before them, so that a CRC can be made in
// pieces: crc32c(b, crc32c(a)) == crc32c(a followed by b).
std::uint32_t crc32c(Bytes bytes, std::uint32_t previous = 0);

// The same from tables only: what machines without the instruction run.
std::uint32_t crc32c_portable(Bytes bytes, std::uint32_t previous = 0);

}  // namespace grete::kafka::records

// Every limit of this module. Bytes unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace grete::kafka::records {

// How much output one step() produces at most, so that a caller can do other work in between.
// A decompressor may pass it by what one block of its format holds (4 MiB for the largest lz4
// block, 128 KiB for zstd).
inline constexpr std::size_t kStepBytes = std::size_t{256} << 10;

// How many bytes one step() checks with a CRC at most; about 0.2 ms.
inline constexpr std::size_t kCrcStepBytes = std::size_t{4} << 20;

// How many bytes one step() copies at most, and how many records it walks.
inline constexpr std::size_t kCopyStepBytes = std::size_t{4} << 20;
inline constexpr std::size_t kRecordsPerStep = std::size_t{32} << 10;

// What a batch may decompress to, unless the caller says otherwise.
inline constexpr std::uint64_t kDefaultMaxDecompressed = std::uint64_t{128} << 20;

// The largest zstd window that is accepted: what level 22 writes (128 MiB). The memory for it is
// charged to the budget of the codec pool, which is what really limits it.
inline constexpr int kMaxZstdWindowLog = 27;

// Idle compression streams that a pool keeps of each codec and direction, and the most memory that
// each may hold while idle.
inline constexpr std::size_t kMaxIdleStreams = 4;
inline constexpr std::uint64_t kMaxIdleStreamBytes = std::uint64_t{8} << 20;

// What a reader's or builder's buffer keeps between batches.
inline constexpr std::size_t kMaxIdleBufferBytes = std::size_t{1} << 20;

// DefaultRecordBatch.RECORD_BATCH_OVERHEAD: the header of a batch of magic 2.
inline constexpr std::size_t kBatchHeaderBytes = 61;
// Records.LOG_OVERHEAD: offset and length, before what the length counts.
inline constexpr std::size_t kLogOverheadBytes = 12;
// LegacyRecord.RECORD_OVERHEAD_V0 and _V1: a message without key and value.
inline constexpr std::size_t kMessageOverheadV0 = 14;
inline constexpr std::size_t kMessageOverheadV1 = 22;
// The least that one record of magic 2 takes: a length and six one-byte fields.
inline constexpr std::size_t kMinRecordBytes = 7;

}  // namespace grete::kafka::records

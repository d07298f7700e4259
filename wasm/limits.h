// Every limit of the WebAssembly host. A guest that meets one sees a refused operation or traps.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace grete::wasm::limits {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;

// A module's file. The largest Go plug-ins have 3 MB.
inline constexpr std::uint64_t kMaxModuleBytes = 64 * kMiB;

// Instances alive at once in the process; each reserves address space, not memory.
inline constexpr std::uint32_t kMaxInstances = 1024;

// The memory of one instance: what an operator may configure, and the default.
inline constexpr std::uint64_t kMaxMemoryBytes = 1024 * kMiB;
inline constexpr std::uint64_t kDefaultMemoryBytes = 64 * kMiB;
inline constexpr std::uint64_t kMinMemoryBytes = 64 * kKiB;

// Elements of a table. A Go plug-in has about 10,000 functions in its only table.
inline constexpr std::uint32_t kMaxTableElements = 128 * 1024;
inline constexpr std::uint32_t kMaxTablesPerModule = 4;
inline constexpr std::uint64_t kMaxInstanceStateBytes = 4 * kMiB;

// Native stack of guest code. A host function may enter the guest's allocator, which gets the same
// allowance again, hence twice in the fiber; the rest is for the host's own frames.
inline constexpr std::size_t kMaxWasmStackBytes = 512 * kKiB;
inline constexpr std::size_t kFiberStackBytes = 2 * kMaxWasmStackBytes + 512 * kKiB;

// One slice: a guest that runs when the epoch ticks is suspended.
inline constexpr Duration kTick = std::chrono::milliseconds{1};
// The ticker sleeps when no guest was entered for about so many ticks.
inline constexpr std::uint32_t kIdleTicks = 128;

// A pool whose instances are all leased for longer than this answers "busy".
inline constexpr Duration kBusyAfter = std::chrono::milliseconds{8};
// So many failed calls in a row quarantine a plug-in; the back-off doubles from first to last.
inline constexpr std::uint32_t kFailuresToQuarantine = 5;
inline constexpr Duration kFirstQuarantine = std::chrono::seconds{1};
inline constexpr Duration kLastQuarantine = std::chrono::seconds{60};
// Callers that wait for an instance of one pool; further ones are told "busy".
inline constexpr std::size_t kMaxWaiters = 4096;

// Text that a guest sends to its log, a line; the rest is cut off.
inline constexpr std::size_t kMaxLogBytes = 8 * kKiB;
// Lines one guest call may log; the rest is dropped and counted.
inline constexpr std::uint32_t kMaxLogLinesPerCall = 1000;

// Proxy-Wasm. Bytes of a stream buffered for a filter, per direction.
inline constexpr std::size_t kMaxStreamBufferBytes = 64 * kMiB;
// Names (metrics, queues, properties, foreign functions) and values.
inline constexpr std::size_t kMaxNameBytes = 4 * kKiB;
inline constexpr std::size_t kMaxPropertyBytes = 64 * kKiB;
inline constexpr std::size_t kMaxPropertiesPerContext = 256;
inline constexpr std::size_t kMaxMetrics = 4096;
inline constexpr std::size_t kMaxSharedEntries = 65536;
inline constexpr std::size_t kMaxSharedBytes = 64 * kMiB;
inline constexpr std::size_t kMaxQueues = 1024;
inline constexpr std::size_t kMaxQueuedMessages = 65536;
inline constexpr std::size_t kMaxQueuedBytes = 16 * kMiB;
// random_get, as other hosts limit it.
inline constexpr std::size_t kMaxRandomBytes = 64 * kKiB;

}  // namespace grete::wasm::limits

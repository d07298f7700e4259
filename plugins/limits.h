// Every limit of this module.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace grete::plugins::limits {

// Plug-ins of one chain.
inline constexpr std::size_t kMaxHooks = 64;
// Partitions of one Produce or Fetch that a Records hook may see; more is refused as hostile.
inline constexpr std::size_t kMaxPartitions = 100'000;
// Batches in one partition's records.
inline constexpr std::uint32_t kMaxBatches = 100'000;
// After so many failures with one message a plug-in is not asked about the rest of it.
inline constexpr std::uint32_t kMaxFailuresPerMessage = 3;
// What a batch may decompress to; the connection's budget is the tighter limit for most.
inline constexpr std::uint64_t kMaxDecompressedBytes = std::uint64_t{128} << 20;
// Native work and finished calls go on in one slice for so long.
inline constexpr Duration kSlice = std::chrono::milliseconds{1};
// A verdict's text for people, in bytes.
inline constexpr std::size_t kMaxMessageBytes = 1024;
// A verdict's delay.
inline constexpr Duration kMaxDelay = std::chrono::seconds{60};

// One call of a plug-in, unless its configuration says otherwise.
inline constexpr Duration kDefaultDeadline = std::chrono::milliseconds{100};
inline constexpr Duration kMinDeadline = std::chrono::milliseconds{1};
inline constexpr Duration kMaxDeadline = std::chrono::seconds{30};
// One call about a stream where connections share the instance.
inline constexpr Duration kSharedStreamDeadline = std::chrono::milliseconds{8};
// How long after its start a lost stream instance is replaced: doubles from first to last, and
// starts anew if one lived for longer than kForgiven.
inline constexpr Duration kFirstBackOff = std::chrono::milliseconds{100};
inline constexpr Duration kLastBackOff = std::chrono::seconds{60};
inline constexpr Duration kForgiven = std::chrono::seconds{60};
// Instances of one plug-in in one worker, unless its configuration says otherwise.
inline constexpr std::uint32_t kDefaultInstances = 8;
inline constexpr std::uint32_t kMaxInstances = 64;
// A plug-in's configuration, in bytes.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
// How long a plug-in's on_vm_start and on_configure may take.
inline constexpr Duration kConfigureDeadline = std::chrono::seconds{10};

}  // namespace grete::plugins::limits

// How the WebAssembly host fails: errors of an operator (a module that does not load) and traps of
// a guest (a call that did not end well). Both are values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace grete::wasm {

enum class ErrorKind : std::uint8_t {
  kNotAModule,   // the bytes are no core WebAssembly module
  kInvalid,      // it does not validate, or needs a proposal that is off
  kTooLarge,     // past a limit of wasm/limits.h
  kLink,         // it imports what no ABI provides, or exports a callback with another type
  kUnknownAbi,   // it declares no plug-in ABI that this host speaks
  kCacheFolder,  // the cache's folder is not safe to use
  kIo,           // the operating system refused
  kEngine,       // the engine could not be made, or has no room for another instance
};

// Why a module cannot be used. `detail` says what was found and what to do, without the file's
// name, which the caller knows.
struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string detail;

  friend bool operator==(const Error&, const Error&) = default;
};

enum class TrapReason : std::uint8_t {
  kDeadline,       // it ran out of slices or time
  kCancelled,      // the host dropped the call
  kOutOfMemory,    // it gave up with its memory at the limit
  kStackOverflow,  // too deep a recursion
  kUnreachable,    // an abort, panic or failed assertion of the guest
  kOutOfBounds,    // an access outside its memory or tables
  kArithmetic,     // a division by zero, or an overflow
  kBadCall,        // an indirect call to nothing, or with another signature
  kReentrance,     // its allocator called an import that allocates
  kExit,           // it called proc_exit or abort
  kRefused,        // a callback said no: on_vm_start or on_configure returned 0
  kInstantiation,  // it could not be instantiated
  kOther,
};
inline constexpr std::size_t kTrapReasons = static_cast<std::size_t>(TrapReason::kOther) + 1;

// A short name for logs and metric labels: "deadline", "out_of_memory".
[[nodiscard]] std::string_view name_of(TrapReason reason);

// A guest call that did not end well. The instance it happened in is of no further use.
struct Trap {
  TrapReason reason = TrapReason::kOther;
  // What happened, and where in the guest if known. For people.
  std::string detail;

  friend bool operator==(const Trap&, const Trap&) = default;
};

// Says that a trap is recorded in the instance and its frames are being left: return at once.
struct Unwinding {};

// What code on a guest's stack returns.
template <class T>
using HostResult = Result<T, Unwinding>;

}  // namespace grete::wasm

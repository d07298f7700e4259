// WASI preview 1 as plug-ins need it: clocks, random bytes, and lines to the log. No file system,
// no sockets, no arguments, no environment. Every function of preview 1 is present, under both
// names that toolchains use (wasi_snapshot_preview1, wasi_unstable); what is not offered answers
// ENOSYS or EBADF, as the specification has it.
// Source: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "wasm/engine/host_function.h"
#include "wasm/engine/imports.h"
#include "wasm/engine/instance.h"

namespace grete::wasm {

// Where a guest's WASI calls lead. Called on the guest's stack: short, throws nothing.
class WasiHost {
 public:
  enum class Stream : std::uint8_t { kOut, kError };

  virtual ~WasiHost() = default;
  // Nanoseconds since 1970, and of a clock that never goes back.
  virtual std::uint64_t wasi_realtime_ns() = 0;
  virtual std::uint64_t wasi_monotonic_ns() = 0;
  virtual void wasi_random(MutableBytes bytes) = 0;
  // A line, without its end, at most limits::kMaxLogBytes.
  virtual void wasi_line(Stream stream, std::string_view line) = 0;
};

// The import class. One an instance; `host` and `instance` outlive it.
class Wasi {
 public:
  static constexpr ImportSlot kSlot = ImportSlot::kWasi;

  // NOLINTNEXTLINE(performance-enum-size): as wide as the functions' result.
  enum class Errno : std::uint32_t {
    kSuccess = 0,
    kBadFile = 8,
    kFault = 21,
    kInvalid = 28,
    kNoEntry = 44,
    kNotSupported = 52,
    kPipe = 64,
    kSeekPipe = 70,
  };
  static constexpr Errno kBadPointer = Errno::kFault;

  Wasi(Instance& instance, WasiHost& host) : instance_(&instance), host_(&host) {}

  // Defines all functions, under both module names.
  static void define_all(ImportSet& imports);

  // Sends what was written without a line's end. At the end of a call, if wanted.
  void flush();

  Errno args_get(GuestAddress argv, GuestAddress buffer);
  Errno sizes_get(Out<std::uint32_t> count, Out<std::uint32_t> bytes);
  Errno clock_res_get(std::uint32_t clock, Out<std::uint64_t> resolution);
  Errno clock_time_get(std::uint32_t clock, std::uint64_t precision, Out<std::uint64_t> time);
  Errno random_get(GuestAddress address, std::uint32_t size);
  Errno sched_yield();
  HostResult<void> proc_exit(std::uint32_t code);
  Errno fd_write(std::uint32_t file, GuestAddress vectors, std::uint32_t count,
                 Out<std::uint32_t> written);
  Errno fd_fdstat_get(std::uint32_t file, GuestAddress status);
  Errno fd_fdstat_set_flags(std::uint32_t file, std::uint32_t flags);
  Errno fd_close(std::uint32_t file);
  Errno fd_seek(std::uint32_t file, std::uint64_t offset, std::uint32_t whence,
                Out<std::uint64_t> position);
  Errno fd_prestat_get(std::uint32_t file, GuestAddress status);
  Errno fd_prestat_dir_name(std::uint32_t file, GuestAddress path, std::uint32_t size);
  Errno fd_read(std::uint32_t file, GuestAddress vectors, std::uint32_t count,
                Out<std::uint32_t> read);
  Errno path_open(std::uint32_t file, std::uint32_t dirflags, GuestAddress path, std::uint32_t size,
                  std::uint32_t oflags, std::uint64_t rights, std::uint64_t inheriting,
                  std::uint32_t fdflags, GuestAddress opened);
  Errno poll_oneoff(GuestAddress subscriptions, GuestAddress events, std::uint32_t count,
                    Out<std::uint32_t> ready);
  // Whatever else there is: there are no files and sockets to do it with.
  template <class... A>
  Errno not_supported(A... /*arguments*/) {
    return Errno::kNotSupported;
  }

 private:
  void write(WasiHost::Stream stream, std::string_view text);

  Instance* instance_;
  WasiHost* host_;
  // Lines that are not complete yet, by stream.
  std::array<std::string, 2> pending_;
};

}  // namespace grete::wasm

#include "wasm/wasi/wasi.h"

#include <algorithm>

#include "wasm/limits.h"

namespace grete::wasm {
namespace {

constexpr std::uint32_t kStdout = 1;
constexpr std::uint32_t kStderr = 2;

bool is_output(std::uint32_t file) {
  return file == kStdout || file == kStderr;
}

GuestAddress plus(GuestAddress address, std::uint32_t offset) {
  return static_cast<GuestAddress>(value_of(address) + offset);
}

using U32 = std::uint32_t;
using U64 = std::uint64_t;

}  // namespace

void Wasi::define_all(ImportSet& imports) {
  for (const std::string_view module : {"wasi_snapshot_preview1", "wasi_unstable"}) {
    define<&Wasi::args_get>(imports, module, "args_get");
    define<&Wasi::sizes_get>(imports, module, "args_sizes_get");
    define<&Wasi::args_get>(imports, module, "environ_get");
    define<&Wasi::sizes_get>(imports, module, "environ_sizes_get");
    define<&Wasi::clock_res_get>(imports, module, "clock_res_get");
    define<&Wasi::clock_time_get>(imports, module, "clock_time_get");
    define<&Wasi::random_get>(imports, module, "random_get");
    define<&Wasi::sched_yield>(imports, module, "sched_yield");
    define<&Wasi::proc_exit>(imports, module, "proc_exit");
    define<&Wasi::fd_write>(imports, module, "fd_write");
    define<&Wasi::fd_fdstat_get>(imports, module, "fd_fdstat_get");
    define<&Wasi::fd_fdstat_set_flags>(imports, module, "fd_fdstat_set_flags");
    define<&Wasi::fd_close>(imports, module, "fd_close");
    define<&Wasi::fd_seek>(imports, module, "fd_seek");
    define<&Wasi::fd_prestat_get>(imports, module, "fd_prestat_get");
    define<&Wasi::fd_prestat_dir_name>(imports, module, "fd_prestat_dir_name");
    define<&Wasi::fd_read>(imports, module, "fd_read");
    define<&Wasi::path_open>(imports, module, "path_open");
    define<&Wasi::poll_oneoff>(imports, module, "poll_oneoff");

    define<&Wasi::not_supported<U32, U64, U64, U32>>(imports, module, "fd_advise");
    define<&Wasi::not_supported<U32, U64, U64>>(imports, module, "fd_allocate");
    define<&Wasi::not_supported<U32>>(imports, module, "fd_datasync");
    define<&Wasi::not_supported<U32, U64, U64>>(imports, module, "fd_fdstat_set_rights");
    define<&Wasi::not_supported<U32, U32>>(imports, module, "fd_filestat_get");
    define<&Wasi::not_supported<U32, U64>>(imports, module, "fd_filestat_set_size");
    define<&Wasi::not_supported<U32, U64, U64, U32>>(imports, module, "fd_filestat_set_times");
    define<&Wasi::not_supported<U32, U32, U32, U64, U32>>(imports, module, "fd_pread");
    define<&Wasi::not_supported<U32, U32, U32, U64, U32>>(imports, module, "fd_pwrite");
    define<&Wasi::not_supported<U32, U32, U32, U64, U32>>(imports, module, "fd_readdir");
    define<&Wasi::not_supported<U32, U32>>(imports, module, "fd_renumber");
    define<&Wasi::not_supported<U32>>(imports, module, "fd_sync");
    define<&Wasi::not_supported<U32, U32>>(imports, module, "fd_tell");
    define<&Wasi::not_supported<U32, U32, U32>>(imports, module, "path_create_directory");
    define<&Wasi::not_supported<U32, U32, U32, U32, U32>>(imports, module, "path_filestat_get");
    define<&Wasi::not_supported<U32, U32, U32, U32, U64, U64, U32>>(imports, module,
                                                                    "path_filestat_set_times");
    define<&Wasi::not_supported<U32, U32, U32, U32, U32, U32, U32>>(imports, module, "path_link");
    define<&Wasi::not_supported<U32, U32, U32, U32, U32, U32>>(imports, module, "path_readlink");
    define<&Wasi::not_supported<U32, U32, U32>>(imports, module, "path_remove_directory");
    define<&Wasi::not_supported<U32, U32, U32, U32, U32, U32>>(imports, module, "path_rename");
    define<&Wasi::not_supported<U32, U32, U32, U32, U32>>(imports, module, "path_symlink");
    define<&Wasi::not_supported<U32, U32, U32>>(imports, module, "path_unlink_file");
    define<&Wasi::not_supported<U32>>(imports, module, "proc_raise");
    define<&Wasi::not_supported<U32, U32, U32>>(imports, module, "sock_accept");
    define<&Wasi::not_supported<U32, U32, U32, U32, U32, U32>>(imports, module, "sock_recv");
    define<&Wasi::not_supported<U32, U32, U32, U32, U32>>(imports, module, "sock_send");
    define<&Wasi::not_supported<U32, U32>>(imports, module, "sock_shutdown");
  }
}

Wasi::Errno Wasi::args_get(GuestAddress /*argv*/, GuestAddress /*buffer*/) {
  return Errno::kSuccess;
}

Wasi::Errno Wasi::sizes_get(Out<std::uint32_t> count, Out<std::uint32_t> bytes) {
  count.store(0);
  bytes.store(0);
  return Errno::kSuccess;
}

Wasi::Errno Wasi::clock_res_get(std::uint32_t clock, Out<std::uint64_t> resolution) {
  if (clock > 3) {
    return Errno::kInvalid;
  }
  resolution.store(1);
  return Errno::kSuccess;
}

Wasi::Errno Wasi::clock_time_get(std::uint32_t clock, std::uint64_t /*precision*/,
                                 Out<std::uint64_t> time) {
  // 0 real time, 1 monotonic, 2 and 3 CPU time of process and thread.
  if (clock > 3) {
    return Errno::kInvalid;
  }
  time.store(clock == 0 ? host_->wasi_realtime_ns() : host_->wasi_monotonic_ns());
  return Errno::kSuccess;
}

Wasi::Errno Wasi::random_get(GuestAddress address, std::uint32_t size) {
  if (size > limits::kMaxRandomBytes) {
    return Errno::kInvalid;
  }
  const auto range = instance_->memory().range(address, size);
  if (!range) {
    return Errno::kFault;
  }
  host_->wasi_random(*range);
  return Errno::kSuccess;
}

Wasi::Errno Wasi::sched_yield() {
  return Errno::kSuccess;
}

HostResult<void> Wasi::proc_exit(std::uint32_t code) {
  flush();
  return instance_->fail(TrapReason::kExit,
                         "the guest called proc_exit(" + std::to_string(code) + ")");
}

Wasi::Errno Wasi::fd_write(std::uint32_t file, GuestAddress vectors, std::uint32_t count,
                           Out<std::uint32_t> written) {
  if (!is_output(file)) {
    return Errno::kBadFile;
  }
  constexpr std::uint32_t kVectorBytes = 8;
  const GuestMemory memory = instance_->memory();
  const auto list = memory.range(vectors, std::uint64_t{count} * kVectorBytes);
  if (!list) {
    return Errno::kFault;
  }
  // What one call takes: the guest is told how much, and calls again. Bounds the time in here.
  constexpr std::uint64_t kMaxBytes = 64 * limits::kKiB;
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(count, 1024) && total < kMaxBytes; ++i) {
    const std::byte* vector = list->data() + std::size_t{i} * kVectorBytes;
    const auto address = static_cast<GuestAddress>(load_little<std::uint32_t>(vector));
    const auto range = memory.range(address, load_little<std::uint32_t>(vector + 4));
    if (!range) {
      return Errno::kFault;
    }
    const std::string_view text = as_text(*range).substr(0, kMaxBytes - total);
    write(file == kStdout ? WasiHost::Stream::kOut : WasiHost::Stream::kError, text);
    total += text.size();
  }
  written.store(static_cast<std::uint32_t>(total));
  return Errno::kSuccess;
}

void Wasi::write(WasiHost::Stream stream, std::string_view text) {
  std::string& pending = pending_[static_cast<std::size_t>(stream)];
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    pending.append(line.substr(0, limits::kMaxLogBytes - pending.size()));
    if (end == std::string_view::npos) {
      return;
    }
    host_->wasi_line(stream, pending);
    pending.clear();
    text.remove_prefix(end + 1);
  }
}

void Wasi::flush() {
  for (const auto stream : {WasiHost::Stream::kOut, WasiHost::Stream::kError}) {
    std::string& pending = pending_[static_cast<std::size_t>(stream)];
    if (!pending.empty()) {
      host_->wasi_line(stream, pending);
      pending.clear();
    }
  }
}

Wasi::Errno Wasi::fd_fdstat_get(std::uint32_t file, GuestAddress status) {
  if (file > kStderr) {
    return Errno::kBadFile;
  }
  // filetype u8, flags u16 at 2, rights u64 at 8, inheriting rights u64 at 16.
  constexpr std::uint32_t kStatusBytes = 24;
  constexpr std::byte kCharacterDevice{2};
  constexpr std::uint64_t kRightToWrite = 64;
  const auto range = instance_->memory().range(status, kStatusBytes);
  if (!range) {
    return Errno::kFault;
  }
  std::ranges::fill(*range, std::byte{0});
  (*range)[0] = kCharacterDevice;
  if (is_output(file)) {
    store_little(range->data() + 8, kRightToWrite);
  }
  return Errno::kSuccess;
}

Wasi::Errno Wasi::fd_fdstat_set_flags(std::uint32_t file, std::uint32_t /*flags*/) {
  return file > kStderr ? Errno::kBadFile : Errno::kSuccess;
}

Wasi::Errno Wasi::fd_close(std::uint32_t file) {
  return file > kStderr ? Errno::kBadFile : Errno::kSuccess;
}

Wasi::Errno Wasi::fd_seek(std::uint32_t file, std::uint64_t /*offset*/, std::uint32_t /*whence*/,
                          Out<std::uint64_t> /*position*/) {
  return file > kStderr ? Errno::kBadFile : Errno::kSeekPipe;
}

Wasi::Errno Wasi::fd_prestat_get(std::uint32_t /*file*/, GuestAddress /*status*/) {
  return Errno::kBadFile;
}

Wasi::Errno Wasi::fd_prestat_dir_name(std::uint32_t /*file*/, GuestAddress /*path*/,
                                      std::uint32_t /*size*/) {
  return Errno::kBadFile;
}

Wasi::Errno Wasi::fd_read(std::uint32_t file, GuestAddress /*vectors*/, std::uint32_t /*count*/,
                          Out<std::uint32_t> read) {
  if (file != 0) {
    return Errno::kBadFile;
  }
  read.store(0);  // The end of standard input.
  return Errno::kSuccess;
}

Wasi::Errno Wasi::path_open(std::uint32_t /*file*/, std::uint32_t /*dirflags*/,
                            GuestAddress /*path*/, std::uint32_t /*size*/, std::uint32_t /*oflags*/,
                            std::uint64_t /*rights*/, std::uint64_t /*inheriting*/,
                            std::uint32_t /*fdflags*/, GuestAddress /*opened*/) {
  return Errno::kNoEntry;
}

// Nothing here ever blocks: a clock has always struck, and a file is never ready.
Wasi::Errno Wasi::poll_oneoff(GuestAddress subscriptions, GuestAddress events, std::uint32_t count,
                              Out<std::uint32_t> ready) {
  // subscription: userdata u64, type u8 at 8, contents. event: userdata u64, errno u16 at 8, type
  // u8 at 10, contents.
  constexpr std::uint32_t kSubscriptionBytes = 48;
  constexpr std::uint32_t kEventBytes = 32;
  constexpr std::uint32_t kMaxSubscriptions = 1024;
  if (count == 0 || count > kMaxSubscriptions) {
    return Errno::kInvalid;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const GuestMemory memory = instance_->memory();
    const auto from = memory.range(plus(subscriptions, i * kSubscriptionBytes), kSubscriptionBytes);
    const auto to = memory.range(plus(events, i * kEventBytes), kEventBytes);
    if (!from || !to) {
      return Errno::kFault;
    }
    const auto user_data = load_little<std::uint64_t>(from->data());
    const std::byte type = (*from)[8];
    std::ranges::fill(*to, std::byte{0});
    store_little(to->data(), user_data);
    const Errno error = type == std::byte{0} ? Errno::kSuccess : Errno::kBadFile;
    store_little(to->data() + 8, static_cast<std::uint16_t>(error));
    (*to)[10] = type;
  }
  ready.store(count);
  return Errno::kSuccess;
}

}  // namespace grete::wasm

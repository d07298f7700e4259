// One connection's bytes, both ways, as a Proxy-Wasm filter sees them.
//
// Bytes that arrive are appended to downstream() (from the client) or upstream() (from the broker)
// and told to the filter with on_*_data(). It may change either buffer. result() of that call is
// an Action: on kContinue the owner takes what the buffer now holds and forwards it; on kPause it
// stays, and the next bytes are appended to it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "wasm/engine/guest_call.h"
#include "wasm/proxy_wasm/abi.h"
#include "wasm/proxy_wasm/host.h"
#include "wasm/proxy_wasm/vm.h"

namespace grete::wasm::proxy_wasm {

enum class EndOfStream : std::uint8_t { kNo, kYes };

// The bytes of one direction that were not forwarded yet. At most limits::kMaxStreamBufferBytes.
class StreamBuffer {
 public:
  // False, and nothing appended, past the limit.
  [[nodiscard]] bool append(Bytes bytes);
  // All of it; the buffer is empty afterwards.
  [[nodiscard]] std::vector<std::byte> take() { return std::exchange(bytes_, {}); }
  // What is there; valid until the next change.
  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  // As proxy_set_buffer_bytes defines it: start 0 and size 0 prepends, a start at or past the end
  // appends, otherwise `size` bytes from `start` are replaced. False past the limit.
  [[nodiscard]] bool replace(std::uint64_t start, std::uint64_t size, Bytes with);

 private:
  std::vector<std::byte> bytes_;
};

// Made when a connection opens, gone when it is closed: after its calls, before its VM. While one
// of its calls is in progress the owner leaves the buffers alone.
class StreamContext {
 public:
  // `host` outlives the stream.
  StreamContext(Vm& vm, StreamHost& host);
  ~StreamContext();

  StreamContext(const StreamContext&) = delete;
  StreamContext& operator=(const StreamContext&) = delete;

  [[nodiscard]] ContextId id() const { return id_; }

  // proxy_on_context_create and proxy_on_new_connection. result() is an Action.
  GuestCall open(const CallLimits& limits);
  // proxy_on_context_create only: for hosts that deliver messages and not streams.
  GuestCall create(const CallLimits& limits);
  // Tells of the bytes in downstream(); result() is an Action.
  GuestCall on_downstream_data(EndOfStream end, const CallLimits& limits);
  GuestCall on_upstream_data(EndOfStream end, const CallLimits& limits);
  GuestCall on_downstream_close(PeerType closed_by, const CallLimits& limits);
  GuestCall on_upstream_close(PeerType closed_by, const CallLimits& limits);
  // proxy_on_done, and proxy_on_log and proxy_on_delete if it agrees. result() is 1 if all is over,
  // 0 if the filter will say so later with proxy_done: see done_called().
  GuestCall finish(const CallLimits& limits);
  // Whether the filter called proxy_done since finish(): then call finish_now().
  [[nodiscard]] bool done_called() const { return done_called_; }
  // proxy_on_log and proxy_on_delete.
  GuestCall finish_now(const CallLimits& limits);

  [[nodiscard]] StreamBuffer& downstream() { return downstream_; }
  [[nodiscard]] StreamBuffer& upstream() { return upstream_; }
  [[nodiscard]] StreamHost& host() const { return *host_; }

 private:
  friend class Imports;
  friend class Vm;

  GuestCall on_data(
      GuestFunction<std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t)> callback,
      const StreamBuffer& buffer, EndOfStream end, const CallLimits& limits);
  GuestCall on_close(GuestFunction<void(std::uint32_t, std::uint32_t)> callback, PeerType closed_by,
                     const CallLimits& limits);
  static HostResult<std::uint64_t> remove(Vm& vm, ContextId id, Instance& instance);

  Vm* vm_;
  StreamHost* host_;
  ContextId id_;
  StreamBuffer downstream_;
  StreamBuffer upstream_;
  // What the filter set with proxy_set_property.
  std::map<std::string, std::string, std::less<>> properties_;
  bool awaits_done_ = false;
  bool done_called_ = false;
};

// Reads result() of a call that returns an Action. What a guest returns besides is kPause.
[[nodiscard]] Action action_of(const GuestCall& call);

}  // namespace grete::wasm::proxy_wasm

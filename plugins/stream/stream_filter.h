// The ByteStream hook: a plug-in at work on the raw bytes of one connection, both ways.
//
//   gateway, per worker:   auto runtime = make_stream_runtime(plugin, worker);
//   a connection opens:    auto filter = runtime->open(info, listener, now);
//   bytes arrive:          filter->feed(flow, bytes, EndOfStream::kNo, now);
//   whenever it was fed,   send(filter->take(flow));
//   or the listener heard:  if (filter->state() == StreamState::kClosed) close both sides;
//   it is closed:          filter->close(by, now); then destroy it
//
// Any Proxy-Wasm L4 module works here unchanged. Its calls run in slices through the worker's run
// queue; a short one has ended when feed() returns. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "plugins/frame.h"
#include "plugins/wasm_plugin.h"
#include "plugins/worker.h"

namespace grete::plugins {

enum class Flow : std::uint8_t {
  kDownstream,  // from the client to the broker
  kUpstream,    // from the broker to the client
};

enum class EndOfStream : std::uint8_t { kNo, kYes };
enum class ClosedBy : std::uint8_t { kClient, kBroker, kGateway };

enum class StreamState : std::uint8_t {
  kIdle,    // all that was fed is let through, or held by the plug-in
  kBusy,    // a call is under way: look again after the run queue's next turn
  kClosed,  // the plug-in closes the connection, or failed and its policy is to reject
};

// Told that a filter let bytes through, or closes: also from within feed() and open(). It only
// takes note; it calls no filter and destroys none.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  virtual void on_stream_changed() = 0;
};

// One plug-in on one connection.
class StreamFilter {
 public:
  virtual ~StreamFilter() = default;
  StreamFilter() = default;
  StreamFilter(const StreamFilter&) = delete;
  StreamFilter& operator=(const StreamFilter&) = delete;

  // Bytes in their order. The last ones come with kYes, and may be none.
  virtual void feed(Flow flow, Bytes bytes, EndOfStream end, Moment now) = 0;
  // What the plug-in has let through since the last call; empty if nothing.
  [[nodiscard]] virtual std::vector<std::byte> take(Flow flow) = 0;
  // Whether the flow's end was let through too; after take().
  [[nodiscard]] virtual bool ended(Flow flow) const = 0;
  // Bytes fed and not let through: what the gateway must count before it reads more.
  [[nodiscard]] virtual std::size_t held(Flow flow) const = 0;
  [[nodiscard]] virtual StreamState state() const = 0;
  // The connection is gone. The plug-in is told, also after this object is destroyed.
  virtual void close(ClosedBy by, Moment now) = 0;
};

// A plug-in in one worker. Outlives its filters.
class StreamRuntime {
 public:
  virtual ~StreamRuntime() = default;
  StreamRuntime() = default;
  StreamRuntime(const StreamRuntime&) = delete;
  StreamRuntime& operator=(const StreamRuntime&) = delete;

  // `connection` and `listener` (or null) outlive the filter.
  [[nodiscard]] virtual std::unique_ptr<StreamFilter> open(const ConnectionInfo& connection,
                                                           StreamListener* listener,
                                                           Moment now) = 0;
  // Ticks, and instances that nobody needs any more. Once a turn of the worker's loop.
  virtual void serve(Moment now) = 0;
};

// `plugin` is one that did not subscribe to messages (LoadedPlugin::hook is null). `worker`
// outlives the runtime.
[[nodiscard]] std::unique_ptr<StreamRuntime> make_stream_runtime(
    std::shared_ptr<const WasmPlugin> plugin, Worker& worker);

}  // namespace grete::plugins

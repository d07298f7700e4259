// An instance of a byte-stream plug-in with the streams that live in it.
//
// A guest makes one call at a time, so streams queue for it. What a stream needs next follows from
// its own state: to be opened, to be told of bytes, to be told that it is closed. A trap loses the
// instance; its streams are closed, or go on without the plug-in, as its policy says.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/stream/stream_filter.h"
#include "wasm/pool/run_queue.h"
#include "wasm/proxy_wasm/host.h"
#include "wasm/proxy_wasm/stream_context.h"
#include "wasm/proxy_wasm/vm.h"

namespace grete::plugins {

class StreamVm;

// One connection in an instance. Owned by the VM while it is told of its end, by its filter before.
class Stream final : public wasm::proxy_wasm::StreamHost,
                     public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<StreamVm> vm, const ConnectionInfo& connection, StreamListener* listener);
  ~Stream() override;

  void feed(Flow flow, Bytes bytes, EndOfStream end);
  [[nodiscard]] std::vector<std::byte> take(Flow flow);
  [[nodiscard]] bool ended(Flow flow) const { return side(flow).let_end; }
  [[nodiscard]] std::size_t held(Flow flow) const;
  [[nodiscard]] StreamState state() const;
  void close(ClosedBy by);

  // The next call that the stream needs, or none.
  [[nodiscard]] std::optional<wasm::GuestCall> next_call(const wasm::CallLimits& limits);
  // The call that next_call() began has ended well.
  void call_ended(const wasm::GuestCall& call);
  // Lets through what the plug-in asked to go on with, during whatever call has ended.
  void go_on();
  // The instance is lost.
  void lose_instance();
  // Whether everything was told, the end included.
  [[nodiscard]] bool finished() const { return phase_ == Phase::kFinished; }

  bool queued = false;  // in the VM's line

  std::optional<std::string> property(std::string_view path) override;
  wasm::proxy_wasm::Status continue_stream(wasm::proxy_wasm::StreamType stream) override;
  wasm::proxy_wasm::Status close_stream(wasm::proxy_wasm::StreamType stream) override;

 private:
  // kNew -> kOpen -> (the connection closes) -> kTold -> kFinished
  enum class Phase : std::uint8_t { kNew, kOpen, kTold, kFinished };
  enum class Call : std::uint8_t { kNone, kOpen, kDownstream, kUpstream, kClose, kFinish };

  struct Side {
    std::vector<std::byte> fed;  // not told of yet
    std::vector<std::byte> out;
    bool end_fed = false;
    bool end_told = false;
    bool let_end = false;
    bool resumed = false;  // the plug-in asked to go on during the call at hand
  };

  [[nodiscard]] Side& side(Flow flow) { return sides_[static_cast<std::size_t>(flow)]; }
  [[nodiscard]] const Side& side(Flow flow) const { return sides_[static_cast<std::size_t>(flow)]; }
  [[nodiscard]] wasm::proxy_wasm::StreamBuffer& buffer(Flow flow);
  [[nodiscard]] bool has_news(Flow flow) const;
  [[nodiscard]] std::optional<wasm::GuestCall> tell(Flow flow, const wasm::CallLimits& limits);
  void let_through(Flow flow);
  void notify();
  // Forwards everything without the plug-in.
  void bypass();

  std::shared_ptr<StreamVm> vm_;
  const ConnectionInfo* connection_;  // null once closed
  StreamListener* listener_;          // null once closed, or if there is none
  std::unique_ptr<wasm::proxy_wasm::StreamContext> context_;
  Phase phase_ = Phase::kNew;
  Call call_ = Call::kNone;
  std::array<Side, 2> sides_;
  std::optional<ClosedBy> closed_by_;
  bool close_wanted_ = false;
  bool bypassed_ = false;
};

class StreamVm final : public std::enable_shared_from_this<StreamVm>,
                       public wasm::Runnable,
                       public wasm::proxy_wasm::PluginHost {
 public:
  StreamVm(std::shared_ptr<const WasmPlugin> plugin, Worker& worker);
  ~StreamVm() override;

  // The streams that live in it, for as long as they do.
  void add(Stream& stream) { streams_.push_back(&stream); }
  void remove(Stream& stream) { std::erase(streams_, &stream); }

  // To be told to go on when the call at hand ends.
  void note_resumed(std::shared_ptr<Stream> stream) { resumed_.push_back(std::move(stream)); }

  // A stream has something to be told.
  void enqueue(const std::shared_ptr<Stream>& stream, Moment now);
  // Nobody is told of anything any more. Streams and VM hold each other until then.
  void abandon();
  // Ticks if it is time.
  void serve(Moment now);

  [[nodiscard]] const PluginSpec& spec() const { return plugin_->spec; }
  [[nodiscard]] wasm::proxy_wasm::Vm& vm() { return *vm_; }
  // It trapped, or did not start.
  [[nodiscard]] bool lost() const { return lost_; }
  [[nodiscard]] bool obeyed() const { return spec().on_failure != OnFailure::kObserve; }

  void log(wasm::proxy_wasm::LogLevel level, std::string_view line) override;
  [[nodiscard]] std::uint64_t unix_time_ns() override { return worker_->machine->unix_time_ns(); }
  [[nodiscard]] std::uint64_t monotonic_time_ns() override;
  void fill_random(MutableBytes bytes) override { worker_->machine->fill_random(bytes); }
  std::optional<std::string> property(std::string_view path) override;
  void set_tick_period(std::uint32_t milliseconds) override;

 protected:
  wasm::SliceResult run_slice(Moment now) override;

 private:
  [[nodiscard]] bool begin_next(Moment now);
  void end_call(Moment now);
  void run(Moment now);
  [[nodiscard]] wasm::CallLimits limits(Moment now) const;

  std::shared_ptr<const WasmPlugin> plugin_;
  Worker* worker_;
  std::unique_ptr<wasm::proxy_wasm::Vm> vm_;
  bool started_ = false;
  bool lost_ = false;
  std::vector<Stream*> streams_;
  std::vector<std::shared_ptr<Stream>> resumed_;
  std::deque<std::shared_ptr<Stream>> line_;
  std::shared_ptr<Stream> told_;  // whose call is under way; null: the plug-in's own
  Moment call_began_;
  Duration tick_period_{};
  Moment next_tick_ = Moment::max();
  bool tick_due_ = false;
  // After the line and what it refers to, so that it ends first.
  wasm::GuestCall call_;
};

}  // namespace grete::plugins

#include "plugins/stream/stream_vm.h"

#include <algorithm>
#include <utility>

#include "plugins/limits.h"
#include "wasm/limits.h"

namespace grete::plugins {
namespace {

// The value of listener_direction: traffic comes in, as Envoy says it.
constexpr std::uint64_t kInbound = 1;

}  // namespace

StreamVm::StreamVm(std::shared_ptr<const WasmPlugin> plugin, Worker& worker)
    : plugin_(std::move(plugin)),
      worker_(&worker),
      vm_(std::make_unique<wasm::proxy_wasm::Vm>(plugin_->module, plugin_->options, *this,
                                                 *plugin_->metrics, plugin_->shared)) {}

StreamVm::~StreamVm() = default;

void StreamVm::log(wasm::proxy_wasm::LogLevel level, std::string_view line) {
  worker_->telemetry->log(spec().name, static_cast<std::uint32_t>(level), line);
}

std::uint64_t StreamVm::monotonic_time_ns() {
  return static_cast<std::uint64_t>(worker_->machine->now().time_since_epoch().count());
}

std::optional<std::string> StreamVm::property(std::string_view path) {
  using std::string_view_literals::operator""sv;
  if (path == "listener_direction"sv) {
    std::string bytes(sizeof kInbound, '\0');
    store_little(reinterpret_cast<std::byte*>(bytes.data()), kInbound);
    return bytes;
  }
  if (path == "node\0id"sv) {
    return "grete";
  }
  return std::nullopt;
}

void StreamVm::set_tick_period(std::uint32_t milliseconds) {
  tick_period_ = std::chrono::milliseconds(milliseconds);
  next_tick_ = milliseconds == 0 ? Moment::max() : worker_->machine->now() + tick_period_;
}

void StreamVm::enqueue(const std::shared_ptr<Stream>& stream, Moment now) {
  if (!stream->queued && !lost_ && stream != told_) {
    stream->queued = true;
    line_.push_back(stream);
  }
  run(now);
}

void StreamVm::serve(Moment now) {
  if (now >= next_tick_ && !lost_) {
    next_tick_ = now + tick_period_;
    tick_due_ = true;
    run(now);
  }
}

void StreamVm::run(Moment now) {
  if (!queued() && !lost_) {
    worker_->queue->start(*this, now);
  }
}

// Connections that share an instance wait for each other: what counts there is the time that the
// guest itself takes, a slice being a tick.
wasm::CallLimits StreamVm::limits(Moment now) const {
  if (spec().isolation == Isolation::kConnection) {
    return {.deadline = now + spec().deadline};
  }
  const auto longest = std::min(spec().deadline, limits::kSharedStreamDeadline);
  return {.max_slices = static_cast<std::uint32_t>(longest / wasm::limits::kTick)};
}

void StreamVm::abandon() {
  lost_ = true;
  call_ = {};
  told_ = nullptr;
  line_.clear();
  resumed_.clear();
}

bool StreamVm::begin_next(Moment now) {
  if (!started_) {
    call_began_ = now;
    call_ = vm_->start({.deadline = now + limits::kConfigureDeadline});
    return true;
  }
  if (std::exchange(tick_due_, false)) {
    call_began_ = now;
    call_ = vm_->tick(limits(now));
    return true;
  }
  while (!line_.empty()) {
    told_ = std::move(line_.front());
    line_.pop_front();
    told_->queued = false;
    if (auto call = told_->next_call(limits(now))) {
      call_began_ = now;
      call_ = *std::move(call);
      return true;
    }
    told_ = nullptr;
  }
  return false;
}

wasm::SliceResult StreamVm::run_slice(Moment now) {
  // Streams that end may let go of this object.
  const auto self = shared_from_this();
  const Moment end = now + limits::kSlice;
  while (call_.valid() || begin_next(now)) {
    if (call_.poll(now) == wasm::CallState::kSuspended) {
      return wasm::SliceResult::kSuspended;
    }
    end_call(now);
    if (lost_) {
      break;
    }
    now = worker_->machine->now();
    if (now >= end) {
      return line_.empty() ? wasm::SliceResult::kFinished : wasm::SliceResult::kSuspended;
    }
  }
  return wasm::SliceResult::kFinished;
}

void StreamVm::end_call(Moment now) {
  const bool well = call_.state() == wasm::CallState::kDone;
  std::optional<Failure> failure;
  if (!well) {
    const wasm::Trap& trap = call_.trap();
    failure = Failure{
        trap.reason == wasm::TrapReason::kDeadline ? FailureKind::kDeadline : FailureKind::kTrap,
        std::string(name_of(trap.reason)) + ": " + trap.detail};
  }
  worker_->telemetry->call_ended({.plugin = spec().name,
                                  .kind = HookKind::kByteStream,
                                  .key = {},
                                  .direction = Direction::kRequest,
                                  .duration = std::max(now - call_began_, Duration{}),
                                  .slices = call_.slices(),
                                  .failure = failure ? &*failure : nullptr,
                                  .verdict = VerdictKind::kPass,
                                  .obeyed = obeyed(),
                                  .connection = 0});
  const wasm::GuestCall ended = std::exchange(call_, {});
  const auto stream = std::exchange(told_, nullptr);
  if (!well) {
    lost_ = true;
    for (const auto& waiting : line_) {
      waiting->queued = false;
    }
    line_.clear();
    resumed_.clear();
    for (Stream* const lost : streams_) {
      if (!lost->finished()) {
        lost->lose_instance();
      }
    }
    return;
  }
  started_ = true;
  for (const auto& resumed : std::exchange(resumed_, {})) {
    resumed->go_on();
  }
  if (stream != nullptr) {
    stream->call_ended(ended);
    if (!stream->finished() && !stream->queued) {
      stream->queued = true;
      line_.push_back(stream);
    }
  }
}

}  // namespace grete::plugins

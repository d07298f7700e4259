#include "gateway/net/worker_plugins.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <sys/random.h>

#include "gateway/session/protocol.h"
#include "gateway/telemetry/log.h"

namespace grete::gateway {

namespace {

// What plug-ins may take between two turns of I/O, beside the run queue's slice.
constexpr Duration kTurn = std::chrono::milliseconds{1};
// How often messages are looked at that wait for an instance or for a moment.
constexpr Duration kWaitingPoll = std::chrono::milliseconds{1};
// How finely the ticks of plug-ins on the byte stream are kept.
constexpr Duration kStreamTick = std::chrono::milliseconds{20};

}  // namespace

WorkerPlugins::WorkerPlugins(WorkerContext& context)
    : context_(&context),
      codecs_(context.memory),
      worker_{.codecs = &codecs_, .telemetry = this, .machine = this, .queue = &queue_} {}

WorkerPlugins::~WorkerPlugins() = default;

std::shared_ptr<plugins::ChainRuntime> WorkerPlugins::runtime(const Listener& listener) {
  if (listener.chain == nullptr) {
    return nullptr;
  }
  auto& runtime = runtimes_[listener.chain];
  if (runtime == nullptr) {
    runtime = plugins::ChainRuntime::create(listener.chain, worker_);
  }
  return runtime;
}

std::vector<plugins::StreamRuntime*> WorkerPlugins::streams(const Listener& listener) {
  std::vector<plugins::StreamRuntime*> streams;
  for (const auto& plugin : listener.streams) {
    auto& runtime = streams_[plugin.get()];
    if (runtime == nullptr) {
      runtime = plugins::make_stream_runtime(plugin, worker_);
    }
    streams.push_back(runtime.get());
  }
  return streams;
}

void WorkerPlugins::add(Connection& connection) {
  holding_.push_back(&connection);
  context_->stats.tasks_waiting.set(holding_.size());
}

void WorkerPlugins::forget(const Connection& connection) {
  std::erase(holding_, &connection);
}

Duration WorkerPlugins::run() {
  const bool more = queue_.run(&MonotonicClock::now);
  const Moment start = MonotonicClock::now();
  for (const auto& [chain, runtime] : runtimes_) {
    runtime->serve(start);
  }
  for (const auto& [plugin, runtime] : streams_) {
    runtime->serve(start);
  }
  if (!holding_.empty()) {
    run_connections(ChainState::kFresh, start + kTurn);
    run_connections(ChainState::kRunnable, start + kTurn);
    run_connections(ChainState::kWaiting, start + kTurn);
    std::erase_if(holding_, [](Connection* connection) {
      if (connection->chain_state() != ChainState::kEmpty) {
        return false;
      }
      connection->left_chain();
      return true;
    });
    context_->stats.tasks_waiting.set(holding_.size());
  }
  if (more || !queue_.idle()) {
    return Duration::zero();
  }
  Duration sleep = streams_.empty() ? Duration{-1} : kStreamTick;
  for (const Connection* connection : holding_) {
    if (connection->chain_state() != ChainState::kWaiting) {
      return Duration::zero();
    }
    sleep = kWaitingPoll;
  }
  return sleep;
}

void WorkerPlugins::run_connections(ChainState wanted, Moment end) {
  // By index, since a connection that goes on may add to the list.
  const std::size_t count = holding_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Connection& connection = *holding_[(turn_ + i) % count];
    if (connection.chain_state() != wanted) {
      continue;
    }
    const Moment now = MonotonicClock::now();
    if (now >= end) {
      turn_ = (turn_ + i) % count;
      return;
    }
    connection.run_chain(now);
  }
}

void WorkerPlugins::call_ended(const plugins::CallReport& report) {
  for (const auto& plugin : context_->stats.plugins) {
    if (plugin->name != report.plugin) {
      continue;
    }
    PluginStats::Hook& hook = plugin->hooks[static_cast<std::size_t>(report.kind)];
    hook.calls.add();
    hook.slices.add(report.slices);
    hook.duration.observe(report.duration);
    if (report.failure == nullptr) {
      hook.verdicts[static_cast<std::size_t>(report.verdict)].add();
      return;
    }
    hook.failures[static_cast<std::size_t>(report.failure->kind)].add();
    break;
  }
  if (report.failure != nullptr) {
    Log::warning("plug-in failed", {{"plugin", report.plugin},
                                    {"hook", plugins::name_of(report.kind)},
                                    {"api", name_of(report.key)},
                                    {"connection", report.connection},
                                    {"failure", plugins::name_of(report.failure->kind)},
                                    {"detail", report.failure->detail}});
  }
}

void WorkerPlugins::log(std::string_view plugin, std::uint32_t level, std::string_view text) {
  constexpr LogLevel kLevels[] = {LogLevel::kDebug,   LogLevel::kDebug, LogLevel::kInfo,
                                  LogLevel::kWarning, LogLevel::kError, LogLevel::kError};
  Log::write(kLevels[std::min<std::uint32_t>(level, 5)], "plug-in says",
             {{"plugin", plugin}, {"text", text}});
}

std::uint64_t WorkerPlugins::unix_time_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

void WorkerPlugins::fill_random(MutableBytes bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
  }
}

}  // namespace grete::gateway

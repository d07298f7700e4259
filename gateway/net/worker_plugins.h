// The plug-ins of one worker: their runtimes, what they share, and the messages they hold.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "gateway/net/connection.h"
#include "gateway/net/worker_context.h"
#include "kafka/records/compression.h"
#include "plugins/chain.h"
#include "plugins/stream/stream_filter.h"
#include "plugins/worker.h"
#include "wasm/pool/run_queue.h"

namespace grete::gateway {

// One thread. Outlives the worker's connections; the context outlives it.
class WorkerPlugins final : public plugins::Telemetry, public plugins::Machine {
 public:
  explicit WorkerPlugins(WorkerContext& context);
  ~WorkerPlugins() override;

  // The listener's chain on this worker; null if it has none.
  [[nodiscard]] std::shared_ptr<plugins::ChainRuntime> runtime(const Listener& listener);

  // The listener's plug-ins on the byte stream, on this worker.
  [[nodiscard]] std::vector<plugins::StreamRuntime*> streams(const Listener& listener);

  // Plug-ins hold a message of that connection, which is forgotten once they do not or when
  // forget() says so.
  void add(Connection& connection);
  void forget(const Connection& connection);

  // Between two turns of I/O: lets plug-ins work for about a tick. Returns how long the worker may
  // sleep before the next turn: negative for ever.
  [[nodiscard]] Duration run();

  void call_ended(const plugins::CallReport& report) override;
  void log(std::string_view plugin, std::uint32_t level, std::string_view text) override;
  [[nodiscard]] std::uint64_t unix_time_ns() override;
  Moment now() override { return MonotonicClock::now(); }
  void fill_random(MutableBytes bytes) override;

 private:
  void run_connections(ChainState wanted, Moment end);

  WorkerContext* context_;
  kafka::records::CodecPool codecs_;
  wasm::RunQueue queue_;
  plugins::Worker worker_;
  std::unordered_map<std::shared_ptr<const plugins::Chain>, std::shared_ptr<plugins::ChainRuntime>>
      runtimes_;
  std::unordered_map<const plugins::WasmPlugin*, std::unique_ptr<plugins::StreamRuntime>> streams_;
  std::vector<Connection*> holding_;
  std::size_t turn_ = 0;  // where the next round begins
};

}  // namespace grete::gateway

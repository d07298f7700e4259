// What a worker counts. Written by its own thread alone, read by the thread that is scraped.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/session/session.h"
#include "gateway/telemetry/counter.h"
#include "gateway/telemetry/plugin_stats.h"
#include "kafka/ids.h"

namespace grete::gateway {

struct ApiStats {
  Counter requests;
  Counter request_bytes;
  Counter replies;
  Counter reply_bytes;
  Histogram duration;  // from a request's first bytes to its reply's last
  Histogram in_chain;  // that plug-ins held a message
};

// Reasons that a connection ends for, beside SessionFailure.
enum class CloseCause : std::uint8_t {
  kClient,   // the client closed
  kBroker,   // the broker closed
  kConnect,  // no broker could be reached
  kIdle,
  kDrain,
  kWrongBroker,  // paired by guess, and the guess was wrong
  kReset,        // a socket failed
  kRefused,      // a SessionFailure
};
inline constexpr std::size_t kCloseCauses = 8;
// For metrics and logs: "wrong-broker".
[[nodiscard]] std::string_view name_of(CloseCause cause);
inline constexpr std::size_t kSessionFailures = 10;

struct WorkerStats {
  // API keys above share the last place.
  static constexpr std::size_t kApis = 128;

  std::array<ApiStats, kApis + 1> apis;
  PluginStatsList plugins;  // filled before the worker starts
  Counter connections_accepted;
  Counter connections_open;
  std::array<Counter, kCloseCauses> closed;
  std::array<Counter, kSessionFailures> refused;
  Counter connect_failures;
  Counter bytes_from_clients;
  Counter bytes_from_brokers;
  Counter reads_paused;      // a peer was slow, or memory short
  Counter hidden_addresses;  // Fetch replies whose broker addresses were hidden
  Counter memory_used;       // bytes, now
  Counter tasks_waiting;     // messages in plug-ins, now
  Histogram turn;            // one turn of the worker's loop

  [[nodiscard]] ApiStats& api(kafka::ApiKey key) {
    const auto index = static_cast<std::size_t>(key.value());
    return apis[key.value() >= 0 && index < kApis ? index : kApis];
  }
};

}  // namespace grete::gateway

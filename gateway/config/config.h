// The configuration, as parsed from its YAML file. Const after that; docs/configuration.md
// describes the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/cluster/cluster.h"
#include "gateway/limits.h"
#include "gateway/session/broker_ports.h"
#include "gateway/telemetry/log.h"

namespace grete::gateway {

struct ClusterConfig {
  std::string name;
  std::vector<HostPort> bootstrap;

  friend bool operator==(const ClusterConfig&, const ClusterConfig&) = default;
};

struct ListenerConfig {
  std::string name;
  HostPort bind;      // where clients bootstrap
  BrokerPorts ports;  // on bind's host; `host` is what clients are told
  std::string cluster;
  std::vector<std::string> chain;  // names of plug-ins, in order

  friend bool operator==(const ListenerConfig&, const ListenerConfig&) = default;
};

enum class FailurePolicy : std::uint8_t { kReject, kPass, kObserve };
enum class Isolation : std::uint8_t { kWorker, kConnection };

struct PluginConfig {
  std::string name;
  std::string wasm;    // a file; empty for a native filter
  std::string native;  // a filter that is part of the program; empty for a module
  std::chrono::milliseconds deadline{100};
  std::uint64_t memory = 64u << 20;
  std::uint32_t instances = 8;
  FailurePolicy on_failure = FailurePolicy::kReject;
  Isolation isolation = Isolation::kWorker;
  std::string config = "{}";  // the plug-in's own, as JSON
  int line = 0;               // where the file describes it, from 1
  int column = 0;

  friend bool operator==(const PluginConfig&, const PluginConfig&) = default;
};

struct LimitsConfig {
  std::uint64_t max_frame = kDefaultMaxFrame;
  std::uint64_t connection_memory = kDefaultConnectionMemory;
  std::uint64_t memory = kDefaultProcessMemory;
  std::uint32_t connections = kDefaultMaxConnections;
  std::uint32_t in_flight = kDefaultMaxInFlight;
  std::uint32_t workers = 0;  // 0: one a core
  std::chrono::milliseconds connect_timeout = kDefaultConnectTimeout;
  std::chrono::milliseconds idle_timeout = kDefaultIdleTimeout;
  std::chrono::milliseconds drain_timeout = kDefaultDrainTimeout;

  friend bool operator==(const LimitsConfig&, const LimitsConfig&) = default;
};

struct LogConfig {
  LogFormat format = LogFormat::kText;
  LogLevel level = LogLevel::kInfo;

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct Config {
  std::map<std::string, ClusterConfig> clusters;
  std::vector<ListenerConfig> listeners;
  std::map<std::string, PluginConfig> plugins;
  std::optional<HostPort> admin;
  LimitsConfig limits;
  LogConfig log;

  friend bool operator==(const Config&, const Config&) = default;
};

// What is wrong with a configuration file, and where. Lines and columns count from 1; 0 if the
// error has no place.
struct ConfigError {
  int line = 0;
  int column = 0;
  std::string text;

  // "grete.yaml:3:5: text", as compilers print it.
  [[nodiscard]] std::string format(const std::string& file) const;

  friend bool operator==(const ConfigError&, const ConfigError&) = default;
};

}  // namespace grete::gateway

#include <csignal>
#include <cstdio>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "gateway/admin/admin.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/plugin_factory.h"
#include "gateway/config/parse.h"
#include "gateway/net/server.h"
#include "gateway/telemetry/log.h"
#include "gateway/telemetry/metrics.h"

namespace grete::gateway {

namespace {

std::string metrics_of(const Server& server) {
  std::vector<const WorkerStats*> stats;
  for (const auto& worker : server.workers()) {
    stats.push_back(&worker->stats());
  }
  return render_metrics(stats);
}

// The configuration, or nullptr after telling what is wrong with it.
std::shared_ptr<const Config> load(const std::string& file) {
  auto config = read_config(file);
  if (!config) {
    for (const ConfigError& error : config.error()) {
      fmt::print(stderr, "{}\n", error.format(file));
    }
    return nullptr;
  }
  return std::make_shared<const Config>(*std::move(config));
}

void await_signals(boost::asio::signal_set& signals, boost::asio::io_context& io, Server& server) {
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) {
      return;
    }
    Log::info("draining: no new connections, outstanding requests finish; again to stop at once",
              {{"signal", signal}});
    server.drain([&io] { io.stop(); });
    signals.async_wait([&io](const boost::system::error_code& again, int) {
      if (!again) {
        io.stop();
      }
    });
  });
}

}  // namespace

int run_command(const std::string& config_file, const MakeNative& native) {
  const auto config = load(config_file);
  if (config == nullptr) {
    return 1;
  }
  Log::start(config->log.format, config->log.level);
  boost::asio::io_context io(1);
  int result = 0;
  {
    PluginFactory plugins(native);
    Server server(io, config, [&](const PluginConfig& plugin) { return plugins.make(plugin); });
    if (auto started = server.start(); !started) {
      Log::error(started.error());
      result = 1;
    } else {
      boost::asio::signal_set signals(io, SIGTERM, SIGINT);
      await_signals(signals, io, server);
      for (const ListenerConfig& listener : config->listeners) {
        Log::info("listening", {{"listener", listener.name},
                                {"bind", listener.bind.text()},
                                {"cluster", listener.cluster}});
      }
      AdminServer admin(io, {.metrics = [&server] { return metrics_of(server); },
                             .ready = [&server] { return server.ready(); }});
      if (config->admin) {
        if (auto bound = admin.start(*config->admin); !bound) {
          Log::error(bound.error());
          result = 1;
          io.stop();
        } else {
          Log::info("admin", {{"bind", config->admin->text()}});
        }
      }
      io.run();
      Log::info("stopped");
    }
  }
  Log::stop();
  return result;
}

int check_command(const std::string& config_file, const MakeNative& native) {
  const auto config = load(config_file);
  if (config == nullptr) {
    return 1;
  }
  PluginFactory plugins(native);
  int result = 0;
  for (const auto& [name, plugin] : config->plugins) {
    if (const auto made = plugins.make(plugin); !made) {
      const ConfigError error{plugin.line, plugin.column,
                              fmt::format("plugins.{}: {}", name, made.error())};
      fmt::print(stderr, "{}\n", error.format(config_file));
      result = 1;
    }
  }
  if (result == 0) {
    fmt::print("{}: good\n", config_file);
  }
  return result;
}

}  // namespace grete::gateway

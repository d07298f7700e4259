// The running gateway: listeners, workers, clusters, and their beginning and end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.h"
#include "gateway/config/config.h"
#include "gateway/net/worker.h"
#include "plugins/plugin_loader.h"

namespace grete::gateway {

// Makes the plug-in that the configuration describes; the error says what is wrong with it.
using MakePlugin = std::function<Result<plugins::LoadedPlugin, std::string>(const PluginConfig&)>;

// Accepts on the thread that runs the io_context and hands connections to the least loaded worker.
// Names are looked up there too. Members that are not said to be for any thread belong to it.
class Server final : public AddressLookup {
 public:
  Server(boost::asio::io_context& io, std::shared_ptr<const Config> config, MakePlugin plugins);
  ~Server() override;

  // Binds every port of every listener and starts the workers. The error names the address.
  [[nodiscard]] Result<void, std::string> start();

  // Stops accepting, lets outstanding requests finish, then calls `done`: at the latest after
  // limits.drain_timeout.
  void drain(std::function<void()> done);

  // Any thread.
  [[nodiscard]] bool ready() const { return ready_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  [[nodiscard]] const Config& config() const { return *config_; }
  // The port that a listener's bootstrap address is bound to; of interest if it was configured as
  // 0.
  [[nodiscard]] std::uint16_t bound_port(std::size_t listener) const {
    return bound_ports_[listener];
  }

  void look_up(const HostPort& target, Found found) override;

 private:
  struct Acceptor;

  [[nodiscard]] Result<void, std::string> listen(const std::shared_ptr<const Listener>& listener,
                                                 const HostPort& bind, kafka::NodeId node);
  [[nodiscard]] Result<void, std::string> add_plugins(const ListenerConfig& configured,
                                                      Listener& listener);
  void accept_next(Acceptor& acceptor);
  void place(Acceptor& acceptor, int descriptor);
  void await_drained(Moment deadline, std::function<void()> done);

  boost::asio::io_context* io_;
  std::shared_ptr<const Config> config_;
  MakePlugin make_plugin_;
  std::map<std::string, plugins::LoadedPlugin> plugins_;
  std::vector<std::shared_ptr<Cluster>> clusters_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::uint16_t> bound_ports_;
  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::steady_timer timer_;
  std::atomic<bool> ready_ = false;
  bool full_ = false;
};

}  // namespace grete::gateway

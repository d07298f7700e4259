// The admin port: HTTP for operators and their machines.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/result.h"
#include "gateway/cluster/cluster.h"

namespace grete::gateway {

// What the admin port shows. Called on the io_context's thread.
struct AdminPages {
  std::function<std::string()> metrics;  // GET /metrics
  std::function<bool()> ready;           // GET /readyz: 200 if so, else 503
};

// Serves GET and HEAD of /metrics, /healthz and /readyz. Requests, connections and their time are
// limited (limits.h). One thread: the io_context's.
class AdminServer {
 public:
  AdminServer(boost::asio::io_context& io, AdminPages pages);
  ~AdminServer();

  // The error names the address.
  [[nodiscard]] Result<void, std::string> start(const HostPort& bind);
  // The port that it is bound to.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Client;

  void accept_next();

  boost::asio::ip::tcp::acceptor acceptor_;
  AdminPages pages_;
  std::shared_ptr<std::uint32_t> clients_ = std::make_shared<std::uint32_t>(0);
};

}  // namespace grete::gateway

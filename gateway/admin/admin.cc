#include "gateway/admin/admin.h"

#include <utility>

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "gateway/limits.h"

namespace grete::gateway {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// One HTTP connection. Lives as long as an operation on it is under way.
class AdminServer::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(tcp::socket socket, const AdminPages& pages, std::shared_ptr<std::uint32_t> count)
      : stream_(std::move(socket)),
        buffer_(kMaxAdminRequest),
        pages_(pages),
        count_(std::move(count)) {
    ++*count_;
  }
  ~Client() { --*count_; }

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(kMaxAdminRequest));
    parser_->body_limit(0);
    stream_.expires_after(kAdminTimeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](const error_code& error, std::size_t) {
                       if (!error) {
                         self->answer(self->parser_->get());
                       }
                     });
  }

 private:
  using Request = http::request<http::empty_body>;

  void answer(const Request& request) {
    response_ = {};
    response_.version(request.version());
    response_.keep_alive(request.keep_alive());
    response_.set(http::field::server, "grete");
    fill(request);
    response_.prepare_payload();
    if (request.method() == http::verb::head) {
      response_.body().clear();
    }
    http::async_write(stream_, response_,
                      [self = shared_from_this()](const error_code& error, std::size_t) {
                        if (!error && self->response_.keep_alive()) {
                          self->read();
                        }
                      });
  }

  void fill(const Request& request) {
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      text(http::status::method_not_allowed, "GET and HEAD only\n");
      return;
    }
    const auto target = request.target().substr(0, request.target().find('?'));
    if (target == "/metrics") {
      response_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
      text(http::status::ok, pages_.metrics());
    } else if (target == "/healthz") {
      text(http::status::ok, "ok\n");
    } else if (target == "/readyz") {
      if (pages_.ready()) {
        text(http::status::ok, "ready\n");
      } else {
        text(http::status::service_unavailable, "not ready\n");
      }
    } else {
      text(http::status::not_found, "there are /metrics, /healthz and /readyz\n");
    }
  }

  void text(http::status status, std::string body) {
    response_.result(status);
    response_.body() = std::move(body);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  AdminPages pages_;
  std::shared_ptr<std::uint32_t> count_;
};

AdminServer::AdminServer(asio::io_context& io, AdminPages pages)
    : acceptor_(io), pages_(std::move(pages)) {}

AdminServer::~AdminServer() = default;

Result<void, std::string> AdminServer::start(const HostPort& bind) {
  try {
    tcp::resolver resolver(acceptor_.get_executor());
    const tcp::endpoint endpoint =
        resolver.resolve(bind.host, std::to_string(bind.port), tcp::resolver::passive)
            .begin()
            ->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
  } catch (const boost::system::system_error& error) {
    return unexpected(
        fmt::format("the admin port cannot listen on {}: {}", bind.text(), error.code().message()));
  }
  accept_next();
  return {};
}

std::uint16_t AdminServer::port() const {
  return acceptor_.local_endpoint().port();
}

void AdminServer::accept_next() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) {
      return;
    }
    if (!error && *clients_ < kMaxAdminConnections) {
      std::make_shared<Client>(std::move(socket), pages_, clients_)->read();
    }
    accept_next();
  });
}

}  // namespace grete::gateway

#include "gateway/net/socket.h"

#include <cerrno>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace grete::gateway {

namespace {

std::uint16_t port_of(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
}

}  // namespace

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text,
              sizeof text);
  } else if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
  }
  return text;
}

std::string SocketAddress::text() const {
  return storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host(), port_of(*this))
                                       : fmt::format("{}:{}", host(), port_of(*this));
}

Socket::Socket(int descriptor) : descriptor_(descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if ((flags & O_NONBLOCK) == 0) {
    ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

Result<Socket, int> Socket::connect(const SocketAddress& address) {
  const int descriptor =
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return unexpected(errno);
  }
  Socket made(descriptor);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size) !=
          0 &&
      errno != EINPROGRESS) {
    return unexpected(errno);
  }
  return made;
}

int Socket::connect_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

Transfer Socket::read(MutableBytes to) const {
  for (;;) {
    const ssize_t got = ::recv(descriptor_, to.data(), to.size(), 0);
    if (got > 0) {
      return {.bytes = static_cast<std::size_t>(got)};
    }
    if (got == 0) {
      return {.state = Transfer::State::kEnd};
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return {.state = Transfer::State::kWouldBlock};
    }
    if (errno != EINTR) {
      return {.state = Transfer::State::kFailed, .error = errno};
    }
  }
}

Transfer Socket::write(std::span<const iovec> pieces) const {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  for (;;) {
    const ssize_t put = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (put >= 0) {
      return {.bytes = static_cast<std::size_t>(put)};
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return {.state = Transfer::State::kWouldBlock};
    }
    if (errno != EINTR) {
      return {.state = Transfer::State::kFailed, .error = errno};
    }
  }
}

void Socket::shutdown_write() const {
  ::shutdown(descriptor_, SHUT_WR);
}

void Socket::close() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    descriptor_ = -1;
  }
}

SocketAddress Socket::peer() const {
  SocketAddress address;
  address.size = sizeof address.storage;
  ::getpeername(descriptor_, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  return address;
}

SocketAddress Socket::local() const {
  SocketAddress address;
  address.size = sizeof address.storage;
  ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  return address;
}

}  // namespace grete::gateway

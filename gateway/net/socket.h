// A non-blocking TCP socket, and addresses of such.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/result.h"

namespace grete::gateway {

// An IPv4 or IPv6 address with its port.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  // "127.0.0.1:9092", "[::1]:9092".
  [[nodiscard]] std::string text() const;
  // The address alone: "127.0.0.1".
  [[nodiscard]] std::string host() const;
};

// What a read or write did. Errors are errno values.
struct Transfer {
  enum class State : std::uint8_t { kDone, kWouldBlock, kEnd, kFailed };
  State state = State::kDone;
  std::size_t bytes = 0;
  int error = 0;
};

// Owns a file descriptor. Movable; any thread, one at a time.
class Socket {
 public:
  Socket() = default;
  // Takes over `descriptor` and makes it non-blocking, without Nagle's algorithm.
  explicit Socket(int descriptor);
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() { close(); }

  // Begins to connect. The socket is writable once that is decided; then connect_error() tells.
  [[nodiscard]] static Result<Socket, int> connect(const SocketAddress& address);
  // 0 once connected, else an errno value.
  [[nodiscard]] int connect_error() const;

  // Reads what is there into `to`.
  [[nodiscard]] Transfer read(MutableBytes to) const;
  // Writes what the kernel takes.
  [[nodiscard]] Transfer write(std::span<const iovec> pieces) const;

  // Tells the peer that nothing more will come.
  void shutdown_write() const;
  void close();

  [[nodiscard]] SocketAddress peer() const;
  [[nodiscard]] SocketAddress local() const;
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

}  // namespace grete::gateway

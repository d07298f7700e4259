#include "bench/sockets.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"

namespace grete::bench {
namespace {

sockaddr_in resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), nullptr, &hints, &found) != 0 || found == nullptr) {
    die("no such host: " + address.host);
  }
  sockaddr_in result{};
  std::memcpy(&result, found->ai_addr, sizeof result);
  result.sin_port = htons(static_cast<std::uint16_t>(address.port));
  freeaddrinfo(found);
  return result;
}

std::string text_of(const Address& address) {
  return address.host + ":" + std::to_string(address.port);
}

void without_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void read_fully(int fd, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = recv(fd, to, size, 0);
    if (got <= 0) {
      die(got == 0 ? "the peer closed the connection during the handshake"
                   : std::string("no answer to the handshake: ") + std::strerror(errno));
    }
    to += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::uint32_t frame_size(const char* from) {
  return load_big<std::uint32_t>(reinterpret_cast<const std::byte*>(from));
}

}  // namespace

void die(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, what.c_str());
  std::exit(1);
}

Fd::~Fd() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

Address parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  Address address;
  if (colon != std::string_view::npos && colon > 0) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, address.port);
    if (parsed.ec == std::errc() && parsed.ptr == end && address.port > 0 && address.port < 65536) {
      address.host = text.substr(0, colon);
      return address;
    }
  }
  die("'" + std::string(text) + "' is not HOST:PORT");
}

Fd connect_to(const Address& address) {
  const sockaddr_in to = resolve(address);
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0 || connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    die("cannot connect to " + text_of(address) + ": " + std::strerror(errno));
  }
  without_delay(fd.get());
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

Fd listen_on(const Address& address) {
  const sockaddr_in at = resolve(address);
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) {
    die(std::string("no socket: ") + std::strerror(errno));
  }
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  without_delay(fd.get());  // what is accepted inherits it
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
      listen(fd.get(), 4096) != 0) {
    die("cannot listen on " + text_of(address) + ": " + std::strerror(errno));
  }
  return fd;
}

void set_non_blocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

std::string exchange_frames(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      die(std::string("cannot send the handshake: ") + std::strerror(errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::array<char, 4> size{};
  read_fully(fd, size.data(), size.size());
  if (frame_size(size.data()) > 1u << 20) {
    die("the peer does not speak Kafka: its frame is of " +
        std::to_string(frame_size(size.data())) + " bytes");
  }
  std::string frame(frame_size(size.data()), '\0');
  read_fully(fd, frame.data(), frame.size());
  return frame;
}

template <std::size_t kPrefixBytes>
Io SendQueue<kPrefixBytes>::flush(int fd) {
  constexpr std::size_t kFramesAtOnce = 32;
  while (!frames_.empty()) {
    std::array<iovec, 2 * kFramesAtOnce> parts;
    std::size_t count = 0;
    std::size_t skip = sent_;
    for (std::size_t i = 0; i < std::min(frames_.size(), kFramesAtOnce); ++i) {
      Frame& frame = frames_[i];
      if (skip < kPrefixBytes) {
        parts[count++] = {frame.prefix.data() + skip, kPrefixBytes - skip};
        skip = kPrefixBytes;
      }
      const std::size_t from = skip - kPrefixBytes;
      parts[count++] = {const_cast<char*>(frame.rest->data()) + from, frame.rest->size() - from};
      skip = 0;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      return errno == EAGAIN || errno == EINTR ? Io::kBlocked : Io::kClosed;
    }
    sent_ += static_cast<std::size_t>(sent);
    while (!frames_.empty() && sent_ >= kPrefixBytes + frames_.front().rest->size()) {
      sent_ -= kPrefixBytes + frames_.front().rest->size();
      frames_.pop_front();
    }
  }
  return Io::kDone;
}
template class SendQueue<8>;
template class SendQueue<12>;

std::size_t FrameSkimmer::frame_bytes() const {
  return passed_ < 4 ? 0 : std::size_t{4} + frame_size(head_.data());
}

Io FrameSkimmer::fill(int fd) {
  const bool discard = kept_ == kHeadBytes && frame_bytes() - passed_ >= chunk_.size();
  const ssize_t got = discard ? recv(fd, nullptr, frame_bytes() - passed_, MSG_DONTWAIT | MSG_TRUNC)
                              : recv(fd, chunk_.data(), chunk_.size(), MSG_DONTWAIT);
  if (got == 0) {
    return Io::kClosed;
  }
  if (got < 0) {
    return errno == EAGAIN || errno == EINTR ? Io::kBlocked : Io::kClosed;
  }
  if (discard) {
    passed_ += static_cast<std::size_t>(got);
  } else {
    chunk_at_ = 0;
    chunk_end_ = static_cast<std::size_t>(got);
  }
  return Io::kDone;
}

bool FrameSkimmer::next() {
  while (chunk_at_ < chunk_end_) {
    // The size first, for it says how much of the chunk is of this frame.
    const std::size_t wanted = passed_ < 4 ? 4 - passed_ : frame_bytes() - passed_;
    if (wanted == 0) {
      return true;
    }
    const std::size_t here = std::min(wanted, chunk_end_ - chunk_at_);
    const std::size_t keep = std::min(here, kHeadBytes - kept_);
    std::memcpy(head_.data() + kept_, chunk_.data() + chunk_at_, keep);
    kept_ += keep;
    passed_ += here;
    chunk_at_ += here;
  }
  return passed_ >= 4 && passed_ == frame_bytes();
}

}  // namespace grete::bench

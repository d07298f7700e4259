// Non-blocking sockets that send prepared frames and skim received ones, at little cost of their
// own: what the bench programs spend is taken from the core they share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace grete::bench {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();

  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Address {
  std::string host;
  int port = 0;
};

// The functions below end the program with a message if the machine refuses: the bench cannot go
// on.

// "HOST:PORT".
Address parse_address(std::string_view text);
// A blocking connection without Nagle's delay, on which reading gives up after 10 s.
Fd connect_to(const Address& address);
Fd listen_on(const Address& address);
void set_non_blocking(int fd);
[[noreturn]] void die(const std::string& what);

// Sends `bytes` and receives one frame (without its size) on a blocking socket. Ends the program if
// the peer closes or stays silent.
std::string exchange_frames(int fd, std::string_view bytes);

enum class Io : std::uint8_t {
  kDone,     // nothing is left to send
  kBlocked,  // the socket takes or has no more for now
  kClosed,   // the peer has closed, or the connection broke
};

// Frames waiting to be sent: each a short prefix of its own and a rest that is shared and outlives
// the queue.
template <std::size_t kPrefixBytes>
class SendQueue {
 public:
  void push(const std::array<char, kPrefixBytes>& prefix, const std::string& rest) {
    frames_.push_back({prefix, &rest});
  }
  [[nodiscard]] std::size_t size() const { return frames_.size(); }
  // Sends as much as the socket takes.
  Io flush(int fd);

 private:
  struct Frame {
    std::array<char, kPrefixBytes> prefix;
    const std::string* rest;
  };

  std::deque<Frame> frames_;
  std::size_t sent_ = 0;  // bytes of the first frame
};
extern template class SendQueue<8>;
extern template class SendQueue<12>;

// Splits what arrives into Kafka frames, keeps the first bytes of each and lets the kernel discard
// the rest.
class FrameSkimmer {
 public:
  static constexpr std::size_t kHeadBytes = 128;

  // Reads what is there and calls `on_frame(head)` for each frame that is complete; `head` is the
  // frame without its size, cut to kHeadBytes - 4. Stops after about 64 KiB, so that one connection
  // does not hold up the others. Never kDone.
  template <class OnFrame>
  Io read(int fd, OnFrame&& on_frame) {
    for (int turns = 0; turns < 16; ++turns) {
      const Io got = fill(fd);
      if (got != Io::kDone) {
        return got;
      }
      while (next()) {
        on_frame(std::string_view(head_.data() + 4, kept_ - 4));
        kept_ = 0;
        passed_ = 0;
      }
    }
    return Io::kBlocked;
  }

 private:
  // Receives bytes into chunk_, or discards what the frame under way needs no more.
  Io fill(int fd);
  // Moves on in chunk_; true if a frame is complete.
  bool next();
  [[nodiscard]] std::size_t frame_bytes() const;

  std::array<char, 4096> chunk_;
  std::size_t chunk_at_ = 0;
  std::size_t chunk_end_ = 0;
  std::array<char, kHeadBytes> head_;
  std::size_t kept_ = 0;    // bytes in head_
  std::size_t passed_ = 0;  // bytes of the frame seen, with its size
};

}  // namespace grete::bench

// Cuts one direction of a byte stream into Kafka's frames (4 bytes of length, then the message),
// where a host hands over whatever bytes have arrived.
//
// The host's buffer holds what it has not forwarded yet. While a frame that the filter wants to see
// is incomplete, the stream is paused and its bytes stay with the host, unread; so a frame is
// copied a bounded number of times, however small the pieces are that it comes in. Once frames go
// on, the incomplete rest behind them is kept here, for the host can only forward all that it
// holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace grete::sdk {

// The bytes of one direction that the host has not forwarded.
class HostBuffer {
 public:
  virtual ~HostBuffer() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  // Appends all of it to `to`.
  virtual void read(std::vector<std::byte>& to) = 0;
  virtual void replace(Bytes bytes) = 0;
};

enum class StreamAction : std::uint8_t {
  kContinue,  // the host forwards what its buffer holds now
  kPause,     // it keeps it, and calls again when more has come
  kClose,     // it closes the connection
};

enum class EndOfStream : std::uint8_t { kNo, kYes };

// What becomes of the frames of one direction.
class FrameHandler {
 public:
  struct Look {
    enum class Kind : std::uint8_t { kPass, kWhole, kMore, kClose };
    Kind kind = Kind::kPass;
    // kMore: how many bytes of the frame to look at next, more than there were.
    std::size_t need = 0;
  };
  enum class Fate : std::uint8_t { kKeep, kReplace, kDrop, kClose };

  virtual ~FrameHandler() = default;
  // Whether the frame that begins with `prefix` goes on as it comes, or handle() wants all of it.
  // `frame_size` counts its length field, and so does the prefix, which holds at least that.
  virtual Look look(Bytes prefix, std::size_t frame_size) = 0;
  // A whole frame. For kReplace, appends what is to be sent instead to `out`.
  virtual Fate handle(Bytes frame, std::vector<std::byte>& out) = 0;
};

class FrameStream {
 public:
  // Larger frames close the connection; Kafka's own limit (socket.request.max.bytes) is the same.
  static constexpr std::size_t kMaxFrameBytes = std::size_t{100} << 20;

  // `handler` outlives the stream.
  explicit FrameStream(FrameHandler& handler) : handler_(&handler) {}

  // More bytes are in `buffer`, or the sender has closed. A frame without an end is dropped then.
  StreamAction on_data(HostBuffer& buffer, EndOfStream end);

 private:
  // False: close.
  bool walk(Bytes data, std::size_t& done);

  FrameHandler* handler_;
  // Bytes before those in the host's buffer.
  std::vector<std::byte> kept_;
  // How many bytes from the start of kept_ on must be there before a look is worth while.
  std::size_t wanted_ = 0;
  // Bytes still to come of a frame that goes on as it comes.
  std::size_t passing_ = 0;
  // Scratch memory of on_data().
  std::vector<std::byte> data_;
  std::vector<std::byte> out_;
  bool changed_ = false;
};

}  // namespace grete::sdk

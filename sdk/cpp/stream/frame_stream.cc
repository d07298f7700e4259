#include "sdk/cpp/stream/frame_stream.h"

#include <algorithm>
#include <utility>

namespace grete::sdk {
namespace {

constexpr std::size_t kLengthBytes = 4;
// What scratch memory is kept between calls.
constexpr std::size_t kMaxIdleBytes = std::size_t{1} << 20;

void append(std::vector<std::byte>& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void trim(std::vector<std::byte>& bytes) {
  bytes.clear();
  if (bytes.capacity() > kMaxIdleBytes) {
    bytes.shrink_to_fit();
  }
}

}  // namespace

StreamAction FrameStream::on_data(HostBuffer& buffer, EndOfStream end) {
  const std::size_t fresh = buffer.size();
  if (kept_.empty() && passing_ >= fresh) {
    passing_ -= fresh;
    return StreamAction::kContinue;
  }
  const bool over = end == EndOfStream::kYes;
  if (kept_.size() + fresh < wanted_ && !over) {
    return StreamAction::kPause;
  }
  data_ = std::move(kept_);
  kept_.clear();
  const std::size_t kept_size = data_.size();
  buffer.read(data_);
  out_.clear();
  changed_ = kept_size > 0;
  std::size_t done = 0;
  if (!walk(data_, done)) {
    return StreamAction::kClose;
  }
  if (done == 0 && !over) {
    // Nothing to forward: the fresh bytes stay with the host.
    data_.resize(kept_size);
    kept_ = std::move(data_);
    data_.clear();
    return StreamAction::kPause;
  }
  if (done < data_.size()) {
    changed_ = true;
    if (!over) {
      kept_.assign(data_.begin() + static_cast<std::ptrdiff_t>(done), data_.end());
    }
  }
  if (changed_) {
    buffer.replace(out_);
  }
  trim(data_);
  trim(out_);
  return StreamAction::kContinue;
}

bool FrameStream::walk(Bytes data, std::size_t& done) {
  wanted_ = 0;
  while (done < data.size()) {
    const Bytes rest = data.subspan(done);
    if (passing_ > 0) {
      const std::size_t part = std::min(passing_, rest.size());
      append(out_, rest.first(part));
      passing_ -= part;
      done += part;
      continue;
    }
    if (rest.size() < kLengthBytes) {
      wanted_ = kLengthBytes;
      return true;
    }
    const auto length = load_big<std::int32_t>(rest.data());
    if (length < 0 || static_cast<std::size_t>(length) > kMaxFrameBytes) {
      return false;
    }
    const std::size_t frame_size = kLengthBytes + static_cast<std::size_t>(length);
    const Bytes prefix = rest.first(std::min(rest.size(), frame_size));
    const FrameHandler::Look look = handler_->look(prefix, frame_size);
    if (look.kind == FrameHandler::Look::Kind::kClose) {
      return false;
    }
    if (look.kind == FrameHandler::Look::Kind::kPass) {
      passing_ = frame_size;
      continue;
    }
    if (look.kind == FrameHandler::Look::Kind::kMore || prefix.size() < frame_size) {
      wanted_ = look.kind == FrameHandler::Look::Kind::kMore ? std::min(look.need, frame_size)
                                                             : frame_size;
      return true;
    }
    switch (handler_->handle(prefix, out_)) {
      case FrameHandler::Fate::kKeep:
        append(out_, prefix);
        break;
      case FrameHandler::Fate::kReplace:
      case FrameHandler::Fate::kDrop:
        changed_ = true;
        break;
      case FrameHandler::Fate::kClose:
        return false;
    }
    done += frame_size;
  }
  return true;
}

}  // namespace grete::sdk

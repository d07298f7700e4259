// The part of a connection that plug-ins on the byte stream see: what comes from either side passes
// through them before the session takes it apart.
#include <utility>

#include "gateway/net/connection.h"

namespace grete::gateway {

using plugins::EndOfStream;
using plugins::Flow;
using plugins::StreamState;

void Connection::open_streams(Moment now) {
  for (plugins::StreamRuntime* runtime : stream_runtimes_) {
    streams_.push_back(runtime->open(session_.info(), this, now));
  }
}

void Connection::close_streams() {
  const Moment now = MonotonicClock::now();
  const auto by = cause_ == CloseCause::kClient   ? plugins::ClosedBy::kClient
                  : cause_ == CloseCause::kBroker ? plugins::ClosedBy::kBroker
                                                  : plugins::ClosedBy::kGateway;
  for (const auto& stream : streams_) {
    stream->close(by, now);
  }
  streams_.clear();
}

void Connection::feed_streams(const Side& side, Bytes bytes, Moment now) {
  const auto end = side.ended ? EndOfStream::kYes : EndOfStream::kNo;
  if (&side == &client_) {
    streams_.front()->feed(Flow::kDownstream, bytes, end, now);
  } else {
    streams_.back()->feed(Flow::kUpstream, bytes, end, now);
  }
  move_streams(now);
}

void Connection::move_streams(Moment now) {
  stream_changed_ = false;
  const std::size_t count = streams_.size();
  for (std::size_t i = 0; i < count && std::holds_alternative<Open>(state_); ++i) {
    const std::size_t up = count - 1 - i;
    auto from_client = streams_[i]->take(Flow::kDownstream);
    auto from_broker = streams_[up]->take(Flow::kUpstream);
    if (!from_client.empty()) {
      if (i + 1 < count) {
        streams_[i + 1]->feed(Flow::kDownstream, from_client, EndOfStream::kNo, now);
      } else {
        feed_or_hold(client_, from_client, now);
      }
    }
    if (!from_broker.empty() && std::holds_alternative<Open>(state_)) {
      if (up > 0) {
        streams_[up - 1]->feed(Flow::kUpstream, from_broker, EndOfStream::kNo, now);
      } else {
        feed_or_hold(broker_, from_broker, now);
      }
    }
  }
  for (const auto& stream : streams_) {
    if (stream->state() == StreamState::kClosed && std::holds_alternative<Open>(state_)) {
      refuse({SessionFailure::kPlugin, "a plug-in on the byte stream closes the connection"}, now);
    }
  }
}

// What the session did not take before comes first.
void Connection::feed_or_hold(Side& side, MutableBytes bytes, Moment now) {
  if (side.held.empty()) {
    feed(side, bytes, now);
  } else if (!side.held.append(bytes)) {
    refuse({SessionFailure::kMemory, "no memory for bytes that have to wait"}, now);
  }
}

bool Connection::streams_busy() const {
  for (const auto& stream : streams_) {
    if (stream->state() == StreamState::kBusy) {
      return true;
    }
  }
  return stream_changed_;
}

bool Connection::streams_full(const Side& side) const {
  const Flow flow = &side == &client_ ? Flow::kDownstream : Flow::kUpstream;
  std::size_t held = 0;
  for (const auto& stream : streams_) {
    held += stream->held(flow);
  }
  return held >= memory_.limit();
}

}  // namespace grete::gateway

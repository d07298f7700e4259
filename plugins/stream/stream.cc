#include <algorithm>
#include <utility>

#include "plugins/stream/stream_vm.h"

namespace grete::plugins {
namespace {

using wasm::proxy_wasm::PeerType;
using wasm::proxy_wasm::Status;
using wasm::proxy_wasm::StreamType;
using WasmEnd = wasm::proxy_wasm::EndOfStream;

std::string little_endian(std::uint64_t value) {
  std::string bytes(sizeof value, '\0');
  store_little(reinterpret_cast<std::byte*>(bytes.data()), value);
  return bytes;
}

// The port of "address:port", 0 if there is none.
std::uint64_t port_of(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  std::uint64_t port = 0;
  for (const char digit : colon == std::string_view::npos ? "" : address.substr(colon + 1)) {
    port = digit >= '0' && digit <= '9' ? port * 10 + static_cast<std::uint64_t>(digit - '0') : 0;
  }
  return port;
}

}  // namespace

Stream::Stream(std::shared_ptr<StreamVm> vm, const ConnectionInfo& connection,
               StreamListener* listener)
    : vm_(std::move(vm)), connection_(&connection), listener_(listener) {
  vm_->add(*this);
  if (vm_->lost()) {
    lose_instance();
  } else {
    context_ = std::make_unique<wasm::proxy_wasm::StreamContext>(vm_->vm(), *this);
  }
}

Stream::~Stream() {
  vm_->remove(*this);
}

wasm::proxy_wasm::StreamBuffer& Stream::buffer(Flow flow) {
  return flow == Flow::kDownstream ? context_->downstream() : context_->upstream();
}

void Stream::feed(Flow flow, Bytes bytes, EndOfStream end) {
  Side& at = side(flow);
  at.end_fed |= end == EndOfStream::kYes;
  if (bypassed_ || !vm_->obeyed()) {
    at.out.insert(at.out.end(), bytes.begin(), bytes.end());
    at.let_end |= end == EndOfStream::kYes;
  }
  if (!bypassed_) {
    at.fed.insert(at.fed.end(), bytes.begin(), bytes.end());
  }
}

std::vector<std::byte> Stream::take(Flow flow) {
  return std::exchange(side(flow).out, {});
}

std::size_t Stream::held(Flow flow) const {
  const std::size_t buffered =
      context_ == nullptr ? 0 : const_cast<Stream*>(this)->buffer(flow).size();
  return side(flow).fed.size() + buffered;
}

StreamState Stream::state() const {
  if (close_wanted_) {
    return StreamState::kClosed;
  }
  const bool busy = call_ != Call::kNone || queued || has_news(Flow::kDownstream) ||
                    has_news(Flow::kUpstream) || (phase_ == Phase::kNew && !bypassed_);
  return busy && !bypassed_ ? StreamState::kBusy : StreamState::kIdle;
}

void Stream::close(ClosedBy by) {
  if (!closed_by_) {
    closed_by_ = by;
  }
  connection_ = nullptr;
  listener_ = nullptr;
}

void Stream::notify() {
  if (listener_ != nullptr) {
    listener_->on_stream_changed();
  }
}

bool Stream::has_news(Flow flow) const {
  const Side& at = side(flow);
  return !at.fed.empty() || (at.end_fed && !at.end_told);
}

std::optional<wasm::GuestCall> Stream::next_call(const wasm::CallLimits& limits) {
  if (context_ == nullptr) {
    return std::nullopt;
  }
  if (phase_ == Phase::kNew) {
    if (closed_by_) {
      phase_ = Phase::kFinished;  // it never learned of the stream
      return std::nullopt;
    }
    call_ = Call::kOpen;
    return context_->open(limits);
  }
  if (phase_ == Phase::kOpen && closed_by_) {
    call_ = Call::kClose;
    return *closed_by_ == ClosedBy::kBroker
               ? context_->on_upstream_close(PeerType::kRemote, limits)
               : context_->on_downstream_close(
                     *closed_by_ == ClosedBy::kClient ? PeerType::kRemote : PeerType::kLocal,
                     limits);
  }
  if (phase_ == Phase::kTold) {
    call_ = Call::kFinish;
    return context_->finish(limits);
  }
  for (const Flow flow : {Flow::kDownstream, Flow::kUpstream}) {
    if (phase_ == Phase::kOpen && has_news(flow)) {
      return tell(flow, limits);
    }
  }
  return std::nullopt;
}

std::optional<wasm::GuestCall> Stream::tell(Flow flow, const wasm::CallLimits& limits) {
  Side& at = side(flow);
  if (!buffer(flow).append(at.fed)) {
    // The plug-in holds more than any connection may.
    close_wanted_ = true;
    return std::nullopt;
  }
  at.fed.clear();
  at.end_told = at.end_fed;
  const WasmEnd end = at.end_fed ? WasmEnd::kYes : WasmEnd::kNo;
  call_ = flow == Flow::kDownstream ? Call::kDownstream : Call::kUpstream;
  return flow == Flow::kDownstream ? context_->on_downstream_data(end, limits)
                                   : context_->on_upstream_data(end, limits);
}

void Stream::call_ended(const wasm::GuestCall& call) {
  const Call ended = std::exchange(call_, Call::kNone);
  const bool goes_on = wasm::proxy_wasm::action_of(call) == wasm::proxy_wasm::Action::kContinue;
  switch (ended) {
    case Call::kNone:
      break;
    case Call::kOpen:
      phase_ = Phase::kOpen;
      break;
    case Call::kDownstream:
    case Call::kUpstream:
      if (goes_on) {
        let_through(ended == Call::kDownstream ? Flow::kDownstream : Flow::kUpstream);
      }
      break;
    case Call::kClose:
      phase_ = Phase::kTold;
      break;
    case Call::kFinish:
      phase_ = Phase::kFinished;
      break;
  }
  notify();
}

void Stream::go_on() {
  for (const Flow flow : {Flow::kDownstream, Flow::kUpstream}) {
    if (std::exchange(side(flow).resumed, false) && context_ != nullptr) {
      let_through(flow);
    }
  }
  notify();
}

void Stream::let_through(Flow flow) {
  Side& at = side(flow);
  const std::vector<std::byte> bytes = buffer(flow).take();
  if (vm_->obeyed()) {
    at.out.insert(at.out.end(), bytes.begin(), bytes.end());
    at.let_end |= at.end_told;
  }
}

void Stream::bypass() {
  bypassed_ = true;
  for (const Flow flow : {Flow::kDownstream, Flow::kUpstream}) {
    Side& at = side(flow);
    if (vm_->obeyed()) {
      if (context_ != nullptr) {
        const Bytes buffered = buffer(flow).bytes();
        at.out.insert(at.out.end(), buffered.begin(), buffered.end());
      }
      at.out.insert(at.out.end(), at.fed.begin(), at.fed.end());
      at.let_end |= at.end_fed;
    }
    at.fed.clear();
  }
}

void Stream::lose_instance() {
  if (vm_->spec().on_failure == OnFailure::kReject) {
    close_wanted_ = true;
  } else {
    bypass();
  }
  call_ = Call::kNone;
  phase_ = Phase::kFinished;
  context_ = nullptr;
  notify();
}

std::optional<std::string> Stream::property(std::string_view path) {
  using std::string_view_literals::operator""sv;
  if (connection_ == nullptr) {
    return std::nullopt;
  }
  if (path == "connection_id"sv || path == "connection\0id"sv) {
    return little_endian(connection_->id);
  }
  if (path == "source\0address"sv) {
    return connection_->address;
  }
  if (path == "source\0port"sv) {
    return little_endian(port_of(connection_->address));
  }
  if (path == "destination\0address"sv) {
    return connection_->local_address;
  }
  if (path == "destination\0port"sv) {
    return little_endian(port_of(connection_->local_address));
  }
  if (path == "connection\0mtls"sv) {
    return std::string(1, '\0');
  }
  return std::nullopt;
}

Status Stream::continue_stream(StreamType stream) {
  if (stream != StreamType::kDownstream && stream != StreamType::kUpstream) {
    return Status::kBadArgument;
  }
  side(stream == StreamType::kDownstream ? Flow::kDownstream : Flow::kUpstream).resumed = true;
  vm_->note_resumed(shared_from_this());
  return Status::kOk;
}

Status Stream::close_stream(StreamType stream) {
  if (stream != StreamType::kDownstream && stream != StreamType::kUpstream) {
    return Status::kBadArgument;
  }
  close_wanted_ |= vm_->obeyed();
  return Status::kOk;
}

}  // namespace grete::plugins

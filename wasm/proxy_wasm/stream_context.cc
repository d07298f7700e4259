#include "wasm/proxy_wasm/stream_context.h"

#include <algorithm>

#include "wasm/limits.h"
#include "wasm/proxy_wasm/callbacks.h"

namespace grete::wasm::proxy_wasm {

bool StreamBuffer::append(Bytes bytes) {
  return replace(bytes_.size(), 0, bytes);
}

bool StreamBuffer::replace(std::uint64_t start, std::uint64_t size, Bytes with) {
  const std::size_t from = std::min<std::uint64_t>(start, bytes_.size());
  const std::size_t removed = std::min<std::uint64_t>(size, bytes_.size() - from);
  if (with.size() > limits::kMaxStreamBufferBytes - (bytes_.size() - removed)) {
    return false;
  }
  const auto at = bytes_.begin() + static_cast<std::ptrdiff_t>(from);
  const std::size_t common = std::min(removed, with.size());
  std::ranges::copy(with.first(common), at);
  const auto rest = at + static_cast<std::ptrdiff_t>(common);
  if (removed > common) {
    bytes_.erase(rest, rest + static_cast<std::ptrdiff_t>(removed - common));
  } else {
    bytes_.insert(rest, with.begin() + static_cast<std::ptrdiff_t>(common), with.end());
  }
  return true;
}

StreamContext::StreamContext(Vm& vm, StreamHost& host)
    : vm_(&vm), host_(&host), id_(vm.next_context_++) {
  vm.streams_.emplace(id_, this);
}

StreamContext::~StreamContext() {
  vm_->streams_.erase(id_);
}

GuestCall StreamContext::create(const CallLimits& limits) {
  return vm_->begin(
      id_,
      [vm = vm_, id = id_](Instance& instance) -> HostResult<std::uint64_t> {
        if (!vm->callbacks_->context_create.absent()) {
          GRETE_TRY(instance.invoke(vm->callbacks_->context_create, id.value(), vm->root_.value()));
        }
        return 0;
      },
      limits);
}

GuestCall StreamContext::open(const CallLimits& limits) {
  return vm_->begin(
      id_,
      [vm = vm_, id = id_](Instance& instance) -> HostResult<std::uint64_t> {
        const Callbacks& on = *vm->callbacks_;
        if (!on.context_create.absent()) {
          GRETE_TRY(instance.invoke(on.context_create, id.value(), vm->root_.value()));
        }
        if (on.new_connection.absent()) {
          return 0;
        }
        return instance.invoke(on.new_connection, id.value());
      },
      limits);
}

GuestCall StreamContext::on_data(
    GuestFunction<std::uint32_t(std::uint32_t, std::uint32_t, std::uint32_t)> callback,
    const StreamBuffer& buffer, EndOfStream end, const CallLimits& limits) {
  return vm_->begin(
      id_,
      [callback, id = id_, size = static_cast<std::uint32_t>(buffer.size()),
       end](Instance& instance) -> HostResult<std::uint64_t> {
        if (callback.absent()) {
          return 0;
        }
        return instance.invoke(callback, id.value(), size, end == EndOfStream::kYes ? 1U : 0U);
      },
      limits);
}

GuestCall StreamContext::on_downstream_data(EndOfStream end, const CallLimits& limits) {
  return on_data(vm_->callbacks_->downstream_data, downstream_, end, limits);
}

GuestCall StreamContext::on_upstream_data(EndOfStream end, const CallLimits& limits) {
  return on_data(vm_->callbacks_->upstream_data, upstream_, end, limits);
}

GuestCall StreamContext::on_close(GuestFunction<void(std::uint32_t, std::uint32_t)> callback,
                                  PeerType closed_by, const CallLimits& limits) {
  return vm_->begin(
      id_,
      [callback, id = id_, closed_by](Instance& instance) -> HostResult<std::uint64_t> {
        if (!callback.absent()) {
          GRETE_TRY(instance.invoke(callback, id.value(), std::to_underlying(closed_by)));
        }
        return 0;
      },
      limits);
}

GuestCall StreamContext::on_downstream_close(PeerType closed_by, const CallLimits& limits) {
  return on_close(vm_->callbacks_->downstream_close, closed_by, limits);
}

GuestCall StreamContext::on_upstream_close(PeerType closed_by, const CallLimits& limits) {
  return on_close(vm_->callbacks_->upstream_close, closed_by, limits);
}

// proxy_on_log and proxy_on_delete: nothing is called for this context afterwards.
HostResult<std::uint64_t> StreamContext::remove(Vm& vm, ContextId id, Instance& instance) {
  const Callbacks& on = *vm.callbacks_;
  if (!on.log.absent()) {
    GRETE_TRY(instance.invoke(on.log, id.value()));
  }
  if (!on.remove.absent()) {
    GRETE_TRY(instance.invoke(on.remove, id.value()));
  }
  return 1;
}

GuestCall StreamContext::finish(const CallLimits& limits) {
  awaits_done_ = true;
  return vm_->begin(
      id_,
      [vm = vm_, id = id_](Instance& instance) -> HostResult<std::uint64_t> {
        const Callbacks& on = *vm->callbacks_;
        if (!on.done.absent()) {
          GRETE_TRY_ASSIGN(const std::uint32_t agreed, instance.invoke(on.done, id.value()));
          if (agreed == 0) {
            return 0;
          }
        }
        return remove(*vm, id, instance);
      },
      limits);
}

GuestCall StreamContext::finish_now(const CallLimits& limits) {
  return vm_->begin(
      id_, [vm = vm_, id = id_](Instance& instance) { return remove(*vm, id, instance); }, limits);
}

Action action_of(const GuestCall& call) {
  return call.result() == 0 ? Action::kContinue : Action::kPause;
}

}  // namespace grete::wasm::proxy_wasm

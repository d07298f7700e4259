#include "wasm/engine/instance.h"

#include <bit>
#include <cassert>
#include <utility>
#include <vector>

#include "wasm/engine/handles.h"

namespace grete::wasm {

static_assert(sizeof(HostValue) == sizeof(wasmtime_val_raw_t));
static_assert(std::endian::native == std::endian::little,
              "HostValue is read as the engine's union");

struct Instance::State {
  // Outlives the store: created in it, deleted before it.
  StoreHandle store;
  wasmtime_context_t* context = nullptr;
  wasmtime_func_t trampoline{};
  wasmtime_instance_t instance{};
  std::optional<wasmtime_memory_t> memory;
  std::vector<wasmtime_func_t> functions;

  // The call in progress.
  FutureHandle future;
  Body body;
  bool instantiating = false;
  bool bound = false;
  std::uint32_t slices = 0;
  std::uint32_t max_slices = 0;
  std::uint64_t result = 0;
  std::optional<Trap> trap;
  // Where the engine reports how a future ended.
  wasm_trap_t* raw_trap = nullptr;
  wasmtime_error_t* raw_error = nullptr;

  void bind();
  void forget_raw_errors() {
    const TrapHandle trap_owner{std::exchange(raw_trap, nullptr)};
    const ErrorHandle error_owner{std::exchange(raw_error, nullptr)};
  }
};

namespace {

constexpr std::size_t kMaxTrapText = 2048;

TrapReason reason_of(wasmtime_trap_code_t code) {
  switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW:
      return TrapReason::kStackOverflow;
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS:
    case WASMTIME_TRAP_CODE_HEAP_MISALIGNED:
    case WASMTIME_TRAP_CODE_ARRAY_OUT_OF_BOUNDS:
      return TrapReason::kOutOfBounds;
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL:
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE:
    case WASMTIME_TRAP_CODE_NULL_REFERENCE:
      return TrapReason::kBadCall;
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW:
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO:
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER:
      return TrapReason::kArithmetic;
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
      return TrapReason::kUnreachable;
    case WASMTIME_TRAP_CODE_INTERRUPT:
      return TrapReason::kDeadline;
    case WASMTIME_TRAP_CODE_ALLOCATION_TOO_LARGE:
      return TrapReason::kOutOfMemory;
    default:
      return TrapReason::kOther;
  }
}

// What the engine says of a failed call. Either argument may be null.
Trap classify(const wasm_trap_t* trap, const wasmtime_error_t* error) {
  Trap result;
  if (trap != nullptr) {
    if (wasmtime_trap_code_t code = 0; wasmtime_trap_code(trap, &code)) {
      result.reason = reason_of(code);
    }
    ByteVector message;
    wasm_trap_message(trap, &message.raw);
    result.detail = message.text();
    while (!result.detail.empty() && result.detail.back() == '\0') {
      result.detail.pop_back();
    }
  } else if (error != nullptr) {
    result.detail = message_of(*error);
  }
  if (result.detail.size() > kMaxTrapText) {
    result.detail.resize(kMaxTrapText);
  }
  return result;
}

}  // namespace

void Instance::State::bind() {
  bound = true;
  wasmtime_extern_t item;
  constexpr std::string_view kName = "memory";
  if (wasmtime_instance_export_get(context, &instance, kName.data(), kName.size(), &item)) {
    if (item.kind == WASMTIME_EXTERN_MEMORY) {
      memory = item.of.memory;
    }
    wasmtime_extern_delete(&item);
  }
}

Instance::Instance(std::shared_ptr<const LinkedModule> module, const InstanceLimits& limits)
    : module_(std::move(module)), limits_(limits), state_(std::make_unique<State>()) {
  State& state = *state_;
  state.store.reset(wasmtime_store_new(module_->module().engine().handle(), this, nullptr));
  state.context = wasmtime_store_context(state.store.get());
  wasmtime_store_limiter(state.store.get(), static_cast<std::int64_t>(limits.memory_bytes),
                         limits::kMaxTableElements, 1, limits::kMaxTablesPerModule, 1);
  wasmtime_store_epoch_deadline_callback(
      state.store.get(),
      [](wasmtime_context_t* /*context*/, void* data, std::uint64_t* delta,
         wasmtime_update_deadline_kind_t* kind) -> wasmtime_error_t* {
        auto& self = *static_cast<Instance*>(data);
        State& current = *self.state_;
        if (current.slices >= current.max_slices) {
          static_cast<void>(
              self.fail(TrapReason::kDeadline,
                        "the call used up its " + std::to_string(current.max_slices) + " slices"));
          return wasmtime_error_new("deadline");
        }
        *delta = 1;
        *kind = WASMTIME_UPDATE_DEADLINE_YIELD;
        return nullptr;
      },
      this, nullptr);
  // The first function on every fiber: leaves the rest to the body.
  wasm_valtype_vec_t none{};
  wasm_valtype_vec_t none_either{};
  const FunctionTypeHandle type{wasm_functype_new(&none, &none_either)};
  wasmtime_func_new_unchecked(
      state.context, type.get(),
      [](void* environment, wasmtime_caller_t* /*caller*/, wasmtime_val_raw_t* /*values*/,
         std::size_t /*count*/) -> wasm_trap_t* {
        auto& self = *static_cast<Instance*>(environment);
        const HostResult<std::uint64_t> result = self.state_->body(self);
        if (!result || self.state_->trap) {
          return unwinding_trap();
        }
        self.state_->result = *result;
        return nullptr;
      },
      this, nullptr, &state.trampoline);
}

Instance::~Instance() {
  assert(!in_progress_ && "calls end before their instance");
}

GuestCall Instance::begin(Body body, const CallLimits& limits, bool instantiate) {
  assert(usable_ && !in_progress_ && state_->bound != instantiate);
  State& state = *state_;
  state.body = std::move(body);
  state.instantiating = instantiate;
  state.slices = 0;
  state.max_slices = limits.max_slices;
  state.trap.reset();
  in_progress_ = true;
  return GuestCall{*this, limits};
}

GuestCall Instance::instantiate(Body body, const CallLimits& limits) {
  return begin(std::move(body), limits, true);
}

GuestCall Instance::start(Body body, const CallLimits& limits) {
  return begin(std::move(body), limits, false);
}

CallState Instance::poll(GuestCall& call, Moment now) {
  State& state = *state_;
  if (now >= call.limits_.deadline) {
    if (state.slices > 0) {
      static_cast<void>(fail(TrapReason::kDeadline, "the call passed its deadline"));
    }
    drop();
    call.trap_ = state.trap.value_or(
        Trap{TrapReason::kDeadline, "the deadline passed before the call began"});
    return call.state_ = CallState::kTrapped;
  }
  Engine& engine = module_->module().engine();
  engine.note_use();
  if (state.slices == 0) {
    ++calls_;
    wasmtime_context_set_epoch_deadline(state.context, 1);
  }
  ++state.slices;
  ++slices_;
  call.slices_ = state.slices;
  if (!run()) {
    return CallState::kSuspended;
  }
  in_progress_ = false;
  state.body = nullptr;
  if (!state.trap && (state.raw_trap != nullptr || state.raw_error != nullptr)) {
    state.trap = classify(state.raw_trap, state.raw_error);
    if (!state.bound && state.trap->reason == TrapReason::kOther) {
      state.trap->reason = TrapReason::kInstantiation;
    }
  }
  state.forget_raw_errors();
  if (state.trap) {
    usable_ = false;
    call.trap_ = *state.trap;
    return call.state_ = CallState::kTrapped;
  }
  call.result_ = state.result;
  return call.state_ = CallState::kDone;
}

// Goes on with the call for a slice; true if it has ended.
bool Instance::run() {
  State& state = *state_;
  if (state.instantiating) {
    if (!state.future) {
      state.future.reset(wasmtime_instance_pre_instantiate_async(
          module_->handle(), state.context, &state.instance, &state.raw_trap, &state.raw_error));
    }
    if (!wasmtime_call_future_poll(state.future.get())) {
      return false;
    }
    state.future.reset();
    if (state.raw_trap != nullptr || state.raw_error != nullptr) {
      return true;
    }
    state.instantiating = false;
    state.bind();
  }
  if (!state.future) {
    state.future.reset(wasmtime_func_call_async(state.context, &state.trampoline, nullptr, 0,
                                                nullptr, 0, &state.raw_trap, &state.raw_error));
  }
  if (!wasmtime_call_future_poll(state.future.get())) {
    return false;
  }
  state.future.reset();
  return true;
}

void Instance::drop() {
  State& state = *state_;
  if (state.slices > 0) {
    // The frames on the fiber are left one after the other, and must not enter the guest again.
    if (!state.trap) {
      static_cast<void>(fail(TrapReason::kCancelled, "the call was dropped"));
    }
    state.future.reset();
    state.forget_raw_errors();
    usable_ = false;
  }
  state.body = nullptr;
  in_progress_ = false;
}

std::unexpected<Unwinding> Instance::fail(TrapReason reason, std::string detail) {
  if (!state_->trap) {
    state_->trap = Trap{reason, std::move(detail)};
  }
  return unexpected(Unwinding{});
}

wasm_trap_t* Instance::unwinding_trap() {
  constexpr std::string_view kText = "unwinding";
  return wasmtime_trap_new(kText.data(), kText.size());
}

Instance& Instance::of(wasmtime_caller* caller) {
  return *static_cast<Instance*>(wasmtime_context_get_data(wasmtime_caller_context(caller)));
}

std::int32_t Instance::find_raw(std::string_view name, std::string_view signature) {
  const ExternInfo* found = info().find_export(name);
  if (found == nullptr || found->kind != ExternKind::kFunction || found->signature != signature) {
    return -1;
  }
  State& state = *state_;
  wasmtime_extern_t item;
  if (!wasmtime_instance_export_get(state.context, &state.instance, name.data(), name.size(),
                                    &item)) {
    return -1;
  }
  state.functions.push_back(item.of.func);
  return static_cast<std::int32_t>(state.functions.size() - 1);
}

bool Instance::invoke_from_body(std::int32_t index, HostValue* values, std::size_t count) {
  assert(host_calls_ == 0 && "host functions enter the guest through allocate() only");
  return invoke_raw(index, values, count);
}

bool Instance::invoke_raw(std::int32_t index, HostValue* values, std::size_t count) {
  State& state = *state_;
  assert(index >= 0);
  if (state.trap) {
    return false;
  }
  wasm_trap_t* raw_trap = nullptr;
  const ErrorHandle error{wasmtime_func_call_unchecked(
      state.context, &state.functions[static_cast<std::size_t>(index)],
      reinterpret_cast<wasmtime_val_raw_t*>(values), count, &raw_trap)};
  const TrapHandle trap{raw_trap};
  if (!error && !trap) {
    return true;
  }
  if (!state.trap) {
    Trap found = classify(trap.get(), error.get());
    const std::uint64_t nearly = limits_.memory_bytes - limits_.memory_bytes / 8;
    if (found.reason == TrapReason::kUnreachable && memory().size() >= nearly) {
      found.reason = TrapReason::kOutOfMemory;
      found.detail = "its memory had grown to " + std::to_string(memory().size()) + " of " +
                     std::to_string(limits_.memory_bytes) + " bytes: " + found.detail;
    }
    state.trap = std::move(found);
  }
  return false;
}

HostResult<std::optional<GuestAddress>> Instance::allocate(std::uint32_t size) {
  if (allocating_) {
    return fail(TrapReason::kReentrance,
                "the guest's allocator called an import that allocates in the guest");
  }
  if (allocator_.absent() || size == 0) {
    return std::nullopt;
  }
  HostValue value{.low = size};
  allocating_ = true;
  const bool ok = invoke_raw(allocator_.index, &value, 1);
  allocating_ = false;
  if (!ok) {
    return unexpected(Unwinding{});
  }
  const auto address = static_cast<GuestAddress>(static_cast<std::uint32_t>(value.low));
  if (value_of(address) == 0 || !memory().range(address, size)) {
    return std::nullopt;
  }
  return address;
}

GuestMemory Instance::memory() {
  const State& state = *state_;
  if (!state.memory) {
    return {};
  }
  return GuestMemory{
      {reinterpret_cast<std::byte*>(wasmtime_memory_data(state.context, &*state.memory)),
       wasmtime_memory_data_size(state.context, &*state.memory)}};
}

std::uint64_t Instance::memory_bytes() const {
  const State& state = *state_;
  return state.memory ? wasmtime_memory_data_size(state.context, &*state.memory) : 0;
}

CallState GuestCall::poll(Moment now) {
  if (instance_ == nullptr || state_ != CallState::kSuspended) {
    return state_;
  }
  return instance_->poll(*this, now);
}

void GuestCall::drop() {
  if (instance_ != nullptr && state_ == CallState::kSuspended) {
    instance_->drop();
  }
  instance_ = nullptr;
}

void GuestCall::take(GuestCall& other) {
  instance_ = std::exchange(other.instance_, nullptr);
  limits_ = other.limits_;
  state_ = other.state_;
  slices_ = other.slices_;
  result_ = other.result_;
  trap_ = std::move(other.trap_);
}

}  // namespace grete::wasm

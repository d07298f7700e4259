// One running module: its memory, its exports, and at most one call in progress.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "wasm/engine/guest_call.h"
#include "wasm/engine/guest_memory.h"
#include "wasm/engine/imports.h"
#include "wasm/error.h"
#include "wasm/limits.h"

namespace grete::wasm {

// An integer as the engine passes it: 16 bytes, little-endian, the low ones used.
struct HostValue {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

// Where an exported function is found in its instance; absent() if the module has none. R is void
// or an integer, A are integers; 32 bits are i32 and 64 are i64.
template <class Signature>
struct GuestFunction {
  std::int32_t index = -1;

  [[nodiscard]] bool absent() const { return index < 0; }
};

struct InstanceLimits {
  std::uint64_t memory_bytes = limits::kDefaultMemoryBytes;
};

// One thread at a time. Life cycle: made; instantiate() once; start() any number of times, one
// call at a time; destroyed after its calls. After a trap or a dropped call it is not usable().
class Instance {
 public:
  // What a call does, on the guest's stack: enters the guest through invoke(). Must return at once
  // when something says Unwinding, hold no lock and throw nothing.
  using Body = std::move_only_function<HostResult<std::uint64_t>(Instance&)>;

  Instance(std::shared_ptr<const LinkedModule> module, const InstanceLimits& limits);
  ~Instance();

  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Says which object receives the host functions of a slot. Before instantiate().
  void set_imports(ImportSlot slot, void* object) {
    imports_[static_cast<std::size_t>(slot)] = object;
  }

  // Instantiates the module and then runs `body`, as one call.
  GuestCall instantiate(Body body, const CallLimits& limits);
  // Runs `body`. Precondition: usable(), instantiated, no other call in progress.
  GuestCall start(Body body, const CallLimits& limits);

  // Whether calls can be started: no trap so far.
  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] bool call_in_progress() const { return in_progress_; }

  [[nodiscard]] const ModuleInfo& info() const { return module_->module().info(); }
  // Bytes of linear memory now, and the most it may have.
  [[nodiscard]] std::uint64_t memory_bytes() const;
  [[nodiscard]] const InstanceLimits& limits() const { return limits_; }
  // Calls begun and slices run since it was made.
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] std::uint64_t slices() const { return slices_; }

  // --- For bodies and host functions, that is on the guest's stack ---

  // The exported function `name`, after instantiation; absent if there is none, or if it has
  // another type than Signature.
  template <class Signature>
  [[nodiscard]] GuestFunction<Signature> find(std::string_view name);

  // Calls the guest. From a body only, never from a host function.
  template <class R, class... A>
  HostResult<R> invoke(GuestFunction<R(A...)> function, std::type_identity_t<A>... arguments);

  // Which function allocates in the guest on the host's behalf.
  void set_allocator(GuestFunction<std::uint32_t(std::uint32_t)> allocator) {
    allocator_ = allocator;
  }
  // Has the guest allocate `size` > 0 bytes. From a host function: this is the only way for one to
  // enter the guest. Nothing if the guest returned null or memory that is not its own; traps if
  // the allocator is running already (kReentrance).
  HostResult<std::optional<GuestAddress>> allocate(std::uint32_t size);

  // The memory, as it is now; see guest_memory.h for how long spans are valid.
  [[nodiscard]] GuestMemory memory();

  // Records a trap (unless one is recorded) and says so: `return instance.fail(...)`.
  std::unexpected<Unwinding> fail(TrapReason reason, std::string detail);

  [[nodiscard]] void* imports(ImportSlot slot) const {
    return imports_[static_cast<std::size_t>(slot)];
  }

  // Marks the time a host function runs: only allocate() may enter the guest then.
  class HostCallScope {
   public:
    explicit HostCallScope(Instance& instance) : instance_(instance) { ++instance_.host_calls_; }
    ~HostCallScope() { --instance_.host_calls_; }
    HostCallScope(const HostCallScope&) = delete;
    HostCallScope& operator=(const HostCallScope&) = delete;

   private:
    Instance& instance_;
  };

  // What a HostFunction returns to trap, once the reason is recorded.
  [[nodiscard]] static wasm_trap_t* unwinding_trap();

  // The instance that made the host call, from what the engine passes to a HostFunction.
  [[nodiscard]] static Instance& of(wasmtime_caller* caller);

 private:
  friend class GuestCall;
  struct State;

  [[nodiscard]] std::int32_t find_raw(std::string_view name, std::string_view signature);
  // A call from a body.
  bool invoke_from_body(std::int32_t index, HostValue* values, std::size_t count);
  bool invoke_raw(std::int32_t index, HostValue* values, std::size_t count);
  GuestCall begin(Body body, const CallLimits& limits, bool instantiate);
  CallState poll(GuestCall& call, Moment now);
  void drop();
  bool run();

  std::shared_ptr<const LinkedModule> module_;
  InstanceLimits limits_;
  std::array<void*, kImportSlots> imports_{};
  std::unique_ptr<State> state_;
  GuestFunction<std::uint32_t(std::uint32_t)> allocator_;
  std::uint64_t calls_ = 0;
  std::uint64_t slices_ = 0;
  bool usable_ = true;
  bool in_progress_ = false;
  bool allocating_ = false;
  std::uint32_t host_calls_ = 0;
};

// "i32 i64 -> i32", as ExternInfo::signature has it.
template <class R, class... A>
[[nodiscard]] std::string signature_of() {
  std::string text;
  const auto add = [&text](std::size_t size) {
    text += text.empty() ? "" : " ";
    text += size == 8 ? "i64" : "i32";
  };
  (add(sizeof(A)), ...);
  text += text.empty() ? "->" : " ->";
  if constexpr (!std::is_void_v<R>) {
    add(sizeof(R));
  }
  return text;
}

namespace internal {
template <class Signature>
struct SignatureText;
template <class R, class... A>
struct SignatureText<R(A...)> {
  static std::string get() { return signature_of<R, A...>(); }
};
}  // namespace internal

template <class Signature>
GuestFunction<Signature> Instance::find(std::string_view name) {
  return {find_raw(name, internal::SignatureText<Signature>::get())};
}

template <class R, class... A>
HostResult<R> Instance::invoke(GuestFunction<R(A...)> function,
                               std::type_identity_t<A>... arguments) {
  constexpr std::size_t kCount =
      std::max<std::size_t>({sizeof...(A), std::is_void_v<R> ? 0 : 1, 1});
  std::array<HostValue, kCount> values{};
  std::size_t next = 0;
  ((values[next++].low = static_cast<std::make_unsigned_t<A>>(arguments)), ...);
  if (!invoke_from_body(function.index, values.data(), values.size())) {
    return unexpected(Unwinding{});
  }
  if constexpr (std::is_void_v<R>) {
    return {};
  } else {
    return static_cast<R>(values[0].low);
  }
}

}  // namespace grete::wasm

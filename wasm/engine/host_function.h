// Makes host functions out of member functions: WebAssembly types, address translation, and results
// follow from the C++ signature.
//
//     class Clock {
//      public:
//       static constexpr ImportSlot kSlot = ImportSlot::kWasi;
//       static constexpr std::uint32_t kBadPointer = 21;
//       std::uint32_t now(std::uint32_t id, Out<std::uint64_t> time);
//     };
//     define<&Clock::now>(imports, "wasi_snapshot_preview1", "clock_time_get");
//
// A parameter of 4 bytes is an i32, one of 8 an i64, Bytes are two i32 (address and length) and
// Out<T> is the i32 address of a result. If one of these is not the guest's memory, the function is
// not called and the guest gets kBadPointer. HostResult<T> may also say Unwinding, which traps.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/bytes.h"
#include "wasm/engine/imports.h"
#include "wasm/engine/instance.h"

namespace grete::wasm {

// Where a host function stores a result. The address was checked; memory never shrinks.
template <class T>
class Out {
 public:
  Out(Instance& instance, GuestAddress address) : instance_(&instance), address_(address) {}

  void store(T value) const {
    if (const auto target = instance_->memory().range(address_, sizeof(T))) {
      store_little(target->data(), value);
    }
  }

 private:
  Instance* instance_;
  GuestAddress address_;
};

namespace internal {

template <class T>
struct Parameter {
  static_assert((std::is_integral_v<T> || std::is_enum_v<T>) && (sizeof(T) == 4 || sizeof(T) == 8));
  static constexpr std::size_t kValues = 1;
  static constexpr std::array kTypes = {sizeof(T) == 8 ? ValueType::kI64 : ValueType::kI32};
  using Held = T;
  static bool read(Instance& /*instance*/, const HostValue* values, std::optional<Held>& held) {
    held = static_cast<T>(values[0].low);
    return true;
  }
};

template <>
struct Parameter<Bytes> {
  static constexpr std::size_t kValues = 2;
  static constexpr std::array kTypes = {ValueType::kI32, ValueType::kI32};
  using Held = Bytes;
  static bool read(Instance& instance, const HostValue* values, std::optional<Held>& held) {
    const auto size = static_cast<std::uint32_t>(values[1].low);
    if (size == 0) {
      held = Bytes{};
      return true;
    }
    const auto address = static_cast<GuestAddress>(static_cast<std::uint32_t>(values[0].low));
    const auto range = instance.memory().range(address, size);
    if (range) {
      held = *range;
    }
    return range.has_value();
  }
};

template <class T>
struct Parameter<Out<T>> {
  static constexpr std::size_t kValues = 1;
  static constexpr std::array kTypes = {ValueType::kI32};
  using Held = Out<T>;
  static bool read(Instance& instance, const HostValue* values, std::optional<Held>& held) {
    const auto address = static_cast<GuestAddress>(static_cast<std::uint32_t>(values[0].low));
    held.emplace(instance, address);
    return instance.memory().range(address, sizeof(T)).has_value();
  }
};

template <class R>
struct ResultType {
  using Value = R;
};
template <class R>
struct ResultType<HostResult<R>> {
  using Value = R;
};

// The values of the parameters before the one at `index`.
template <class... A>
constexpr std::size_t offset_of_parameter(std::size_t index) {
  constexpr std::array<std::size_t, sizeof...(A) + 1> kCounts = {Parameter<A>::kValues..., 0};
  std::size_t offset = 0;
  for (std::size_t i = 0; i < index; ++i) {
    offset += kCounts[i];
  }
  return offset;
}

template <class T>
void write_result(HostValue* values, T value) {
  values[0].low = static_cast<std::make_unsigned_t<T>>(value);
}
template <class T>
  requires std::is_enum_v<T>
void write_result(HostValue* values, T value) {
  write_result(values, std::to_underlying(value));
}

template <auto Method>
struct Thunk;

template <class Class, class R, class... A, R (Class::*Method)(A...)>
struct Thunk<Method> {
  using Value = typename ResultType<R>::Value;
  static constexpr std::size_t kValues = (Parameter<A>::kValues + ... + 0);

  static wasm_trap_t* call(void* /*environment*/, wasmtime_caller* caller, wasmtime_val_raw* raw,
                           std::size_t /*count*/) noexcept {
    Instance& instance = Instance::of(caller);
    auto* const values = reinterpret_cast<HostValue*>(raw);
    const Instance::HostCallScope scope{instance};
    return call(instance, values, std::index_sequence_for<A...>{});
  }

  template <std::size_t... I>
  static wasm_trap_t* call(Instance& instance, HostValue* values, std::index_sequence<I...>) {
    std::tuple<std::optional<typename Parameter<A>::Held>...> held;
    if (!(Parameter<A>::read(instance, values + offset_of_parameter<A...>(I), std::get<I>(held)) &&
          ...)) {
      if constexpr (!std::is_void_v<Value>) {
        write_result(values, Class::kBadPointer);
      }
      return nullptr;
    }
    // NOLINTBEGIN(bugprone-unchecked-optional-access): read() filled them.
    auto& object = *static_cast<Class*>(instance.imports(Class::kSlot));
    if constexpr (std::is_void_v<R>) {
      (object.*Method)(*std::get<I>(held)...);
    } else {
      R result = (object.*Method)(*std::get<I>(held)...);
      // NOLINTEND(bugprone-unchecked-optional-access)
      if constexpr (!std::is_same_v<R, Value>) {
        if (!result) {
          return Instance::unwinding_trap();
        }
        if constexpr (!std::is_void_v<Value>) {
          write_result(values, *result);
        }
      } else {
        write_result(values, result);
      }
    }
    return nullptr;
  }

  static void define(ImportSet& imports, std::string_view module, std::string_view name) {
    std::array<ValueType, kValues> parameters{};
    [[maybe_unused]] std::size_t next = 0;
    ((std::ranges::copy(Parameter<A>::kTypes, parameters.begin() + next),
      next += Parameter<A>::kValues),
     ...);
    if constexpr (std::is_void_v<Value>) {
      imports.define_raw(module, name, parameters, {}, &Thunk::call);
    } else {
      constexpr std::array kResults = {sizeof(Value) == 8 ? ValueType::kI64 : ValueType::kI32};
      imports.define_raw(module, name, parameters, kResults, &Thunk::call);
    }
  }
};

}  // namespace internal

// Defines the host function `name` of `module` as the member function `Method`.
template <auto Method>
void define(ImportSet& imports, std::string_view module, std::string_view name) {
  internal::Thunk<Method>::define(imports, module, name);
}

}  // namespace grete::wasm

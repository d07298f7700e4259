// Owners for what Wasmtime's C API hands out. Included by the engine's sources only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <wasmtime.h>

namespace grete::wasm {

template <auto Delete>
struct HandleDeleter {
  template <class T>
  void operator()(T* handle) const {
    Delete(handle);
  }
};

template <class T, auto Delete>
using Handle = std::unique_ptr<T, HandleDeleter<Delete>>;

using ErrorHandle = Handle<wasmtime_error_t, wasmtime_error_delete>;
using TrapHandle = Handle<wasm_trap_t, wasm_trap_delete>;
using ModuleHandle = Handle<wasmtime_module_t, wasmtime_module_delete>;
using FutureHandle = Handle<wasmtime_call_future_t, wasmtime_call_future_delete>;
using StoreHandle = Handle<wasmtime_store_t, wasmtime_store_delete>;
using FunctionTypeHandle = Handle<wasm_functype_t, wasm_functype_delete>;

// A vector of the C API that we own.
struct ByteVector {
  wasm_byte_vec_t raw{};

  ByteVector() = default;
  ByteVector(const ByteVector&) = delete;
  ByteVector& operator=(const ByteVector&) = delete;
  ~ByteVector() { wasm_byte_vec_delete(&raw); }

  [[nodiscard]] std::string_view text() const { return {raw.data, raw.size}; }
};

inline std::string message_of(const wasmtime_error_t& error) {
  ByteVector message;
  wasmtime_error_message(&error, &message.raw);
  return std::string{message.text()};
}

inline std::string_view text_of(const wasm_name_t& name) {
  return {name.data, name.size};
}

}  // namespace grete::wasm

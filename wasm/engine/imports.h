// What modules of one ABI may import, and modules linked to it.
//
// Host functions are member functions of "import classes". A class is named by a slot; each
// instance says which object stands in each slot. The mapping from WebAssembly types to C++ types
// is derived from the member function's signature (host_function.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "wasm/engine/compiled_module.h"
#include "wasm/error.h"

struct wasmtime_caller;
struct wasmtime_linker;
struct wasmtime_instance_pre;
struct wasm_trap_t;
union wasmtime_val_raw;

namespace grete::wasm {

// Which import class a host function belongs to.
enum class ImportSlot : std::uint8_t { kWasi, kAbi };
inline constexpr std::size_t kImportSlots = 2;

enum class ValueType : std::uint8_t { kI32, kI64, kF32, kF64 };

// A host function as the engine calls it.
using HostFunction = wasm_trap_t* (*)(void* environment, wasmtime_caller* caller,
                                      wasmtime_val_raw* arguments_and_results, std::size_t count);

// Filled once at start-up, then only read; shared between threads.
class ImportSet {
 public:
  explicit ImportSet(Engine& engine);
  ~ImportSet();

  ImportSet(const ImportSet&) = delete;
  ImportSet& operator=(const ImportSet&) = delete;

  // Defines a function by hand; host_function.h has define<&Class::method>(...).
  void define_raw(std::string_view module, std::string_view name,
                  std::span<const ValueType> parameters, std::span<const ValueType> results,
                  HostFunction function);

  // What keeps `import` from being resolved; empty if nothing does.
  [[nodiscard]] std::string explain(const ExternInfo& import) const;

  // All functions: the signature, as in ExternInfo, by module and name.
  using Functions = std::map<std::pair<std::string, std::string>, std::string>;
  [[nodiscard]] const Functions& functions() const { return functions_; }

  [[nodiscard]] wasmtime_linker* handle() const { return linker_; }

 private:
  wasmtime_linker* linker_;
  Functions functions_;
};

// A module whose imports are resolved, ready to be instantiated on any thread. Immutable.
class LinkedModule {
 public:
  // kLink, naming every import that `imports` lacks or has with another type.
  [[nodiscard]] static Result<std::shared_ptr<const LinkedModule>, Error> link(
      std::shared_ptr<const CompiledModule> module, const ImportSet& imports);
  ~LinkedModule();

  LinkedModule(const LinkedModule&) = delete;
  LinkedModule& operator=(const LinkedModule&) = delete;

  [[nodiscard]] const CompiledModule& module() const { return *module_; }
  [[nodiscard]] const wasmtime_instance_pre* handle() const { return pre_; }

 private:
  LinkedModule(std::shared_ptr<const CompiledModule> module, wasmtime_instance_pre* pre);

  std::shared_ptr<const CompiledModule> module_;
  wasmtime_instance_pre* pre_;
};

}  // namespace grete::wasm

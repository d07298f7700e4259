// What can be told about a module without running it: for `grete plugin inspect`, for choosing the
// ABI, and for checking callbacks before they are called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct wasmtime_module;

namespace grete::wasm {

enum class Abi : std::uint8_t {
  kUnknown,
  kProxyWasm010,
  kProxyWasm020,
  kProxyWasm021,
  kExtism,
  kRedpandaTransform,
};

// "Proxy-Wasm 0.2.1"
[[nodiscard]] std::string_view name_of(Abi abi);
[[nodiscard]] bool is_proxy_wasm(Abi abi);

enum class ExternKind : std::uint8_t { kFunction, kGlobal, kTable, kMemory, kTag };

struct ExternInfo {
  // The module imported from; empty for an export.
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::kFunction;
  // For functions: the parameters, an arrow, and the results, as in "i32 i64 -> i32"; "->" for
  // neither. Empty for other kinds.
  std::string signature;

  friend bool operator==(const ExternInfo&, const ExternInfo&) = default;
};

struct ModuleInfo {
  // Of the module's binary.
  std::uint64_t size_bytes = 0;
  Abi abi = Abi::kUnknown;
  std::vector<ExternInfo> imports;
  std::vector<ExternInfo> exports;
  // The memory it exports as "memory", in bytes; maximum if it declares one.
  std::uint64_t min_memory_bytes = 0;
  std::optional<std::uint64_t> max_memory_bytes;

  // The export of that name, or null.
  [[nodiscard]] const ExternInfo* find_export(std::string_view name) const;

  friend bool operator==(const ModuleInfo&, const ModuleInfo&) = default;
};

[[nodiscard]] ModuleInfo describe(const wasmtime_module* module, std::uint64_t size_bytes);

}  // namespace grete::wasm

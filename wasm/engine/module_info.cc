#include "wasm/engine/module_info.h"

#include <algorithm>
#include <array>

#include "wasm/engine/handles.h"

namespace grete::wasm {
namespace {

std::string_view name_of_type(wasm_valkind_t kind) {
  switch (kind) {
    case WASM_I32:
      return "i32";
    case WASM_I64:
      return "i64";
    case WASM_F32:
      return "f32";
    case WASM_F64:
      return "f64";
    case WASM_FUNCREF:
      return "funcref";
    case WASM_EXTERNREF:
      return "externref";
    default:
      return "other";
  }
}

std::string signature(const wasm_functype_t* type) {
  std::string text;
  const auto add = [&text](const wasm_valtype_vec_t* types) {
    for (std::size_t i = 0; i < types->size; ++i) {
      text += text.empty() ? "" : " ";
      text += name_of_type(wasm_valtype_kind(types->data[i]));
    }
  };
  add(wasm_functype_params(type));
  text += text.empty() ? "->" : " ->";
  add(wasm_functype_results(type));
  return text;
}

ExternInfo describe_extern(std::string_view module, std::string_view name,
                           const wasm_externtype_t* type) {
  ExternInfo info;
  info.module = module;
  info.name = name;
  switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_FUNC:
      info.kind = ExternKind::kFunction;
      info.signature = signature(wasm_externtype_as_functype_const(type));
      break;
    case WASM_EXTERN_GLOBAL:
      info.kind = ExternKind::kGlobal;
      break;
    case WASM_EXTERN_TABLE:
      info.kind = ExternKind::kTable;
      break;
    case WASM_EXTERN_MEMORY:
      info.kind = ExternKind::kMemory;
      break;
    default:
      info.kind = ExternKind::kTag;
      break;
  }
  return info;
}

bool imports_from(const ModuleInfo& info, std::string_view module) {
  return std::ranges::any_of(
      info.imports, [module](const ExternInfo& import) { return import.module == module; });
}

Abi detect_abi(const ModuleInfo& info) {
  constexpr std::array<std::pair<std::string_view, Abi>, 3> kMarkers = {{
      {"proxy_abi_version_0_2_1", Abi::kProxyWasm021},
      {"proxy_abi_version_0_2_0", Abi::kProxyWasm020},
      {"proxy_abi_version_0_1_0", Abi::kProxyWasm010},
  }};
  for (const auto& [marker, abi] : kMarkers) {
    if (info.find_export(marker) != nullptr) {
      return abi;
    }
  }
  if (imports_from(info, "redpanda_transform")) {
    return Abi::kRedpandaTransform;
  }
  if (imports_from(info, "extism:host/env")) {
    return Abi::kExtism;
  }
  return Abi::kUnknown;
}

}  // namespace

std::string_view name_of(Abi abi) {
  switch (abi) {
    case Abi::kProxyWasm010:
      return "Proxy-Wasm 0.1.0";
    case Abi::kProxyWasm020:
      return "Proxy-Wasm 0.2.0";
    case Abi::kProxyWasm021:
      return "Proxy-Wasm 0.2.1";
    case Abi::kExtism:
      return "Extism";
    case Abi::kRedpandaTransform:
      return "Redpanda data transform";
    case Abi::kUnknown:
      break;
  }
  return "unknown";
}

bool is_proxy_wasm(Abi abi) {
  return abi == Abi::kProxyWasm010 || abi == Abi::kProxyWasm020 || abi == Abi::kProxyWasm021;
}

const ExternInfo* ModuleInfo::find_export(std::string_view name) const {
  const auto found = std::ranges::find(exports, name, &ExternInfo::name);
  return found == exports.end() ? nullptr : &*found;
}

ModuleInfo describe(const wasmtime_module* module, std::uint64_t size_bytes) {
  ModuleInfo info;
  info.size_bytes = size_bytes;
  wasm_importtype_vec_t imports;
  wasmtime_module_imports(module, &imports);
  for (std::size_t i = 0; i < imports.size; ++i) {
    info.imports.push_back(describe_extern(text_of(*wasm_importtype_module(imports.data[i])),
                                           text_of(*wasm_importtype_name(imports.data[i])),
                                           wasm_importtype_type(imports.data[i])));
  }
  wasm_importtype_vec_delete(&imports);

  wasm_exporttype_vec_t exports;
  wasmtime_module_exports(module, &exports);
  for (std::size_t i = 0; i < exports.size; ++i) {
    const wasm_externtype_t* type = wasm_exporttype_type(exports.data[i]);
    const std::string_view name = text_of(*wasm_exporttype_name(exports.data[i]));
    info.exports.push_back(describe_extern("", name, type));
    if (name == "memory" && wasm_externtype_kind(type) == WASM_EXTERN_MEMORY) {
      constexpr std::uint64_t kPage = 65536;
      const wasm_memorytype_t* memory = wasm_externtype_as_memorytype_const(type);
      info.min_memory_bytes = wasmtime_memorytype_minimum(memory) * kPage;
      if (std::uint64_t pages = 0; wasmtime_memorytype_maximum(memory, &pages)) {
        info.max_memory_bytes = pages * kPage;
      }
    }
  }
  wasm_exporttype_vec_delete(&exports);
  info.abi = detect_abi(info);
  return info;
}

}  // namespace grete::wasm

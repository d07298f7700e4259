#include "wasm/engine/imports.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "wasm/engine/handles.h"

namespace grete::wasm {
namespace {

void fill(wasm_valtype_vec_t& vector, std::span<const ValueType> types) {
  std::array<wasm_valtype_t*, 16> values{};
  for (std::size_t i = 0; i < types.size(); ++i) {
    constexpr std::array<wasm_valkind_enum, 4> kKinds = {WASM_I32, WASM_I64, WASM_F32, WASM_F64};
    values[i] = wasm_valtype_new(kKinds[static_cast<std::size_t>(types[i])]);
  }
  wasm_valtype_vec_new(&vector, types.size(), values.data());
}

std::string signature_of_types(std::span<const ValueType> parameters,
                               std::span<const ValueType> results) {
  constexpr std::array<std::string_view, 4> kNames = {"i32", "i64", "f32", "f64"};
  std::string text;
  for (const ValueType type : parameters) {
    text += kNames[static_cast<std::size_t>(type)];
    text += ' ';
  }
  text += "->";
  for (const ValueType type : results) {
    text += ' ';
    text += kNames[static_cast<std::size_t>(type)];
  }
  return text;
}

}  // namespace

ImportSet::ImportSet(Engine& engine) : linker_(wasmtime_linker_new(engine.handle())) {}

ImportSet::~ImportSet() {
  wasmtime_linker_delete(linker_);
}

void ImportSet::define_raw(std::string_view module, std::string_view name,
                           std::span<const ValueType> parameters,
                           std::span<const ValueType> results, HostFunction function) {
  wasm_valtype_vec_t parameter_types;
  wasm_valtype_vec_t result_types;
  fill(parameter_types, parameters);
  fill(result_types, results);
  const FunctionTypeHandle type{wasm_functype_new(&parameter_types, &result_types)};
  const ErrorHandle error{
      wasmtime_linker_define_func_unchecked(linker_, module.data(), module.size(), name.data(),
                                            name.size(), type.get(), function, nullptr, nullptr)};
  if (error) {
    std::abort();  // Defined twice: a bug.
  }
  functions_.emplace(std::pair{module, name}, signature_of_types(parameters, results));
}

std::string ImportSet::explain(const ExternInfo& import) const {
  std::string name = import.module + "." + import.name;
  if (import.kind != ExternKind::kFunction) {
    return name + " (not a function)";
  }
  const auto found = functions_.find(std::pair{import.module, import.name});
  if (found == functions_.end()) {
    return name;
  }
  if (found->second != import.signature) {
    return name + " as (" + import.signature + "), which is (" + found->second + ")";
  }
  return "";
}

Result<std::shared_ptr<const LinkedModule>, Error> LinkedModule::link(
    std::shared_ptr<const CompiledModule> module, const ImportSet& imports) {
  std::string missing;
  for (const ExternInfo& import : module->info().imports) {
    std::string problem = imports.explain(import);
    if (!problem.empty()) {
      missing += (missing.empty() ? "" : "; ") + std::move(problem);
    }
  }
  if (!missing.empty()) {
    return unexpected(
        Error{ErrorKind::kLink, "the module imports what this host does not provide: " + missing});
  }
  wasmtime_instance_pre_t* pre = nullptr;
  if (const ErrorHandle error{
          wasmtime_linker_instantiate_pre(imports.handle(), module->handle(), &pre)}) {
    return unexpected(Error{ErrorKind::kLink, "the module does not link: " + message_of(*error)});
  }
  return std::shared_ptr<const LinkedModule>{new LinkedModule{std::move(module), pre}};
}

LinkedModule::LinkedModule(std::shared_ptr<const CompiledModule> module, wasmtime_instance_pre* pre)
    : module_(std::move(module)), pre_(pre) {}

LinkedModule::~LinkedModule() {
  wasmtime_instance_pre_delete(pre_);
}

}  // namespace grete::wasm

// Modules written as WebAssembly text, for tests.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "wasm/engine/compiled_module.h"
#include "wasm/engine/engine.h"
#include "wasm/engine/imports.h"

namespace grete::wasm::testing {

// The binary of a module in text; aborts with a message if it is malformed.
[[nodiscard]] std::vector<std::byte> assemble(std::string_view text);

// Compiles a module in text; aborts if that fails.
[[nodiscard]] std::shared_ptr<const CompiledModule> compile(Engine& engine, std::string_view text);

// Compiles and links; aborts if that fails.
[[nodiscard]] std::shared_ptr<const LinkedModule> link(Engine& engine, const ImportSet& imports,
                                                       std::string_view text);

// The bytes of a file; aborts if it cannot be read.
[[nodiscard]] std::vector<std::byte> read_file(const char* path);

}  // namespace grete::wasm::testing

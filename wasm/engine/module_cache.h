// Files of compiled modules. Format: a 96-byte header (magic, SHA-256 of the rest in hexadecimal),
// then what Wasmtime serialised. Wasmtime itself checks version and settings, but not integrity.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wasm/engine/compiled_module.h"
#include "wasm/engine/handles.h"

namespace grete::wasm {

// The SHA-256 of both texts, one after the other, in hexadecimal.
[[nodiscard]] std::string sha256_hex(std::string_view first, std::string_view second = {});

// The compiled module of that name, or null if there is none, or if it is damaged.
[[nodiscard]] ModuleHandle load_compiled(const ModuleCache& cache, const std::string& key,
                                         wasm_engine_t* engine);

// Writes it so that readers, also in other processes, see all or nothing. Failing is harmless.
void store_compiled(const ModuleCache& cache, const std::string& key,
                    const wasmtime_module_t* module);

}  // namespace grete::wasm

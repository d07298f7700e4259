// A module compiled to machine code, and the folder where such code is kept between runs.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "wasm/engine/engine.h"
#include "wasm/engine/module_info.h"
#include "wasm/error.h"

struct wasmtime_module;

namespace grete::wasm {

// A folder of compiled modules. Loading one runs its machine code, so the folder must be ours
// alone: owned by this user, mode 0700, no symbolic link. Thread-safe, also between processes.
class ModuleCache {
 public:
  // Makes the folder (and its parents) if it is not there. kCacheFolder if it is not safe.
  [[nodiscard]] static Result<ModuleCache, Error> open(std::filesystem::path folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit ModuleCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

enum class CompiledFrom : std::uint8_t { kSource, kCache };

// Immutable, shared between threads. The engine outlives it.
class CompiledModule {
 public:
  // Validates and compiles `wasm`, a binary module. Takes about a millisecond a KiB on one core:
  // call it off the data path. With a cache, compiled code is read from there if it is intact (a
  // damaged file is replaced), else written there; a cache that cannot be written is no error.
  [[nodiscard]] static Result<std::shared_ptr<const CompiledModule>, Error> compile(
      Engine& engine, Bytes wasm, const ModuleCache* cache = nullptr);
  ~CompiledModule();

  CompiledModule(const CompiledModule&) = delete;
  CompiledModule& operator=(const CompiledModule&) = delete;

  [[nodiscard]] const ModuleInfo& info() const { return info_; }
  // The SHA-256 of the module's bytes, in hexadecimal. Names the module in logs and caches.
  [[nodiscard]] const std::string& content_hash() const { return content_hash_; }
  [[nodiscard]] CompiledFrom compiled_from() const { return compiled_from_; }
  [[nodiscard]] Engine& engine() const { return *engine_; }
  [[nodiscard]] const wasmtime_module* handle() const { return module_; }

 private:
  CompiledModule(Engine& engine, wasmtime_module* module, std::uint64_t size_bytes,
                 std::string content_hash, CompiledFrom compiled_from);

  Engine* engine_;
  wasmtime_module* module_;
  ModuleInfo info_;
  std::string content_hash_;
  CompiledFrom compiled_from_;
};

}  // namespace grete::wasm

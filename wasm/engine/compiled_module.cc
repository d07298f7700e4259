#include "wasm/engine/compiled_module.h"

#include <algorithm>
#include <utility>

#include <malloc.h>

#include "wasm/engine/handles.h"
#include "wasm/engine/module_cache.h"
#include "wasm/limits.h"

namespace grete::wasm {
namespace {

Result<void, Error> check_header(Bytes wasm) {
  constexpr std::string_view kModule{"\0asm\1\0\0\0", 8};
  constexpr std::string_view kComponent{"\0asm\x0d\0\1\0", 8};
  const std::string_view header = as_text(wasm.first(std::min<std::size_t>(wasm.size(), 8)));
  if (header == kModule) {
    return {};
  }
  if (header == kComponent) {
    return unexpected(Error{ErrorKind::kNotAModule,
                            "this is a WebAssembly component; plug-ins are core modules: build for "
                            "wasm32-wasip1 instead of wasm32-wasip2"});
  }
  return unexpected(Error{ErrorKind::kNotAModule,
                          "this is no WebAssembly module: it does not begin with \\0asm and "
                          "version 1"});
}

}  // namespace

Result<std::shared_ptr<const CompiledModule>, Error> CompiledModule::compile(
    Engine& engine, Bytes wasm, const ModuleCache* cache) {
  if (wasm.size() > limits::kMaxModuleBytes) {
    return unexpected(Error{ErrorKind::kTooLarge, "the module has " + std::to_string(wasm.size()) +
                                                      " bytes; the limit is " +
                                                      std::to_string(limits::kMaxModuleBytes)});
  }
  GRETE_TRY(check_header(wasm));
  std::string hash = sha256_hex(as_text(wasm));
  const std::string key = cache == nullptr ? "" : sha256_hex(hash, engine.fingerprint());
  ModuleHandle module;
  auto from = CompiledFrom::kCache;
  if (cache != nullptr) {
    module = load_compiled(*cache, key, engine.handle());
  }
  if (!module) {
    from = CompiledFrom::kSource;
    wasmtime_module_t* compiled = nullptr;
    if (const ErrorHandle error{
            wasmtime_module_new(engine.handle(), reinterpret_cast<const std::uint8_t*>(wasm.data()),
                                wasm.size(), &compiled)}) {
      return unexpected(
          Error{ErrorKind::kInvalid, "the module does not compile: " + message_of(*error)});
    }
    module.reset(compiled);
    // Compiling takes tens of megabytes on several threads, which the allocator would keep.
    ::malloc_trim(0);
    if (cache != nullptr) {
      store_compiled(*cache, key, module.get());
    }
  }
  return std::shared_ptr<const CompiledModule>{
      new CompiledModule{engine, module.release(), wasm.size(), std::move(hash), from}};
}

CompiledModule::CompiledModule(Engine& engine, wasmtime_module* module, std::uint64_t size_bytes,
                               std::string content_hash, CompiledFrom compiled_from)
    : engine_(&engine),
      module_(module),
      info_(describe(module, size_bytes)),
      content_hash_(std::move(content_hash)),
      compiled_from_(compiled_from) {}

CompiledModule::~CompiledModule() {
  wasmtime_module_delete(module_);
}

}  // namespace grete::wasm

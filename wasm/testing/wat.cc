#include "wasm/testing/wat.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "wasm/engine/handles.h"

namespace grete::wasm::testing {
namespace {

[[noreturn]] void give_up(const std::string& message) {
  static_cast<void>(std::fprintf(stderr, "%s\n", message.c_str()));
  std::abort();
}

}  // namespace

std::vector<std::byte> assemble(std::string_view text) {
  ByteVector binary;
  if (const ErrorHandle error{wasmtime_wat2wasm(text.data(), text.size(), &binary.raw)}) {
    give_up(message_of(*error));
  }
  const Bytes bytes = as_bytes(binary.text());
  return {bytes.begin(), bytes.end()};
}

std::shared_ptr<const CompiledModule> compile(Engine& engine, std::string_view text) {
  auto compiled = CompiledModule::compile(engine, assemble(text));
  if (!compiled) {
    give_up(compiled.error().detail);
  }
  return *compiled;
}

std::shared_ptr<const LinkedModule> link(Engine& engine, const ImportSet& imports,
                                         std::string_view text) {
  auto linked = LinkedModule::link(compile(engine, text), imports);
  if (!linked) {
    give_up(linked.error().detail);
  }
  return *linked;
}

std::vector<std::byte> read_file(const char* path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    give_up(std::string{"cannot read "} + path);
  }
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

}  // namespace grete::wasm::testing

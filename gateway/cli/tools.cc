// grete decode and grete plugin inspect.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "gateway/cli/commands.h"
#include "gateway/limits.h"
#include "gateway/session/protocol.h"
#include "kafka/json/frame_json.h"
#include "plugins/plugin_loader.h"
#include "wasm/engine/compiled_module.h"
#include "wasm/engine/engine.h"

namespace grete::gateway {

namespace {

// A frame in text and binary form is at most three times as long as the largest that is served.
constexpr std::size_t kMaxInput = 3 * kDefaultMaxFrame;
constexpr std::uint64_t kDecodeMemory = std::uint64_t{2} << 30;

// The content of a file, of standard input for "-"; nullopt after telling why not.
std::optional<std::string> read_input(const std::string& file) {
  std::string content;
  if (file == "-") {
    content.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream stream(file, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(stream), {});
    if (!stream) {
      fmt::print(stderr, "grete: {}: cannot be read\n", file);
      return std::nullopt;
    }
  }
  if (content.size() > kMaxInput) {
    fmt::print(stderr, "grete: {}: larger than {} bytes\n", file, kMaxInput);
    return std::nullopt;
  }
  return content;
}

// A frame as bytes: hex digits given directly, or a file of hex digits or of the bytes themselves.
std::optional<std::vector<std::byte>> read_frame(const std::string& argument) {
  if (auto bytes = kafka::json::parse_hex(argument); bytes && !bytes->empty()) {
    return bytes;
  }
  const auto content = read_input(argument);
  if (!content) {
    return std::nullopt;
  }
  if (auto bytes = kafka::json::parse_hex(*content); bytes && !bytes->empty()) {
    return bytes;
  }
  const Bytes bytes = as_bytes(*content);
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

void print_hooks(const plugins::LoadedPlugin& plugin) {
  if (plugin.hook == nullptr) {
    fmt::print("hooks:    byte stream\n");
    return;
  }
  fmt::print("hooks:    as subscribed with an empty configuration\n");
  for (const auto& interest : plugin.hook->subscription().entries()) {
    constexpr const char* kPayloads[] = {"", "message", "header", "records", "batches"};
    const auto payload = static_cast<std::size_t>(interest.payload);
    const std::string last =
        interest.last_version == INT16_MAX ? "later" : std::to_string(interest.last_version);
    fmt::print("  {:<10} of {} {}, versions {} to {}\n",
               payload < std::size(kPayloads) ? kPayloads[payload] : "",
               interest.api_key < 0 ? "every" : name_of(kafka::ApiKey{interest.api_key}),
               interest.direction == kafka::lane::Direction::kRequest ? "requests" : "responses",
               interest.first_version, last);
  }
}

}  // namespace

int decode_command(const std::string& request, const std::string& response) {
  const auto request_bytes = read_frame(request);
  if (!request_bytes) {
    return 1;
  }
  std::optional<std::vector<std::byte>> response_bytes;
  if (!response.empty()) {
    response_bytes = read_frame(response);
    if (!response_bytes) {
      return 1;
    }
  }
  MemoryBudget budget(kDecodeMemory);
  const auto json = kafka::json::frames_to_json(
      *request_bytes, response_bytes ? std::optional<Bytes>(*response_bytes) : std::nullopt,
      budget);
  if (!json) {
    fmt::print(stderr, "grete: {}\n", json.error().text);
    return 1;
  }
  fmt::print("{}\n", *json);
  return 0;
}

int inspect_command(const std::string& file) {
  const auto content = read_input(file);
  if (!content) {
    return 1;
  }
  auto loader = plugins::PluginLoader::create();
  if (!loader) {
    fmt::print(stderr, "grete: {}\n", loader.error());
    return 1;
  }
  const auto module = wasm::CompiledModule::compile((*loader)->engine(), as_bytes(*content));
  if (!module) {
    fmt::print(stderr, "grete: {}: {}\n", file, module.error().detail);
    return 1;
  }
  const wasm::ModuleInfo& info = (*module)->info();
  fmt::print("file:     {}\nsize:     {} bytes\nsha256:   {}\nabi:      {}\nmemory:   {} bytes{}\n",
             file, info.size_bytes, (*module)->content_hash(), wasm::name_of(info.abi),
             info.min_memory_bytes,
             info.max_memory_bytes ? fmt::format(", at most {}", *info.max_memory_bytes) : "");
  const auto loaded = (*loader)->load({.name = "inspected", .wasm = file, .configuration = "{}"},
                                      as_bytes(*content));
  if (loaded) {
    print_hooks(*loaded);
  } else {
    fmt::print("hooks:    not known, since it does not start with an empty configuration: {}\n",
               loaded.error());
  }
  fmt::print("imports:\n");
  for (const wasm::ExternInfo& import : info.imports) {
    fmt::print("  {}.{}{}{}\n", import.module, import.name, import.signature.empty() ? "" : ": ",
               import.signature);
  }
  return 0;
}

}  // namespace grete::gateway

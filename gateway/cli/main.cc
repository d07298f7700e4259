// grete: a gateway for the Apache Kafka protocol. The one file that knows every part.
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/native_filter.h"
#include "gateway/cli/commands.h"

namespace {

using namespace grete;

// The filters that are compiled in.
Result<std::shared_ptr<const plugins::Hook>, std::string> make_native(
    const gateway::PluginConfig& config) {
  return bench::make_native_filter({config.name, gateway::policy_of(config.on_failure)},
                                   config.native, config.config);
}

int run(int argc, char** argv) {
  CLI::App app{"grete, a gateway for the Apache Kafka protocol, extended with WebAssembly"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Show the help of all commands");
  std::string config;
  int result = 0;

  auto* run_app = app.add_subcommand("run", "Run the gateway");
  run_app->add_option("-c,--config", config, "The configuration file")->required();
  run_app->callback([&] { result = grete::gateway::run_command(config, make_native); });

  auto* check_app = app.add_subcommand("check", "Check a configuration file");
  check_app->add_option("-c,--config", config, "The configuration file")->required();
  check_app->callback([&] { result = grete::gateway::check_command(config, make_native); });

  std::string file;
  auto* demo_app = app.add_subcommand("demo", "See the PII filter at work on an embedded broker");
  demo_app->add_option("--filter", file, "The filter's module");
  demo_app->callback([&] { result = grete::gateway::demo_command(file); });

  std::string response;
  auto* decode_app = app.add_subcommand("decode", "Print a request and its response as JSON");
  decode_app->add_option("request", file, "Hex digits, a file, or -")->required();
  decode_app->add_option("response", response, "Its response, likewise");
  decode_app->callback([&] { result = grete::gateway::decode_command(file, response); });

  auto* plugin_app = app.add_subcommand("plugin", "Look at plug-ins");
  plugin_app->require_subcommand(1);
  auto* inspect_app = plugin_app->add_subcommand("inspect", "Say what a module is");
  inspect_app->add_option("file", file, "The module")->required();
  inspect_app->callback([&] { result = grete::gateway::inspect_command(file); });

  auto* version_app = app.add_subcommand("version", "Show the version");
  version_app->callback([] { fmt::print("grete {}\n", GRETE_VERSION); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "grete: {}\n", error.what());
    return 1;
  }
}

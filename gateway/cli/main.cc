// grete: a gateway for the Apache Kafka protocol.
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "gateway/cli/commands.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"grete, a gateway for the Apache Kafka protocol, extended with WebAssembly"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Show the help of all commands");
  std::string config;
  int result = 0;

  auto* run_app = app.add_subcommand("run", "Run the gateway");
  run_app->add_option("-c,--config", config, "The configuration file")->required();
  run_app->callback([&] { result = grete::gateway::run_command(config); });

  auto* check_app = app.add_subcommand("check", "Check a configuration file");
  check_app->add_option("-c,--config", config, "The configuration file")->required();
  check_app->callback([&] { result = grete::gateway::check_command(config); });

  std::string file;
  auto* demo_app = app.add_subcommand("demo", "See the PII filter at work on an embedded broker");
  demo_app->add_option("--filter", file, "The filter's module");
  demo_app->callback([&] { result = grete::gateway::demo_command(file); });

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

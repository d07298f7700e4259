// The program's commands. Each returns the exit code: 0 done, 1 it failed, 2 the command line is
// wrong.
#pragma once

#include <string>

#include "gateway/cli/plugin_factory.h"

namespace grete::gateway {

// Runs the gateway until SIGTERM or SIGINT, then drains.
int run_command(const std::string& config_file, const MakeNative& native);

// Reports everything that is wrong with a configuration.
int check_command(const std::string& config_file, const MakeNative& native);

// Plays the PII filter's scene on an embedded broker; with a terminal it stays up until Ctrl-C.
// `filter_file` is the filter's module; empty: the one beside this program.
int demo_command(const std::string& filter_file);

// Prints a request, and its response where one is given, as JSON. Each is hex digits, or a file of
// hex digits or of bytes, or "-" for standard input.
int decode_command(const std::string& request, const std::string& response);

// Says what a plug-in's module is: its ABI, hooks, imports and size.
int inspect_command(const std::string& file);

}  // namespace grete::gateway

// The program's commands. Each returns the exit code: 0 done, 1 it failed, 2 the command line is
// wrong.
#pragma once

#include <string>

namespace grete::gateway {

// Runs the gateway until SIGTERM or SIGINT, then drains.
int run_command(const std::string& config_file);

// Reports everything that is wrong with a configuration.
int check_command(const std::string& config_file);

// Plays the PII filter's scene on an embedded broker; with a terminal it stays up until Ctrl-C.
// `filter_file` is the filter's module; empty: the one beside this program.
int demo_command(const std::string& filter_file);

}  // namespace grete::gateway

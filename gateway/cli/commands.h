// The program's commands. Each returns the exit code: 0 done, 1 it failed, 2 the command line is
// wrong.
#pragma once

#include <string>

namespace grete::gateway {

// Runs the gateway until SIGTERM or SIGINT, then drains.
int run_command(const std::string& config_file);

// Reports everything that is wrong with a configuration.
int check_command(const std::string& config_file);

}  // namespace grete::gateway

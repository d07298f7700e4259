// Reads the configuration. Strict: what it does not know is an error, with its place, what was
// expected, and the nearest word that would have been right.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/config/config.h"

namespace grete::gateway {

// All errors that were found, in the order of the file.
[[nodiscard]] Result<Config, std::vector<ConfigError>> parse_config(const std::string& yaml);

// As parse_config, of a file of at most kMaxConfigFile bytes.
[[nodiscard]] Result<Config, std::vector<ConfigError>> read_config(const std::string& file);

}  // namespace grete::gateway

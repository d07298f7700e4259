// The values that configuration files are made of, read from text.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/cluster/cluster.h"

namespace grete::gateway {

// "100ms", "5s", "15min", "1h".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "64MiB", "10KiB", "1GiB", "4096" (bytes).
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);
// "host:port", "[::1]:port".
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

// The candidate that `word` was probably meant to be: by edit distance, at most a third of the
// word's length; empty if none is near.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace grete::gateway

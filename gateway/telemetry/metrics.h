// Counters as Prometheus reads them.
#pragma once

#include <string>
#include <vector>

#include "gateway/telemetry/stats.h"

namespace grete::gateway {

// The workers' counters, summed, in Prometheus' text format (version 0.0.4). Any thread: numbers of
// different counters need not be of the same moment.
[[nodiscard]] std::string render_metrics(const std::vector<const WorkerStats*>& workers);

}  // namespace grete::gateway

#include "gateway/telemetry/metrics.h"

#include <functional>
#include <limits>
#include <string_view>
#include <utility>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "gateway/session/protocol.h"

namespace grete::gateway {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;
using Workers = std::vector<const WorkerStats*>;

class Families {
 public:
  explicit Families(const Workers& workers) : workers_(&workers) {}

  void begin(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }

  // Adds the sum of one counter over all workers.
  template <class Select>
  void add(Labels labels, Select select) {
    std::uint64_t sum = 0;
    for (const WorkerStats* worker : *workers_) {
      sum += select(*worker).get();
    }
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = static_cast<double>(sum);
    } else {
      metric.gauge.value = static_cast<double>(sum);
    }
    families_.back().metric.push_back(std::move(metric));
  }

  template <class Select>
  void add_histogram(Labels labels, Select select) {
    ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t cumulative = 0;
    for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
      for (const WorkerStats* worker : *workers_) {
        cumulative += select(*worker).count(bucket);
      }
      const bool last = bucket + 1 == Histogram::kBuckets;
      metric.histogram.bucket.push_back({cumulative, last ? std::numeric_limits<double>::infinity()
                                                          : Histogram::bound_seconds(bucket)});
    }
    for (const WorkerStats* worker : *workers_) {
      metric.histogram.sample_sum += select(*worker).sum_seconds();
    }
    metric.histogram.sample_count = cumulative;
    families_.back().metric.push_back(std::move(metric));
  }

  [[nodiscard]] const std::vector<MetricFamily>& families() const { return families_; }

 private:
  const Workers* workers_;
  std::vector<MetricFamily> families_;
};

// The APIs that were used, so that a scrape does not list 128 of them.
std::vector<std::size_t> used_apis(const Workers& workers) {
  std::vector<std::size_t> used;
  for (std::size_t api = 0; api <= WorkerStats::kApis; ++api) {
    for (const WorkerStats* worker : workers) {
      if (worker->apis[api].requests.get() != 0) {
        used.push_back(api);
        break;
      }
    }
  }
  return used;
}

Labels api_label(std::size_t api) {
  return {{"api", api == WorkerStats::kApis
                      ? std::string("other")
                      : name_of(kafka::ApiKey{static_cast<std::int16_t>(api)})}};
}

void add_apis(Families& out, const Workers& workers) {
  const auto used = used_apis(workers);
  const auto counters = [&](std::string name, std::string help, Counter ApiStats::* counter) {
    out.begin(std::move(name), std::move(help), MetricType::Counter);
    for (const std::size_t api : used) {
      out.add(api_label(api), [&](const WorkerStats& worker) -> const Counter& {
        return worker.apis[api].*counter;
      });
    }
  };
  const auto histograms = [&](std::string name, std::string help, Histogram ApiStats::* histogram) {
    out.begin(std::move(name), std::move(help), MetricType::Histogram);
    for (const std::size_t api : used) {
      out.add_histogram(api_label(api), [&](const WorkerStats& worker) -> const Histogram& {
        return worker.apis[api].*histogram;
      });
    }
  };
  counters("grete_requests_total", "Requests of clients", &ApiStats::requests);
  counters("grete_request_bytes_total", "Bytes of clients' requests", &ApiStats::request_bytes);
  counters("grete_replies_total", "Replies to clients", &ApiStats::replies);
  counters("grete_reply_bytes_total", "Bytes of replies to clients", &ApiStats::reply_bytes);
  histograms("grete_request_duration_seconds",
             "From a request's first bytes to its reply's last, the broker's time included",
             &ApiStats::duration);
  histograms("grete_plugin_hold_seconds", "How long plug-ins held a message", &ApiStats::in_chain);
}

// Calls `each` with the indexes and the labels of every hook that was called.
template <class Each>
void for_each_hook(const Workers& workers, Each each) {
  if (workers.empty()) {
    return;
  }
  for (std::size_t plugin = 0; plugin < workers.front()->plugins.size(); ++plugin) {
    for (std::size_t hook = 0; hook < PluginStats::kHookKinds; ++hook) {
      for (const WorkerStats* worker : workers) {
        if (worker->plugins[plugin]->hooks[hook].calls.get() != 0) {
          each(plugin, hook,
               Labels{
                   {"plugin", worker->plugins[plugin]->name},
                   {"hook", std::string(plugins::name_of(static_cast<plugins::HookKind>(hook)))}});
          break;
        }
      }
    }
  }
}

Labels with(Labels labels, std::string name, std::string_view value) {
  labels.push_back({std::move(name), std::string(value)});
  return labels;
}

void add_plugins(Families& out, const Workers& workers) {
  constexpr std::string_view kVerdicts[PluginStats::kVerdicts] = {"pass",   "replace", "reply",
                                                                  "reject", "delay",   "close"};
  using Hook = PluginStats::Hook;
  const auto hook_of = [](std::size_t plugin, std::size_t hook) {
    return [=](const WorkerStats& w) -> const Hook& { return w.plugins[plugin]->hooks[hook]; };
  };
  out.begin("grete_plugin_calls_total", "Calls of plug-ins", MetricType::Counter);
  for_each_hook(workers, [&](std::size_t plugin, std::size_t hook, const Labels& labels) {
    out.add(labels, [of = hook_of(plugin, hook)](const WorkerStats& w) -> const Counter& {
      return of(w).calls;
    });
  });
  out.begin("grete_plugin_slices_total", "Slices of about 1 ms that the calls took",
            MetricType::Counter);
  for_each_hook(workers, [&](std::size_t plugin, std::size_t hook, const Labels& labels) {
    out.add(labels, [of = hook_of(plugin, hook)](const WorkerStats& w) -> const Counter& {
      return of(w).slices;
    });
  });
  out.begin("grete_plugin_verdicts_total", "What plug-ins decided", MetricType::Counter);
  for_each_hook(workers, [&](std::size_t plugin, std::size_t hook, const Labels& labels) {
    for (std::size_t i = 0; i < PluginStats::kVerdicts; ++i) {
      out.add(with(labels, "verdict", kVerdicts[i]),
              [i, of = hook_of(plugin, hook)](const WorkerStats& w) -> const Counter& {
                return of(w).verdicts[i];
              });
    }
  });
  out.begin("grete_plugin_failures_total", "Calls that ended badly", MetricType::Counter);
  for_each_hook(workers, [&](std::size_t plugin, std::size_t hook, const Labels& labels) {
    for (std::size_t i = 0; i < plugins::kFailureKinds; ++i) {
      out.add(with(labels, "failure", plugins::name_of(static_cast<plugins::FailureKind>(i))),
              [i, of = hook_of(plugin, hook)](const WorkerStats& w) -> const Counter& {
                return of(w).failures[i];
              });
    }
  });
  out.begin("grete_plugin_call_duration_seconds", "How long calls of plug-ins took",
            MetricType::Histogram);
  for_each_hook(workers, [&](std::size_t plugin, std::size_t hook, const Labels& labels) {
    out.add_histogram(labels,
                      [of = hook_of(plugin, hook)](const WorkerStats& w) -> const Histogram& {
                        return of(w).duration;
                      });
  });
}

void add_connections(Families& out) {
  out.begin("grete_connections", "Connections of clients, now", MetricType::Gauge);
  out.add({}, [](const WorkerStats& w) -> const Counter& { return w.connections_open; });
  out.begin("grete_connections_accepted_total", "Connections accepted", MetricType::Counter);
  out.add({}, [](const WorkerStats& w) -> const Counter& { return w.connections_accepted; });
  out.begin("grete_connections_closed_total", "Connections closed, by cause", MetricType::Counter);
  for (std::size_t i = 0; i < kCloseCauses; ++i) {
    out.add({{"cause", std::string(name_of(static_cast<CloseCause>(i)))}},
            [i](const WorkerStats& w) -> const Counter& { return w.closed[i]; });
  }
  out.begin("grete_connections_refused_total", "Connections refused, by reason",
            MetricType::Counter);
  for (std::size_t i = 0; i < kSessionFailures; ++i) {
    out.add({{"reason", std::string(name_of(static_cast<SessionFailure>(i)))}},
            [i](const WorkerStats& w) -> const Counter& { return w.refused[i]; });
  }
  out.begin("grete_broker_connect_failures_total", "Failed attempts to reach a broker",
            MetricType::Counter);
  out.add({}, [](const WorkerStats& w) -> const Counter& { return w.connect_failures; });
}

void add_flow(Families& out) {
  out.begin("grete_bytes_total", "Bytes read from sockets", MetricType::Counter);
  out.add({{"from", "client"}},
          [](const WorkerStats& w) -> const Counter& { return w.bytes_from_clients; });
  out.add({{"from", "broker"}},
          [](const WorkerStats& w) -> const Counter& { return w.bytes_from_brokers; });
  out.begin("grete_reads_paused_total",
            "Times that a side was not read since the other is slow or memory is short",
            MetricType::Counter);
  out.add({}, [](const WorkerStats& w) -> const Counter& { return w.reads_paused; });
  out.begin("grete_memory_bytes", "Bytes held for connections, now", MetricType::Gauge);
  out.add({}, [](const WorkerStats& w) -> const Counter& { return w.memory_used; });
  out.begin("grete_messages_in_plugins", "Messages that plug-ins hold, now", MetricType::Gauge);
  out.add({}, [](const WorkerStats& w) -> const Counter& { return w.tasks_waiting; });
  out.begin("grete_worker_turn_seconds", "One turn of a worker's loop", MetricType::Histogram);
  out.add_histogram({}, [](const WorkerStats& w) -> const Histogram& { return w.turn; });
}

}  // namespace

std::string render_metrics(const std::vector<const WorkerStats*>& workers) {
  Families out(workers);
  add_connections(out);
  add_apis(out, workers);
  add_flow(out);
  add_plugins(out, workers);
  return prometheus::TextSerializer().Serialize(out.families());
}

}  // namespace grete::gateway

#include "gateway/config/parse.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "gateway/config/section.h"
#include "gateway/config/values.h"

namespace grete::gateway {

namespace {

constexpr std::string_view kDuration = "a duration such as 100ms, 5s, 15min or 1h";
constexpr std::string_view kSize = "a size such as 64MiB, 512KiB or 1GiB";
constexpr std::string_view kAddress = "host:port, such as 127.0.0.1:9092";
constexpr int kMaxJsonDepth = 64;

// A plug-in's configuration is handed over as JSON. Quoted scalars are strings; plain ones are what
// YAML's core schema takes them for.
nlohmann::json to_json(const YAML::Node& node, int depth) {
  if (depth > kMaxJsonDepth) {
    throw YAML::RepresentationException(node.Mark(), "nested too deeply");
  }
  switch (node.Type()) {
    case YAML::NodeType::Map: {
      auto object = nlohmann::json::object();
      for (const auto& entry : node) {
        object[entry.first.Scalar()] = to_json(entry.second, depth + 1);
      }
      return object;
    }
    case YAML::NodeType::Sequence: {
      auto array = nlohmann::json::array();
      for (const auto& item : node) {
        array.push_back(to_json(item, depth + 1));
      }
      return array;
    }
    case YAML::NodeType::Scalar: {
      const std::string& text = node.Scalar();
      if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") {
        return text;
      }
      if (text == "true" || text == "false") {
        return text == "true";
      }
      const auto number = nlohmann::json::parse(text, nullptr, false);
      return number.is_number() ? number : nlohmann::json(text);
    }
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return nullptr;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

class Parser {
 public:
  explicit Parser(ConfigErrors& errors) : errors_(&errors) {}

  Config parse(const YAML::Node& root) {
    Config config;
    Section top(root, "the configuration", *errors_);
    if (const auto clusters = top.required("clusters")) {
      each_named(*clusters, "clusters", [&](const std::string& name, const YAML::Node& node) {
        config.clusters.emplace(name, cluster(name, node));
      });
    }
    if (const auto plugins = top.value("plugins")) {
      each_named(*plugins, "plugins", [&](const std::string& name, const YAML::Node& node) {
        config.plugins.emplace(name, plugin(name, node));
      });
    }
    if (const auto listeners = top.required("listeners")) {
      if (!listeners->IsSequence() || listeners->size() == 0) {
        top.error(*listeners, "listeners: expected a list of at least one listener");
      } else {
        for (std::size_t i = 0; i < listeners->size(); ++i) {
          config.listeners.push_back(listener((*listeners)[i], i, config));
        }
      }
    }
    if (const auto admin = top.value("admin")) {
      Section section(*admin, "admin", *errors_);
      HostPort bind;
      section.read("bind", bind, parse_host_port, kAddress);
      if (section.required("bind")) {
        config.admin = bind;
      }
      section.finish();
    }
    if (const auto limits = top.value("limits")) {
      config.limits = this->limits(*limits);
    }
    if (const auto log = top.value("log")) {
      config.log = this->log(*log);
    }
    top.finish();
    return config;
  }

 private:
  template <class Each>
  void each_named(const YAML::Node& node, std::string_view what, Each each) {
    if (!node.IsMap()) {
      config_error(*errors_, node,
                   fmt::format("{}: expected a mapping from names, found {}", what, what_is(node)));
      return;
    }
    for (const auto& entry : node) {
      if (!entry.first.IsScalar() || !is_name(entry.first.Scalar())) {
        config_error(*errors_, entry.first,
                     fmt::format("{}: expected a name of letters, digits, '-', '_' and '.', found "
                                 "{}",
                                 what, what_is(entry.first)));
        continue;
      }
      each(entry.first.Scalar(), entry.second);
    }
  }

  ClusterConfig cluster(const std::string& name, const YAML::Node& node) {
    ClusterConfig made{.name = name, .bootstrap = {}};
    Section section(node, "clusters." + name, *errors_);
    if (const auto bootstrap = section.required("bootstrap")) {
      if (!bootstrap->IsSequence() || bootstrap->size() == 0) {
        section.error(*bootstrap,
                      fmt::format("{}.bootstrap: expected a list of host:port, found {}",
                                  section.name(), what_is(*bootstrap)));
      } else {
        for (const auto& item : *bootstrap) {
          const auto address = item.IsScalar() ? parse_host_port(item.Scalar()) : std::nullopt;
          if (!address || address->port == 0) {
            section.error(item, fmt::format("{}.bootstrap: expected {}, found {}", section.name(),
                                            kAddress, what_is(item)));
            continue;
          }
          made.bootstrap.push_back(*address);
        }
      }
    }
    section.finish();
    return made;
  }

  ListenerConfig listener(const YAML::Node& node, std::size_t index, const Config& config) {
    ListenerConfig made;
    Section section(node, fmt::format("listeners[{}]", index), *errors_);
    if (const auto name = section.required("name")) {
      made.name = name->IsScalar() ? name->Scalar() : "";
      if (!is_name(made.name)) {
        section.error(*name, fmt::format("{}.name: expected letters, digits, '-', '_' and '.', "
                                         "found {}",
                                         section.name(), what_is(*name)));
      }
      for (const ListenerConfig& other : config.listeners) {
        if (other.name == made.name) {
          section.error(*name, fmt::format("{}.name: '{}' is the name of another listener",
                                           section.name(), made.name));
        }
      }
    }
    if (section.required("bind")) {
      section.read("bind", made.bind, parse_host_port, kAddress);
    }
    broker_ports(section, made);
    made.ports.host = section.text("advertise").value_or(made.bind.host);
    if (const auto cluster = section.required("cluster")) {
      made.cluster = reference(section, *cluster, "cluster", config.clusters);
    }
    if (const auto chain = section.value("chain")) {
      if (!chain->IsSequence()) {
        section.error(*chain, fmt::format("{}.chain: expected a list of plug-ins' names, found {}",
                                          section.name(), what_is(*chain)));
      } else {
        for (const auto& item : *chain) {
          made.chain.push_back(reference(section, item, "chain", config.plugins));
        }
      }
    }
    section.finish();
    return made;
  }

  void broker_ports(Section& section, ListenerConfig& made) {
    const auto range = section.required("broker_ports");
    if (!range) {
      return;
    }
    const std::string text = range->IsScalar() ? range->Scalar() : "";
    const auto dash = text.find('-');
    const auto first = parse_number(text.substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_number(std::string_view(text).substr(dash + 1));
    if (!first || !last || *first == 0 || *last < *first || *last > UINT16_MAX) {
      section.error(*range, fmt::format("{}.broker_ports: expected first-last, such as "
                                        "19093-19192, found {}",
                                        section.name(), what_is(*range)));
      return;
    }
    if (*last - *first >= kMaxBrokerPorts) {
      section.error(*range, fmt::format("{}.broker_ports: {} ports, and {} is the most",
                                        section.name(), *last - *first + 1, kMaxBrokerPorts));
      return;
    }
    made.ports.first = static_cast<std::uint16_t>(*first);
    made.ports.last = static_cast<std::uint16_t>(*last);
    if (made.bind.port >= made.ports.first && made.bind.port <= made.ports.last) {
      section.error(*range, fmt::format("{}.broker_ports: holds the port of bind, {}",
                                        section.name(), made.bind.port));
    }
  }

  template <class T>
  std::string reference(Section& section, const YAML::Node& node, std::string_view key,
                        const std::map<std::string, T>& known) {
    const std::string name = node.IsScalar() ? node.Scalar() : "";
    if (known.contains(name)) {
      return name;
    }
    std::vector<std::string_view> names;
    for (const auto& [other, ignored] : known) {
      names.push_back(other);
    }
    const std::string_view meant = nearest(name, names);
    std::string text = fmt::format("{}.{}: {} is not defined", section.name(), key, what_is(node));
    text += !meant.empty()  ? fmt::format("; did you mean '{}'?", meant)
            : names.empty() ? std::string("; there are none")
                            : fmt::format("; there are: {}", fmt::join(names, ", "));
    section.error(node, std::move(text));
    return name;
  }

  PluginConfig plugin(const std::string& name, const YAML::Node& node) {
    PluginConfig made;
    made.name = name;
    made.line = node.Mark().line + 1;
    made.column = node.Mark().column + 1;
    Section section(node, "plugins." + name, *errors_);
    made.wasm = section.text("wasm").value_or("");
    made.native = section.text("native").value_or("");
    if (made.wasm.empty() == made.native.empty()) {
      section.error(node, fmt::format("{}: expected either 'wasm' (a file) or 'native' (a filter "
                                      "of this program)",
                                      section.name()));
    }
    section.read("deadline", made.deadline, parse_duration, kDuration);
    if (made.deadline < 1ms || made.deadline > 30s) {
      section.error(node, fmt::format("{}.deadline: expected 1ms to 30s", section.name()));
    }
    section.read("memory", made.memory, parse_size, kSize);
    section.read("instances", made.instances, parse_number, "a number");
    if (made.instances == 0 || made.instances > 64) {
      section.error(node, fmt::format("{}.instances: expected 1 to 64", section.name()));
    }
    section.read_word<FailurePolicy>("on_failure", made.on_failure,
                                     {{"reject", FailurePolicy::kReject},
                                      {"pass", FailurePolicy::kPass},
                                      {"observe", FailurePolicy::kObserve}});
    section.read_word<Isolation>(
        "isolation", made.isolation,
        {{"worker", Isolation::kWorker}, {"connection", Isolation::kConnection}});
    if (const auto config = section.value("config")) {
      made.config = to_json(*config, 0).dump();
    }
    section.finish();
    return made;
  }

  LimitsConfig limits(const YAML::Node& node) {
    LimitsConfig made;
    Section section(node, "limits", *errors_);
    section.read("max_frame", made.max_frame, parse_size, kSize);
    section.read("connection_memory", made.connection_memory, parse_size, kSize);
    section.read("memory", made.memory, parse_size, kSize);
    section.read("connections", made.connections, parse_number, "a number");
    section.read("in_flight", made.in_flight, parse_number, "a number");
    section.read("workers", made.workers, parse_number, "a number (0: one a core)");
    section.read("connect_timeout", made.connect_timeout, parse_duration, kDuration);
    section.read("idle_timeout", made.idle_timeout, parse_duration, kDuration);
    section.read("drain_timeout", made.drain_timeout, parse_duration, kDuration);
    if (made.max_frame < kMinMaxFrame || made.max_frame > INT32_MAX) {
      section.error(node, "limits.max_frame: expected 64KiB to 2047MiB");
    }
    if (made.connection_memory < kReadSize * 4) {
      section.error(node, "limits.connection_memory: expected at least 1MiB");
    }
    if (made.memory < made.connection_memory) {
      section.error(node, "limits.memory: expected at least limits.connection_memory");
    }
    if (made.connections == 0 || made.in_flight == 0) {
      section.error(node, "limits.connections and limits.in_flight: expected at least 1");
    }
    if (made.workers > 256) {
      section.error(node, "limits.workers: expected at most 256");
    }
    section.finish();
    return made;
  }

  LogConfig log(const YAML::Node& node) {
    LogConfig made;
    Section section(node, "log", *errors_);
    section.read_word<LogFormat>("format", made.format,
                                 {{"text", LogFormat::kText}, {"json", LogFormat::kJson}});
    section.read_word<LogLevel>("level", made.level,
                                {{"debug", LogLevel::kDebug},
                                 {"info", LogLevel::kInfo},
                                 {"warning", LogLevel::kWarning},
                                 {"error", LogLevel::kError}});
    section.finish();
    return made;
  }

  ConfigErrors* errors_;
};

}  // namespace

Result<Config, std::vector<ConfigError>> parse_config(const std::string& yaml) {
  ConfigErrors errors;
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (!root.IsMap()) {
      return unexpected(ConfigErrors{{1, 1, "expected a mapping with 'clusters' and 'listeners'"}});
    }
    Config config = Parser(errors).parse(root);
    if (errors.empty()) {
      return config;
    }
  } catch (const YAML::Exception& exception) {
    errors.push_back({exception.mark.line + 1, exception.mark.column + 1, exception.msg});
  }
  std::sort(errors.begin(), errors.end(), [](const ConfigError& a, const ConfigError& b) {
    return std::tie(a.line, a.column, a.text) < std::tie(b.line, b.column, b.text);
  });
  return unexpected(std::move(errors));
}

Result<Config, std::vector<ConfigError>> read_config(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return unexpected(ConfigErrors{{0, 0, "cannot be opened for reading"}});
  }
  std::ostringstream text;
  text << stream.rdbuf();
  if (stream.bad() || text.view().size() > kMaxConfigFile) {
    return unexpected(ConfigErrors{{0, 0, "cannot be read, or is larger than 4 MiB"}});
  }
  return parse_config(text.str());
}

}  // namespace grete::gateway

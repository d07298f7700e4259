#include <algorithm>

#include <gtest/gtest.h>

#include "gateway/config/parse.h"
#include "gateway/config/values.h"

namespace grete::gateway {
namespace {

constexpr const char* kGood = R"(clusters:
  local:
    bootstrap: [127.0.0.1:9092, "[::1]:9093"]
listeners:
  - name: apps
    bind: 127.0.0.1:19092
    broker_ports: 19093-19192
    advertise: gateway.example
    cluster: local
    chain: [mask-pii]
plugins:
  mask-pii:
    wasm: build/release/filters/pii.wasm
    deadline: 250ms
    memory: 32MiB
    on_failure: pass
    config: {detect: [email, aws], topics: {include: ["*"]}, port: "9092", level: 3, on: true}
admin:
  bind: 127.0.0.1:9644
limits:
  max_frame: 10MiB
  idle_timeout: 2min
log:
  format: json
)";

std::vector<std::string> errors_of(const std::string& yaml) {
  std::vector<std::string> texts;
  if (const auto parsed = parse_config(yaml); !parsed) {
    for (const ConfigError& error : parsed.error()) {
      texts.push_back(error.format("f"));
    }
  }
  return texts;
}

// kGood with one line replaced.
std::string with(std::string_view line, std::string_view instead) {
  std::string yaml = kGood;
  const auto at = yaml.find(line);
  EXPECT_NE(at, std::string::npos) << line;
  return yaml.replace(at, line.size(), instead);
}

TEST(Config, ReadsEverything) {
  const auto parsed = parse_config(kGood);
  ASSERT_TRUE(parsed.has_value()) << parsed.error()[0].text;
  const Config& config = *parsed;
  EXPECT_EQ(config.clusters.at("local").bootstrap,
            (std::vector<HostPort>{{"127.0.0.1", 9092}, {"::1", 9093}}));
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.listeners[0].bind, (HostPort{"127.0.0.1", 19092}));
  EXPECT_EQ(config.listeners[0].ports, (BrokerPorts{"gateway.example", 19093, 19192}));
  EXPECT_EQ(config.listeners[0].chain, std::vector<std::string>{"mask-pii"});
  const PluginConfig& plugin = config.plugins.at("mask-pii");
  EXPECT_EQ(plugin.deadline, std::chrono::milliseconds(250));
  EXPECT_EQ(plugin.memory, 32u << 20);
  EXPECT_EQ(plugin.on_failure, FailurePolicy::kPass);
  EXPECT_EQ(
      plugin.config,
      R"({"detect":["email","aws"],"level":3,"on":true,"port":"9092","topics":{"include":["*"]}})");
  EXPECT_EQ(config.admin, (HostPort{"127.0.0.1", 9644}));
  EXPECT_EQ(config.limits.max_frame, 10u << 20);
  EXPECT_EQ(config.limits.idle_timeout, std::chrono::minutes(2));
  EXPECT_EQ(config.log.format, LogFormat::kJson);
}

TEST(Config, SaysWhereAndWhatWasMeant) {
  struct Case {
    std::string yaml;
    std::string error;
  };
  const Case cases[] = {
      {with("    cluster: local", "    clutser: local"),
       "f:9:5: listeners[0]: unknown key 'clutser'; did you mean 'cluster'?"},
      {with("    cluster: local", "    cluster: locale"),
       "f:9:14: listeners[0].cluster: 'locale' is not defined; did you mean 'local'?"},
      {with("chain: [mask-pii]", "chain: [mask-pi]"),
       "f:10:13: listeners[0].chain: 'mask-pi' is not defined; did you mean 'mask-pii'?"},
      {with("250ms", "250"),
       "f:14:15: plugins.mask-pii.deadline: expected a duration such as 100ms, 5s, 15min or 1h, "
       "found '250'"},
      {with("32MiB", "32MB"),
       "f:15:13: plugins.mask-pii.memory: expected a size such as 64MiB, 512KiB or 1GiB, found "
       "'32MB'"},
      {with("on_failure: pass", "on_failure: passs"),
       "f:16:17: plugins.mask-pii.on_failure: expected one of reject, pass, observe, found "
       "'passs'; did you mean 'pass'?"},
      {with("19093-19192", "19093-19092"),
       "f:7:19: listeners[0].broker_ports: expected first-last, such as 19093-19192, found "
       "'19093-19092'"},
      {with("19093-19192", "19092-19192"),
       "f:7:19: listeners[0].broker_ports: holds the port of bind, 19092"},
      {with("bind: 127.0.0.1:9644", "bind: 9644"),
       "f:19:9: admin.bind: expected host:port, such as 127.0.0.1:9092, found '9644'"},
      {with("[127.0.0.1:9092, \"[::1]:9093\"]", "[]"),
       "f:3:16: clusters.local.bootstrap: expected a list of host:port, found a list"},
      {with("max_frame: 10MiB", "max_frame: 1KiB"),
       "f:21:3: limits.max_frame: expected 64KiB to 2047MiB"},
      {with("  format: json", "  format: json\n  format: text"),
       "f:25:3: log: 'format' is there twice"},
  };
  for (const Case& expected : cases) {
    const auto errors = errors_of(expected.yaml);
    EXPECT_NE(std::find(errors.begin(), errors.end(), expected.error), errors.end())
        << "expected: " << expected.error << "\nfound: " << (errors.empty() ? "" : errors[0]);
  }
}

TEST(Config, ReportsAllErrorsInTheFilesOrder) {
  std::string yaml = with("    bind: 127.0.0.1:19092\n", "");
  yaml += "colour: blue\n";
  const auto errors = errors_of(yaml);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0], "f:5:5: listeners[0]: 'bind' is missing");
  EXPECT_EQ(errors[1],
            "f:24:1: the configuration: unknown key 'colour'; expected one of: "
            "clusters, plugins, listeners, admin, limits, log");
}

TEST(Config, SurvivesWhatIsNoConfiguration) {
  EXPECT_EQ(errors_of(""),
            std::vector<std::string>{"f:1:1: expected a mapping with 'clusters' and 'listeners'"});
  EXPECT_EQ(errors_of("clusters: [").size(), 1u);
  EXPECT_FALSE(errors_of("clusters: 1\nlisteners: {a: b}\nplugins: [1]\nadmin: 2").empty());
  EXPECT_FALSE(errors_of("? [a]\n: b\n").empty());
  EXPECT_EQ(read_config("/nonexistent/grete.yaml").error()[0].format("f"),
            "f: cannot be opened for reading");
}

TEST(Values, Durations) {
  EXPECT_EQ(parse_duration("100ms"), std::chrono::milliseconds(100));
  EXPECT_EQ(parse_duration("1h"), std::chrono::hours(1));
  EXPECT_EQ(parse_duration("-1s"), std::nullopt);
  EXPECT_EQ(parse_duration("99999999999999999999s"), std::nullopt);
  EXPECT_EQ(parse_duration("9999999999999999h"), std::nullopt);
}

TEST(Values, Sizes) {
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("64M"), std::nullopt);
  EXPECT_EQ(parse_size(""), std::nullopt);
}

TEST(Values, Addresses) {
  EXPECT_EQ(parse_host_port("kafka-1:9092"), (HostPort{"kafka-1", 9092}));
  EXPECT_EQ(parse_host_port("[::1]:9092"), (HostPort{"::1", 9092}));
  EXPECT_EQ(parse_host_port("::1:9092"), std::nullopt);
  EXPECT_EQ(parse_host_port(":9092"), std::nullopt);
  EXPECT_EQ(parse_host_port("kafka:65536"), std::nullopt);
}

}  // namespace
}  // namespace grete::gateway

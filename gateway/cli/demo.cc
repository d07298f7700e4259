// grete demo: the whole thing in one process, with librdkafka's mock cluster as the broker.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <unistd.h>

#include "gateway/cli/commands.h"
#include "gateway/cli/plugin_factory.h"
#include "gateway/config/values.h"
#include "gateway/net/server.h"
#include "gateway/telemetry/log.h"

namespace grete::gateway {

namespace {

constexpr const char* kTopic = "example-topic";
constexpr std::chrono::seconds kPatience{10};
// The first port of a listener for eight brokers; the next is tried if one is taken.
constexpr std::uint16_t kPorts[] = {19092, 29092, 39092, 49092};

const std::vector<std::string> kProduced = {"AWS_SECRET_ACCESS_KEY=myawssecretkeyvalue",
                                            "My email is example@email.com"};
const std::vector<std::string> kExpected = {"AWS_SECRET_ACCESS_KEY=*******************",
                                            "My email is **"};

struct DestroyHandle {
  void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};
using Handle = std::unique_ptr<rd_kafka_t, DestroyHandle>;

struct DestroyCluster {
  void operator()(rd_kafka_mock_cluster_t* cluster) const {
    rd_kafka_mock_cluster_destroy(cluster);
  }
};
using MockCluster = std::unique_ptr<rd_kafka_mock_cluster_t, DestroyCluster>;

Handle make_client(rd_kafka_type_t type, const std::string& bootstrap) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[256];
  const auto set = [&](const char* name, const char* value) {
    rd_kafka_conf_set(conf, name, value, error, sizeof error);
  };
  set("log_level", "2");
  if (!bootstrap.empty()) {
    set("bootstrap.servers", bootstrap.c_str());
  }
  if (type == RD_KAFKA_CONSUMER) {
    set("group.id", "demo");
  }
  Handle handle(rd_kafka_new(type, conf, error, sizeof error));
  if (handle == nullptr) {
    rd_kafka_conf_destroy(conf);
  }
  return handle;
}

// Whether the broker took every line.
bool produce(const std::string& bootstrap, const std::vector<std::string>& lines) {
  const Handle producer = make_client(RD_KAFKA_PRODUCER, bootstrap);
  if (producer == nullptr) {
    return false;
  }
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer.get(), kTopic, nullptr);
  for (const std::string& line : lines) {
    rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, const_cast<char*>(line.data()), line.size(),
                     nullptr, 0, nullptr);
  }
  rd_kafka_topic_destroy(topic);
  const auto patience = std::chrono::milliseconds(kPatience);
  return rd_kafka_flush(producer.get(), static_cast<int>(patience.count())) ==
         RD_KAFKA_RESP_ERR_NO_ERROR;
}

std::vector<std::string> consume(const std::string& bootstrap, std::size_t count) {
  std::vector<std::string> lines;
  const Handle consumer = make_client(RD_KAFKA_CONSUMER, bootstrap);
  if (consumer == nullptr) {
    return lines;
  }
  rd_kafka_poll_set_consumer(consumer.get());
  rd_kafka_topic_partition_list_t* partitions = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(partitions, kTopic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer.get(), partitions);
  rd_kafka_topic_partition_list_destroy(partitions);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (lines.size() < count && std::chrono::steady_clock::now() < end) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer.get(), 100);
    if (message == nullptr) {
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      lines.emplace_back(static_cast<const char*>(message->payload), message->len);
    }
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(consumer.get());
  return lines;
}

// filters/pii.wasm of the build tree or of the installation that this program lies in.
std::string find_filter() {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"../filters/pii.wasm", "../share/grete/filters/pii.wasm"}) {
    if (const auto file = folder / place; std::filesystem::exists(file, error)) {
      return std::filesystem::weakly_canonical(file, error).string();
    }
  }
  return {};
}

std::shared_ptr<const Config> demo_config(const HostPort& broker, std::uint16_t port,
                                          const std::string& filter) {
  auto config = std::make_shared<Config>();
  config->clusters["demo"] = {.name = "demo", .bootstrap = {broker}};
  ListenerConfig listener;
  listener.name = "apps";
  listener.bind = {"127.0.0.1", port};
  listener.ports = {"127.0.0.1", static_cast<std::uint16_t>(port + 1),
                    static_cast<std::uint16_t>(port + 8)};
  listener.cluster = "demo";
  listener.chain = {"mask-pii"};
  config->listeners.push_back(listener);
  PluginConfig plugin;
  plugin.name = "mask-pii";
  plugin.wasm = filter;
  plugin.config = R"({"detect": ["email", "aws"], "topics": {"include": ["*"]}})";
  config->plugins["mask-pii"] = plugin;
  return config;
}

// Plays the scene; whether it came out as it should.
bool play(const std::string& bootstrap) {
  fmt::print("$ kcat -b {} -t {} -P\n{}\n\n", bootstrap, kTopic, fmt::join(kProduced, "\n"));
  std::fflush(stdout);
  if (!produce(bootstrap, kProduced)) {
    fmt::print(stderr, "grete demo: the lines were not delivered\n");
    return false;
  }
  const auto got = consume(bootstrap, kExpected.size());
  fmt::print("$ kcat -b {} -t {} -C\n{}\n", bootstrap, kTopic, fmt::join(got, "\n"));
  std::fflush(stdout);
  if (got != kExpected) {
    fmt::print(stderr, "grete demo: expected\n{}\n", fmt::join(kExpected, "\n"));
    return false;
  }
  return true;
}

}  // namespace

int demo_command(const std::string& filter_file) {
  const std::string filter = filter_file.empty() ? find_filter() : filter_file;
  if (filter.empty()) {
    fmt::print(stderr,
               "grete demo: there is no filters/pii.wasm beside this program; name one "
               "with --filter\n");
    return 1;
  }
  Log::start(LogFormat::kText, LogLevel::kWarning);
  const Handle host = make_client(RD_KAFKA_PRODUCER, "");
  const MockCluster cluster(host == nullptr ? nullptr : rd_kafka_mock_cluster_new(host.get(), 1));
  if (cluster == nullptr) {
    fmt::print(stderr, "grete demo: the embedded broker does not start\n");
    return 1;
  }
  rd_kafka_mock_topic_create(cluster.get(), kTopic, 1, 1);
  const auto broker = parse_host_port(rd_kafka_mock_cluster_bootstraps(cluster.get()));
  PluginFactory plugins;
  const auto make = [&](const PluginConfig& plugin) { return plugins.make(plugin); };
  boost::asio::io_context io(1);
  std::unique_ptr<Server> server;
  std::string failed;
  std::string bootstrap;
  for (const std::uint16_t port : kPorts) {
    server = std::make_unique<Server>(io, demo_config(*broker, port, filter), make);
    const auto started = server->start();
    if (started) {
      bootstrap = fmt::format("127.0.0.1:{}", port);
      break;
    }
    failed = started.error();
    server = nullptr;
  }
  if (server == nullptr) {
    fmt::print(stderr, "grete demo: {}\n", failed);
    return 1;
  }
  const bool stay = ::isatty(STDOUT_FILENO) != 0 && ::isatty(STDIN_FILENO) != 0;
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) {
      io.stop();
    }
  });
  std::thread thread([&] { io.run(); });
  const bool good = play(bootstrap);
  if (good && stay) {
    fmt::print(
        "\ngrete listens on {}, with a broker of its own and the PII filter.\n"
        "Try it from another terminal:  echo 'call me: me@example.com' | kcat -b {} -t {} "
        "-P\nCtrl-C ends it.\n",
        bootstrap, bootstrap, kTopic);
    std::fflush(stdout);
  } else {
    boost::asio::post(io, [&] { io.stop(); });
  }
  thread.join();
  server = nullptr;
  Log::stop();
  return good ? 0 : 1;
}

}  // namespace grete::gateway

#include "gateway/telemetry/log.h"

#include <atomic>
#include <chrono>
#include <memory>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace grete::gateway {

namespace {

constexpr std::size_t kQueuedLines = 8192;

struct State {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
  LogFormat format = LogFormat::kText;
};

State& state() {
  static State the_state;
  return the_state;
}

std::atomic<LogLevel> g_level = LogLevel::kInfo;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \"=\n\r\t\\") != std::string_view::npos;
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string format_text(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line(event);
  for (const LogField& field : fields) {
    line += fmt::format(" {}={}", field.name,
                        needs_quotes(field.value) ? json_string(field.value) : field.value);
  }
  return line;
}

std::string format_json(std::string_view time, LogLevel level, std::string_view event,
                        std::initializer_list<LogField> fields) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", time,
                                 level_name(level), json_string(event));
  for (const LogField& field : fields) {
    line += fmt::format(",{}:{}", json_string(field.name),
                        field.is_number ? field.value : json_string(field.value));
  }
  line += '}';
  return line;
}

void Log::start(LogFormat format, LogLevel level) {
  State& current = state();
  current.format = format;
  current.pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  current.logger = std::make_shared<spdlog::async_logger>(
      "grete", std::make_shared<spdlog::sinks::stderr_sink_mt>(), current.pool,
      spdlog::async_overflow_policy::overrun_oldest);
  current.logger->set_level(spdlog::level::trace);
  current.logger->set_pattern(format == LogFormat::kText ? "%Y-%m-%dT%H:%M:%S.%e %-7l %v" : "%v");
  current.logger->flush_on(spdlog::level::trace);
  g_level.store(level, std::memory_order_relaxed);
}

void Log::stop() {
  State& current = state();
  if (current.logger) {
    current.logger->flush();
  }
  current.logger.reset();
  current.pool.reset();
}

bool Log::enabled(LogLevel level) {
  return level >= g_level.load(std::memory_order_relaxed);
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const State& current = state();
  if (!current.logger || !enabled(level)) {
    return;
  }
  if (current.format == LogFormat::kText) {
    current.logger->log(spdlog_level(level), format_text(event, fields));
    return;
  }
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  current.logger->log(
      spdlog_level(level),
      format_json(fmt::format("{:%Y-%m-%dT%H:%M}:{:06.3f}Z", fmt::gmtime(now),
                              static_cast<double>(now.time_since_epoch().count() % 60000) / 1000.0),
                  level, event, fields));
}

}  // namespace grete::gateway

// The program's log: one line an event, with fields, as text or as JSON, to standard error.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace grete::gateway {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

// A name and a value beside an event's text.
struct LogField {
  std::string_view name;
  std::string value;
  bool is_number = false;

  LogField(std::string_view field, std::string text) : name(field), value(std::move(text)) {}
  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const char* text) : name(field), value(text) {}
  template <class T>
    requires std::is_integral_v<T>
  LogField(std::string_view field, T number)
      : name(field), value(std::to_string(number)), is_number(true) {}
};

// Any thread, after start(). Lines go to a thread of their own by a bounded queue; if that is full
// the oldest are lost, so that a blocked terminal never stops a worker.
class Log {
 public:
  static void start(LogFormat format, LogLevel level);
  // Writes out what is queued.
  static void stop();
  [[nodiscard]] static bool enabled(LogLevel level);

  static void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kDebug, event, fields);
  }
  static void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, event, fields);
  }
  static void warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarning, event, fields);
  }
  static void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, event, fields);
  }

  static void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);
};

// One line as the log prints it, without time and level (text) or with them (JSON).
[[nodiscard]] std::string format_text(std::string_view event,
                                      std::initializer_list<LogField> fields);
[[nodiscard]] std::string format_json(std::string_view time, LogLevel level, std::string_view event,
                                      std::initializer_list<LogField> fields);

}  // namespace grete::gateway

#pragma once

#include <string>
#include <string_view>

namespace streamrun {

enum class LogLevel { debug, info, warning, error };

/// Where the engine's talk goes; the binary prints it on stderr. Thread-safe. Never called per
/// record.
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view message) = 0;

  void debug(std::string_view message) { write(LogLevel::debug, message); }
  void info(std::string_view message) { write(LogLevel::info, message); }
  void warning(std::string_view message) { write(LogLevel::warning, message); }
  void error(std::string_view message) { write(LogLevel::error, message); }
};

/// For tests and tools that want no talk.
class NullLog final : public Log {
 public:
  void write(LogLevel, std::string_view) override {}
};

}  // namespace streamrun

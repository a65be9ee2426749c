#pragma once

#include <streamrun/base/result.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {

/// The arguments of a job. A job declares each where it reads it (name, help, default), so that the
/// same call serves the run, `jobs`, `info JOB --help` and shell completion: in a *listing* the
/// values are placeholders and every declaration is collected.
class JobArguments {
 public:
  struct Declaration {
    std::string name;
    std::string type;  ///< `text`, `path`, `integer`, `duration`, `flag`
    std::string help;
    std::optional<std::string> default_text;
    bool repeatable = false;
    bool required = false;
  };
  using Values = std::vector<std::pair<std::string, std::string>>;

  /// For a run: values by name, in order; a flag has the value `true`.
  JobArguments(Values values, std::string working_directory);
  /// For a listing: nothing is given, nothing is missed.
  static JobArguments listing();
  bool is_listing() const { return listing_; }

  std::string text(const std::string& name, const std::string& help);
  std::string text(const std::string& name, const std::string& help, const std::string& fallback);
  std::optional<std::string> optional_text(const std::string& name, const std::string& help);
  /// May be given several times.
  std::vector<std::string> texts(const std::string& name, const std::string& help);
  /// Paths and URIs are made absolute against the folder of the run that was given them, and
  /// recorded so.
  std::vector<std::string> paths(const std::string& name, const std::string& help);
  std::optional<std::string> optional_path(const std::string& name, const std::string& help);
  std::int64_t integer(const std::string& name, const std::string& help, std::int64_t fallback);
  /// `500ms`, `5 min`; a bare number is of milliseconds. `fallback` likewise.
  std::chrono::nanoseconds duration(const std::string& name, const std::string& help,
                                    const std::string& fallback);
  bool flag(const std::string& name, const std::string& help);

  /// After the graph is built: E-USAGE for what was given and is not declared (with the nearest
  /// name), and for what is missing. Throws.
  void check() const;
  const std::vector<Declaration>& declarations() const { return declarations_; }
  /// As they are recorded in every checkpoint.
  const Values& values() const { return values_; }

 private:
  JobArguments() = default;
  void declare(Declaration declaration);
  std::optional<std::string> find(const std::string& name) const;

  Values values_;
  std::string working_directory_;
  std::vector<Declaration> declarations_;
  std::vector<std::string> missing_;
  bool listing_ = false;
};

}  // namespace streamrun

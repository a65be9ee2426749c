#include <streamrun/base/key_groups.h>
#include <streamrun/config/options.h>
#include <streamrun/config/validation.h>

#include <chrono>

#include <fmt/format.h>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

class Validator {
 public:
  explicit Validator(const Configuration& configuration) : config_(configuration) {}

  std::vector<Error> check() && {
    check_unaligned();
    check_times();
    check_counts();
    check_storage();
    check_parallelism();
    check_fixed_delay();
    check_failure_rate();
    check_exponential_delay();
    return std::move(errors_);
  }

 private:
  template <typename T>
  std::string named(const ConfigOption<T>& option) const {
    return fmt::format("{} ({})", option.key, config_.from(option.key));
  }
  void refuse(std::string message, std::vector<std::string> tries = {}) {
    errors_.push_back({.code = ErrorCode::config,
                       .message = std::move(message),
                       .tries = std::move(tries),
                       .retry = Retry::no});
  }
  /// What the command line says counts more than the job's code and the file.
  template <typename T>
  static std::string define(const ConfigOption<T>& option, std::string_view value) {
    return fmt::format("-D {}={}", option.key, value);
  }
  template <typename T>
  void at_least(const ConfigOption<T>& option, T least, const std::string& shown) {
    const std::optional<T> value = config_.find(option);
    if (value && *value < least)
      refuse(fmt::format("{} must be at least {}", named(option), shown));
  }
  void at_least(const ConfigOption<std::int32_t>& option, std::int32_t least) {
    at_least(option, least, fmt::to_string(least));
  }
  void at_least(const ConfigOption<options::Duration>& option, options::Duration least) {
    at_least(option, least, format_duration(least));
  }

  void check_unaligned() {
    using namespace options;
    if (!config_.get(kUnalignedCheckpoints)) return;
    if (config_.get(kCheckpointingMode) == CheckpointingMode::at_least_once) {
      refuse(fmt::format("{} needs EXACTLY_ONCE, but {} is AT_LEAST_ONCE",
                         named(kUnalignedCheckpoints), named(kCheckpointingMode)),
             {define(kUnalignedCheckpoints, "false"), define(kCheckpointingMode, "EXACTLY_ONCE")});
    }
    if (config_.get(kMaxConcurrentCheckpoints) > 1) {
      refuse(fmt::format("{} allows one checkpoint at a time, but {} is {}",
                         named(kUnalignedCheckpoints), named(kMaxConcurrentCheckpoints),
                         config_.get(kMaxConcurrentCheckpoints)),
             {define(kUnalignedCheckpoints, "false"), define(kMaxConcurrentCheckpoints, "1")});
    }
  }

  void check_times() {
    at_least(options::kCheckpointInterval, 10ms);
    at_least(options::kCheckpointTimeout, 10ms);
    at_least(options::kS3Timeout, 10ms);
  }

  void check_counts() {
    at_least(options::kS3ConcurrentUploads, 1);
    at_least(options::kS3Attempts, 1);
    // Smaller parts are refused by S3, all but the last one.
    at_least(options::kS3PartSize, MemorySize{.bytes = std::uint64_t{5} << 20U}, "5 mb");
    at_least(options::kRetainedCheckpoints, 1);
    at_least(options::kMaxConcurrentCheckpoints, 1);
    at_least(options::kTolerableFailedCheckpoints, 0);
    at_least(options::kCheckpointHistory, 0);
    if (config_.get(options::kDataInlineThreshold).bytes > kLargestInline) {
      refuse(fmt::format("{} must be at most {}", named(options::kDataInlineThreshold),
                         format_memory_size(kLargestInline)));
    }
  }

  void check_storage() {
    using namespace options;
    const bool has_directory = !config_.find(kCheckpointDirectory).value_or("").empty();
    const auto storage = config_.find(kCheckpointStorage);
    if (storage == CheckpointStorageType::filesystem && !has_directory) {
      refuse(fmt::format("{} is filesystem, but {} is not set", named(kCheckpointStorage),
                         kCheckpointDirectory.key),
             {define(kCheckpointDirectory, "DIR"), define(kCheckpointStorage, "jobmanager")});
    }
  }

  void check_parallelism() {
    using namespace options;
    at_least(kParallelism, 1);
    const std::int32_t max = config_.get(kMaxParallelism);
    if (max == kDerived) return check_limit(kParallelism);
    at_least(kMaxParallelism, 1);
    check_limit(kMaxParallelism);
    if (max >= 1 && config_.get(kParallelism) > max) {
      refuse(fmt::format("{} is {}, above {}, which is {}", named(kParallelism),
                         config_.get(kParallelism), named(kMaxParallelism), max));
    }
  }
  void check_limit(const ConfigOption<std::int32_t>& option) {
    if (config_.get(option) > kMaxParallelismLimit) {
      refuse(fmt::format("{} must be at most {}", named(option), kMaxParallelismLimit));
    }
  }

  void check_fixed_delay() { at_least(options::kFixedDelayAttempts, 0); }

  void check_failure_rate() {
    at_least(options::kFailureRateMax, 1);
    at_least(options::kFailureRateInterval, 1ms);
  }

  void check_exponential_delay() {
    using namespace options;
    at_least(kExponentialInitialBackoff, 1ms);
    at_least(kExponentialAttempts, 0);
    if (config_.get(kExponentialInitialBackoff) > config_.get(kExponentialMaxBackoff)) {
      refuse(fmt::format("{} is longer than {}", named(kExponentialInitialBackoff),
                         named(kExponentialMaxBackoff)),
             {define(kExponentialMaxBackoff,
                     format_duration(config_.get(kExponentialInitialBackoff)))});
    }
    if (config_.get(kExponentialMultiplier) <= 1.0) {
      refuse(fmt::format("{} must be above 1", named(kExponentialMultiplier)));
    }
    const double jitter = config_.get(kExponentialJitter);
    if (jitter < 0.0 || jitter > 1.0)
      refuse(fmt::format("{} must be from 0 to 1", named(kExponentialJitter)));
  }

  static constexpr std::uint64_t kLargestInline = 1024UL * 1024UL;
  static constexpr std::int32_t kDerived = -1;

  const Configuration& config_;
  std::vector<Error> errors_;
};

}  // namespace

std::vector<std::string> doubts(const Configuration& configuration) {
  using namespace options;
  std::vector<std::string> found;
  if (configuration.get(kCheckpointMinPause) > 0ms &&
      configuration.get(kMaxConcurrentCheckpoints) > 1) {
    found.push_back(
        fmt::format("{} with {} above 1: the pause is kept from the last completion only, and "
                    "checkpoints may be "
                    "in progress during it",
                    kCheckpointMinPause.key, kMaxConcurrentCheckpoints.key));
  }
  if (configuration.get(kAlignedCheckpointTimeout) > 0ms &&
      !configuration.get(kUnalignedCheckpoints)) {
    found.push_back(fmt::format("{} has no effect without {}", kAlignedCheckpointTimeout.key,
                                kUnalignedCheckpoints.key));
  }
  return found;
}

std::vector<Error> contradictions(const Configuration& configuration) {
  return Validator(configuration).check();
}

}  // namespace streamrun

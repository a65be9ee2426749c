#include "remote_stores.h"

#include <streamrun/config/options.h>
#include <streamrun/platform/curl/curl_transport.h>
#include <streamrun/platform/process_table.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/storage/hdfs/hadoop_configuration.h>
#include <streamrun/storage/hdfs/hdfs_file_system.h>
#include <streamrun/storage/local_file_system.h>
#include <streamrun/storage/s3/credentials.h>
#include <streamrun/storage/s3/s3_endpoint.h>
#include <streamrun/storage/s3/s3_file_system.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <pwd.h>
#include <unistd.h>

#include "load.h"
#include "output.h"

namespace streamrun {
namespace {

/// What stores are made of; outlives them.
class Network {
 public:
  explicit Network(GlobalFlags global) : global_(std::move(global)) {}

  Result<std::unique_ptr<FileSystem>> make_hdfs() {
    return make_hdfs_file_system(SR_TRY(hdfs_settings()), *transport_, random_, *processes_,
                                 &clock_);
  }

  Result<std::unique_ptr<FileSystem>> make_s3() {
    return make_s3_file_system(SR_TRY(s3_settings()), *transport_, random_, clock_, *processes_);
  }

 private:
  Result<S3Settings> s3_settings() {
    const Configuration configuration = load_quietly(global_, {}, {}, "").configuration;
    S3Settings settings;
    settings.endpoint = configuration.find(options::kS3Endpoint).value_or("");
    SR_TRY(check_s3_endpoint(settings.endpoint));
    const std::string region = variable("AWS_REGION");
    settings.region =
        configuration.find(options::kS3Region).value_or(region.empty() ? settings.region : region);
    settings.path_style = configuration.get(options::kS3PathStyle);
    const S3Credentials configured{
        .access_key = configuration.find(options::kS3AccessKey).value_or(""),
        .secret_key = configuration.find(options::kS3SecretKey).value_or(""),
        .session_token = configuration.find(options::kS3SessionToken).value_or("")};
    settings.credentials = SR_TRY(find_s3_credentials(configured, environment_, *local_));
    settings.part_bytes = configuration.get(options::kS3PartSize).bytes;
    settings.most_parts_at_once =
        static_cast<std::size_t>(std::max(configuration.get(options::kS3ConcurrentUploads), 1));
    settings.most_transfer_bytes = configuration.get(options::kS3TransferMemory).bytes;
    settings.timeout = configuration.get(options::kS3Timeout);
    settings.attempts = std::max(configuration.get(options::kS3Attempts), 1);
    settings.allow_unconditional = configuration.get(options::kS3AllowUnconditional);
    return settings;
  }

  Result<HdfsSettings> hdfs_settings() {
    const Configuration configuration = load_quietly(global_, {}, {}, "").configuration;
    HadoopConfiguration hadoop = SR_TRY(read_hadoop_configuration(
        *local_, variable("HADOOP_CONF_DIR"), without_prefix(configuration, "flink.hadoop.")));
    for (const std::string& warning : hadoop.warnings) print_warning(warning, global_);
    if (const auto scheme = configuration.find(options::kDefaultScheme))
      hadoop.properties.emplace("fs.defaultFS", *scheme);
    HdfsSettings settings;
    if (const auto timeout = hadoop.properties.find("dfs.client.socket-timeout");
        timeout != hadoop.properties.end()) {
      settings.request_timeout =
          SR_TRY(milliseconds_of("dfs.client.socket-timeout", timeout->second));
    }
    settings.hadoop = std::move(hadoop.properties);
    settings.user = user_name();
    return settings;
  }

  std::string variable(const std::string& name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::string() : found->second;
  }

  static std::map<std::string, std::string> without_prefix(const Configuration& configuration,
                                                           const std::string& prefix) {
    std::map<std::string, std::string> rest;
    for (const auto& [key, value] : configuration.with_prefix(prefix))
      rest.emplace(key.substr(prefix.size()), value);
    return rest;
  }

  static Result<Duration> milliseconds_of(const std::string& key, const std::string& text) {
    std::int64_t count = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
    constexpr std::int64_t kMost = 24LL * 3600 * 1000;
    const bool is_number = problem == std::errc() && end == text.data() + text.size();
    if (is_number && count > 0 && count <= kMost) return Duration(std::chrono::milliseconds(count));
    return Error{.code = ErrorCode::config,
                 .message = key + ": \"" + text + "\" is not a number of milliseconds up to a day",
                 .retry = Retry::no};
  }

  /// Whom HDFS is told, as Hadoop's own client does without Kerberos.
  std::string user_name() const {
    if (const std::string name = variable("HADOOP_USER_NAME"); !name.empty()) return name;
    const passwd* const entry = ::getpwuid(::geteuid());
    return entry != nullptr ? entry->pw_name : std::string();
  }

  const GlobalFlags global_;
  const std::map<std::string, std::string> environment_ = environment_variables();
  const std::unique_ptr<StoreTransport> transport_ = make_curl_transport();
  const std::unique_ptr<ProcessTable> processes_ = make_process_table();
  const std::unique_ptr<FileSystem> local_ = make_local_file_system();
  RealRandom random_;
  RealClock clock_;
};

}  // namespace

void add_remote_stores(FileSystems& stores, const GlobalFlags& global) {
  const auto network = std::make_shared<Network>(global);
  stores.add({"hdfs", "webhdfs", "swebhdfs"}, [network] { return network->make_hdfs(); });
  stores.add({"s3", "s3a", "s3p"}, [network] { return network->make_s3(); });
}

}  // namespace streamrun

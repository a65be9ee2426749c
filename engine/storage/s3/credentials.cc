#include <streamrun/base/strings.h>
#include <streamrun/storage/s3/credentials.h>

#include <optional>
#include <utility>

namespace streamrun {
namespace {

constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 20U;
using Environment = std::map<std::string, std::string>;

Error bad_credentials(std::string message, std::string where) {
  return {.code = ErrorCode::config,
          .message = std::move(message),
          .where = std::move(where),
          .why =
              "looked for, in this order: s3.access-key and s3.secret-key in the configuration; "
              "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment; the profile "
              "AWS_PROFILE in ~/.aws/credentials or AWS_SHARED_CREDENTIALS_FILE",
          .retry = Retry::no};
}

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// Nothing if neither key is there.
Result<std::optional<S3Credentials>> complete(S3Credentials found, const std::string& where) {
  if (found.access_key.empty() && found.secret_key.empty()) return std::optional<S3Credentials>();
  if (!found.access_key.empty() && !found.secret_key.empty())
    return std::optional(std::move(found));
  return bad_credentials(found.access_key.empty() ? "a secret key for S3 without its access key"
                                                  : "an access key for S3 without its secret key",
                         where);
}

std::string credentials_file(const Environment& environment) {
  std::string named = value_of(environment, "AWS_SHARED_CREDENTIALS_FILE");
  if (!named.empty()) return named;
  const std::string home = value_of(environment, "HOME");
  return home.empty() ? std::string() : join_path(home, ".aws/credentials");
}

/// The settings of one section of an INI file.
S3Credentials profile_in(const std::string& text, const std::string& profile) {
  S3Credentials found;
  bool is_inside = false;
  for (const std::string& raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      is_inside = line.back() == ']' && trim(line.substr(1, line.size() - 2)) == profile;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!is_inside || equals == std::string_view::npos) continue;
    const std::string name = to_lower_ascii(trim(line.substr(0, equals)));
    const std::string value(trim(line.substr(equals + 1)));
    if (name == "aws_access_key_id") found.access_key = value;
    if (name == "aws_secret_access_key") found.secret_key = value;
    if (name == "aws_session_token") found.session_token = value;
  }
  return found;
}

Result<std::optional<S3Credentials>> from_profile(const Environment& environment,
                                                  FileSystem& files) {
  const std::string path = credentials_file(environment);
  if (path.empty()) return std::optional<S3Credentials>();
  const Result<std::string> text = files.read_all(path, kMostFileBytes);
  if (!text && text.error().code == ErrorCode::path) return std::optional<S3Credentials>();
  if (!text) return text.error();
  const std::string named = value_of(environment, "AWS_PROFILE");
  return complete(profile_in(*text, named.empty() ? "default" : named), path);
}

}  // namespace

Result<S3Credentials> find_s3_credentials(const S3Credentials& configured,
                                          const Environment& environment, FileSystem& files) {
  if (auto found = SR_TRY(complete(configured, "s3.access-key, s3.secret-key"))) return *found;
  const S3Credentials from_environment{.access_key = value_of(environment, "AWS_ACCESS_KEY_ID"),
                                       .secret_key = value_of(environment, "AWS_SECRET_ACCESS_KEY"),
                                       .session_token = value_of(environment, "AWS_SESSION_TOKEN")};
  if (auto found = SR_TRY(complete(from_environment, "the environment"))) return *found;
  if (auto found = SR_TRY(from_profile(environment, files))) return *found;
  return bad_credentials("there are no credentials for S3", "");
}

}  // namespace streamrun

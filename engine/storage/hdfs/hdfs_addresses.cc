#include <streamrun/base/strings.h>
#include <streamrun/storage/hdfs/hdfs_addresses.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

using Properties = std::map<std::string, std::string>;

constexpr std::string_view kSchemes[] = {"hdfs", "webhdfs", "swebhdfs"};

struct HostPort {
  std::string host;  ///< with the brackets of an IPv6 address
  std::string port;  ///< may be empty
};

HostPort split_port(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  const std::size_t bracket = address.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (!has_port) return {.host = std::string(address), .port = {}};
  return {.host = std::string(address.substr(0, colon)),
          .port = std::string(address.substr(colon + 1))};
}

std::string value_of(const Properties& properties, const std::string& key) {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string() : std::string(trim(found->second));
}

std::vector<std::string> list_of(const Properties& properties, const std::string& key) {
  std::vector<std::string> names;
  for (const std::string& part : split(value_of(properties, key), ',')) {
    if (const std::string_view name = trim(part); !name.empty()) names.emplace_back(name);
  }
  return names;
}

bool is_any_host(const std::string& host) {
  return host.empty() || host == "0.0.0.0" || host == "[::]";
}

Error bad_uri(std::string_view uri, std::string message) {
  return {.code = ErrorCode::usage,
          .message = std::move(message),
          .where = shortened(uri),
          .retry = Retry::no};
}

Error not_told(const std::string& where, std::string message) {
  return {.code = ErrorCode::config,
          .message = std::move(message),
          .where = where,
          .why = "Hadoop's properties come from core-site.xml and hdfs-site.xml in HADOOP_CONF_DIR",
          .retry = Retry::no};
}

/// The HTTP side of name nodes: plain, or with TLS.
class Endpoint {
 public:
  Endpoint(const Properties& properties, bool is_https)
      : properties_(properties), is_https_(is_https) {}

  std::string key() const {
    return is_https_ ? "dfs.namenode.https-address" : "dfs.namenode.http-address";
  }
  std::string url(const HostPort& at) const {
    const std::string port = at.port.empty() ? (is_https_ ? "9871" : "9870") : at.port;
    return fmt::format("{}://{}:{}", is_https_ ? "https" : "http", at.host, port);
  }
  /// Of the name node whose keys end with `suffix`; `host` is where it is if its own keys do not
  /// say.
  std::optional<std::string> of(const std::string& suffix, std::string host) const {
    const HostPort rpc = split_port(value_of(properties_, "dfs.namenode.rpc-address" + suffix));
    if (!is_any_host(rpc.host)) host = rpc.host;
    HostPort at = split_port(value_of(properties_, key() + suffix));
    if (is_any_host(at.host)) at.host = std::move(host);
    if (at.host.empty()) return std::nullopt;
    return url(at);
  }

 private:
  const Properties& properties_;
  const bool is_https_;
};

Result<std::vector<std::string>> of_service(const std::string& service,
                                            const Properties& properties,
                                            const Endpoint& endpoint) {
  std::vector<std::string> suffixes;
  for (const std::string& node : list_of(properties, "dfs.ha.namenodes." + service))
    suffixes.push_back(fmt::format(".{}.{}", service, node));
  if (suffixes.empty()) suffixes.push_back("." + service);
  std::vector<std::string> addresses;
  for (const std::string& suffix : suffixes) {
    std::optional<std::string> address = endpoint.of(suffix, {});
    if (!address) {
      return not_told("hdfs://" + service,
                      fmt::format("neither {0}{1} nor dfs.namenode.rpc-address{1} is set",
                                  endpoint.key(), suffix));
    }
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

/// The ending of the keys of the name node of a service whose RPC address this is.
std::optional<std::string> suffix_of_rpc_address(const Properties& properties,
                                                 const std::string& authority) {
  const std::string prefix = "dfs.namenode.rpc-address.";
  for (auto it = properties.lower_bound(prefix);
       it != properties.end() && it->first.starts_with(prefix); ++it) {
    if (trim(it->second) == authority) return it->first.substr(prefix.size() - 1);
  }
  return std::nullopt;
}

/// Whether the keys without a service's name are about this name node: they are if it is the
/// default one, or if nothing says which is.
bool is_the_only_one(const Properties& properties, const HdfsUri& uri, const Endpoint& endpoint) {
  if (!list_of(properties, "dfs.nameservices").empty()) return false;
  const Result<HdfsUri> standard = parse_hdfs_uri(value_of(properties, "fs.defaultFS"));
  if (!standard || standard->authority.empty() || standard->authority == uri.authority) return true;
  const std::string host = split_port(uri.authority).host;
  return split_port(value_of(properties, endpoint.key())).host == host;
}

Result<std::string> default_authority(const HdfsSettings& settings, const std::string& where) {
  const std::string standard = value_of(settings.hadoop, "fs.defaultFS");
  const Result<HdfsUri> uri = parse_hdfs_uri(standard);
  if (uri && !uri->authority.empty()) return uri->authority;
  return not_told(where,
                  standard.empty()
                      ? "the URI names no name node: write hdfs://HOST:PORT/PATH, or set "
                        "fs.defaultFS in core-site.xml (HADOOP_CONF_DIR) or fs.default-scheme"
                      : "the URI names no name node, and fs.defaultFS is " + standard);
}

}  // namespace

Result<HdfsUri> parse_hdfs_uri(std::string_view uri) {
  const std::size_t colon = uri.find(':');
  HdfsUri parsed;
  if (colon != std::string_view::npos) parsed.scheme = to_lower_ascii(uri.substr(0, colon));
  if (std::find(std::begin(kSchemes), std::end(kSchemes), parsed.scheme) == std::end(kSchemes))
    return bad_uri(uri, "not a URI of HDFS: it begins with none of hdfs:, webhdfs:, swebhdfs:");
  std::string_view rest = uri.substr(colon + 1);
  if (rest.find('\0') != std::string_view::npos)
    return bad_uri(uri.substr(0, uri.find('\0')), "a path with a NUL byte names nothing");
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::size_t end = std::min(rest.find('/'), rest.size());
    parsed.authority = std::string(rest.substr(0, end));
    rest.remove_prefix(end);
  } else if (!rest.starts_with("/")) {
    return bad_uri(uri, "a path in HDFS begins with /");
  }
  if (parsed.authority.find_first_of("@?#% \\") != std::string::npos) {
    return bad_uri(uri,
                   "cannot read the name node in front of the path: it is HOST:PORT or the "
                   "name of a service");
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  parsed.path = rest.empty() ? "/" : std::string(rest);
  return parsed;
}

Result<std::vector<std::string>> name_node_addresses(const HdfsUri& uri,
                                                     const HdfsSettings& settings) {
  if (uri.authority.empty()) {
    HdfsUri whole = uri;
    whole.authority = SR_TRY(default_authority(settings, uri.scheme + "://" + uri.path));
    return name_node_addresses(whole, settings);
  }
  const Properties& properties = settings.hadoop;
  const bool is_https =
      uri.scheme == "swebhdfs" ||
      (uri.scheme == "hdfs" && value_of(properties, "dfs.http.policy") == "HTTPS_ONLY");
  const Endpoint endpoint(properties, is_https);

  const std::vector<std::string> services = list_of(properties, "dfs.nameservices");
  if (std::find(services.begin(), services.end(), uri.authority) != services.end())
    return of_service(uri.authority, properties, endpoint);
  const HostPort at = split_port(uri.authority);
  if (uri.scheme != "hdfs") return std::vector<std::string>{endpoint.url(at)};

  std::optional<std::string> suffix = suffix_of_rpc_address(properties, uri.authority);
  if (!suffix && is_the_only_one(properties, uri, endpoint)) suffix = "";
  if (suffix) {
    if (auto address = endpoint.of(*suffix, at.host)) return std::vector<std::string>{*address};
  }
  return std::vector<std::string>{endpoint.url({.host = at.host, .port = {}})};
}

Result<std::string> with_authority(std::string_view uri, const HdfsSettings& settings) {
  const HdfsUri parsed = SR_TRY(parse_hdfs_uri(uri));
  if (!parsed.authority.empty()) return std::string(uri);
  const std::string authority = SR_TRY(default_authority(settings, std::string(uri)));
  return parsed.scheme + "://" + authority + parsed.path;
}

}  // namespace streamrun

#pragma once

#include <streamrun/base/result.h>
#include <streamrun/storage/hdfs/hdfs_settings.h>

#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// A place in HDFS as Hadoop writes it. Nothing in the path is decoded, as in Hadoop: `%20` is
/// three characters.
struct HdfsUri {
  std::string scheme;     ///< `hdfs`, `webhdfs` or `swebhdfs`
  std::string authority;  ///< host and port, or the name of a service; may be empty
  std::string path;       ///< begins with `/`, ends without one
};

/// E-USAGE for another scheme, user information in the authority, or a path that is not absolute.
Result<HdfsUri> parse_hdfs_uri(std::string_view uri);

/// Where the name nodes of a URI answer HTTP, as `http://host:port`, in Hadoop's order:
/// - a service of `dfs.nameservices`: one for each of its `dfs.ha.namenodes.*`;
/// - `hdfs://host:port`, whose port is that of RPC: the HTTP address that hdfs-site.xml gives for
///   this name node, else port 9870 of this host (9871 of https);
/// - `webhdfs://host:port` and `swebhdfs://host:port`: as it stands.
/// An empty authority stands for that of `fs.defaultFS`. Pure. E-CONF, naming the key, if the
/// properties do not tell.
Result<std::vector<std::string>> name_node_addresses(const HdfsUri& uri,
                                                     const HdfsSettings& settings);

/// `uri` with the authority of `fs.defaultFS` if it has none (`hdfs:///path`); others as they are.
/// E-CONF if there is no such default. For configuration, before a path is compared or recorded.
Result<std::string> with_authority(std::string_view uri, const HdfsSettings& settings);

}  // namespace streamrun

#pragma once

#include <streamrun/platform/clock.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace streamrun {

/// What an HDFS client is told. A plain value.
struct HdfsSettings {
  /// Hadoop's properties, as `read_hadoop_configuration` gives them. Looked at: `fs.defaultFS`,
  /// `dfs.nameservices`, `dfs.ha.namenodes.*`, `dfs.namenode.{http,https,rpc}-address*`,
  /// `dfs.http.policy`, `dfs.replication`.
  std::map<std::string, std::string> hadoop = {};
  /// Sent as `user.name` with each request: what HDFS believes without Kerberos. Empty: not sent.
  std::string user = {};
  /// How long one request may take in all, and how long a body on its way may not move.
  Duration request_timeout = std::chrono::seconds(60);
  /// A file up to this size is sent as one request, and any number of times; a larger one while it
  /// is written.
  std::size_t small_file_bytes = std::size_t{1} << 20U;
  /// So much of a larger one is kept until it is surely taken: enough that the network has taken a
  /// good part of it, since the transport holds 1 MiB.
  std::size_t kept_bytes = std::size_t{4} << 20U;
  int attempts = 5;  ///< of one step, over all name nodes, that may have been done
  /// How long one step is asked for again while nothing is done there: nobody takes the connection,
  /// no name node is active, or it is in safe mode. A restart or a fail-over takes 5 to 30 s.
  Duration patience = std::chrono::seconds(60);
  /// The same while a cluster has never answered: its address may be wrong.
  Duration first_patience = std::chrono::seconds(3);
  /// How long one step may take before no attempt follows: time-outs add up.
  Duration most_time = std::chrono::minutes(2);
  Duration first_backoff = std::chrono::milliseconds(100);
  Duration most_backoff = std::chrono::seconds(5);
};

}  // namespace streamrun

#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/process_table.h>
#include <streamrun/platform/random.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/storage/hdfs/hdfs_settings.h>

#include <memory>

namespace streamrun {

/// HDFS by way of WebHDFS (Apache Hadoop, "WebHDFS REST API"; Hadoop 2.7 and later). Paths are
/// whole URIs (`hdfs://nn:8020/a`, `webhdfs://nn:9870/a`, `swebhdfs://…`), of any number of
/// clusters. The rest outlives the store. Thread-safe; calls block, at most for some attempts of
/// `request_timeout`, and as long as `patience` says while the name nodes do nothing.
///
/// What differs from a local disk: names are durable as soon as a call returns, and a file's bytes
/// with its `sync`, which finishes it, on as many data nodes as HDFS keeps replicas (no power cut
/// of all of them at once is survived, unless `dfs.datanode.synconclose` is on). A file that is
/// removed can't be read any more, also not by who has it open. `create` takes the name when the
/// bytes are sent, at the latest in `sync`, which fails then if another has it. Two
/// `create_directory` of one name at the same time may both answer `true`. No Kerberos: E-PERM says
/// so. Without a clock only the pauses between attempts count as time.
std::unique_ptr<FileSystem> make_hdfs_file_system(HdfsSettings settings, StoreTransport& transport,
                                                  Random& random, const ProcessTable& processes,
                                                  const Clock* clock = nullptr);

}  // namespace streamrun

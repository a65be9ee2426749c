#pragma once

#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>

#include <map>
#include <string>
#include <vector>

namespace streamrun {

/// Hadoop's properties, merged. A plain value.
struct HadoopConfiguration {
  std::map<std::string, std::string> properties = {};
  std::vector<std::string> warnings = {};  ///< sentences for a person
};

/// Reads core-site.xml, then hdfs-site.xml in `folder` (HADOOP_CONF_DIR) through `files`; an empty
/// `folder` or a file that is not there has no properties. Later files and then `overrides`
/// (Flink's `flink.hadoop.*`, that prefix taken off) win, but not over what is `<final>true`.
/// `${name}` is replaced by that property, up to 20 times, as Hadoop does; what is not a property
/// stays as it is. E-CONF with file and byte offset for a file that is no such XML. Included files
/// (xi:include) are not read: a warning says so. Blocks.
Result<HadoopConfiguration> read_hadoop_configuration(
    FileSystem& files, const std::string& folder,
    const std::map<std::string, std::string>& overrides);

}  // namespace streamrun

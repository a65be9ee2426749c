#pragma once

#include <streamrun/connectors/file/file_sink_writer.h>
#include <streamrun/stream/sink.h>

#include <memory>
#include <string>

namespace streamrun {

/// Records as lines in the files of a folder, each exactly once. A part file ends at every
/// checkpoint; until that checkpoint is complete its name begins with a dot, and readers that leave
/// such names out (as `FileSource` does) see finished files only, which never change. The folder is
/// created, with those above it. A fresh start adds to what is there.
struct FileSink {
  std::string path;  ///< a folder

  template <LineWritable T>
  std::unique_ptr<SinkWriter<T>> make_writer() const {
    return std::make_unique<FileSinkWriter<T>>(path);
  }
  std::string output_folder() const { return path; }
  std::string describe() const { return "files in " + path; }
};

}  // namespace streamrun

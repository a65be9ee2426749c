#pragma once

#include <streamrun/storage/file_system.h>

#include <map>
#include <memory>
#include <string>

namespace streamrun {

/// A place as a person writes it, taken apart: `hdfs://nn/ckpt` is scheme `hdfs` and path as it
/// stands;
/// `/data`, `data` and `file:///data` are scheme `file` and a local path.
struct Location {
  std::string scheme;
  std::string path;
};

/// Takes a path or URI apart; relative local paths are made absolute against `working_directory`.
/// `%xx` in `file:` URIs is decoded. E-PATH for an empty text, a NUL, or a URI that can't be read.
Result<Location> parse_location(std::string_view text, std::string_view working_directory);

/// The stores that this process knows, by scheme. Filled once at start, then read only.
class FileSystems {
 public:
  void add(std::string scheme, std::unique_ptr<FileSystem> store);
  /// The store of a scheme; an error that lists the known schemes if there is none.
  Result<FileSystem*> of_scheme(const std::string& scheme) const;

 private:
  std::map<std::string, std::unique_ptr<FileSystem>> stores_;
};

}  // namespace streamrun

// Places as a person writes them.
#include <streamrun/storage/file_systems.h>

#include <string>

#include "fuzz_target.h"

namespace {

using namespace streamrun;

void check_local(const std::string& path) {
  fuzz::require(path.starts_with('/'), "a local path is absolute");
  fuzz::require(path.find('\0') == std::string::npos, "a path has no NUL");
  const std::string closed = path + "/";
  for (const char* const part : {"/./", "/../"}) {
    fuzz::require(closed.find(part) == std::string::npos, "a local path is normal");
  }
  fuzz::require(path.find("//") == std::string::npos, "slashes stand alone");
  const Result<Location> again = parse_location(path, "/elsewhere");
  fuzz::require(again && again->scheme == "file" && again->path == path,
                "a local path leads to itself, from anywhere");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (const Result<Location> location = parse_location(text, "/some/folder")) {
    fuzz::require(!location->scheme.empty(), "a place has a scheme");
    if (location->scheme == "file") check_local(location->path);
  }
  if (text.find('\0') == std::string_view::npos) {
    const std::string path = absolute_path(text, "/some/folder");
    fuzz::require(absolute_path(path, "/") == path, "an absolute path stays as it is");
    fuzz::require(join_path(parent_path(path), base_name(path)) == path || path == "/",
                  "a path is its parent and its name");
  }
  return 0;
}

#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/transport.h>
#include <streamrun/storage/file_system.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace streamrun {

// What WebHDFS answers (Apache Hadoop, "WebHDFS REST API"). Bytes from outside: nothing here
// throws, and what is not understood is no answer.

/// `{"RemoteException":{"exception":…,"message":…}}`: what Java threw there.
struct RemoteException {
  std::string name;     ///< without its package
  std::string message;  ///< its first line
};

/// One `FileStatus` of GETFILESTATUS and LISTSTATUS.
struct WebHdfsStatus {
  std::string name;  ///< in its folder; empty from GETFILESTATUS
  FileKind kind = FileKind::other;
  bool is_link = false;
  std::uint64_t length = 0;
  std::uint64_t file_id = 0;  ///< of the inode; 0 if the server does not tell
  std::uint64_t block_size = 0;
  std::int64_t modified_unix_milliseconds = 0;
};

struct WebHdfsListing {
  std::vector<WebHdfsStatus> entries;
  std::uint64_t remaining = 0;  ///< entries after these
};

/// The document, or a discarded value if the text is none, or nested beyond any of WebHDFS.
nlohmann::json parse_webhdfs_json(std::string_view text);

std::optional<RemoteException> remote_exception_of(const nlohmann::json& document);
/// The same from what may be the beginning of such a document with other text around it.
std::optional<RemoteException> remote_exception_in(std::string_view text);
std::optional<bool> boolean_of(const nlohmann::json& document);
std::optional<WebHdfsStatus> file_status_of(const nlohmann::json& document);
/// Of LISTSTATUS or LISTSTATUS_BATCH.
std::optional<WebHdfsListing> listing_of(const nlohmann::json& document);

/// Whether two statuses are of one file, whatever its name: by inode, else by what a rename leaves.
bool is_same_file(const WebHdfsStatus& one, const WebHdfsStatus& other);

}  // namespace streamrun

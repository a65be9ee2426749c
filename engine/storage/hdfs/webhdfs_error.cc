#include "webhdfs_error.h"

#include <streamrun/platform/first_bytes.h>

#include <algorithm>

namespace streamrun {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// In words of Hadoop's, which has no exception of its own for it.
bool has_words(const RemoteException& exception, std::string_view words) {
  return exception.message.find(words) != std::string::npos;
}

bool means_full(const RemoteException& exception) {
  return is_one_of(exception.name,
                   {"NSQuotaExceededException", "DSQuotaExceededException",
                    "QuotaByStorageTypeExceededException", "QuotaExceededException",
                    "DiskOutOfSpaceException", "DiskChecker$DiskOutOfSpaceException"}) ||
         has_words(exception, "could only be written to 0 of") ||
         has_words(exception, "could only be replicated to 0") ||
         has_words(exception, "No space left on device") || means_no_data_node(exception);
}

ErrorCode code_of(const RemoteException& exception) {
  if (is_one_of(exception.name, {"FileNotFoundException", "ParentNotDirectoryException",
                                 "InvalidPathException", "PathNotFoundException"}))
    return ErrorCode::path;
  if (is_one_of(exception.name, {"AccessControlException", "SecurityException",
                                 "AuthorizationException", "AuthenticationException"}))
    return ErrorCode::permission;
  if (means_standby(exception) || means_later(exception) || means_no_holder(exception))
    return ErrorCode::unavailable;
  return means_full(exception) ? ErrorCode::store_full : ErrorCode::store_io;
}

}  // namespace

std::string server_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url.substr(0, url.find_first_of("/?")));
  return std::string(url.substr(0, url.find_first_of("/?#", scheme + 3)));
}

std::string host_of(std::string_view url) {
  std::string host = server_of(url);
  const std::size_t scheme = host.find("://");
  if (scheme != std::string::npos) host.erase(0, scheme + 3);
  const std::size_t colon = host.rfind(':');
  return colon == std::string::npos || host.ends_with(']') ? host : host.substr(0, colon);
}

Error error_of(const RemoteException& exception, const std::string& where) {
  const ErrorCode code = code_of(exception);
  if (means_taken(exception)) return name_taken(where);
  std::string message = "HDFS refuses: " + exception.name;
  if (code == ErrorCode::path) message = "there is nothing of this name in HDFS";
  if (code == ErrorCode::permission) message = "HDFS does not permit it";
  if (code == ErrorCode::store_full) message = "HDFS has no space left, or a quota is used up";
  if (means_no_data_node(exception))
    message = "no data node of HDFS takes a file: all are full, or none is there";
  if (means_no_holder(exception))
    message = "none of the data nodes that have the file's bytes is up";
  if (exception.name == "SafeModeException") message = "HDFS is in safe mode: it changes nothing";
  if (means_standby(exception)) message = "none of the name nodes is active";
  return {.code = code,
          .message = std::move(message),
          .where = where,
          .why = exception.message.empty() ? exception.name : exception.message,
          .retry = code == ErrorCode::permission ? Retry::no : Retry::yes};
}

Error name_taken(const std::string& where) {
  return {.code = ErrorCode::store_io,
          .message = "cannot create the file: the name exists",
          .where = where,
          .why = "File exists"};
}

Error nonsense(const std::string& server, const HttpResponse& response, const std::string& where) {
  return {.code = ErrorCode::unavailable,
          .message = server + " answers what WebHDFS does not (HTTP status " +
                     std::to_string(response.status) + ")",
          .where = where,
          .why = first_bytes(response.body)};
}

bool means_no_data_node(const RemoteException& exception) {
  return has_words(exception, "Failed to find datanode");
}

bool means_no_holder(const RemoteException& exception) {
  return has_words(exception, "No active nodes contain this block");
}

bool means_taken(const RemoteException& exception) {
  return is_one_of(exception.name, {"FileAlreadyExistsException", "AlreadyBeingCreatedException",
                                    "PathExistsException", "RecoveryInProgressException"});
}

bool means_cut_off(const RemoteException& exception) {
  return is_one_of(exception.name,
                   {"ConnectException", "NoRouteToHostException", "SocketTimeoutException",
                    "ConnectTimeoutException", "EOFException", "SocketException"});
}

bool means_standby(const RemoteException& exception) {
  return exception.name == "StandbyException";
}

bool means_later(const RemoteException& exception) {
  return is_one_of(exception.name, {"SafeModeException", "RetriableException"});
}

}  // namespace streamrun

#include "posix_error.h"

#include <cerrno>
#include <system_error>

namespace streamrun {
namespace {

ErrorCode code_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return ErrorCode::path;
    case EACCES:
    case EPERM:
      return ErrorCode::permission;
    case EROFS:
      return ErrorCode::store_read_only;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::store_full;
    default:
      return ErrorCode::store_io;
  }
}

}  // namespace

Error posix_error(int errno_value, std::string_view what, const std::string& path) {
  return {.code = code_of(errno_value),
          .message = "cannot " + std::string(what),
          .where = path,
          .why = std::generic_category().message(errno_value)};
}

Result<void> check_path(const std::string& path) {
  const std::size_t nul = path.find('\0');
  if (nul == std::string::npos) return {};
  return Error{.code = ErrorCode::path,
               .message = "a path with a NUL byte names nothing",
               .where = path.substr(0, nul),
               .retry = Retry::no};
}

}  // namespace streamrun

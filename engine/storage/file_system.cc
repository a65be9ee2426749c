#include <streamrun/base/crash_point.h>
#include <streamrun/storage/file_system.h>

#include <algorithm>
#include <utility>

namespace streamrun {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

Error too_large(const std::string& path, std::uint64_t limit) {
  return {.code = ErrorCode::metadata_limit,
          .message = "the file is larger than " + std::to_string(limit) + " bytes",
          .where = path,
          .retry = Retry::no};
}

/// Writes the whole file under its first name, durably.
Result<void> write_durably(FileSystem& store, const std::string& path, std::string_view bytes) {
  const std::unique_ptr<WritableFile> file = SR_TRY(store.create(path));
  SR_TRY(file->append(bytes));
  SR_CRASH("cp.meta.tmp.half");
  SR_TRY(file->sync());
  return file->close();
}

/// Forgets a file of ours after a failure that is reported anyway; what stays is removed by
/// clean-up at a start.
void discard(FileSystem& store, const std::string& path) {
  const Result<bool> removed = store.remove_file(path);
  static_cast<void>(removed.has_value());
}

/// The name is visible but may not survive a power cut. Takes it away again, so that nobody can
/// have relied on it; a file whose state can't be known is worse than none.
Error withdraw(FileSystem& store, const std::string& directory, const std::string& path,
               Error cause) {
  const Result<bool> removed = store.remove_file(path);
  if (removed && store.sync_directory(directory)) return cause;
  return {.code = ErrorCode::store_fatal,
          .message = "could not make the file durable, nor remove it again",
          .where = path,
          .why = cause.headline(),
          .retry = Retry::no};
}

}  // namespace

Result<std::string> FileSystem::canonical(const std::string& path) const {
  // Of a store that has URIs and adds nothing to them.
  if (path.find("://") != std::string::npos) return path;
  return absolute_path(path, "/");
}

Result<bool> FileSystem::exists(const std::string& path) {
  const Result<FileStatus> found = status(path);
  if (found) return true;
  if (found.error().code == ErrorCode::path) return false;
  return found.error();
}

Result<void> FileSystem::create_directories(const std::string& path) {
  if (SR_TRY(exists(path))) {
    SR_TRY(create_directory(path));  // refuses what is not a folder
    return {};
  }
  const std::string parent = parent_path(path);
  if (parent != path) SR_TRY(create_directories(parent));
  SR_TRY(create_directory(path));
  // Also when somebody else was faster: their name need not be durable yet.
  return sync_directory(parent);
}

Result<bool> FileSystem::link(const std::string&, const std::string&) {
  return false;
}

Result<bool> FileSystem::publish(const std::string& directory, const std::string& name,
                                 std::string_view bytes, const std::string& attempt) {
  const std::string draft = join_path(directory, "." + name + ".tmp-" + attempt);
  const std::string final_path = join_path(directory, name);

  Result<void> written = write_durably(*this, draft, bytes);
  // The name of the draft has to be durable too: a file system may order the rename before its
  // creation.
  if (written) written = sync_directory(directory);
  if (!written) {
    discard(*this, draft);
    return std::move(written).error();
  }
  SR_CRASH("cp.meta.before-rename");
  const Result<bool> renamed = rename_no_replace(draft, final_path);
  if (!renamed || !*renamed) {
    discard(*this, draft);
    return renamed;
  }
  SR_CRASH("cp.meta.after-rename");
  Result<void> durable = sync_directory(directory);
  if (!durable) return withdraw(*this, directory, final_path, std::move(durable).error());
  return true;
}

Result<std::string> FileSystem::read_all(const std::string& path, std::uint64_t limit) {
  const std::unique_ptr<ReadableFile> file = SR_TRY(open(path));
  if (file->size() > limit) return too_large(path, limit);
  // One byte more than the size: the read that finds the end and the one that finds a file grown
  // are the same.
  std::string bytes(static_cast<std::size_t>(file->size()) + 1, '\0');
  std::size_t filled = 0;
  while (true) {
    const std::size_t count =
        SR_TRY(file->read_at(filled, bytes.data() + filled, bytes.size() - filled));
    filled += count;
    if (filled > limit) return too_large(path, limit);
    if (count == 0) break;
    if (filled == bytes.size()) bytes.resize(bytes.size() + kReadBytes);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace streamrun

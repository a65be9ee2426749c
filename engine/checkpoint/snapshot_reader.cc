#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/snapshot_names.h>
#include <streamrun/checkpoint/snapshot_reader.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

Error corrupt(const std::string& file, std::string what) {
  return {.code = ErrorCode::metadata_corrupt,
          .message = std::move(what),
          .where = file,
          .retry = Retry::no};
}

/// Decoding sees bytes without a name; a person wants the name.
Error named(Error error, const std::string& file) {
  if (error.where.empty()) error.where = file;
  return error;
}

Result<std::string> read_bytes(FileSystem& files, const std::string& file) {
  const std::unique_ptr<ReadableFile> reader = SR_TRY(files.open_no_follow(file));
  if (reader->size() > kMetadataLimitBytes) {
    return Error{.code = ErrorCode::metadata_limit,
                 .message = fmt::format("{} bytes of metadata, at most {} are read", reader->size(),
                                        kMetadataLimitBytes),
                 .where = file,
                 .retry = Retry::no};
  }
  std::string bytes(static_cast<std::size_t>(reader->size()), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t count = SR_TRY(reader->read_at(at, bytes.data() + at, bytes.size() - at));
    if (count == 0) return corrupt(file, fmt::format("the file ended early, at byte {}", at));
    at += count;
  }
  return bytes;
}

Result<void> check_folder_name(const std::string& folder, const std::string& file,
                               const CheckpointMetadata& metadata) {
  const auto id = checkpoint_id_of_name(base_name(folder));
  if (!id || *id == metadata.id) return {};
  return corrupt(file, fmt::format("the folder is {} but its metadata is of checkpoint {}",
                                   checkpoint_folder_name(*id), metadata.id));
}

}  // namespace

Result<ResolvedSnapshot> read_snapshot_file(FileSystem& files, const std::string& file) {
  const FileStatus status = SR_TRY(files.status(file));
  if (status.is_link || status.kind != FileKind::file) {
    return corrupt(file, status.is_link ? "the metadata is a symbolic link"
                                        : "the metadata is not a regular file");
  }
  const std::string bytes = SR_TRY(read_bytes(files, file));
  Result<CheckpointMetadata> metadata = decode(bytes);
  if (!metadata) return named(std::move(metadata).error(), file);
  ResolvedSnapshot snapshot{.directory = parent_path(file),
                            .metadata = *std::move(metadata),
                            .full_bytes = 0,
                            .metadata_bytes = bytes.size(),
                            .warning = {}};
  SR_TRY(check_folder_name(snapshot.directory, file, snapshot.metadata));
  snapshot.full_bytes = full_bytes(snapshot.metadata);
  return snapshot;
}

Result<ResolvedSnapshot> read_snapshot(FileSystem& files, const std::string& folder) {
  const std::string file = join_path(folder, kMetadataName);
  Result<ResolvedSnapshot> snapshot = read_snapshot_file(files, file);
  if (snapshot || snapshot.error().code != ErrorCode::path) return snapshot;
  const auto content = SR_TRY(files.list(folder));
  return Error{.code = ErrorCode::metadata_missing,
               .message = base_name(folder) + " was never completed",
               .where = folder,
               .why = fmt::format("no _metadata; {} {}", content.size(),
                                  content.size() == 1 ? "file" : "files"),
               .retry = Retry::no};
}

}  // namespace streamrun

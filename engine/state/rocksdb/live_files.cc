#include "live_files.h"

#include <streamrun/base/bytes.h>

#include <algorithm>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>

#include "local_folders.h"

namespace streamrun {
namespace {

int key_group_of(const std::string& key) {
  ByteReader in(key);
  return in.u16();
}

std::optional<std::uint32_t> crc32c_of(const rocksdb::SstFileMetaData& file) {
  if (file.file_checksum_func_name != "FileChecksumCrc32c") return std::nullopt;
  ByteReader in(file.file_checksum);
  const std::uint32_t high = in.u16();
  return high << 16U | in.u16();
}

}  // namespace

Result<std::shared_ptr<const LiveFiles>> LiveFiles::take(const std::shared_ptr<Database>& database,
                                                         FileSystem& local,
                                                         const std::string& folder) {
  rocksdb::DB& db = database->db();
  rocksdb::FlushOptions flush;
  // It would wait for compactions; nobody writes, so there is nobody to hold up.
  flush.allow_write_stall = true;
  if (const rocksdb::Status status = db.Flush(flush, database->families()); !status.ok()) {
    if (status.severity() >= rocksdb::Status::kHardError) database->note_broken();
    return database->error_of(status);
  }
  if (const rocksdb::Status status = db.DisableFileDeletions(); !status.ok())
    return database->error_of(status);
  std::shared_ptr<LiveFiles> live(new LiveFiles(database, local, folder));
  for (std::size_t state = 0; state < database->families().size(); ++state) {
    rocksdb::ColumnFamilyMetaData metadata;
    db.GetColumnFamilyMetaData(database->families()[state], &metadata);
    std::uint64_t entries = 0;
    std::uint64_t deletions = 0;
    for (const rocksdb::LevelMetaData& level : metadata.levels) {
      for (const rocksdb::SstFileMetaData& file : level.files) {
        entries += file.num_entries;
        deletions += file.num_deletions;
        live->files_.push_back({.number = file.file_number,
                                .path = join_path(file.directory, file.relative_filename),
                                .bytes = file.size,
                                .crc32c = crc32c_of(file),
                                .sst = {.state = static_cast<int>(state),
                                        .key_groups = {.first = key_group_of(file.smallestkey),
                                                       .last = key_group_of(file.largestkey)},
                                        .level = level.level,
                                        .smallest_sequence = file.smallest_seqno,
                                        .largest_sequence = file.largest_seqno}});
      }
    }
    // Each deletion is an entry, and of one.
    const std::uint64_t gone = std::min(entries, 2 * deletions);
    live->most_entries_ = std::max(live->most_entries_, entries - gone);
  }
  if (live->give_names()) {
    live->holds_deletions_ = false;
    static_cast<void>(db.EnableFileDeletions(false));
  }
  return std::shared_ptr<const LiveFiles>(std::move(live));
}

Error LiveFiles::note_damaged(const File& file) const {
  database_->note_broken();
  return {.code = ErrorCode::store_io,
          .message = "a file of the local database is not as RocksDB wrote it",
          .where = database_->path() + ", file " + std::to_string(file.number),
          .why =
              "the disk gives other bytes than it was given; none of them reach a checkpoint, and "
              "the job goes on from its last one with a new database",
          .tries = {"streamrun run -D state.backend.rocksdb.localdir=ANOTHER_DISK -s PATH"}};
}

bool LiveFiles::give_names() {
  if (files_.empty()) return true;
  if (!local_.create_directory(folder_)) return false;
  std::vector<std::string> names;
  for (const File& file : files_) {
    std::string name = join_path(folder_, std::to_string(file.number) + ".sst");
    const Result<bool> is_linked = local_.link(file.path, name);
    if (!is_linked || !*is_linked) return false;
    names.push_back(std::move(name));
  }
  for (std::size_t i = 0; i < files_.size(); ++i) files_[i].path = std::move(names[i]);
  return true;
}

// NOLINTNEXTLINE(bugprone-exception-escape): for want of memory only
LiveFiles::~LiveFiles() {
  if (holds_deletions_) static_cast<void>(database_->db().EnableFileDeletions(false));
  remove_local_tree(local_, folder_);
}

}  // namespace streamrun

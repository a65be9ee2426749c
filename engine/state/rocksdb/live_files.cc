#include "live_files.h"

#include <streamrun/base/bytes.h>
#include <streamrun/storage/file_system.h>

#include <algorithm>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>

namespace streamrun {
namespace {

int key_group_of(const std::string& key) {
  ByteReader in(key);
  return in.u16();
}

}  // namespace

Result<std::shared_ptr<const LiveFiles>> LiveFiles::take(
    const std::shared_ptr<Database>& database) {
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
  std::shared_ptr<LiveFiles> live(new LiveFiles(database));
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
  return std::shared_ptr<const LiveFiles>(std::move(live));
}

LiveFiles::~LiveFiles() {
  static_cast<void>(database_->db().EnableFileDeletions(false));
}

}  // namespace streamrun

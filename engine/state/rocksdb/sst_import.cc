#include "sst_import.h"

#include <streamrun/base/bytes.h>
#include <streamrun/state/open_state.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <rocksdb/comparator.h>

#include "local_folders.h"

namespace streamrun {
namespace {

constexpr std::size_t kReadAhead = std::size_t{2} << 20U;

std::string prefix_of(int key_group) {
  std::string prefix;
  ByteWriter(prefix).u16(static_cast<std::uint16_t>(key_group));
  return prefix;
}

}  // namespace

SstImport::SstImport(Database& database, FileSystem& local, FileSystem* store, std::string folder)
    : database_(database), local_(local), store_(store), folder_(std::move(folder)) {}

SstImport::~SstImport() {
  remove_local_tree(local_, folder_);
}

Result<void> SstImport::take_whole(const KeyedStateHandle& handle, int saved, int state) {
  const rocksdb::ExportImportFilesMetaData files = SR_TRY(bring(handle, saved, handle.key_groups));
  if (files.files.empty()) return {};
  return database_.take_in(state, files);
}

Result<void> SstImport::read(const KeyedStateHandle& handle, int saved, KeyGroupRange range,
                             const Use& use) {
  const rocksdb::ExportImportFilesMetaData files = SR_TRY(bring(handle, saved, range));
  if (files.files.empty()) return {};
  const std::unique_ptr<Database::Guest> guest = SR_TRY(database_.open_beside(files));
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  // Every byte of the files has been.
  options.verify_checksums = false;
  options.readahead_size = kReadAhead;
  const std::unique_ptr<rocksdb::Iterator> rows(database_.db().NewIterator(options, guest->family));
  const std::string end = prefix_of(range.last + 1);
  for (rows->Seek(prefix_of(range.first)); rows->Valid(); rows->Next()) {
    const std::string_view key(rows->key().data(), rows->key().size());
    if (key >= end) break;
    SR_TRY(use(key, {rows->value().data(), rows->value().size()}));
  }
  if (!rows->status().ok()) return database_.error_of(rows->status());
  return {};
}

Result<rocksdb::ExportImportFilesMetaData> SstImport::bring(const KeyedStateHandle& handle,
                                                            int saved, KeyGroupRange range) {
  SR_TRY(local_.create_directory(folder_));
  rocksdb::ExportImportFilesMetaData files;
  files.db_comparator_name = rocksdb::BytewiseComparator()->Name();
  for (const StateHandle& piece : handle.pieces) {
    const SstFile& sst = *piece.sst;
    const KeyGroupRange has = sst.key_groups;
    if (sst.state != saved || has.first > range.last || has.last < range.first) continue;
    const std::string name = std::to_string(++brought_) + ".sst";
    SR_TRY(bring(piece, join_path(folder_, name)));
    rocksdb::LiveFileMetaData file;
    file.db_path = folder_;
    file.directory = folder_;
    file.name = "/" + name;
    file.relative_filename = name;
    file.size = piece.size();
    file.level = sst.level;
    file.smallest_seqno = sst.smallest_sequence;
    file.largest_seqno = sst.largest_sequence;
    files.files.push_back(std::move(file));
  }
  return files;
}

Result<void> SstImport::bring(const StateHandle& piece, const std::string& path) {
  if (piece.file) return bring_file(*piece.file, path);
  const std::unique_ptr<WritableFile> copy = SR_TRY(local_.create(path));
  SR_TRY(copy->append(piece.inline_bytes));
  return copy->close();
}

Result<void> SstImport::bring_file(const StateFile& file, const std::string& path) {
  // RocksDB never changes a table file, so both may have it.
  std::unique_ptr<WritableFile> copy;
  if (!SR_TRY(link(file, path))) copy = SR_TRY(local_.create(path));
  SR_TRY(read_checked(file, store_, [&](std::string_view bytes) -> Result<void> {
    if (copy == nullptr) return {};
    return copy->append(bytes);
  }));
  if (copy != nullptr) SR_TRY(copy->close());
  return {};
}

/// Not what is missing, or is no file: that is told apart when it is read.
Result<bool> SstImport::link(const StateFile& file, const std::string& path) {
  const Result<FileStatus> status = store_->status(file.path);
  const bool is_file = status && status->kind == FileKind::file && !status->is_link;
  if (!is_file) return false;
  return store_->link(file.path, path);
}

}  // namespace streamrun

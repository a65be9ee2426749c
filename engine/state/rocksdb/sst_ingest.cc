#include "sst_ingest.h"

#include <streamrun/storage/file_system.h>

#include <utility>

namespace streamrun {
namespace {

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

SstIngest::SstIngest(Database& database, int state, std::string folder)
    : database_(database),
      state_(state),
      folder_(std::move(folder)),
      options_(database.db().GetOptions(database.family(state))) {}

Result<void> SstIngest::put(std::string_view key, std::string_view value) {
  if (writer_ == nullptr) SR_TRY(begin_file());
  const rocksdb::Status status = writer_->Put(slice(key), slice(value));
  if (!status.ok()) return database_.error_of(status);
  if (writer_->FileSize() >= options_.target_file_size_base) return end_file();
  return {};
}

Result<void> SstIngest::finish() {
  if (writer_ != nullptr) SR_TRY(end_file());
  if (paths_.empty()) return {};
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  // Nobody reads from the database yet.
  options.snapshot_consistency = false;
  const rocksdb::Status status =
      database_.db().IngestExternalFile(database_.family(state_), paths_, options);
  if (!status.ok()) return database_.error_of(status);
  return {};
}

Result<void> SstIngest::begin_file() {
  writer_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), options_,
                                                     database_.family(state_));
  paths_.push_back(join_path(
      folder_, "made-" + std::to_string(state_) + "-" + std::to_string(paths_.size()) + ".sst"));
  const rocksdb::Status status = writer_->Open(paths_.back());
  if (!status.ok()) return database_.error_of(status);
  return {};
}

Result<void> SstIngest::end_file() {
  const std::unique_ptr<rocksdb::SstFileWriter> writer = std::move(writer_);
  const rocksdb::Status status = writer->Finish();
  if (!status.ok()) return database_.error_of(status);
  return {};
}

}  // namespace streamrun

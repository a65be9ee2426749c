#include <streamrun/connectors/file/part_commit.h>
#include <streamrun/connectors/file/part_name.h>
#include <streamrun/connectors/file/part_writer.h>

#include <utility>

#include "part_stream.h"

namespace streamrun {
namespace {

/// Creates the folder and those above it, durably.
Result<void> create_folder(FileSystem& store, const std::string& folder) {
  if (!SR_TRY(store.exists(folder))) SR_TRY(store.create_directories(folder));
  const FileStatus status = SR_TRY(store.status(folder));
  if (status.kind != FileKind::directory) {
    return Error{.code = ErrorCode::path,
                 .message = "the output is not a folder",
                 .where = folder,
                 .retry = Retry::no};
  }
  // Also if it was there: another subtask may have created it just now.
  return store.sync_directory(parent_path(folder));
}

Result<void> try_to_write(FileSystem& store, const std::string& hidden_path) {
  const std::unique_ptr<WritableFile> file = SR_TRY(store.create(hidden_path));
  SR_TRY(file->close());
  SR_TRY(store.remove_file(hidden_path));
  return {};
}

}  // namespace

void PartWriter::open(const OperatorContext& context) {
  context_ = &context;
  const auto [folder, store] =
      value_or_throw(context.file_systems.place(folder_text_, context.working_directory));
  value_or_throw(create_folder(*store, folder));
  const PartName first = {.job_id = to_string(context.job_id),
                          .operator_prefix = operator_prefix_of(context.operator_id),
                          .subtask = static_cast<std::uint64_t>(context.subtask),
                          .attempt = context.attempt,
                          .number = 0};
  value_or_throw(try_to_write(*store, join_path(folder, hidden_name_of(finished_name_of(first)))));
  blocks_.open(context, std::make_unique<PartStream>(*store, folder, first));
}

Result<void> PartWriter::commit(const std::vector<std::string>& committables) const {
  return commit_parts(context_->file_systems, committables);
}

Result<void> PartWriter::remove_leftovers() const {
  return remove_part_leftovers(*context_, folder_text_, restored_);
}

}  // namespace streamrun

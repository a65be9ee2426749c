#include <streamrun/storage/owner_lock.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>
#include <vector>

namespace streamrun {
namespace {

constexpr std::uint64_t kMostOwnerBytes = 4096;

/// What a holder wrote: the line that tells its process, then its note.
struct Owner {
  std::uint64_t epoch = 0;
  std::string process;
  std::string note;
};

std::string path_of(const std::string& lock, std::uint64_t epoch) {
  return lock + "-" + std::to_string(epoch);
}

std::optional<std::uint64_t> epoch_of(const std::string& path, const std::string& lock) {
  const std::string prefix = base_name(lock) + "-";
  const std::string name = base_name(path);
  if (!name.starts_with(prefix)) return std::nullopt;
  std::uint64_t epoch = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, problem] = std::from_chars(name.data() + prefix.size(), end, epoch);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return epoch;
}

/// Ascending. A folder that is not there has none.
Result<std::vector<std::uint64_t>> epochs_of(FileSystem& store, const std::string& lock) {
  std::vector<std::uint64_t> epochs;
  const Result<std::vector<FileStatus>> content = store.list(parent_path(lock));
  if (!content && content.error().code == ErrorCode::path) return epochs;
  if (!content) return content.error();
  for (const FileStatus& file : *content) {
    if (const auto epoch = epoch_of(file.path, lock)) epochs.push_back(*epoch);
  }
  std::sort(epochs.begin(), epochs.end());
  return epochs;
}

/// Nothing if it has gone meanwhile.
Result<std::optional<Owner>> read_owner(FileSystem& store, const std::string& lock,
                                        std::uint64_t epoch) {
  const Result<std::string> text = store.read_all(path_of(lock, epoch), kMostOwnerBytes);
  if (!text && text.error().code == ErrorCode::path) return std::optional<Owner>();
  if (!text) return text.error();
  const std::size_t line = text->find('\n');
  Owner owner{.epoch = epoch, .process = text->substr(0, line), .note = {}};
  if (line != std::string::npos) owner.note = text->substr(line + 1);
  return std::optional(std::move(owner));
}

/// The one that counts.
Result<std::optional<Owner>> newest_owner(FileSystem& store, const std::string& lock) {
  const std::vector<std::uint64_t> epochs = SR_TRY(epochs_of(store, lock));
  for (auto epoch = epochs.rbegin(); epoch != epochs.rend(); ++epoch) {
    if (auto owner = SR_TRY(read_owner(store, lock, *epoch))) return owner;
  }
  return std::optional<Owner>();
}

Error held(const std::string& lock, const std::string& note) {
  return {.code = ErrorCode::lock,
          .message = "held by another process" + (note.empty() ? "" : ": " + note),
          .where = lock,
          .retry = Retry::no};
}

class OwnerLock final : public FolderLock {
 public:
  OwnerLock(FileSystem& store, std::string lock, std::uint64_t epoch, std::string process)
      : store_(store), lock_(std::move(lock)), epoch_(epoch), process_(std::move(process)) {}
  ~OwnerLock() override {
    // Only tidiness: of a dead holder the next one takes over.
    static_cast<void>(remove_file().has_value());
  }

  Result<void> check() override {
    const std::optional<Owner> owner = SR_TRY(newest_owner(store_, lock_));
    if (owner && is_this(*owner)) return {};
    Error error = held(lock_, owner ? owner->note : std::string());
    error.message = "another process has taken over the folder" +
                    (owner && !owner->note.empty() ? ": " + owner->note : std::string());
    return error;
  }

  Result<void> remove_file() override {
    // Who took over may have ended, and another one may have begun with this number again.
    const std::optional<Owner> owner = SR_TRY(read_owner(store_, lock_, epoch_));
    if (!owner || !is_this(*owner)) return {};
    const Result<bool> removed = store_.remove_file(path_of(lock_, epoch_));
    if (removed || removed.error().code == ErrorCode::path) return {};
    return removed.error();
  }

 private:
  bool is_this(const Owner& owner) const {
    return owner.epoch == epoch_ && owner.process == process_;
  }

  FileSystem& store_;
  const std::string lock_;
  const std::uint64_t epoch_;
  const std::string process_;
};

Result<void> write_owner(FileSystem& store, const std::string& path, const std::string& text) {
  const std::unique_ptr<WritableFile> file = SR_TRY(store.create(path));
  SR_TRY(file->append(text));
  SR_TRY(file->sync());
  return file->close();
}

}  // namespace

Result<std::unique_ptr<FolderLock>> lock_by_owner_file(FileSystem& store,
                                                       const ProcessTable& processes,
                                                       const std::string& path,
                                                       std::string_view note) {
  const std::vector<std::uint64_t> before = SR_TRY(epochs_of(store, path));
  std::uint64_t epoch = 1;
  if (!before.empty()) {
    const std::optional<Owner> owner = SR_TRY(newest_owner(store, path));
    if (owner && processes.fate_of(owner->process) == ProcessFate::alive)
      return held(path, owner->note);
    epoch = before.back() + 1;
  }
  const std::string self = processes.self();
  const std::string text = self + "\n" + std::string(note);
  if (Result<void> written = write_owner(store, path_of(path, epoch), text); !written) {
    // Two may come at once: the name tells who was first.
    const std::optional<Owner> owner = SR_TRY(newest_owner(store, path));
    const bool is_other =
        owner && owner->epoch >= epoch && !owner->process.empty() && owner->process != self;
    if (is_other) return held(path, owner->note);
    // It may be there all the same, and would keep this very process out.
    if (owner && owner->epoch == epoch)
      static_cast<void>(store.remove_file(path_of(path, epoch)).has_value());
    return std::move(written).error();
  }
  auto lock = std::make_unique<OwnerLock>(store, path, epoch, self);
  SR_TRY(lock->check());
  for (const std::uint64_t dead : before) {
    // Only tidiness: the highest counts.
    static_cast<void>(store.remove_file(path_of(path, dead)).has_value());
  }
  return std::unique_ptr<FolderLock>(std::move(lock));
}

Result<std::optional<std::string>> holder_of_owner_file(FileSystem& store,
                                                        const ProcessTable& processes,
                                                        const std::string& path) {
  const std::optional<Owner> owner = SR_TRY(newest_owner(store, path));
  if (!owner || processes.fate_of(owner->process) == ProcessFate::dead)
    return std::optional<std::string>();
  return std::optional(owner->note);
}

}  // namespace streamrun

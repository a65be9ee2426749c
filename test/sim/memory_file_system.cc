#include "sim/memory_file_system.h"

#include <algorithm>
#include <utility>

namespace streamrun::sim {
namespace {

Error failure(ErrorCode code, std::string_view what, const std::string& path, std::string why) {
  return {
      .code = code, .message = "cannot " + std::string(what), .where = path, .why = std::move(why)};
}

Error not_there(std::string_view what, const std::string& path) {
  return failure(ErrorCode::path, what, path, "No such file or directory");
}

Error dead_handle(const std::string& path) {
  return failure(ErrorCode::store_io, "use the file", path, "its process was killed");
}

void collect(const Node& directory, const std::string& path,
             std::map<std::string, std::string>& into) {
  for (const auto& [name, node] : directory.entries) {
    const std::string at = join_path(path, name);
    if (node->is_directory) {
      collect(*node, at, into);
    } else {
      into[at] = node->content.bytes();
    }
  }
}

/// What the disk has becomes what programs see, folder by folder.
void show_durable_names(Node& directory) {
  directory.entries = directory.durable_entries;
  for (const auto& [name, node] : directory.entries) {
    if (node->is_directory) show_durable_names(*node);
  }
}

template <typename Chance>
void cut_files(const Node& directory, Chance& chance, std::set<std::uint64_t>& done) {
  for (const auto& [name, node] : directory.entries) {
    if (node->is_directory) {
      cut_files(*node, chance, done);
    } else if (done.insert(node->id).second) {
      node->content.power_cut(chance);
    }
  }
}

}  // namespace

class MemoryFileSystem::Reader final : public ReadableFile {
 public:
  Reader(const MemoryFileSystem& store, NodePtr node, std::string path)
      : store_(store),
        node_(std::move(node)),
        path_(std::move(path)),
        size_(node_->content.bytes().size()),
        life_(store.life_) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) override {
    const std::lock_guard lock(store_.mutex_);
    if (life_ != store_.life_) return dead_handle(path_);
    const std::string& bytes = node_->content.bytes();
    if (offset >= bytes.size()) return std::size_t{0};
    return bytes.copy(into, length, static_cast<std::size_t>(offset));
  }
  std::uint64_t size() const override { return size_; }

 private:
  const MemoryFileSystem& store_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t size_;
  const std::uint64_t life_;
};

class MemoryFileSystem::Writer final : public WritableFile {
 public:
  Writer(MemoryFileSystem& store, NodePtr node, std::string path)
      : store_(store), node_(std::move(node)), path_(std::move(path)), life_(store.life_) {}

  Result<void> append(std::string_view bytes) override {
    const Result<void> begun = store_.begin("append", path_);
    const std::lock_guard lock(store_.mutex_);
    SR_TRY(check());
    node_->content.append(begun ? bytes : bytes.substr(0, bytes.size() / 2));
    node_->modified_unix_milliseconds = store_.date();
    return begun;
  }

  Result<void> sync() override {
    const Result<void> begun = store_.begin("sync", path_);
    const std::lock_guard lock(store_.mutex_);
    SR_TRY(check());
    if (begun) {
      node_->content.sync();
    } else {
      node_->content.fail_sync();
    }
    return begun;
  }

  Result<void> close() override {
    const Result<void> begun = store_.begin("close", path_);
    const std::lock_guard lock(store_.mutex_);
    SR_TRY(check());
    closed_ = true;
    return begun;
  }

 private:
  Result<void> check() const {
    if (life_ != store_.life_) return dead_handle(path_);
    if (closed_) return failure(ErrorCode::store_io, "use the file", path_, "it is closed");
    return {};
  }

  MemoryFileSystem& store_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t life_;
  bool closed_ = false;
};

class MemoryFileSystem::Lock final : public FolderLock {
 public:
  Lock(MemoryFileSystem& store, std::uint64_t node_id, std::string path)
      : store_(store), node_id_(node_id), path_(std::move(path)), life_(store.life_) {}
  ~Lock() override {
    const std::lock_guard lock(store_.mutex_);
    if (life_ == store_.life_) store_.locks_.erase(node_id_);
  }
  Result<void> remove_file() override {
    SR_TRY(store_.remove_file(path_));
    return {};
  }

 private:
  MemoryFileSystem& store_;
  const std::uint64_t node_id_;
  const std::string path_;
  const std::uint64_t life_;
};

MemoryFileSystem::MemoryFileSystem(const Clock* clock)
    : clock_(clock), root_(std::make_shared<Node>()) {
  root_->is_directory = true;
}

MemoryFileSystem::~MemoryFileSystem() = default;

Result<void> MemoryFileSystem::begin(std::string_view what, const std::string& path) {
  std::function<void(const StorageStep&)> callback;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++steps_;
    callback = callback_;
  }
  if (callback) callback({.number = number, .what = what, .path = path});
  const std::lock_guard lock(mutex_);
  const auto planned = failures_.extract(number);
  if (planned) return planned.mapped();
  return {};
}

NodePtr MemoryFileSystem::make_node(bool is_directory) {
  auto node = std::make_shared<Node>();
  node->id = next_node_id_++;
  node->is_directory = is_directory;
  node->modified_unix_milliseconds = date();
  return node;
}

NodePtr MemoryFileSystem::find(const std::string& path) const {
  NodePtr at = root_;
  std::string_view rest = path;
  while (at && !rest.empty()) {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string part(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty()) continue;
    const auto found = at->entries.find(part);
    at = found != at->entries.end() ? found->second : nullptr;
  }
  return at;
}

Result<MemoryFileSystem::Place> MemoryFileSystem::locate(const std::string& path,
                                                         std::string_view what) const {
  Place place{.directory = find(parent_path(path)), .name = base_name(path), .node = nullptr};
  if (!place.directory || !place.directory->is_directory) return not_there(what, path);
  const auto found = place.directory->entries.find(place.name);
  if (found != place.directory->entries.end()) place.node = found->second;
  return place;
}

FileStatus MemoryFileSystem::status_of(const Node& node, std::string path) const {
  return {.path = std::move(path),
          .kind = node.is_directory ? FileKind::directory : FileKind::file,
          .size = node.content.bytes().size(),
          .modified_unix_milliseconds = node.modified_unix_milliseconds,
          .is_link = false,
          .identity = "memory:" + std::to_string(node.id)};
}

Result<FileStatus> MemoryFileSystem::status(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(path);
  if (!node) return not_there("look at", path);
  return status_of(*node, path);
}

Result<std::vector<FileStatus>> MemoryFileSystem::list(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(directory);
  if (!node || !node->is_directory) return not_there("open the folder", directory);
  std::vector<FileStatus> found;
  for (const auto& [name, entry] : node->entries) {
    found.push_back(status_of(*entry, join_path(directory, name)));
  }
  return found;
}

Result<std::unique_ptr<ReadableFile>> MemoryFileSystem::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  NodePtr node = find(path);
  if (!node) return not_there("open the file", path);
  if (node->is_directory) {
    return failure(ErrorCode::store_io, "open the file", path, "not a regular file but a folder");
  }
  return std::unique_ptr<ReadableFile>(std::make_unique<Reader>(*this, std::move(node), path));
}

Result<std::unique_ptr<ReadableFile>> MemoryFileSystem::open_no_follow(const std::string& path) {
  return open(path);
}

Result<std::unique_ptr<WritableFile>> MemoryFileSystem::create(const std::string& path) {
  SR_TRY(begin("create", path));
  const std::lock_guard lock(mutex_);
  Place place = SR_TRY(locate(path, "create the file"));
  if (place.node || place.name.empty()) {
    return failure(ErrorCode::store_io, "create the file", path, "File exists");
  }
  place.node = make_node(false);
  place.directory->entries[place.name] = place.node;
  journal_.record({.added_to = place.directory, .added_name = place.name, .node = place.node});
  return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, place.node, path));
}

Result<bool> MemoryFileSystem::create_directory(const std::string& path) {
  SR_TRY(begin("create_directory", path));
  const std::lock_guard lock(mutex_);
  Place place = SR_TRY(locate(path, "create the folder"));
  if (place.name.empty()) return false;  // the root
  if (place.node && place.node->is_directory) return false;
  if (place.node) return failure(ErrorCode::path, "create the folder", path, "Not a directory");
  place.node = make_node(true);
  place.directory->entries[place.name] = place.node;
  journal_.record({.added_to = place.directory, .added_name = place.name, .node = place.node});
  return true;
}

Result<bool> MemoryFileSystem::rename_no_replace(const std::string& from, const std::string& to) {
  SR_TRY(begin("rename", from));
  const std::lock_guard lock(mutex_);
  const Place source = SR_TRY(locate(from, "rename to " + to));
  const Place target = SR_TRY(locate(to, "rename to " + to));
  if (!source.node) return not_there("rename to " + to, from);
  if (target.node) return false;
  source.directory->entries.erase(source.name);
  target.directory->entries[target.name] = source.node;
  journal_.record({.removed_from = source.directory,
                   .removed_name = source.name,
                   .added_to = target.directory,
                   .added_name = target.name,
                   .node = source.node});
  return true;
}

Result<bool> MemoryFileSystem::remove_file(const std::string& path) {
  SR_TRY(begin("remove_file", path));
  const std::lock_guard lock(mutex_);
  const NodePtr parent = find(parent_path(path));
  if (!parent) return false;
  const Place place = SR_TRY(locate(path, "remove the file"));
  if (!place.node) return false;
  if (place.node->is_directory) {
    return failure(ErrorCode::store_io, "remove the file", path, "Is a directory");
  }
  place.directory->entries.erase(place.name);
  journal_.record(
      {.removed_from = place.directory, .removed_name = place.name, .node = place.node});
  return true;
}

Result<bool> MemoryFileSystem::remove_directory(const std::string& path) {
  SR_TRY(begin("remove_directory", path));
  const std::lock_guard lock(mutex_);
  const NodePtr parent = find(parent_path(path));
  if (!parent) return false;
  const Place place = SR_TRY(locate(path, "remove the folder"));
  if (!place.node) return false;
  if (!place.node->is_directory) {
    return failure(ErrorCode::path, "remove the folder", path, "Not a directory");
  }
  if (!place.node->entries.empty()) return false;
  place.directory->entries.erase(place.name);
  journal_.record(
      {.removed_from = place.directory, .removed_name = place.name, .node = place.node});
  return true;
}

Result<void> MemoryFileSystem::sync_directory(const std::string& path) {
  SR_TRY(begin("sync_directory", path));
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(path);
  if (!node || !node->is_directory) return not_there("open the folder", path);
  journal_.sync(node);
  return {};
}

Result<std::unique_ptr<FolderLock>> MemoryFileSystem::lock(const std::string& path,
                                                           std::string_view note) {
  SR_TRY(begin("lock", path));
  const std::lock_guard lock(mutex_);
  Place place = SR_TRY(locate(path, "open the lock file"));
  if (!place.node) {
    place.node = make_node(false);
    place.directory->entries[place.name] = place.node;
    journal_.record({.added_to = place.directory, .added_name = place.name, .node = place.node});
  }
  const auto [held, taken] = locks_.try_emplace(place.node->id, note);
  if (!taken) {
    return Error{.code = ErrorCode::lock,
                 .message = "held by another process: " + held->second,
                 .where = path,
                 .retry = Retry::no};
  }
  place.node->content = FileContent();
  place.node->content.append(note);
  return std::unique_ptr<FolderLock>(std::make_unique<Lock>(*this, place.node->id, path));
}

Result<std::optional<std::string>> MemoryFileSystem::lock_holder(const std::string& path) {
  SR_TRY(begin("lock_holder", path));
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(path);
  const auto held = node ? locks_.find(node->id) : locks_.end();
  if (held == locks_.end()) return std::optional<std::string>();
  return std::optional(held->second);
}

void MemoryFileSystem::forget_handles() {
  ++life_;
  locks_.clear();
}

void MemoryFileSystem::kill() {
  const std::lock_guard lock(mutex_);
  forget_handles();
}

template <typename Chance>
void MemoryFileSystem::cut(Chance& chance) {
  const std::lock_guard lock(mutex_);
  forget_handles();
  journal_.power_cut(chance);
  show_durable_names(*root_);
  std::set<std::uint64_t> done;
  cut_files(*root_, chance, done);
}

void MemoryFileSystem::power_cut(Random& random) {
  cut(random);
}

void MemoryFileSystem::power_cut(const Choose& choose) {
  cut(choose);
}

void MemoryFileSystem::fail_call(std::uint64_t step, Error error) {
  const std::lock_guard lock(mutex_);
  failures_.insert_or_assign(step, std::move(error));
}

void MemoryFileSystem::end_failures() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
}

void MemoryFileSystem::before_step(std::function<void(const StorageStep&)> callback) {
  const std::lock_guard lock(mutex_);
  callback_ = std::move(callback);
}

std::uint64_t MemoryFileSystem::steps() const {
  const std::lock_guard lock(mutex_);
  return steps_;
}

bool MemoryFileSystem::flip_bit(const std::string& path, std::uint64_t offset, unsigned bit) {
  const std::lock_guard lock(mutex_);
  const NodePtr node = find(path);
  if (!node || node->is_directory || offset >= node->content.bytes().size()) return false;
  node->content.flip_bit(offset, bit);
  return true;
}

std::map<std::string, std::string> MemoryFileSystem::files() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> found;
  collect(*root_, "/", found);
  return found;
}

}  // namespace streamrun::sim

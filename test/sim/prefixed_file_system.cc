#include "sim/prefixed_file_system.h"

#include <utility>

namespace streamrun::sim {
namespace {

class PrefixedFileSystem final : public FileSystem {
 public:
  PrefixedFileSystem(std::unique_ptr<FileSystem> store, std::string prefix)
      : store_(std::move(store)), prefix_(std::move(prefix)) {}

  Result<std::string> canonical(const std::string& path) const override {
    Result<std::string> there = told(store_->canonical(prefix_ + path));
    if (there) *there = here(*there);
    return there;
  }
  Result<FileStatus> status(const std::string& path) override {
    Result<FileStatus> status = told(store_->status(prefix_ + path));
    if (status) status->path = here(std::move(status->path));
    return status;
  }
  Result<std::vector<FileStatus>> list(const std::string& directory) override {
    Result<std::vector<FileStatus>> content = told(store_->list(prefix_ + directory));
    if (!content) return content;
    for (FileStatus& entry : *content) entry.path = here(std::move(entry.path));
    return content;
  }
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
    return reader(store_->open(prefix_ + path));
  }
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override {
    return reader(store_->open_no_follow(prefix_ + path));
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<bool> create_directory(const std::string& path) override {
    return told(store_->create_directory(prefix_ + path));
  }
  Result<bool> rename_no_replace(const std::string& from, const std::string& to) override {
    return told(store_->rename_no_replace(prefix_ + from, prefix_ + to));
  }
  Result<bool> link(const std::string& from, const std::string& to) override {
    return told(store_->link(prefix_ + from, prefix_ + to));
  }
  Result<bool> remove_file(const std::string& path) override {
    return told(store_->remove_file(prefix_ + path));
  }
  Result<bool> remove_directory(const std::string& path) override {
    return told(store_->remove_directory(prefix_ + path));
  }
  Result<void> sync_directory(const std::string& path) override {
    return told(store_->sync_directory(prefix_ + path));
  }
  Result<std::unique_ptr<FolderLock>> lock(const std::string& path,
                                           std::string_view note) override {
    return told(store_->lock(prefix_ + path, note));
  }
  Result<std::optional<std::string>> lock_holder(const std::string& path) override {
    return told(store_->lock_holder(prefix_ + path));
  }
  Result<bool> publish(const std::string& directory, const std::string& name,
                       std::string_view bytes, const std::string& attempt) override {
    return told(store_->publish(prefix_ + directory, name, bytes, attempt));
  }

 private:
  class Reader;
  class Writer;

  std::string here(std::string path) const {
    if (path.starts_with(prefix_)) path.erase(0, prefix_.size());
    return path.empty() ? "/" : path;
  }
  template <typename T>
  Result<T> told(Result<T> result) const {
    if (result) return result;
    Error error = std::move(result).error();
    if (!error.where.empty()) error.where = here(std::move(error.where));
    return error;
  }
  Result<std::unique_ptr<ReadableFile>> reader(Result<std::unique_ptr<ReadableFile>> file) const;

  const std::unique_ptr<FileSystem> store_;
  const std::string prefix_;
};

class PrefixedFileSystem::Reader final : public ReadableFile {
 public:
  Reader(const PrefixedFileSystem& owner, std::unique_ptr<ReadableFile> file)
      : owner_(owner), file_(std::move(file)) {}
  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t length) override {
    return owner_.told(file_->read_at(offset, into, length));
  }
  bool read_now(std::uint64_t offset, char* into, std::size_t length) override {
    return file_->read_now(offset, into, length);
  }
  std::uint64_t size() const override { return file_->size(); }

 private:
  const PrefixedFileSystem& owner_;
  const std::unique_ptr<ReadableFile> file_;
};

class PrefixedFileSystem::Writer final : public WritableFile {
 public:
  Writer(const PrefixedFileSystem& owner, std::unique_ptr<WritableFile> file)
      : owner_(owner), file_(std::move(file)) {}
  Result<void> append(std::string_view bytes) override { return owner_.told(file_->append(bytes)); }
  Result<void> sync() override { return owner_.told(file_->sync()); }
  Result<void> close() override { return owner_.told(file_->close()); }

 private:
  const PrefixedFileSystem& owner_;
  const std::unique_ptr<WritableFile> file_;
};

Result<std::unique_ptr<WritableFile>> PrefixedFileSystem::create(const std::string& path) {
  auto file = SR_TRY(told(store_->create(prefix_ + path)));
  return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, std::move(file)));
}

Result<std::unique_ptr<ReadableFile>> PrefixedFileSystem::reader(
    Result<std::unique_ptr<ReadableFile>> file) const {
  auto opened = SR_TRY(told(std::move(file)));
  return std::unique_ptr<ReadableFile>(std::make_unique<Reader>(*this, std::move(opened)));
}

}  // namespace

std::unique_ptr<FileSystem> with_prefix(std::unique_ptr<FileSystem> store, std::string prefix) {
  return std::make_unique<PrefixedFileSystem>(std::move(store), std::move(prefix));
}

}  // namespace streamrun::sim

#pragma once

#include <streamrun/storage/file_system.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// A place as a person writes it, taken apart: `hdfs://nn/ckpt` is scheme `hdfs` and path as it
/// stands;
/// `/data`, `data` and `file:///data` are scheme `file` and a local path.
struct Location {
  std::string scheme;
  std::string path;
};

/// Takes a path or URI apart; relative local paths are made absolute against `working_directory`.
/// `%xx` in `file:` URIs is decoded. E-PATH for an empty text, a NUL, or a URI that can't be read.
Result<Location> parse_location(std::string_view text, std::string_view working_directory);

/// Whether an absolute path is one of the local disk: it has no scheme.
bool is_local_path(std::string_view path);

/// Something in a store: its path as the store spells it, and the store.
struct Place {
  std::string path;
  FileSystem* store = nullptr;

  bool operator==(const Place&) const = default;
};

/// The stores that this process knows, by scheme, and as one: a path with a scheme is that store's,
/// any other one of the local disk (`file`). Filled once at start, then read only.
class FileSystems final : public FileSystem {
 public:
  /// Makes a store when it is first asked for: once, by one thread; after an error again.
  using MakeStore = std::function<Result<std::unique_ptr<FileSystem>>()>;

  void add(std::string scheme, std::unique_ptr<FileSystem> store);
  /// A store that has several schemes, and costs something or can fail to be made.
  void add(const std::vector<std::string>& schemes, MakeStore make);
  /// The store of a scheme; an error that lists the known schemes if there is none, or says why it
  /// can't be made.
  Result<FileSystem*> of_scheme(const std::string& scheme) const;
  /// Where what a person wrote leads to: see `parse_location`, `of_scheme` and `canonical`.
  Result<Place> place(std::string_view text, std::string_view working_directory) const;

  Result<std::string> canonical(const std::string& path) const override;
  Result<FileStatus> status(const std::string& path) override;
  Result<std::vector<FileStatus>> list(const std::string& directory) override;
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<bool> create_directory(const std::string& path) override;
  /// E-USAGE from one store to another.
  Result<bool> rename_no_replace(const std::string& from, const std::string& to) override;
  Result<bool> link(const std::string& from, const std::string& to) override;
  Result<bool> remove_file(const std::string& path) override;
  Result<bool> remove_directory(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<FolderLock>> lock(const std::string& path, std::string_view note) override;
  Result<std::optional<std::string>> lock_holder(const std::string& path) override;
  Result<bool> publish(const std::string& directory, const std::string& name,
                       std::string_view bytes, const std::string& attempt) override;

 private:
  Result<FileSystem*> of_path(const std::string& path) const;

  struct Entry {
    std::mutex mutex;
    MakeStore make;                     // guarded by mutex
    std::unique_ptr<FileSystem> store;  // guarded by mutex; never changes once it is there
  };
  std::map<std::string, std::shared_ptr<Entry>> stores_;
};

}  // namespace streamrun

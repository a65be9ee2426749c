#pragma once

#include <streamrun/stream/source.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "file_listing.h"

namespace streamrun {

/// Finds input files and deals out their splits, in the order of their paths, to readers that ask.
/// Requests that come while files are looked for, or while there are none yet, are remembered.
class FileEnumerator final : public SplitEnumerator {
 public:
  struct Settings {
    std::vector<std::string> paths;
    bool watch = false;
    std::uint64_t split_bytes = 0;
    Duration watch_interval{};
  };
  explicit FileEnumerator(Settings settings);

  void start(Context context, const std::string& restored,
             std::vector<std::string> unread) override;
  void handle_request(int subtask) override;
  std::optional<Instant> next_deadline() const override { return next_listing_; }
  void on_time() override;
  std::string snapshot() const override;
  bool has_found_input() const override { return listed_; }

  /// Instead of `start`: whether the files can be opened that it and readers of the `unread` splits
  /// would read. Changes nothing outside; blocks.
  Result<void> check_input(const FileSystems& stores, const std::string& working_directory,
                           const std::string& restored, const std::vector<std::string>& unread);

 private:
  Result<void> restore(const std::string& bytes);
  Result<std::vector<InputPath>> input_paths(const FileSystems& stores,
                                             const std::string& working_directory) const;
  void look_for_files();
  void add_files(Result<InputListing> listing);
  void add_file(const FileStatus& file);
  bool remembers() const { return settings_.watch || last_look_; }
  void serve();

  // Constant after `start`.
  const Settings settings_;
  std::unique_ptr<Context> context_;

  // Owned by the JobMaster's thread.
  std::deque<std::string> splits_;   // not handed out yet
  std::set<std::string> processed_;  // when watching: paths whose splits were made
  bool listed_ = false;              // files were looked for, in this attempt or before a restore
  bool last_look_ = false;           // it watched before the restore: one listing is left to do
  bool listing_ = false;
  std::deque<int> waiting_;
  std::optional<Instant> next_listing_;
  std::shared_ptr<const bool> alive_ =
      std::make_shared<const bool>(true);  // for mail that comes too late
};

}  // namespace streamrun

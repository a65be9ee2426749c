#pragma once

#include <streamrun/platform/random.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun::sim {

/// Takes one of so many possibilities, counted from 0.
using Choose = std::function<std::size_t(std::size_t)>;

/// The bytes of one file, twice: as readers see them, and as the disk has them. Files only grow.
class FileContent {
 public:
  void append(std::string_view bytes);
  /// What is dirty reaches the disk. Pages that an earlier failed sync marked clean do not: the
  /// kernel has forgotten that they were never written.
  void sync();
  /// A failed fsync: every dirty page counts as clean from now on and is not on the disk.
  void fail_sync();
  /// Each page that is not on the disk is kept, dropped or damaged sector by sector; bytes whose
  /// sync succeeded stay.
  void power_cut(Random& random);
  /// The same with few possibilities: of what is not on the disk all is kept, nothing, the first
  /// half, only the length, or only the length with garbage. Does not ask if all is on the disk.
  void power_cut(const Choose& choose);
  /// Damages what readers see and what the disk has.
  void flip_bit(std::uint64_t offset, unsigned bit);

  const std::string& bytes() const { return seen_; }

 private:
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr std::size_t kSectorBytes = 512;

  /// Where bytes that no sync has promised lie, page by page.
  std::vector<std::pair<std::size_t, std::size_t>> unsafe_ranges() const;
  void tear_page(std::size_t page, std::size_t promised, Random& random, std::string& result) const;
  void tear_sector(std::size_t first, std::size_t last, Random& random, std::string& result) const;

  std::string seen_;
  std::string on_disk_;
  std::set<std::size_t> dirty_;  // pages to be written by the next sync
  // Pages that no sync will write any more unless they change again; and up to which byte they were
  // good before.
  std::map<std::size_t, std::size_t> forgotten_;
};

/// A file or a folder. Shared by every name and handle that leads to it, and gone with the last of
/// them: what an inode's link count does, so this is one of the few `shared_ptr`s to something that
/// changes.
struct Node {
  std::uint64_t id = 0;
  bool is_directory = false;
  std::int64_t modified_unix_milliseconds = 0;
  FileContent content;                                   // of a file
  std::map<std::string, std::shared_ptr<Node>> entries;  // of a folder, as programs see it
  std::map<std::string, std::shared_ptr<Node>> durable_entries;
};
using NodePtr = std::shared_ptr<Node>;

/// A change of names that the disk may not know yet. A rename is one change: no file system loses
/// the file in between.
struct NameChange {
  NodePtr removed_from = nullptr;  // null for a creation
  std::string removed_name = {};
  NodePtr added_to = nullptr;  // null for a removal
  std::string added_name = {};
  NodePtr node = nullptr;
};

/// All changes of names since the last sync of their folders, in the order in which they were made.
class NameJournal {
 public:
  void record(NameChange change) { changes_.push_back(std::move(change)); }
  /// What concerns `directory` reaches the disk. A rename out of it does so as a whole; of one into
  /// it the old name may still come back.
  void sync(const NodePtr& directory);
  /// Each change happens or not. Their order is kept: leaving any of them out gives every order
  /// that could be told apart.
  void power_cut(Random& random);
  void power_cut(const Choose& choose);

 private:
  static void apply(const NameChange& change);

  std::list<NameChange> changes_;
};

}  // namespace streamrun::sim

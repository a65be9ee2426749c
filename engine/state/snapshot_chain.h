#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/state/chain_limits.h>
#include <streamrun/state/keyed_table.h>
#include <streamrun/state/row_classes.h>
#include <streamrun/state/state_handle.h>

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

namespace streamrun {

/// What is known of one piece when it is decided which ones are written again.
struct PieceFacts {
  std::uint64_t bytes = 0;
  std::uint64_t inline_bytes = 0;  ///< of them in the metadata
  std::uint64_t rows = 0;
  std::uint64_t homed = 0;  ///< rows whose latest value (or tombstone) lies there
  bool pinned = false;      ///< has tombstones that only it has: goes only if it is the oldest
};
/// Which pieces, oldest first, a snapshot makes superfluous by writing again what is homed there,
/// when it writes `changed` rows anyway and there are `live`. Those with the least worth keeping go
/// first: of uniform changes the oldest.
std::vector<bool> pieces_to_replace(const std::vector<PieceFacts>& pieces, std::uint64_t changed,
                                    std::uint64_t live, const ChainLimits& limits);

/// Decides what each snapshot of a table writes so that it and pieces of earlier ones are the whole
/// state. Every class of rows has a home: the piece with the latest values of its rows. A snapshot
/// writes the rows without a home in its base, which is the newest completed snapshot, and those
/// whose home it replaces. It keeps a view of its own of what lies where, which becomes the common
/// one if it is completed; several may be under way. Owned by the table's thread; no I/O.
class SnapshotChain {
 public:
  enum class Kind {
    whole,      ///< everything, in one piece, and nobody builds on it
    in_pieces,  ///< everything, in several: `begin_piece` before each; the base of later ones
    increment,  ///< one piece with what `selection` takes
  };
  struct Plan {
    Kind kind = Kind::whole;
    RowSelection selection = {};
    std::uint64_t piece_rows = 0;  ///< unless it is whole: in one piece, about
  };
  struct WrittenPiece {
    StateHandle data;
    std::uint64_t rows = 0;  ///< tombstones included
  };

  /// `table` outlives the chain; its rows get classes.
  explicit SnapshotChain(KeyedTableBase& table, ChainLimits limits = {});

  /// Just before the table starts snapshot `id`, which may become a base. The table's present
  /// content is what it will hold; `is_full`: without pieces of earlier ones.
  Plan begin(CheckpointId id, bool is_full = false);
  /// Rows that a snapshot in pieces passes from now on are homed in its next piece.
  void begin_piece(CheckpointId id, TableSnapshot& snapshot);
  /// How many rows it has passed.
  std::uint64_t rows_in_piece(CheckpointId id);
  /// All that snapshot `id` wrote is durable; what it consists of, oldest first. None if it is no
  /// longer known: a newer one is complete, or it was forgotten.
  std::optional<std::vector<StateHandle>> written(CheckpointId id,
                                                  const std::vector<WrittenPiece>& written);
  /// Snapshot `id` is complete: what begins later builds on it, if it may, and on none before it,
  /// whose pieces may be gone.
  void complete(CheckpointId id);
  /// Snapshot `id` failed or was given up. Nothing if it is not known.
  void forget(CheckpointId id);

  /// A slice of the work that keeps classes from running short; true while there is more.
  bool advance();
  bool knows(CheckpointId id) { return find(id) != nullptr; }
  std::size_t free_classes() const;

 private:
  using Home = std::uint32_t;  ///< number of a piece
  static constexpr Home kNone = 0;
  static constexpr Home kFull = 1;  ///< some piece of a snapshot in pieces that is being written
  struct Piece {
    Home number = kNone;
    StateHandle data;
    std::uint64_t rows = 0;
    bool may_hide = false;  ///< has tombstones, or may have
    bool pinned = false;
  };
  struct View {
    PerClass<Home> homes = {};
    std::vector<Piece> pieces;  ///< oldest first
    std::size_t first_new = 0;  ///< those from here on it writes itself
  };
  /// A snapshot between its begin and its end.
  struct Begun {
    CheckpointId id = 0;
    std::optional<View> view;  ///< none: it can be nobody's base
    PerClass<bool> old = {};   ///< in pieces: classes that it passes
    RowClass piece_class = 0;  ///< in pieces: of the present piece
  };

  Begun* find(CheckpointId id);
  template <typename F>
  void for_each_view(F&& use);
  /// Whether no other snapshot that may become a base is under way.
  bool is_alone() const;
  /// So little that all of it is written each time.
  bool is_small() const;
  Plan plan_increment(View& view);
  Plan plan_in_pieces(Begun& begun);
  /// What changes from now on is not in `begun`.
  void begin_classes(Begun& begun);
  RowClass take_class();
  bool is_free(RowClass row_class) const;
  bool is_in_use(RowClass row_class) const;
  /// Whether there are as many free classes as a snapshot needs. As a last resort the base is given
  /// up, and with it snapshots that build on it.
  bool make_room();
  void start_merge();
  /// Pieces with tombstones that the table no longer has.
  void pin_dropped();
  /// Tells the table what to do with rows that change.
  void refresh();

  KeyedTableBase& table_;
  const ChainLimits limits_;
  std::optional<View> base_;
  CheckpointId base_id_ = 0;  ///< the newest that is known to be complete
  std::list<Begun> begun_;
  RowClass changed_ = 1;  ///< of rows that change now
  RowClass made_ = 2;     ///< of rows that are made now
  PerClass<bool> is_made_ = {};
  Home last_home_ = kFull;
};

}  // namespace streamrun

#include <streamrun/state/snapshot_chain.h>

#include <algorithm>
#include <map>
#include <utility>

namespace streamrun {
namespace {

/// Classes that are left when some are merged, so that it is done before they are gone.
constexpr std::size_t kFewClasses = 48;
/// What one snapshot may need, and some.
constexpr std::size_t kFewestClasses = 8;
/// Slots between two batches.
constexpr std::size_t kMergedSlots = std::size_t{128} * 1024;

}  // namespace

std::vector<bool> pieces_to_replace(const std::vector<PieceFacts>& pieces, std::uint64_t changed,
                                    std::uint64_t live, const ChainLimits& limits) {
  double kept = 0;
  double rows = 0;
  std::uint64_t inline_bytes = 0;
  for (const PieceFacts& piece : pieces) {
    kept += static_cast<double>(piece.bytes);
    rows += static_cast<double>(piece.rows);
    inline_bytes += piece.inline_bytes;
  }
  const double row_bytes = rows > 0 ? kept / rows : 0;
  kept += row_bytes * static_cast<double>(changed);
  std::size_t count = pieces.size() + 1;
  std::vector<bool> replaced(pieces.size());
  const auto bytes_homed = [&](std::size_t i) {
    return row_bytes * static_cast<double>(pieces[i].homed);
  };
  const auto replace = [&](std::size_t i) {
    replaced[i] = true;
    kept -= static_cast<double>(pieces[i].bytes) - bytes_homed(i);
    inline_bytes -= pieces[i].inline_bytes;
    --count;
  };
  /// The piece of least `cost` among those that may go; none has more than `limit`.
  const auto cheapest = [&](double limit, auto&& cost) {
    std::optional<std::size_t> best;
    bool is_oldest = true;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (replaced[i]) continue;
      if ((is_oldest || !pieces[i].pinned) && cost(i) < limit) {
        best = i;
        limit = cost(i);
      }
      is_oldest = false;
    }
    return best;
  };
  const auto share_homed = [&](std::size_t i) {
    return bytes_homed(i) / static_cast<double>(std::max<std::uint64_t>(1, pieces[i].bytes));
  };
  constexpr double kMuch = 1e300;
  while (const auto empty =
             cheapest(1, [&](std::size_t i) { return static_cast<double>(pieces[i].homed); }))
    replace(*empty);
  while (kept > limits.kept * row_bytes * static_cast<double>(live)) {
    const auto best = cheapest(1, share_homed);
    if (!best) break;
    replace(*best);
  }
  while (inline_bytes > limits.inline_bytes) {
    const auto best = cheapest(
        kMuch, [&](std::size_t i) { return pieces[i].inline_bytes > 0 ? bytes_homed(i) : kMuch; });
    if (!best) break;
    replace(*best);
  }
  while (count > limits.most_pieces) {
    const auto best = cheapest(kMuch, bytes_homed);
    if (!best) break;
    replace(*best);
  }
  return replaced;
}

SnapshotChain::SnapshotChain(KeyedTableBase& table, ChainLimits limits)
    : table_(table), limits_(limits) {
  table_.track_classes();
  is_made_[made_] = true;
  refresh();
}

SnapshotChain::Begun* SnapshotChain::find(CheckpointId id) {
  for (Begun& begun : begun_) {
    if (begun.id == id) return &begun;
  }
  return nullptr;
}

template <typename F>
void SnapshotChain::for_each_view(F&& use) {
  if (base_) use(*base_);
  for (Begun& begun : begun_) {
    if (begun.view) use(*begun.view);
  }
}

SnapshotChain::Plan SnapshotChain::begin(CheckpointId id, bool is_full) {
  pin_dropped();
  const bool has_classes = (base_ || is_alone()) && !is_small() && make_room();
  const bool is_first = is_alone();
  Begun& begun = begun_.emplace_back();
  begun.id = id;
  Plan plan;
  if (has_classes && base_ && !is_full) {
    begun.view = *base_;
    plan = plan_increment(*begun.view);
    // Not while another one relies on what the base has.
    const auto most = limits_.most_written * static_cast<double>(table_.size());
    if (is_first && static_cast<double>(plan.piece_rows) > most) begun.view.reset();
  }
  if (has_classes && is_first && !begun.view) plan = plan_in_pieces(begun);
  if (begun.view) begin_classes(begun);
  refresh();
  return begun.view ? plan : Plan{};
}

bool SnapshotChain::is_alone() const {
  return std::none_of(begun_.begin(), begun_.end(),
                      [](const Begun& begun) { return begun.view.has_value(); });
}

bool SnapshotChain::is_small() const {
  std::uint64_t row_bytes = table_.slot_bytes();
  if (base_) {
    std::uint64_t rows = 1;
    std::uint64_t bytes = 0;
    for (const Piece& piece : base_->pieces) {
      rows += piece.rows;
      bytes += piece.data.size();
    }
    row_bytes = std::max<std::uint64_t>(1, bytes / rows);
  }
  return row_bytes * table_.size() < limits_.small_bytes;
}

SnapshotChain::Plan SnapshotChain::plan_increment(View& view) {
  const PerClass<std::int64_t>& rows = table_.classes().rows;
  std::map<Home, std::uint64_t> homed;
  std::uint64_t all = 0;
  std::uint64_t made = 0;
  for (std::size_t i = 1; i < kRowClasses; ++i) {
    const auto count = static_cast<std::uint64_t>(rows[i]);
    homed[view.homes[i]] += count;
    all += count;
    if (is_made_[i] && view.homes[i] == kNone) made += count;
  }
  // Rows that came and went leave no trace. Which ones were removed is not known, but of those it
  // may be many.
  const std::uint64_t changed_rows = homed[kNone] - std::min(made, all - table_.size());
  std::vector<PieceFacts> facts;
  for (const Piece& piece : view.pieces) {
    facts.push_back({.bytes = piece.data.size(),
                     .inline_bytes = piece.data.inline_bytes.size(),
                     .rows = piece.rows,
                     .homed = homed[piece.number],
                     .pinned = piece.pinned});
  }
  const std::vector<bool> replaced = pieces_to_replace(facts, changed_rows, table_.size(), limits_);

  // Removed rows matter only if a piece that stays may have an older value of theirs.
  Plan plan{.kind = Kind::increment, .selection = {}, .piece_rows = changed_rows};
  std::map<Home, Take> taken;
  std::vector<Piece> kept;
  for (std::size_t i = 0; i < view.pieces.size(); ++i) {
    Piece& piece = view.pieces[i];
    if (replaced[i]) {
      taken[piece.number] = !kept.empty() && piece.may_hide ? Take::all : Take::live;
      plan.piece_rows += facts[i].homed;
    } else {
      kept.push_back(std::move(piece));
    }
  }
  const Take changed = kept.empty() ? Take::live : Take::all;
  const Home home = ++last_home_;
  for (std::size_t i = 1; i < kRowClasses; ++i) {
    if (!is_in_use(static_cast<RowClass>(i))) continue;
    if (view.homes[i] == kNone) {
      plan.selection[i] = is_made_[i] ? Take::live : changed;
    } else if (const auto found = taken.find(view.homes[i]); found != taken.end()) {
      plan.selection[i] = found->second;
    } else {
      continue;
    }
    view.homes[i] = home;
  }
  view.pieces = std::move(kept);
  view.first_new = view.pieces.size();
  view.pieces.push_back({.number = home, .data = {}, .may_hide = true});
  return plan;
}

SnapshotChain::Plan SnapshotChain::plan_in_pieces(Begun& begun) {
  // From here on classes no longer tell what the base has: if this one fails, the next is full too.
  base_.reset();
  begun.view = View{};
  std::uint64_t rows = 0;
  for (std::size_t i = 1; i < kRowClasses; ++i) {
    rows += static_cast<std::uint64_t>(table_.classes().rows[i]);
    begun.old[i] = true;
    if (is_in_use(static_cast<RowClass>(i))) begun.view->homes[i] = kFull;
  }
  const std::uint64_t pieces = std::min(limits_.full_pieces, free_classes() - kFewestClasses / 2);
  const std::uint64_t least = limits_.least_piece_bytes / table_.slot_bytes();
  return {
      .kind = Kind::in_pieces, .selection = {}, .piece_rows = std::max(least, rows / pieces) + 1};
}

void SnapshotChain::begin_classes(Begun& begun) {
  const PerClass<std::int64_t>& rows = table_.classes().rows;
  if (rows[changed_] != 0) changed_ = take_class();
  if (rows[made_] != 0) made_ = take_class();
  is_made_[made_] = true;
  begun.old[changed_] = false;
  begun.old[made_] = false;
}

void SnapshotChain::begin_piece(CheckpointId id, TableSnapshot& snapshot) {
  pin_dropped();
  Begun* const begun = find(id);
  SR_ASSERT(begun != nullptr && begun->view, "pieces belong to a snapshot that has begun");
  begun->piece_class = take_class();
  begun->old[begun->piece_class] = false;
  const Home home = ++last_home_;
  begun->view->homes[begun->piece_class] = home;
  begun->view->pieces.push_back({.number = home, .data = {}});
  PerClass<RowClass> assigned{};
  for (std::size_t i = 0; i < kRowClasses; ++i)
    assigned[i] = begun->old[i] ? begun->piece_class : static_cast<RowClass>(i);
  table_.assign_classes(snapshot, assigned);
  refresh();
}

std::uint64_t SnapshotChain::rows_in_piece(CheckpointId id) {
  const Begun* const begun = find(id);
  SR_ASSERT(begun != nullptr, "pieces belong to a snapshot that has begun");
  return static_cast<std::uint64_t>(table_.classes().rows[begun->piece_class]);
}

std::optional<std::vector<StateHandle>> SnapshotChain::written(
    CheckpointId id, const std::vector<WrittenPiece>& written) {
  std::vector<StateHandle> handles;
  Begun* const begun = find(id);
  if (begun == nullptr) return std::nullopt;
  if (!begun->view) {
    for (const WrittenPiece& piece : written) handles.push_back(piece.data);
    return handles;
  }
  View& view = *begun->view;
  SR_ASSERT(view.pieces.size() == view.first_new + written.size(),
            "what was written are the pieces that a snapshot began");
  for (std::size_t i = 0; i < written.size(); ++i) {
    view.pieces[view.first_new + i].data = written[i].data;
    view.pieces[view.first_new + i].rows = written[i].rows;
  }
  // One without rows says nothing, but a snapshot has a piece at least.
  if (view.pieces.size() > 1 && view.pieces.back().rows == 0) view.pieces.pop_back();
  for (const Piece& piece : view.pieces) handles.push_back(piece.data);
  return handles;
}

void SnapshotChain::complete(CheckpointId id) {
  pin_dropped();
  if (id <= base_id_) return;
  base_id_ = id;
  Begun* const begun = find(id);
  if (begun == nullptr) {
    base_.reset();
  } else {
    base_ = std::move(begun->view);
  }
  begun_.remove_if([id](const Begun& other) { return other.id <= id; });
  refresh();
}

void SnapshotChain::forget(CheckpointId id) {
  pin_dropped();
  begun_.remove_if([id](const Begun& other) { return other.id == id; });
  refresh();
}

bool SnapshotChain::is_in_use(RowClass row_class) const {
  return table_.classes().rows[row_class] != 0 || table_.is_merging(row_class);
}

bool SnapshotChain::is_free(RowClass row_class) const {
  return !is_in_use(row_class) && row_class != 0 && row_class != changed_ && row_class != made_ &&
         std::none_of(begun_.begin(), begun_.end(),
                      [&](const Begun& begun) { return begun.piece_class == row_class; });
}

std::size_t SnapshotChain::free_classes() const {
  std::size_t count = 0;
  for (std::size_t i = 1; i < kRowClasses; ++i) count += is_free(static_cast<RowClass>(i)) ? 1 : 0;
  return count;
}

RowClass SnapshotChain::take_class() {
  for (std::size_t i = 1; i < kRowClasses; ++i) {
    const auto row_class = static_cast<RowClass>(i);
    if (!is_free(row_class)) continue;
    table_.reuse_class(row_class);
    for_each_view([&](View& view) { view.homes[i] = kNone; });
    is_made_[i] = false;
    return row_class;
  }
  SR_ASSERT(false, "room was made for the classes that a snapshot needs");
  return 0;
}

bool SnapshotChain::make_room() {
  if (free_classes() >= kFewClasses) return true;
  start_merge();
  if (free_classes() >= kFewestClasses) return true;
  // Too late for slices.
  const auto merge_now = [this] {
    while (advance()) {
    }
    start_merge();
    while (advance()) {
    }
  };
  merge_now();
  if (free_classes() >= kFewestClasses) return true;
  // Without a base there is less to tell apart.
  base_.reset();
  begun_.remove_if([](const Begun& begun) { return begun.view.has_value(); });
  merge_now();
  return free_classes() >= kFewestClasses;
}

void SnapshotChain::start_merge() {
  if (table_.is_merging()) return;
  const auto are_alike = [&](std::size_t a, std::size_t b) {
    bool alike = table_.are_alike(static_cast<RowClass>(a), static_cast<RowClass>(b));
    bool is_saved = true;
    for_each_view([&](const View& view) {
      alike = alike && view.homes[a] == view.homes[b];
      is_saved = is_saved && view.homes[a] != kNone;
    });
    return alike && (is_saved || is_made_[a] == is_made_[b]);
  };
  const auto may_merge = [&](std::size_t i) {
    const auto row_class = static_cast<RowClass>(i);
    return is_in_use(row_class) && row_class != changed_ && row_class != made_;
  };
  PerClass<RowClass> to{};
  bool any = false;
  for (std::size_t i = 0; i < kRowClasses; ++i) {
    to[i] = static_cast<RowClass>(i);
    for (std::size_t first = 1; first < i && may_merge(i); ++first) {
      if (to[first] != first || !may_merge(first) || !are_alike(first, i)) continue;
      to[i] = static_cast<RowClass>(first);
      any = true;
      break;
    }
  }
  if (any) table_.start_merge(to);
}

bool SnapshotChain::advance() {
  return table_.is_merging() && !table_.advance_merge(kMergedSlots);
}

void SnapshotChain::pin_dropped() {
  PerClass<bool>& dropped = table_.classes().has_dropped;
  for_each_view([&](View& view) {
    for (std::size_t i = 1; i < kRowClasses; ++i) {
      if (!dropped[i]) continue;
      for (Piece& piece : view.pieces) {
        if (piece.number == view.homes[i]) piece.pinned = piece.may_hide;
      }
    }
  });
  dropped.fill(false);
}

void SnapshotChain::refresh() {
  RowClasses& classes = table_.classes();
  classes.of_new = made_;
  for (std::size_t i = 0; i < kRowClasses; ++i) {
    bool saved_in_all = true;
    bool saved_in_none = true;
    for_each_view([&](const View& view) {
      saved_in_all = saved_in_all && view.homes[i] != kNone;
      saved_in_none = saved_in_none && view.homes[i] == kNone;
    });
    // What was made since all of them is in none: removed, it leaves no trace.
    const bool is_unknown = is_made_[i] && saved_in_none;
    classes.after_change[i] = is_unknown ? made_ : changed_;
    classes.keeps_removed[i] = !is_unknown && !saved_in_all;
  }
}

}  // namespace streamrun

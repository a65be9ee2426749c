#include "row_iterator.h"

#include <bit>

namespace streamrun {
namespace {

std::string_view view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

}  // namespace

RowIterator::RowIterator(Database& database, const rocksdb::ReadOptions& options) {
  for (rocksdb::ColumnFamilyHandle* const family : database.families())
    states_.emplace_back(database.db().NewIterator(options, family));
}

void RowIterator::seek_to_first() {
  for (const auto& state : states_) state->SeekToFirst();
  find_least();
}

void RowIterator::seek_behind(std::string_view key) {
  for (const auto& state : states_) {
    state->Seek({key.data(), key.size()});
    if (state->Valid() && view(state->key()) == key) state->Next();
  }
  find_least();
}

void RowIterator::next() {
  for (std::uint32_t left = present_; left != 0; left &= left - 1)
    states_[static_cast<std::size_t>(std::countr_zero(left))]->Next();
  find_least();
}

void RowIterator::find_least() {
  present_ = 0;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (!states_[i]->Valid()) continue;
    const std::string_view key = view(states_[i]->key());
    const int order = present_ == 0 ? -1 : key.compare(key_);
    if (order > 0) continue;
    if (order < 0) {
      key_ = key;
      present_ = 0;
    }
    present_ |= 1U << i;
  }
}

rocksdb::Status RowIterator::status() const {
  for (const auto& state : states_) {
    if (!state->status().ok()) return state->status();
  }
  return rocksdb::Status::OK();
}

}  // namespace streamrun

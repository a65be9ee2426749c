#include "sim/sim_source.h"

#include <streamrun/base/bytes.h>

#include <algorithm>

namespace streamrun::sim {

std::string encode_split(const SimSplit& split) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(split.number);
  out.varint(split.next);
  out.varint(split.length);
  return bytes;
}

SimSplit decode_split(const std::string& bytes) {
  ByteReader in(bytes);
  SimSplit split;
  split.number = in.varint();
  split.next = in.varint();
  split.length = in.varint();
  SR_ASSERT(in.done(), "a split comes back as it was saved");
  return split;
}

void SimReader::add_split(const std::string& split) {
  splits_.push_back(decode_split(split));
  if (hooks_.flip()) ask_();  // a reader may hold several
}

SourceStatus SimReader::poll(Output<SimRecord>& output) {
  const Instant now = context_->environment.clock.now();
  if (resume_at_ && now < *resume_at_) return SourceStatus::idle;
  resume_at_.reset();
  if (splits_.empty()) {
    hooks_.input_has_ended |= no_more_;
    return no_more_ ? SourceStatus::ended : SourceStatus::idle;
  }
  SimSplit& split = splits_.front();
  const std::uint64_t count = std::min(hooks_.records_at_once(), split.length - split.next);
  for (std::uint64_t i = 0; i < count; ++i) output.emit(make_(split.number, split.next + i));
  split.next += count;
  if (hooks_.flip()) output.flush();
  if (split.next >= split.length) {
    splits_.pop_front();
    ask_();
  }
  if (const Duration pause = hooks_.pause(); pause > Duration(0)) resume_at_ = now + pause;
  return SourceStatus::more;
}

std::vector<std::string> SimReader::snapshot() const {
  std::vector<std::string> splits;
  for (SimSplit split : splits_) {
    if (hooks_.is(Mutant::position_off_by_one) && split.next > 0) ++split.next;
    splits.push_back(encode_split(split));
  }
  return splits;
}

void SimEnumerator::start(Context context, const std::string& restored,
                          std::vector<std::string> unread) {
  context_ = std::make_unique<Context>(std::move(context));
  waiting_.assign(unread.begin(), unread.end());
  if (restored.empty()) {
    for (const SimSplit& split : all_) waiting_.push_back(encode_split(split));
    return;
  }
  ByteReader in(restored);
  for (std::uint64_t left = in.varint(); left > 0; --left) waiting_.emplace_back(in.text());
  SR_ASSERT(in.done(), "an enumerator's state comes back as it was saved");
}

void SimEnumerator::handle_request(int subtask) {
  if (waiting_.empty()) return context_->no_more_splits(subtask);
  context_->assign(subtask, std::move(waiting_.front()));
  waiting_.pop_front();
}

std::string SimEnumerator::snapshot() const {
  std::string bytes;
  ByteWriter out(bytes);
  const std::size_t kept = hooks_.is(Mutant::keeps_no_splits) ? 0 : waiting_.size();
  out.varint(kept);
  for (std::size_t i = 0; i < kept; ++i) out.text(waiting_[i]);
  return bytes;
}

std::unique_ptr<SplitEnumerator> SimSource::make_enumerator() const {
  std::vector<SimSplit> splits;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    splits.push_back({.number = first_split + i, .next = 0, .length = lengths[i]});
  }
  return std::make_unique<SimEnumerator>(*hooks, std::move(splits));
}

}  // namespace streamrun::sim

#include "sim/shrink.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <utility>

namespace streamrun::sim {
namespace {

using Offset = std::ptrdiff_t;

/// The first numbers say what job it is and which faults may come: with few records and faults all
/// that is tried after them takes less time.
constexpr std::size_t kBeginning = 80;

void strip_zeros(Numbers& numbers) {
  while (!numbers.empty() && numbers.back() == 0) numbers.pop_back();
}

}  // namespace

std::string kind_of(const std::string& violation) {
  std::istringstream words(violation);
  std::string kind;
  for (std::string word; words >> word;) {
    const auto first = static_cast<unsigned char>(word.front());
    if (first == '/' || first == '"' || std::isdigit(first) != 0) break;
    if (!kind.empty()) kind += ' ';
    kind += word;
  }
  return kind;
}

Shrinker::Shrinker(Numbers numbers, Replay replay, std::function<bool()> may_go_on)
    : replay_(std::move(replay)), may_go_on_(std::move(may_go_on)), best_(std::move(numbers)) {
  strip_zeros(best_);
}

const Numbers& Shrinker::shrink() {
  Numbers before;
  do {
    before = best_;
    cut_the_end();
    lower_each(kBeginning);
    zero_spans();
    delete_spans();
    lower_each(best_.size());
  } while (!is_over_ && best_ != before);
  return best_;
}

bool Shrinker::accepts(Numbers candidate) {
  strip_zeros(candidate);
  if (is_over_ || candidate == best_) return false;
  is_over_ = !may_go_on_();
  if (is_over_) return false;
  ++tries_;
  std::optional<Numbers> drawn = replay_(candidate);
  if (!drawn) return false;
  strip_zeros(*drawn);
  if (drawn->size() > best_.size()) return false;
  best_ = *std::move(drawn);
  return true;
}

/// Behind its end a tape goes on with zeros.
void Shrinker::cut_the_end() {
  for (std::size_t step = best_.size(); step > 0 && !is_over_; step /= 2) {
    while (step <= best_.size() && accepts({best_.begin(), best_.end() - Offset(step)})) continue;
  }
}

void Shrinker::zero_spans() {
  for (std::size_t span = best_.size() / 2; span > 1 && !is_over_; span /= 2) {
    for (std::size_t at = 0; at < best_.size() && !is_over_; at += span) {
      Numbers candidate = best_;
      const auto first = candidate.begin() + Offset(at);
      std::fill(first, first + Offset(std::min(span, candidate.size() - at)), 0);
      accepts(std::move(candidate));
    }
  }
}

void Shrinker::delete_spans() {
  for (std::size_t span = best_.size() / 2; span > 0 && !is_over_; span /= 2) {
    for (std::size_t at = 0; at < best_.size() && !is_over_;) {
      Numbers candidate = best_;
      const auto first = candidate.begin() + Offset(at);
      candidate.erase(first, first + Offset(std::min(span, candidate.size() - at)));
      if (!accepts(std::move(candidate))) at += span;
    }
  }
}

/// A choice is made by a number's highest bits, so half of it is another one.
void Shrinker::lower_each(std::size_t at_most) {
  for (std::size_t at = 0; at < std::min(at_most, best_.size()) && !is_over_; ++at) {
    Numbers candidate = best_;
    candidate[at] = 0;
    if (best_[at] == 0 || accepts(std::move(candidate))) continue;
    do {
      candidate = best_;
      if (at >= candidate.size()) break;
      candidate[at] /= 2;
    } while (accepts(std::move(candidate)));
  }
}

}  // namespace streamrun::sim

#include "kafka_enumerator.h"

#include <algorithm>
#include <chrono>
#include <regex>
#include <utility>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

/// For one question to the brokers: what a thread is blocked by at most.
constexpr Duration kAnswerTime = 5s;
/// From a look at brokers that did not answer to the next.
constexpr Duration kRetryInterval = 200ms;

Error is_gone(const KafkaPartition& partition, const std::string& where) {
  return {.code = ErrorCode::source_lost,
          .message = "partition " + partition.text() + " is gone",
          .where = where,
          .why = "the topic was deleted, or made again with fewer partitions",
          .retry = Retry::no};
}

Error is_not_selected(const KafkaPartition& partition, const std::string& where) {
  return {.code = ErrorCode::job_mismatch,
          .message = "the checkpoint reads topic " + partition.topic + ", and the job does not",
          .where = where,
          .why = "what was to be read of it would be left out",
          .tries = {"the same command with that topic too"},
          .retry = Retry::no};
}

}  // namespace

/// One look at the brokers, on an I/O thread: which partitions are new, and where they begin and
/// end.
class KafkaEnumerator::Search {
 public:
  Search(KafkaSelection selection, std::shared_ptr<KafkaClient> client,
         std::map<KafkaPartition, std::optional<std::int64_t>> known, bool is_first, bool finds)
      : selection_(std::move(selection)),
        client_(std::move(client)),
        known_(std::move(known)),
        is_first_(is_first),
        finds_(finds) {}

  /// New partitions as splits; those that are known and need an end, without a position.
  Result<std::vector<KafkaSplit>> run(std::unique_ptr<KafkaAdmin>& admin) const {
    if (admin == nullptr) admin = SR_TRY(client_->make_admin(selection_.settings));
    const std::vector<KafkaPartition> there = SR_TRY(partitions(*admin));
    const std::set<KafkaPartition> names(there.begin(), there.end());
    std::vector<KafkaSplit> splits;
    for (const auto& [partition, stop] : known_) {
      if (!selects(partition.topic)) return is_not_selected(partition, selection_.text());
      if (names.count(partition) == 0) return is_gone(partition, selection_.text());
      if (selection_.stop_at && !stop) {
        splits.push_back({.partition = partition,
                          .next = kKnown,
                          .stop = SR_TRY(resolve(*admin, partition, *selection_.stop_at, false))});
      }
    }
    if (!finds_) return splits;
    for (const KafkaPartition& partition : there) {
      if (known_.count(partition) > 0) continue;
      KafkaSplit split{.partition = partition};
      // What appeared while the job runs, or while it was down, is read from its beginning.
      const KafkaOffsets begin = is_first_ ? selection_.start_at : KafkaOffsets::earliest();
      split.next = SR_TRY(resolve(*admin, partition, begin, true));
      if (selection_.stop_at)
        split.stop = SR_TRY(resolve(*admin, partition, *selection_.stop_at, false));
      splits.push_back(std::move(split));
    }
    return splits;
  }
  static constexpr std::int64_t kKnown = -1;

 private:
  bool selects(const std::string& topic) const {
    const auto& topics = selection_.topics;
    if (topics.empty()) return std::regex_match(topic, std::regex(selection_.topic_pattern));
    return std::find(topics.begin(), topics.end(), topic) != topics.end();
  }

  Result<std::vector<KafkaPartition>> partitions(KafkaAdmin& admin) const {
    if (!selection_.topics.empty()) return admin.partitions_of(selection_.topics, kAnswerTime);
    std::vector<std::string> topics = SR_TRY(admin.topics(kAnswerTime));
    const std::regex pattern(selection_.topic_pattern);
    std::erase_if(topics,
                  [&](const std::string& topic) { return !std::regex_match(topic, pattern); });
    std::vector<KafkaPartition> partitions;
    for (const std::string& topic : topics) {
      Result<std::vector<KafkaPartition>> found = admin.partitions_of({topic}, kAnswerTime);
      // Deleted since it was listed.
      if (!found && found.error().code == ErrorCode::path) continue;
      if (!found) return std::move(found).error();
      partitions.insert(partitions.end(), found->begin(), found->end());
    }
    return partitions;
  }

  Result<std::int64_t> resolve(KafkaAdmin& admin, const KafkaPartition& partition,
                               const KafkaOffsets& offsets, bool begins) const {
    KafkaOffsets::Kind kind = offsets.kind;
    if (kind == KafkaOffsets::Kind::given) {
      const auto given = offsets.offsets.find(partition);
      if (given != offsets.offsets.end()) return given->second;
      kind = begins ? KafkaOffsets::Kind::earliest : KafkaOffsets::Kind::latest;
    }
    if (kind == KafkaOffsets::Kind::timestamp) {
      const auto found = SR_TRY(admin.offset_at(partition, offsets.at, kAnswerTime));
      if (found) return *found;
      kind = KafkaOffsets::Kind::latest;
    }
    if (kind == KafkaOffsets::Kind::committed) {
      const auto committed = SR_TRY(admin.committed(partition, kAnswerTime));
      if (committed) return *committed;
      kind = offsets.without;
    }
    if (kind == KafkaOffsets::Kind::committed) {
      return Error{.code = ErrorCode::source_lost,
                   .message = "group " + selection_.settings.group_id +
                              " has committed no offset for partition " + partition.text(),
                   .where = selection_.settings.brokers,
                   .retry = Retry::no};
    }
    const KafkaAdmin::Range range = SR_TRY(admin.range_of(partition, kAnswerTime));
    return kind == KafkaOffsets::Kind::earliest ? range.earliest : range.latest;
  }

  const KafkaSelection selection_;
  const std::shared_ptr<KafkaClient> client_;
  const std::map<KafkaPartition, std::optional<std::int64_t>> known_;
  const bool is_first_;
  const bool finds_;
};

KafkaEnumerator::KafkaEnumerator(std::shared_ptr<KafkaClient> client, KafkaSelection selection)
    : client_(std::move(client)), selection_(std::move(selection)) {}

Result<void> KafkaEnumerator::restore(const std::string& bytes,
                                      const std::vector<std::string>& unread) {
  KafkaEnumeratorState state;
  if (!bytes.empty()) {
    state = SR_TRY(decode_kafka_enumerator(bytes));
    fresh_ = !state.has_looked;
  }
  std::vector<KafkaSplit> splits;
  std::set<KafkaPartition> are_read;
  for (const std::string& split : unread) {
    splits.push_back(SR_TRY(decode_kafka_split(split)));
    are_read.insert(splits.back().partition);
  }
  // A reader may have got one between this list and its own part of the checkpoint: it knows best.
  for (KafkaSplit& split : state.unassigned) {
    if (are_read.count(split.partition) == 0) splits.push_back(std::move(split));
  }
  for (const auto& known : state.known) known_[known.partition] = known.stop;
  // A bounded run reads what the one before meant to; another is told anew where to stop.
  complete_ = state.is_complete && is_bounded();
  if (!is_bounded()) {
    for (const auto& [partition, stop] : known_) {
      const bool is_split = std::any_of(
          splits.begin(), splits.end(),
          [&, name = &partition](const KafkaSplit& split) { return split.partition == *name; });
      // It was read to its end by a bounded run, and goes on from there.
      if (!is_split && stop) splits.push_back({.partition = partition, .next = *stop});
    }
    for (auto& [partition, stop] : known_) stop.reset();
  }
  for (KafkaSplit& split : splits) {
    if (!is_bounded()) split.stop.reset();
    known_.emplace(split.partition, split.stop);
    unassigned_.push_back(std::move(split));
  }
  return {};
}

void KafkaEnumerator::start(Context context, const std::string& restored,
                            std::vector<std::string> unread) {
  context_ = std::make_unique<Context>(std::move(context));
  const Result<void> done = restore(restored, unread);
  if (!done) return context_->fail(done.error());
  look();
}

KafkaEnumerator::Search KafkaEnumerator::make_search(bool is_first) const {
  return {selection_, client_, known_, is_first, !complete_};
}

void KafkaEnumerator::look() {
  next_look_.reset();
  looking_ = true;
  context_->environment.io.submit([this, alive = std::weak_ptr<const bool>(alive_),
                                   post = context_->post, admin = admin_,
                                   search = make_search(fresh_)] {
    // `this` is used on the JobMaster's thread only, where it can be told whether it still exists.
    post([this, alive, found = search.run(*admin)]() mutable {
      if (!alive.expired()) add_found(std::move(found));
    });
  });
}

Result<void> KafkaEnumerator::check_input(const std::string& restored,
                                          const std::vector<std::string>& unread) {
  SR_TRY(restore(restored, unread));
  std::unique_ptr<KafkaAdmin> admin;
  SR_TRY(make_search(fresh_).run(admin));
  return {};
}

void KafkaEnumerator::add_found(Result<std::vector<KafkaSplit>> found) {
  looking_ = false;
  const Instant now = context_->environment.clock.now();
  if (!found) {
    const ErrorCode code = found.error().code;
    const bool is_silent = code == ErrorCode::unavailable;
    // A broker that has just started may not know yet what there is.
    const bool may_be_stale =
        !fresh_ && (code == ErrorCode::path || code == ErrorCode::source_lost);
    if (!give_up_at_) give_up_at_ = now + selection_.settings.connection_timeout;
    const bool goes_on = is_silent && found_;
    if (!goes_on && ((!is_silent && !may_be_stale) || now >= *give_up_at_))
      return context_->fail(std::move(found).error());
    if (goes_on) {
      give_up_at_.reset();
      context_->environment.log.warning("no new partitions could be looked for: " +
                                        found.error().headline());
    }
    next_look_ = now + (goes_on ? selection_.partition_discovery_interval : kRetryInterval);
    return;
  }
  give_up_at_.reset();
  for (KafkaSplit& split : *found) add(std::move(split));
  found_ = true;
  fresh_ = false;
  complete_ = is_bounded();
  if (!is_bounded() && selection_.partition_discovery_interval > Duration::zero())
    next_look_ = now + selection_.partition_discovery_interval;
  serve();
}

void KafkaEnumerator::add(KafkaSplit split) {
  if (split.next != Search::kKnown) {
    // What was read stays read: an end before the position is at it.
    if (split.stop) split.stop = std::max(*split.stop, split.next);
    known_[split.partition] = split.stop;
    return unassigned_.push_back(std::move(split));
  }
  for (KafkaSplit& other : unassigned_) {
    if (other.partition != split.partition) continue;
    other.stop = std::max(split.stop.value_or(0), other.next);
    split.stop = other.stop;
  }
  known_[split.partition] = split.stop;
}

void KafkaEnumerator::on_time() {
  const bool due = next_look_ && *next_look_ <= context_->environment.clock.now();
  if (due && !looking_) look();
}

void KafkaEnumerator::handle_request(int subtask) {
  readers_.insert(subtask);
  serve();
}

void KafkaEnumerator::serve() {
  if (!found_) return;  // some may still need to be told where they end
  std::vector<KafkaSplit> left;
  for (KafkaSplit& split : unassigned_) {
    const int owner = owner_of(split.partition, context_->parallelism);
    if (readers_.count(owner) == 0) {
      left.push_back(std::move(split));
    } else if (!split.is_read()) {
      context_->assign(owner, encode_kafka_split(split));
    }
  }
  unassigned_ = std::move(left);
  if (!complete_) return;
  for (const int reader : readers_) {
    if (told_no_more_.insert(reader).second) context_->no_more_splits(reader);
  }
}

std::string KafkaEnumerator::snapshot() const {
  KafkaEnumeratorState state{
      .has_looked = !fresh_, .is_complete = complete_, .unassigned = unassigned_};
  for (const auto& [partition, stop] : known_)
    state.known.push_back({.partition = partition, .stop = stop});
  return encode_kafka_enumerator(state);
}

}  // namespace streamrun

// The transaction of a checkpoint is begun, sent and committed when the checkpoint is complete;
// until then its records wait in a file. Nothing is open between two checkpoints, so no time-out of
// a transaction can take what a checkpoint has promised, and a reader waits only for one that died
// while it was sending.
#include "kafka_committer.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/checksum.h>
#include <streamrun/base/crash_point.h>

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace streamrun {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20U;
/// Another run that restored the same snapshot may commit the same at the same time.
constexpr int kTries = 3;
/// For a courtesy to readers.
constexpr Duration kAbortTime = std::chrono::seconds(5);

std::string path_of(const KafkaCommittable& committable) {
  return join_path(committable.part.folder, hidden_name_of(committable.part.finished_name));
}

Error lost(const KafkaCommittable& committable, std::string message, std::string why) {
  return {.code = ErrorCode::sink_lost,
          .message = std::move(message),
          .where = path_of(committable),
          .why = std::move(why),
          .retry = Retry::no};
}

}  // namespace

KafkaCommitter::KafkaCommitter(std::shared_ptr<KafkaClient> client, KafkaSettings settings,
                               FileSystems& file_systems, Log& log, UnknownCommit on_unknown)
    : client_(std::move(client)),
      settings_(std::move(settings)),
      file_systems_(file_systems),
      log_(log),
      on_unknown_(on_unknown) {}

Result<void> KafkaCommitter::open(const std::string& transactional_id, const std::string& topic) {
  const std::lock_guard lock(mutex_);
  Session* const session = SR_TRY(session_of(transactional_id, topic));
  SR_TRY(session->transactions->begin());
  SR_TRY(session->transactions->commit(0, settings_.connection_timeout));
  session->is_forgotten = false;
  return {};
}

Result<void> KafkaCommitter::refresh(const std::string& transactional_id) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(transactional_id);
  if (found == sessions_.end()) return {};  // the next commit opens one
  Session& session = found->second;
  SR_TRY(session.transactions->begin());
  Result<void> recorded =
      session.transactions->commit(session.recorded, settings_.connection_timeout);
  if (!recorded) drop_session(transactional_id);
  return recorded;
}

void KafkaCommitter::keep_only(const std::string& transactional_id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [&](const auto& each) { return each.first != transactional_id; });
}

/// One that has taken the id over, and knows what was recorded for it.
Result<KafkaCommitter::Session*> KafkaCommitter::session_of(const std::string& transactional_id,
                                                            const std::string& topic) {
  const auto found = sessions_.find(transactional_id);
  if (found != sessions_.end() && found->second.topic == topic) return &found->second;
  if (found != sessions_.end()) sessions_.erase(found);
  Session session{
      .transactions = SR_TRY(client_->make_transactions(settings_, topic, transactional_id)),
      .topic = topic};
  SR_TRY(session.transactions->take_over(settings_.connection_timeout));
  const auto recorded = SR_TRY(session.transactions->recorded(settings_.connection_timeout));
  session.is_forgotten = !recorded;
  session.recorded = recorded.value_or(0);
  return &(sessions_[transactional_id] = std::move(session));
}

/// What came of its transaction is for the next session to ask.
void KafkaCommitter::drop_session(const std::string& transactional_id) {
  const auto found = sessions_.find(transactional_id);
  if (found == sessions_.end()) return;
  found->second.transactions->abort(kAbortTime);
  sessions_.erase(found);
}

Result<void> KafkaCommitter::commit(const KafkaCommittable& committable, bool keeps_file) {
  const std::lock_guard lock(mutex_);
  std::int64_t& done = done_[committable.transactional_id];
  SR_ASSERT(committable.number > done,
            "E2: what comes before one that was committed would be taken for committed");
  FileSystem* const store = SR_TRY(file_systems_.place(committable.part.folder, "/")).store;
  for (int left = kTries;; --left) {
    const Result<void> committed = try_to_commit(committable, *store);
    if (committed) break;
    drop_session(committable.transactional_id);
    const Error& error = committed.error();
    const bool may_work =
        error.retry == Retry::yes && error.code != ErrorCode::unavailable && left > 1;
    if (!may_work) return error;
  }
  done = committable.number;
  SR_CRASH("sink.commit.after-before-ack");
  if (!keeps_file) remove_file(committable, *store);
  return {};
}

void KafkaCommitter::remove_file(const KafkaCommittable& committable, FileSystem& store) const {
  const Result<bool> removed = store.remove_file(path_of(committable));
  if (!removed && removed.error().code != ErrorCode::path)
    log_.warning("records that Kafka has can't be removed: " + removed.error().headline());
}

Result<void> KafkaCommitter::try_to_commit(const KafkaCommittable& committable, FileSystem& store) {
  const bool was_open = sessions_.contains(committable.transactional_id);
  Session* session = SR_TRY(session_of(committable.transactional_id, committable.topic));
  if (SR_TRY(is_committed(*session, committable))) return {};
  if (was_open && !SR_TRY(store.exists(path_of(committable)))) {
    // Another run that restored the same snapshot may have committed them meanwhile.
    drop_session(committable.transactional_id);
    session = SR_TRY(session_of(committable.transactional_id, committable.topic));
    if (SR_TRY(is_committed(*session, committable))) return {};
  }
  SR_CRASH("sink.commit.before");
  SR_TRY(session->transactions->begin());
  SR_TRY(send(*session, committable, store));
  SR_CRASH("sink.commit.between-two");
  SR_TRY(session->transactions->commit(committable.number, settings_.connection_timeout));
  session->recorded = committable.number;
  return {};
}

/// Where Kafka has forgotten the id, each committable is decided by itself.
Result<bool> KafkaCommitter::is_committed(const Session& session,
                                          const KafkaCommittable& committable) const {
  if (!session.is_forgotten) return session.recorded >= committable.number;
  switch (on_unknown_) {
    case UnknownCommit::send:
      return false;
    case UnknownCommit::drop:
      return true;
    case UnknownCommit::fail:
      break;
  }
  return Error{
      .code = ErrorCode::kafka_transaction_lost,
      .message = "Kafka no longer knows whether records of the checkpoint were committed",
      .where = fmt::format("topic {}, transactional id {}, number {}", committable.topic,
                           committable.transactional_id, committable.number),
      .why = "it forgets ids that are not used for offsets.retention.minutes, 7 days by default",
      .tries = {"… --on-unknown-commit send   # send them: they may come twice",
                "… --on-unknown-commit drop   # take them for committed: they may be missing"},
      .retry = Retry::no};
}

/// The records of the file, which must have the very bytes that were prepared.
Result<void> KafkaCommitter::send(Session& session, const KafkaCommittable& committable,
                                  FileSystem& store) const {
  Result<std::unique_ptr<ReadableFile>> opened = store.open(path_of(committable));
  if (!opened && opened.error().code == ErrorCode::path) {
    return lost(committable, "records that a completed checkpoint prepared for Kafka are gone",
                fmt::format("they were {} bytes, for topic {}", committable.part.length,
                            committable.topic));
  }
  if (!opened) return opened.error();
  ReadableFile& file = **opened;
  Xxh3Stream xxh3;
  std::string bytes;
  std::vector<KafkaRecordView> records;
  for (std::uint64_t offset = 0; offset < committable.part.length;) {
    const std::size_t kept = bytes.size();
    bytes.resize(kept + kReadBytes);
    const std::size_t count = SR_TRY(file.read_at(offset, bytes.data() + kept, kReadBytes));
    bytes.resize(kept + count);
    if (count == 0) break;
    xxh3.update(std::string_view(bytes).substr(kept));
    offset += count;
    std::size_t used = 0;
    records.clear();
    SR_TRY(read_records(bytes, records, used));
    SR_TRY(session.transactions->send(records));
    bytes.erase(0, used);
  }
  const std::string found = xxh3.hex();
  if (bytes.empty() && found == committable.part.xxh3) return {};
  return lost(committable, "records that a completed checkpoint prepared for Kafka have changed",
              fmt::format("checksum {}, expected {}", found, committable.part.xxh3));
}

}  // namespace streamrun

#include "hdfs_writer.h"

#include <streamrun/base/strings.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "hdfs_reader.h"
#include "webhdfs_error.h"

namespace streamrun {
namespace {

/// By which a file is told from another one of its length.
constexpr std::size_t kHeadBytes = std::size_t{4} << 10U;

/// What stands under the name after an attempt whose outcome is not known.
enum class Found {
  nothing,
  empty,  ///< ours that is not closed yet, or somebody else's
  part,   ///< ours, cut short (a data node closes what its client breaks off), or not closed yet
  whole,  ///< ours
  other,
};

class HdfsWritableFile final : public WritableFile {
 public:
  explicit HdfsWritableFile(HdfsName name)
      : name_(std::move(name)), nodes_(*name_.nodes), backoff_(nodes_.backoff_of_pauses()) {}

  // NOLINTNEXTLINE(bugprone-exception-escape): only memory could be missing
  ~HdfsWritableFile() override {
    if (state_ != State::open || upload_ == nullptr) return;
    upload_.reset();
    remove_own(/*even_if_empty=*/true);
  }

  Result<void> append(std::string_view bytes) override {
    if (state_ != State::open) return ended();
    length_ += bytes.size();
    head_ += bytes.substr(0, kHeadBytes - head_.size());
    keep(bytes);
    if (upload_ == nullptr) {
      if (is_kept_ && kept_.size() <= nodes_.settings().small_file_bytes) return {};
      return start();
    }
    if (upload_->append(bytes)) return {};
    SR_TRY(clear_the_way(judge_broken(), false));
    return start();
  }

  Result<void> sync() override { return close(); }

  Result<void> close() override {
    if (state_ == State::finished) return {};
    if (state_ == State::failed) return ended();
    const bool is_small = upload_ == nullptr;
    while (true) {
      Result<JudgedAnswer> judged = send_end();
      if (!judged) return give_up(std::move(judged).error());
      if (SR_TRY(is_finished(*std::move(judged)))) break;
      if (!is_small) SR_TRY(start());
    }
    state_ = State::finished;
    kept_ = {};
    return {};
  }

 private:
  enum class State { open, finished, failed };

  Error ended() const {
    return {.code = ErrorCode::store_io,
            .message = "nothing can be added to this file any more",
            .where = name_.where};
  }

  /// What may have to be sent once more.
  void keep(std::string_view bytes) {
    // Before anything was sent all of it is needed, however large a piece comes first.
    is_kept_ = is_kept_ &&
               (upload_ == nullptr || kept_.size() + bytes.size() <= nodes_.settings().kept_bytes);
    if (is_kept_) {
      kept_ += bytes;
    } else {
      kept_ = {};
    }
  }

  /// Asks the name node where the bytes go.
  Result<void> find_data_node() {
    std::string query = "&overwrite=false&createparent=false";
    const auto replication = nodes_.settings().hadoop.find("dfs.replication");
    if (replication != nodes_.settings().hadoop.end())
      query += "&replication=" + url_encoded(trim(replication->second));
    url_ = SR_TRY(nodes_.data_node_for(
        {.method = "PUT", .op = "CREATE", .path = name_.path, .query = query, .where = name_.where},
        dead_));
    return {};
  }
  HttpRequest request(std::string body) const {
    return {.method = "PUT",
            .url = url_,
            .headers = {{"Content-Type", "application/octet-stream"}},
            .body = std::move(body)};
  }

  /// Begins an upload with what is kept, which is all there is so far.
  Result<void> start() {
    while (true) {
      if (Result<void> found = find_data_node(); !found) return give_up(std::move(found).error());
      upload_ = nodes_.transport().upload(request({}), nodes_.settings().request_timeout);
      if (upload_->append(kept_)) return {};
      SR_TRY(clear_the_way(judge_broken(), false));
    }
  }

  /// Why the upload goes on no longer: what the server has said, or that it said nothing.
  JudgedAnswer judge_broken() {
    JudgedAnswer judged = judge(upload_->finish(), url_, name_.where);
    if (judged.fate != Fate::answered || judged.answer.exception) return judged;
    return {.fate = Fate::unknown,
            .answer = {},
            .error = {.code = ErrorCode::unavailable,
                      .message = server_of(url_) + " says that it has the file before it ends",
                      .where = name_.where}};
  }

  /// The end of the upload, or a small file as a whole.
  Result<JudgedAnswer> send_end() {
    if (upload_ != nullptr) return judge(upload_->finish(), url_, name_.where);
    SR_TRY(find_data_node());
    const Duration timeout = nodes_.settings().request_timeout;
    return judge(nodes_.transport().exchange(request(kept_), timeout), url_, name_.where);
  }

  /// Whether the file is there as a whole; `false` if it is to be sent again. A success counts
  /// when the name node has every byte.
  Result<bool> is_finished(JudgedAnswer judged) {
    if (judged.fate == Fate::answered && !judged.answer.exception) {
      upload_.reset();
      const Result<std::optional<WebHdfsStatus>> found = find(name_);
      // It is in doubt what is there, so it stays.
      if (!found) return fail(found.error());
      const std::optional<WebHdfsStatus>& there = *found;
      if (there && there->kind == FileKind::file && there->length == length_) return true;
      judged.fate = Fate::unknown;
      judged.error = {.code = ErrorCode::unavailable,
                      .message = "HDFS has " + std::to_string(there ? there->length : 0) +
                                 " bytes of the " + std::to_string(length_) + " that it took in",
                      .where = name_.where};
    }
    return clear_the_way(std::move(judged), true);
  }

  /// After an attempt that did not end well: `true` if it did after all (`is_end`: all was sent),
  /// `false` if the way is clear for another one, an error if there is to be none.
  Result<bool> clear_the_way(JudgedAnswer judged, bool is_end) {
    upload_.reset();
    const bool is_first = !std::exchange(has_failed_, true);
    if (judged.fate == Fate::answered) {
      judged.error = error_of(*judged.answer.exception, name_.where);
      // Later on it may be taken by an attempt of ours.
      const bool is_taken = means_taken(*judged.answer.exception);
      if (is_taken && is_first) return fail(std::move(judged.error));
      if (!is_taken) return give_up(std::move(judged.error));
    }
    if (judged.fate == Fate::refused) return give_up(std::move(judged.error));
    dead_.insert(host_of(url_));
    while (true) {
      const Result<Found> found = look();
      if (!found) return fail(found.error());
      if (*found == Found::other) return fail(name_taken(name_.where));
      if (*found == Found::whole && is_end) return true;
      // What is not closed yet looks like this too.
      const bool may_become_whole =
          *found == Found::empty || (*found == Found::part && is_end && !is_kept_);
      const bool may_be_sent = is_kept_ && *found != Found::empty;
      if (!may_become_whole && !may_be_sent) return give_up(std::move(judged.error));
      const bool is_more =
          is_undone(judged.fate) ? backoff_.again_undone(nodes_.patience()) : backoff_.again();
      if (!is_more) return give_up(std::move(judged.error));
      if (!may_be_sent) continue;
      if (*found == Found::nothing) return false;
      const Result<bool> removed = remove(name_, FileKind::file);
      if (!removed) return fail(removed.error());
      return false;
    }
  }

  Result<Found> look() {
    const std::optional<WebHdfsStatus> there = SR_TRY(find(name_));
    if (!there) return Found::nothing;
    if (there->kind != FileKind::file || there->length > length_) return Found::other;
    if (there->length == 0) return length_ == 0 ? Found::whole : Found::empty;
    std::string head(std::min<std::uint64_t>(head_.size(), there->length), '\0');
    const Result<std::size_t> count =
        open_hdfs_file(name_, *there)->read_at(0, head.data(), head.size());
    if (!count) return count.error();
    if (*count != head.size() || !head_.starts_with(head)) return Found::other;
    return there->length == length_ ? Found::whole : Found::part;
  }

  /// Another one's file of this name is not touched. That it could not be done is not told: there
  /// is a failure to tell already, or nobody to tell it to.
  void remove_own(bool even_if_empty) {
    const Result<Found> found = look();
    const bool is_own = found && (*found == Found::part || *found == Found::whole ||
                                  (*found == Found::empty && even_if_empty));
    if (is_own) static_cast<void>(remove(name_, FileKind::file).has_value());
  }

  Error give_up(Error error) {
    upload_.reset();
    if (has_failed_) remove_own(/*even_if_empty=*/false);
    return fail(std::move(error));
  }
  Error fail(Error error) {
    state_ = State::failed;
    kept_ = {};
    return error;
  }

  const HdfsName name_;
  NameNodes& nodes_;
  Backoff backoff_;  ///< of all attempts to write this file
  State state_ = State::open;
  std::uint64_t length_ = 0;  ///< of all that was appended
  std::string head_;          ///< its first bytes
  std::string kept_;          ///< all of it, while `is_kept_`
  bool is_kept_ = true;
  bool has_failed_ = false;  ///< an attempt of ours may have left something under the name
  std::set<std::string> dead_;
  std::string url_;
  std::unique_ptr<HttpUpload> upload_;
};

}  // namespace

Result<std::unique_ptr<WritableFile>> create_hdfs_file(const HdfsName& name) {
  if (SR_TRY(find(name))) return name_taken(name.where);
  SR_TRY(require_folder(parent_of(name)));
  return std::unique_ptr<WritableFile>(std::make_unique<HdfsWritableFile>(name));
}

}  // namespace streamrun

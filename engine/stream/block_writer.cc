#include <streamrun/stream/block_writer.h>

#include <utility>

namespace streamrun {

void BlockWriter::open(const OperatorContext& context, std::unique_ptr<BlockStream> stream) {
  context_ = &context;
  stream_ = std::move(stream);
}

void BlockWriter::throw_if_failed() const {
  if (failure_) throw_error(*failure_);
}

void BlockWriter::hand_over() {
  has_unfinished_ = true;
  ++blocks_in_flight_;
  queue_.push_back({.block = std::exchange(buffer_, std::string()), .end = {}});
  if (!free_buffers_.empty()) {
    buffer_ = std::move(free_buffers_.back());
    free_buffers_.pop_back();
  }
  submit_if_idle();
}

void BlockWriter::prepare(Prepared prepared) {
  if (failure_) return prepared(*failure_);
  if (!buffer_.empty()) hand_over();
  if (is_idle() && !has_unfinished_) return prepared(std::vector<std::string>());
  // An empty one too waits for its turn: whoever hears of it takes all earlier ones for prepared.
  has_unfinished_ = false;
  queue_.push_back({.block = {}, .end = std::move(prepared)});
  submit_if_idle();
}

void BlockWriter::submit_if_idle() {
  if (stream_ == nullptr || queue_.empty()) return;
  Work work;
  work.stream = std::move(stream_);
  work.steps = std::exchange(queue_, {});
  context_->environment.io.submit([this, work = std::move(work), post = context_->post]() mutable {
    perform(work);
    // The writer may be gone by now; then the mail does nothing, so only the mail uses `this`.
    post([this, done = std::move(work)]() mutable { take_back(std::move(done)); });
  });
}

void BlockWriter::perform(Work& work) {
  for (Step& step : work.steps) {
    if (step.end) {
      work.ends.push_back(work.failure ? *work.failure : work.stream->finish());
      if (!work.failure && !work.ends.back()) work.failure = work.ends.back().error();
    } else if (!work.failure) {
      const Result<void> written = work.stream->append(step.block);
      if (!written) work.failure = written.error();
    }
  }
}

void BlockWriter::take_back(Work work) {
  stream_ = std::move(work.stream);
  if (work.failure && !failure_) failure_ = std::move(work.failure);
  auto end = work.ends.begin();
  for (Step& step : work.steps) {
    if (step.end) {
      step.end(std::move(*end++));
    } else {
      --blocks_in_flight_;
      step.block.clear();
      if (free_buffers_.size() < kBlocksInFlight) free_buffers_.push_back(std::move(step.block));
    }
  }
  if (!failure_) return submit_if_idle();
  for (Step& step : std::exchange(queue_, {})) {
    if (step.end) step.end(*failure_);
  }
  // Now, though the next record may be long in coming: no snapshot can be taken any more.
  throw_if_failed();
}

}  // namespace streamrun

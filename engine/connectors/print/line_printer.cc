#include <streamrun/connectors/print/line_printer.h>

#include <utility>

namespace streamrun {

void LinePrinter::throw_if_failed() const {
  if (failure_) throw_error(*failure_);
}

void LinePrinter::print() {
  if (reader_left_) gathered_.clear();
  if (is_writing_ || failure_ || (gathered_.empty() && waiting_.empty())) return;
  is_writing_ = true;
  std::string text = std::exchange(gathered_, std::move(spare_));
  gathered_.clear();
  context_->environment.io.submit([this, &output = output_, post = context_->post,
                                   text = std::move(text),
                                   printed = std::exchange(waiting_, {})]() mutable {
    Result<void> result = output.write(text);
    // The printer may be gone by now; then the mail does nothing, so only the mail uses `this`.
    post([this, text = std::move(text), printed = std::move(printed),
          result = std::move(result)]() mutable {
      take_back(std::move(text), std::move(printed), std::move(result));
    });
  });
}

void LinePrinter::take_back(std::string text, std::vector<Printed> printed, Result<void> result) {
  is_writing_ = false;
  spare_ = std::move(text);
  if (!result) {
    const Error error = std::move(result).error();
    if (error.code == ErrorCode::cancelled) {
      reader_has_left(error);
    } else {
      failure_ = error;
    }
    for (Printed& waiting : std::exchange(waiting_, {})) printed.push_back(std::move(waiting));
  }
  for (Printed& call : printed) {
    if (failure_) {
      call(*failure_);
    } else {
      call(std::vector<std::string>());
    }
  }
  print();
}

/// No failure: nobody wants the rest.
void LinePrinter::reader_has_left(const Error& error) {
  reader_left_ = true;
  gathered_.clear();
  context_->stop_job(error.message);
}

void LinePrinter::when_printed(Printed printed) {
  if (failure_) return printed(*failure_);
  if (!is_writing_ && gathered_.empty()) return printed(std::vector<std::string>());
  waiting_.push_back(std::move(printed));
  print();
}

}  // namespace streamrun

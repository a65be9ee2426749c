// A source that gives more than the sink takes, so that all channels are full: the place to see
// what checkpoints cost under back pressure. Each key has a running total in which every record
// counts, and a row for each record: a lost one leaves a gap in the rows, a repeated one doubles a
// row, and both change the last total.
#include "slowsink.h"

#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/file/file_sink.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include <algorithm>
#include <tuple>

#include "limited_sink.h"

namespace streamrun::jobs {
namespace {

struct Payment {
  std::int64_t account = 0;
  std::int64_t amount = 0;
};

struct Total {
  std::int64_t account = 0;
  std::int64_t payments = 0;  ///< so far
  std::int64_t amount = 0;    ///< of all of them
};

struct AddUp {
  ValueState<std::int64_t> payments{"payments"};
  ValueState<std::int64_t> amount{"amount"};

  auto states() { return std::tie(payments, amount); }
  void process(const Payment& payment, KeyedContext<std::int64_t>&, Output<Total>& totals) {
    payments.update(payments.value_or(0) + 1);
    amount.update(amount.value_or(0) + payment.amount);
    totals.emit({.account = payment.account, .payments = *payments.get(), .amount = *amount.get()});
  }
};

void to_line(std::string& out, const Total& total) {
  out += std::to_string(total.account) + " " + std::to_string(total.payments) + " " +
         std::to_string(total.amount);
}

}  // namespace

void slow_sink(StreamExecutionEnvironment& env, JobArguments& args) {
  const auto keys = static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, args.integer("keys", "how many accounts there are", 1000)));
  const auto rate =
      args.integer("rate", "payments per second over all sources; 0 for as many as possible", 0);
  const auto sink_rate = args.integer(
      "sink-rate", "rows per second that the sinks take together; 0 for all that come", 10000);
  const auto count =
      args.integer("count", "payments after which the job ends; 0 for an endless one", 0);
  const auto output = args.optional_path(
      "output", "folder for the rows (account, payments, amount); standard output without it");

  const GeneratorSource<Payment> payments{
      .make =
          [keys](std::uint64_t index) {
            return Payment{.account = static_cast<std::int64_t>(index % keys),
                           .amount = static_cast<std::int64_t>(index + 1)};
          },
      .count = static_cast<std::uint64_t>(count),
      .records_per_second = static_cast<double>(rate)};
  const auto totals = env.from_source(payments, {.uid = "payments"})
                          .key_by(&Payment::account)
                          .process(AddUp{}, {.uid = "totals", .name = "Add up"});
  const auto rows_per_second = static_cast<double>(sink_rate);
  if (output) {
    totals.sink_to(
        LimitedSink<FileSink>{.inner = {.path = *output}, .records_per_second = rows_per_second},
        {.uid = "rows"});
  } else {
    totals.sink_to(LimitedSink<PrintSink>{.inner = {}, .records_per_second = rows_per_second},
                   {.uid = "rows"});
  }
}

}  // namespace streamrun::jobs

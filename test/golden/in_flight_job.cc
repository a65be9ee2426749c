// A job whose sinks are slow, so that records queue up on a keyed exchange and on one that deals
// them out. Each payment is a line of its own, and the last of an account is followed by the sum of
// all: one that is lost or comes twice is seen.
#include <streamrun/api/stream_execution_environment.h>
#include <streamrun/connectors/generator/generator_source.h>
#include <streamrun/connectors/print/print_sink.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "golden_jobs.h"
#include "limited_sink.h"

namespace streamrun::golden {
namespace {

constexpr std::int64_t kAccounts = 10;

struct Payment {
  std::int64_t account = 0;
  std::int64_t amount = 0;
  std::string note;

  static auto fields() {
    return named_fields(field("account", &Payment::account), field("amount", &Payment::amount),
                        field("note", &Payment::note));
  }
};

struct Row {
  std::int64_t account = 0;
  std::int64_t amount = 0;
  std::string note;
};

void to_line(std::string& out, const Row& row) {
  out += std::to_string(row.account) + " " + std::to_string(row.amount) + " " + row.note;
}

struct AddUp {
  std::int64_t payments_each = 0;
  ValueState<std::int64_t> payments{"payments"};
  ValueState<std::int64_t> total{"total"};

  auto states() { return std::tie(payments, total); }
  void process(const Payment& payment, KeyedContext<std::int64_t>& context, Output<Row>& rows) {
    payments.update(payments.value_or(0) + 1);
    total.update(total.value_or(0) + payment.amount);
    rows.emit({.account = context.key(), .amount = payment.amount, .note = payment.note});
    if (*payments.get() == payments_each)
      rows.emit({.account = context.key(), .amount = *total.get(), .note = "in all"});
  }
};

Payment payment_of(std::uint64_t index) {
  const auto number = static_cast<std::int64_t>(index);
  return {.account = number % kAccounts,
          .amount = number + 1,
          .note = number % 5 == 0 ? "a note too long for its slot" : "n"};
}

}  // namespace

void in_flight(StreamExecutionEnvironment& env, JobArguments& args) {
  const std::int64_t count = args.integer("count", "payments, a multiple of 10", 400);
  const std::int64_t rate = args.integer("rate", "payments a second; 0 for all at once", 0);
  const std::int64_t sink_rate = args.integer("sink-rate", "rows a second; 0 for all that come", 0);
  const GeneratorSource<Payment> source{.make = payment_of,
                                        .count = static_cast<std::uint64_t>(count),
                                        .records_per_second = static_cast<double>(rate)};
  AddUp add_up;
  add_up.payments_each = count / kAccounts;
  env.from_source(source, {.uid = "payments"})
      .key_by(&Payment::account)
      .process(add_up, {.uid = "totals"})
      .rebalance()
      .sink_to(jobs::LimitedSink<PrintSink>{.inner = {},
                                            .records_per_second = static_cast<double>(sink_rate)},
               {.uid = "rows"});
}

}  // namespace streamrun::golden

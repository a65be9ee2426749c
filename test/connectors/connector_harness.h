#pragma once

#include <streamrun/base/ids.h>
#include <streamrun/stream/operator_context.h>
#include <streamrun/stream/sink.h>
#include <streamrun/stream/source.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// The world of one test on one thread: I/O jobs and mail wait until the test runs them, in an
/// order drawn from a seed (of mail: in the order in which it was posted).
namespace streamrun::test {

class StillClock final : public Clock {
 public:
  Instant now() const override { return Instant(time); }
  std::int64_t unix_milliseconds() const override {
    return 1'700'000'000'000 + time.count() / 1'000'000;
  }
  Duration time{};
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

class NoExecutor final : public Executor {
 public:
  RunnableId add(int, Runnable&) override { return {}; }
  void remove(RunnableId) override {}
  void wake(RunnableId) override {}
};

class MemoryLog final : public Log {
 public:
  void write(LogLevel level, std::string_view message) override {
    if (level == LogLevel::warning) warnings.emplace_back(message);
  }
  std::vector<std::string> warnings;
};

class QueuedIo final : public IoExecutor {
 public:
  explicit QueuedIo(Random& random) : random_(random) {}
  void submit(UniqueFunction<void()> job) override { jobs_.push_back(std::move(job)); }
  std::size_t waiting() const { return jobs_.size(); }
  /// False if there is none.
  bool run_one() {
    if (jobs_.empty()) return false;
    const auto chosen = jobs_.begin() + static_cast<std::ptrdiff_t>(random_.below(jobs_.size()));
    UniqueFunction<void()> job = std::move(*chosen);
    jobs_.erase(chosen);
    job();
    return true;
  }

 private:
  Random& random_;
  std::deque<UniqueFunction<void()>> jobs_;
};

struct World {
  explicit World(std::uint64_t seed = 1) : random(seed) {}

  StillClock clock;
  SeededRandom random;
  NoExecutor executor;
  QueuedIo io{random};
  MemoryLog log;
  Environment environment{clock, random, executor, io, log};
  FileSystems stores;
  std::deque<UniqueFunction<void()>> mail;
  std::map<std::string, RunFate> fates;
  std::map<std::string, std::vector<std::string>> retained;

  std::function<void(UniqueFunction<void()>)> poster() {
    return [this](UniqueFunction<void()> letter) { mail.push_back(std::move(letter)); };
  }
  bool deliver_one() {
    if (mail.empty()) return false;
    UniqueFunction<void()> letter = std::move(mail.front());
    mail.pop_front();
    letter();
    return true;
  }
  void deliver() {
    while (deliver_one()) {
    }
  }
  /// Until nothing is left to be done.
  void settle() {
    while (deliver_one() || io.run_one()) {
    }
  }
  OperatorContext context(int subtask = 0, int parallelism = 1) {
    return {.environment = environment,
            .file_systems = stores,
            .working_directory = "/",
            .job_id = value_or_throw(parse_job_id(std::string(32, 'a'))),
            .family_id = value_or_throw(parse_job_id(std::string(32, 'a'))),
            .job_name = "job",
            .attempt = "attempt-1",
            .uid = "uid",
            .name = "name",
            .operator_id = operator_id_of("uid"),
            .subtask = subtask,
            .parallelism = parallelism,
            .max_parallelism = 128,
            .key_groups = {},
            .post = poster(),
            .fate_of_run =
                [this](const JobId& id) {
                  const auto found = fates.find(to_string(id));
                  return found != fates.end() ? found->second : RunFate::stranger;
                },
            .retained_committables = [this](const JobId& id) { return retained[to_string(id)]; }};
  }
};

/// What a checkpoint keeps of a source.
struct SourceState {
  std::string enumerator;
  std::vector<std::string> splits;
};

/// An enumerator and its readers. `step` lets one thing happen, `snapshot` may be taken between any
/// two steps.
template <typename T>
class SourceRun {
 public:
  template <typename S>
  SourceRun(World& world, const S& source, int parallelism, const SourceState& restored = {})
      : world_(world), enumerator_(source.make_enumerator()) {
    for (int i = 0; i < parallelism; ++i) {
      auto reader =
          std::make_unique<Reader>(world.context(i, parallelism), source.make_reader(), lines_);
      reader->reader->open(reader->context, [this, i] {
        world_.mail.push_back([this, i] { enumerator_->handle_request(i); });
      });
      readers_.push_back(std::move(reader));
    }
    enumerator_->start(enumerator_context(parallelism), restored.enumerator, restored.splits);
    for (auto& reader : readers_) reader->reader->start();
  }

  /// A poll of one reader, or mail, or an I/O job, as the world's chance decides.
  void step() {
    const std::uint64_t choice = world_.random.below(4);
    if (choice == 0 && world_.deliver_one()) return;
    if (choice == 1 && world_.io.run_one()) return;
    Reader& reader = *readers_[world_.random.below(readers_.size())];
    reader.status = reader.reader->poll(reader.output);
  }
  void run_to_end() {
    while (!ended() && !failure) step();
  }
  bool ended() const {
    for (const auto& reader : readers_) {
      if (reader->status != SourceStatus::ended) return false;
    }
    return true;
  }
  SourceState snapshot() {
    world_.deliver();  // splits on their way belong to the readers
    SourceState state{.enumerator = enumerator_->snapshot(), .splits = {}};
    for (const auto& reader : readers_) {
      for (std::string& split : reader->reader->snapshot())
        state.splits.push_back(std::move(split));
    }
    return state;
  }
  std::vector<T>& lines() { return lines_; }
  SplitEnumerator& enumerator() { return *enumerator_; }
  SourceReader<T>& reader(int i) { return *readers_[static_cast<std::size_t>(i)]->reader; }
  SourceStatus poll(int i) {
    Reader& reader = *readers_[static_cast<std::size_t>(i)];
    return reader.status = reader.reader->poll(reader.output);
  }
  std::optional<Error> failure;

 private:
  struct Reader final : BatchReceiver {
    Reader(OperatorContext its_context, std::unique_ptr<SourceReader<T>> its_reader,
           std::vector<T>& its_lines)
        : context(std::move(its_context)), reader(std::move(its_reader)), lines(its_lines) {
      output.connect(*this);
    }
    void receive(std::unique_ptr<AnyBatch>& batch) override {
      for (RecordRef<T> record : static_cast<const Batch<T>&>(*batch)) lines.emplace_back(record);
    }
    OperatorContext context;
    std::unique_ptr<SourceReader<T>> reader;
    Output<T> output;
    SourceStatus status = SourceStatus::idle;
    std::vector<T>& lines;
  };

  SplitEnumerator::Context enumerator_context(int parallelism) {
    return {
        .environment = world_.environment,
        .file_systems = world_.stores,
        .working_directory = "/",
        .parallelism = parallelism,
        .post = world_.poster(),
        .assign =
            [this](int subtask, std::string split) {
              world_.mail.push_back([this, subtask, split] { reader(subtask).add_split(split); });
            },
        .no_more_splits =
            [this](int subtask) {
              world_.mail.push_back([this, subtask] { reader(subtask).no_more_splits(); });
            },
        .fail = [this](Error error) { failure = std::move(error); }};
  }

  World& world_;
  std::vector<T> lines_;
  std::unique_ptr<SplitEnumerator> enumerator_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace streamrun::test

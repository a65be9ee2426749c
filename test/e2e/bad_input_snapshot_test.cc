// Bad `-s`, bad `_metadata`, bad state files and bad folders: what the binary answers, and that
// nothing is lost by it.
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/samples.h"
#include "e2e/bad_input_world.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;
using Flags = std::vector<std::string>;

/// One row: what is done to the world, with which flags it runs, what it answers.
struct Row {
  std::string input;
  std::function<void(const World&)> damage;
  std::function<Flags(const World&)> flags;
  Answer answer;
};

const auto kFromNewest = [](const World& world) -> Flags { return {"-s", world.newest()}; };
const auto kDryRun = [](const World& world) -> Flags {
  return {"--dry-run", "-s", world.newest()};
};
const auto kNothing = [](const World&) {};

void set_mode(const std::string& path, mode_t mode) {
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

/// Changes the document and makes the footer fit, as an attacker would.
void change_metadata(const World& world, const std::string& from, const std::string& to) {
  std::string body = body_of(bytes_of(world.metadata()));
  REQUIRE(body.find(from) != std::string::npos);
  for (std::size_t at = body.find(from); at != std::string::npos;
       at = body.find(from, at + to.size())) {
    body.replace(at, from.size(), to);
  }
  write_bytes(world.metadata(), with_footer(body));
}

/// A state file under another name in the file table.
void rename_recorded(const World& world, const std::string& name) {
  change_metadata(world, fs::path(world.state_file()).filename().string(), name);
}

void replace_by_folder(const std::string& file) {
  fs::remove(file);
  fs::create_directory(file);
}
void replace_by_pipe(const std::string& file) {
  fs::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
}

void replace_by_link(const World& world, const std::string& path) {
  const std::string target = world.folder().at("moved");
  fs::rename(path, target);
  fs::create_symlink(target, path);
}

void flip_bit(const std::string& path, std::size_t at, unsigned bit) {
  std::string bytes = bytes_of(path);
  bytes.at(at) = static_cast<char>(static_cast<unsigned char>(bytes.at(at)) ^ (1U << bit));
  write_bytes(path, bytes);
}

/// Answers that come before anything is started: not even a name is new afterwards.
const std::vector<Row>& rows_before_the_start() {
  static const std::vector<Row> kRows = {
      // An empty -s: cli_usage_test.cc. A root missing with its parent, --dry-run: cli_run_test.cc.
      {"a path that is not there",
       kNothing,
       [](const World& world) -> Flags {
         return {"-s", world.newest() + "9"};
       },
       {66, "E-PATH", "no checkpoint or savepoint is there"}},
      {"a folder without _metadata",
       [](const World& world) { fs::remove(world.metadata()); },
       kFromNewest,
       {66, "E-META-MISSING", "was never completed"}},
      {"a folder without _metadata: the one before is named",
       [](const World& world) { fs::remove(world.metadata()); },
       kFromNewest,
       {66, "E-META-MISSING", "try: streamrun run "}},
      {"an empty _metadata",
       [](const World& world) { fs::resize_file(world.metadata(), 0); },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"a _metadata of random bytes",
       [](const World& world) { write_bytes(world.metadata(), "\x01\x02{\xff\n}\n"); },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"bytes behind the footer",
       [](const World& world) { write_bytes(world.metadata(), bytes_of(world.metadata()) + "x"); },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"a footer that is missing",
       [](const World& world) {
         write_bytes(world.metadata(), body_of(bytes_of(world.metadata())));
       },
       kFromNewest,
       {65, "E-META-CORRUPT", "byte "}},
      {"another magic",
       [](const World& world) {
         change_metadata(world, "\"streamrun-checkpoint\"", "\"something-else\"");
       },
       kFromNewest,
       {65, "E-META-CORRUPT", "not a checkpoint"}},
      {"a newer format",
       [](const World& world) { change_metadata(world, "\"format\": 1", "\"format\": 7"); },
       kFromNewest,
       {76, "E-META-VERSION", "7"}},
      {"a format older than any",
       [](const World& world) { change_metadata(world, "\"format\": 1", "\"format\": 0"); },
       kFromNewest,
       {76, "E-META-VERSION", "0"}},
      // Counts, lengths, doubles, depth, encodings: metadata_damage_test.cc has them all.
      {"a count that is huge, with a footer that fits",
       [](const World& world) {
         change_metadata(world, "\"length\": ", "\"length\": 9223372036854775");
       },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"a key twice, with a footer that fits",
       [](const World& world) {
         change_metadata(world, "\n \"id\": ", "\n \"id\": 1,\n \"id\": ");
       },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"lists in lists, with a footer that fits",
       [](const World& world) {
         change_metadata(
             world, "\n \"id\": ",
             "\n \"x\": " + std::string(100'000, '[') + std::string(100'000, ']') + ",\n \"id\": ");
       },
       kFromNewest,
       {65, "E-META-CORRUPT", "nested deeper"}},
      {"no UTF-8, with a footer that fits",
       [](const World& world) { change_metadata(world, "\"wordcount\"", "\"word\xff\""); },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"a lone surrogate, with a footer that fits",
       [](const World& world) { change_metadata(world, "\"wordcount\"", "\"word\\ud800\""); },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"a negative id with a footer that fits",
       [](const World& world) { change_metadata(world, "\n \"id\": ", "\n \"id\": -"); },
       kFromNewest,
       {65, "E-META-CORRUPT", "id"}},
      {"a path that leaves its folder",
       [](const World& world) {
         const std::string name = fs::path(world.state_file()).filename().string();
         change_metadata(world, name, "../" + name);
       },
       kFromNewest,
       {65, "E-META-CORRUPT", "../"}},
      {"an absolute path outside",
       [](const World& world) { rename_recorded(world, "/etc/passwd"); },
       kFromNewest,
       {65, "E-META-CORRUPT", "/etc/passwd"}},
      {"a path in another store",
       [](const World& world) { rename_recorded(world, "hdfs://nn/x"); },
       kFromNewest,
       {65, "E-META-CORRUPT", "hdfs://nn/x"}},
      {"a path that leaves its folder, encoded",
       [](const World& world) { rename_recorded(world, "%2e%2e/x"); },
       kFromNewest,
       {65, "E-META-CORRUPT", "%2e%2e/x"}},
      {"a path with a NUL",
       [](const World& world) { rename_recorded(world, "x\\u0000y"); },
       kFromNewest,
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"a chk folder with the id of another",
       [](const World& world) { fs::rename(world.newest(), world.job_folder() + "/chk-999"); },
       [](const World& world) -> Flags {
         return {"-s", world.job_folder() + "/chk-999"};
       },
       {65, "E-META-CORRUPT", "the folder is chk-999"}},
      {"a _metadata that is a link",
       [](const World& world) { replace_by_link(world, world.metadata()); },
       kFromNewest,
       {65, "E-META-CORRUPT", "symbolic link"}},
      {"a _metadata that is a folder",
       [](const World& world) { replace_by_folder(world.metadata()); },
       kFromNewest,
       {65, "E-META-CORRUPT", "not a regular file"}},
      {"a _metadata that is a pipe nobody writes to",
       [](const World& world) { replace_by_pipe(world.metadata()); },
       kFromNewest,
       {65, "E-META-CORRUPT", "not a regular file"}},
      {"a _metadata that this user may not read",
       [](const World& world) { set_mode(world.metadata(), 0); },
       kFromNewest,
       {77, "E-PERM", "/_metadata)"}},
      {"a checkpoint's folder that this user may not look into",
       [](const World& world) { set_mode(world.newest(), 0); },
       kFromNewest,
       {77, "E-PERM", "cannot "}},
      // Short, long and missing are found by --dry-run too: cli_run_test.cc.
      {"a state file that is a folder",
       [](const World& world) { replace_by_folder(world.state_file()); },
       kDryRun,
       {65, "E-STATE-CORRUPT", "not a regular file"}},
      {"a state file that is a pipe",
       [](const World& world) { replace_by_pipe(world.state_file()); },
       kDryRun,
       {65, "E-STATE-CORRUPT", "not a regular file"}},
      {"a state file that is a link",
       [](const World& world) { replace_by_link(world, world.state_file()); },
       kDryRun,
       {65, "E-STATE-CORRUPT", "symbolic link"}},
      // Operators that the job has not: cli_run_test.cc, "what to try against a mismatch".
      {"another max parallelism",
       kNothing,
       [](const World& world) -> Flags {
         return {"-D", "pipeline.max-parallelism=64", "-s", world.newest()};
       },
       {76, "E-MAXP", "128"}},
      {"a parallelism above the max of the snapshot",
       kNothing,
       [](const World& world) -> Flags {
         return {"-p", "200", "-s", world.newest()};
       },
       {76, "E-MAXP", "128"}},
      {"another job",
       kNothing,
       [](const World& world) -> Flags {
         return {"-s", world.newest(), "statemachine", "--rate", "10"};
       },
       {76, "E-JOB-MISMATCH", "have no place in statemachine"}},
      {"a damaged newest one in a job's folder is not passed over",
       [](const World& world) { fs::resize_file(world.metadata(), 100); },
       [](const World& world) -> Flags {
         return {"-s", world.job_folder()};
       },
       {65, "E-META-CORRUPT", "/_metadata)"}},
      {"-s latest with a damaged newest one",
       [](const World& world) { fs::resize_file(world.metadata(), 100); },
       [](const World&) -> Flags {
         return {"-s", "latest", "wordcount"};
       },
       {65, "E-META-CORRUPT", "/_metadata)"}},
  };
  return kRows;
}

/// Answers of a run that has begun: it may leave a folder of its own, and takes nothing away.
const std::vector<Row>& rows_of_a_run() {
  static const std::vector<Row> kRows = {
      {"a state file that is missing",
       [](const World& world) { fs::remove(world.state_file()); },
       kFromNewest,
       {65, "E-STATE-MISSING", "a state file is not there"}},
      {"a state file that is short",
       [](const World& world) { fs::resize_file(world.state_file(), 100); },
       kFromNewest,
       {65, "E-STATE-CORRUPT", "100 bytes"}},
      {"a state file that is long",
       [](const World& world) {
         write_bytes(world.state_file(), bytes_of(world.state_file()) + "x");
       },
       kFromNewest,
       {65, "E-STATE-CORRUPT", "bytes, expected"}},
      {"a state file with a flipped bit",
       [](const World& world) { flip_bit(world.state_file(), 3000, 4); },
       kFromNewest,
       {65, "E-STATE-CORRUPT", "checksum"}},
      {"a state file that is a folder",
       [](const World& world) { replace_by_folder(world.state_file()); },
       kFromNewest,
       {65, "E-STATE-CORRUPT", "not a regular file"}},
      {"a state file that is a pipe",
       [](const World& world) { replace_by_pipe(world.state_file()); },
       kFromNewest,
       {65, "E-STATE-CORRUPT", "not a regular file"}},
      {"a state file that is a link",
       [](const World& world) { replace_by_link(world, world.state_file()); },
       kFromNewest,
       {65, "E-STATE-CORRUPT", "symbolic link"}},
      {"a state file that this user may not read",
       [](const World& world) { set_mode(world.state_file(), 0); },
       kFromNewest,
       {77, "E-PERM", "cannot open"}},
      {"a checkpoint root that this user may not write to",
       [](const World& world) { set_mode(world.folder().at("ckpt"), 0500); },
       kFromNewest,
       {77, "E-PERM", "ckpt/"}},
      {"a checkpoint root whose parent is not there",
       kNothing,
       [](const World& world) -> Flags {
         return {"-D", "state.checkpoints.dir=no/such/root", "-s", world.newest()};
       },
       {66, "E-PATH", "no/such"}},
      {"an output folder that this user may not write to",
       [](const World& world) { set_mode(world.folder().at("out"), 0500); },
       kFromNewest,
       {77, "E-PERM", "/out"}},
  };
  return kRows;
}

/// What looks odd and is fine.
const std::vector<Row>& rows_that_are_fine() {
  static const std::vector<Row> kRows = {
      {"files that nobody knows in a checkpoint's folder",
       [](const World& world) { write_bytes(world.newest() + "/README", "mine"); },
       kFromNewest,
       {0, "", "stopped with "}},
      {"a checkpoint under a name of somebody's own",
       [](const World& world) { fs::rename(world.newest(), world.folder().at("backup")); },
       [](const World&) -> Flags {
         return {"-s", "backup"};
       },
       {0, "", "stopped with "}},
      {"a root that is a link",
       [](const World& world) {
         fs::rename(world.folder().at("ckpt"), world.folder().at("real"));
         fs::create_directory_symlink("real", world.folder().at("ckpt"));
       },
       kFromNewest,
       {0, "", "stopped with "}},
      {"a lock that a process left when it died",
       [](const World& world) {
         write_bytes(world.job_folder() + "/.lock", "pid 999999 since 2020-01-01T00:00:00Z");
       },
       [](const World& world) -> Flags {
         return {
             "-D", "state.checkpoints.num-retained=1000",
             "-D", "$internal.pipeline.job-id=" + fs::path(world.job_folder()).filename().string(),
             "-s", world.newest()};
       },
       {0, "", "stopped with "}},
      {"a snapshot whose folder may not be written to",
       [](const World& world) { set_mode(world.newest(), 0500); },
       kFromNewest,
       {0, "", "stopped with "}},
      {"--fallback past a damaged newest one",
       [](const World& world) { fs::resize_file(world.metadata(), 100); },
       [](const World& world) -> Flags {
         return {"--fallback", "-s", world.newest()};
       },
       {0, "", "is used instead"}},
      {"at-least-once from a snapshot of exactly-once",
       kNothing,
       [](const World& world) -> Flags {
         return {"-D", "execution.checkpointing.mode=AT_LEAST_ONCE", "-s", world.newest()};
       },
       {0, "", "stopped with "}},
  };
  return kRows;
}

const World& world() {
  static const World kWorld;
  return kWorld;
}

/// So that the next row, and the check of this one, may look at everything again.
void unlock() {
  for (const std::string& path :
       {world().folder().at("ckpt"), world().folder().at("out"), world().newest()}) {
    if (fs::is_directory(path)) set_mode(path, 0750);
  }
  for (const std::string& path : {world().metadata(), world().newest() + "/x"}) {
    if (fs::is_regular_file(path)) set_mode(path, 0640);
  }
}

}  // namespace

TEST_CASE("bad snapshot: it is refused before the start, and no name appears or goes", "[bad]") {
  for (const Row& row : rows_before_the_start()) {
    INFO(row.input);
    world().reset();
    row.damage(world());
    const auto before = world().contents();
    check_answer(world().run_with(row.flags(world())), row.answer);
    CHECK((world().contents() == before));
    unlock();
    check_nothing_lost(world(), {});
  }
}

TEST_CASE("a run that only looks leaves the note of a dead run's lock as it is", "[bad]") {
  const std::vector<std::vector<std::string>> commands = {
      {"--dry-run", "-s", world().newest()},
      {"--dry-run", "-s", "latest", "wordcount"},
      {"--stop-after", "50ms", "-s", world().newest()}};
  for (const std::vector<std::string>& command : commands) {
    INFO(command.back());
    world().reset();
    const std::string lock = world().job_folder() + "/.lock";
    write_bytes(lock, "pid 999999 since 2020-01-01T00:00:00Z");
    CHECK(world().run_with(command).status == 0);
    CHECK(bytes_of(lock) == "pid 999999 since 2020-01-01T00:00:00Z");
  }
}

TEST_CASE("bad snapshot: a run that it ends takes nothing away", "[bad]") {
  for (const Row& row : rows_of_a_run()) {
    INFO(row.input);
    world().reset();
    row.damage(world());
    const auto before = world().contents();
    check_answer(world().run_with(row.flags(world())), row.answer);
    unlock();
    check_nothing_lost(world(), before);
  }
}

TEST_CASE("odd snapshot: what does no harm is accepted", "[bad]") {
  for (const Row& row : rows_that_are_fine()) {
    INFO(row.input);
    world().reset();
    row.damage(world());
    const auto before = world().contents();
    std::vector<std::string> flags = row.flags(world());
    flags.insert(flags.begin(), {"--stop-after", "100ms"});
    check_answer(world().run_with(flags), row.answer);
    unlock();
    check_nothing_lost(world(), before);
  }
}

TEST_CASE("odd snapshot: exactly-once from a snapshot of at-least-once is accepted", "[bad]") {
  world().reset();
  REQUIRE(world()
              .run_with({"-D", "execution.checkpointing.mode=AT_LEAST_ONCE", "--stop-after",
                         "100ms", "-s", world().newest()})
              .status == 0);
  check_answer(world().run_with({"-D", "execution.checkpointing.mode=EXACTLY_ONCE", "--stop-after",
                                 "100ms", "-s", "latest", "wordcount"}),
               {0, "", "stopped with "});
}

TEST_CASE("two runners of one job id: the second is told who is the first", "[bad]") {
  world().reset();
  std::vector<std::string> line = {"run"};
  line.insert(line.end(), World::settings().begin(), World::settings().end());
  const std::string id = "$internal.pipeline.job-id=" + std::string(32, 'd');
  line.insert(line.end(), {"-D", id, "-s", world().newest()});
  Process first({.program = STREAMRUN_BINARY,
                 .arguments = line,
                 .working_directory = world().folder().path()});
  REQUIRE(first.wait_for_err("RUNNING", std::chrono::seconds(20)));
  std::array<char, 256> host{};
  REQUIRE(::gethostname(host.data(), host.size() - 1) == 0);
  check_answer(
      world().run_with({"-D", id, "-s", world().newest()}),
      {75, "E-LOCK", "pid " + std::to_string(first.pid()) + " on " + host.data() + " since "});
  first.kill(SIGTERM);
  CHECK(first.wait(std::chrono::seconds(20)).status == 0);
}

TEST_CASE("bad snapshot: a job that the binary has not is E-JOB-MISMATCH", "[bad]") {
  world().reset();
  const auto before = world().contents();
  check_answer(world().folder().own({"run", "-s", world().newest()}),
               {76, "E-JOB-MISMATCH", "wordcount, which this binary does not have"});
  CHECK((world().contents() == before));
}

// All of them are tried on the decoders: metadata_damage_test.cc, state_file_test.cc.
TEST_CASE("bad snapshot: cuts and flipped bits, a sample of them", "[bad]") {
  world().reset();
  SeededRandom random(11);
  const std::string good = bytes_of(world().metadata());
  for (int i = 0; i < 100; ++i) {
    const std::size_t length = random.below(good.size());
    INFO("cut to " << length);
    write_bytes(world().metadata(), good.substr(0, length));
    check_answer(world().run_with({"--dry-run", "-s", world().newest()}),
                 {65, "E-META-CORRUPT", "/_metadata)"});
  }
  for (int i = 0; i < 100; ++i) {
    const std::size_t at = random.below(good.size());
    const auto bit = static_cast<unsigned>(random.below(8));
    INFO("byte " << at << " bit " << bit);
    write_bytes(world().metadata(), good);
    flip_bit(world().metadata(), at, bit);
    check_answer(world().run_with({"--dry-run", "-s", world().newest()}),
                 {65, "E-META-CORRUPT", "/_metadata)"});
  }
  write_bytes(world().metadata(), good);
  check_nothing_lost(world(), {});
}

TEST_CASE("bad snapshot: flipped bits of a state file, a sample of them", "[bad]") {
  SeededRandom random(12);
  for (int i = 0; i < 10; ++i) {
    world().reset();
    const std::string file = world().state_file();
    const std::size_t at = random.below(fs::file_size(file));
    INFO("byte " << at);
    flip_bit(file, at, static_cast<unsigned>(random.below(8)));
    check_answer(world().run_with({"-s", world().newest()}), {65, "E-STATE-CORRUPT", file});
  }
  check_nothing_lost(world(), {});
}

}  // namespace streamrun::test

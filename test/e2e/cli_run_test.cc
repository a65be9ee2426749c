// `run` before and around the job: the background, what is checked first, what is warned of, and
// lines to try that work when they are pasted.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// What follows the first `  try: `, without a comment behind it.
std::string first_try(const std::string& err) {
  const std::size_t at = err.find("  try: ");
  if (at == std::string::npos) return {};
  const std::string line = first_line(err.substr(at + 7));
  return line.substr(0, line.find("  #"));
}

/// Runs a line as a person pastes it.
Outcome paste(const Folder& folder, const std::string& line) {
  const fs::path binary = STREAMRUN_BINARY;
  return run({.program = "/bin/sh",
              .arguments = {"-c", line},
              .environment = {{"PATH", binary.parent_path().string() + ":/usr/bin:/bin"}},
              .working_directory = folder.path()});
}

bool wait_until(const std::function<bool()>& is_so) {
  for (int i = 0; i < 2000; ++i) {
    if (is_so()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

pid_t pid_in(const std::string& err) {
  const std::string before = "in the background as pid ";
  const std::size_t at = err.find(before);
  return at == std::string::npos ? 0 : std::stoi(err.substr(at + before.size()));
}

/// Whoever it belongs to now need not have taken notice of its end yet.
bool has_ended(pid_t pid) {
  return ::kill(pid, 0) != 0 || contains(text_of("/proc/" + std::to_string(pid) + "/stat"), ") Z ");
}

void stop_background(pid_t pid) {
  REQUIRE(pid > 0);
  ::kill(pid, SIGTERM);
  CHECK(wait_until([&] { return has_ended(pid); }));
}

const Arguments kCheckpoints = {"-D", "state.checkpoints.dir=ckpt", "-D",
                                "execution.checkpointing.interval=20ms"};

Arguments run_with(Arguments flags, const Arguments& job) {
  flags.insert(flags.begin(), "run");
  flags.insert(flags.end(), kCheckpoints.begin(), kCheckpoints.end());
  flags.insert(flags.end(), job.begin(), job.end());
  return flags;
}

/// A run that ended with a checkpoint; the checkpoint's path.
std::string stopped_run(const Folder& folder, const Arguments& job) {
  const Outcome outcome = folder.streamrun(run_with({"--stop-after", "300ms"}, job));
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const Outcome latest = folder.streamrun({"list-checkpoints", "--dir", "ckpt", "--latest"});
  REQUIRE(latest.status == 0);
  return first_line(latest.out);
}

std::string state_file_in(const std::string& snapshot) {
  std::string state;
  for (const auto& entry : fs::directory_iterator(snapshot)) {
    if (entry.path().filename() != "_metadata") state = entry.path().string();
  }
  REQUIRE_FALSE(state.empty());
  return state;
}

void flip_a_bit(const std::string& file) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(100);
  const auto byte = static_cast<char>(bytes.get() ^ 1);
  bytes.seekp(100);
  bytes.put(byte);
}

void write_words(const Folder& folder, const std::string& name) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "word" + std::to_string(i) + "\n";
  folder.write(name, text);
}

std::vector<std::string> all_names(const Folder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
    names.push_back(entry.path().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("run -d: prints the id once the job runs, and tells its log and pid", "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.streamrun(run_with({"-d"}, {"statemachine", "--output", "out"}));
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  REQUIRE(outcome.out.size() == 33);
  const std::string log = folder.at("ckpt/" + first_line(outcome.out) + "/streamrun.log");
  const pid_t pid = pid_in(outcome.err);
  CHECK(contains(outcome.err, "; log " + log + "\n"));
  CHECK(contains(outcome.err, "kill " + std::to_string(pid) + "\n"));
  CHECK(contains(text_of(log), "starting   empty\n"));
  CHECK(contains(text_of(log), "RUNNING\n"));
  stop_background(pid);
  CHECK(contains(text_of(log), "stopped with " + folder.at("ckpt")));
  CHECK(contains(folder.streamrun({"list-checkpoints", "--dir", "ckpt"}).out, "statemachine"));
}

TEST_CASE("run -d: an error at the start is the caller's, with its status", "[cli]") {
  const Folder folder;
  const Outcome input = folder.streamrun(run_with({"-d"}, {"wordcount", "--input", "nowhere"}));
  CHECK(input.status == 66);
  CHECK(input.out.empty());
  CHECK(contains(input.err, "error: E-PATH: no such input file or folder"));
  CHECK(contains(input.err, folder.at("nowhere")));

  // Only the process in the background can find out that another one has the job.
  const std::string id = "0123456789abcdef0123456789abcdef";
  const Arguments flags = {"-d", "-D", "$internal.pipeline.job-id=" + id};
  const Arguments job = {"statemachine", "--output", "out"};
  const Outcome first = folder.streamrun(run_with(flags, job));
  INFO(first.err);
  REQUIRE(first.out == id + "\n");
  const Outcome second = folder.streamrun(run_with(flags, job));
  CHECK(second.status == 75);
  CHECK(second.out.empty());
  CHECK(contains(second.err, "error: E-LOCK: "));
  stop_background(pid_in(first.err));
}

TEST_CASE("run -d: without checkpoints it logs into the person's folder of state", "[cli]") {
  const Folder folder;
  const Outcome outcome =
      folder.streamrun({"run", "-d", "--json", "statemachine", "--count", "1000"},
                       {{"XDG_STATE_HOME", folder.at("state")}});
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const auto told = nlohmann::json::parse(outcome.out);
  CHECK(told.at("v") == 1);
  const std::string log =
      folder.at("state/streamrun/" + told.at("job_id").get<std::string>() + ".log");
  CHECK(told.at("log") == log);
  CHECK(contains(outcome.err, "what the job prints there is thrown away"));
  const pid_t pid = told.at("pid").get<pid_t>();
  CHECK(wait_until([&] { return has_ended(pid); }));
  CHECK(contains(text_of(log), R"("event":"end","state":"FINISHED")"));
}

TEST_CASE("run --log-file: the log goes there, an error also to stderr", "[cli]") {
  const Folder folder;
  folder.write("in/text", "a b\n");
  const Outcome good = folder.streamrun({"run", "--log-file", "log", "wordcount", "--input", "in"});
  CHECK(good.status == 0);
  CHECK(good.err.empty());
  CHECK(contains(text_of(folder.at("log")), "FINISHED after "));
  const Outcome bad =
      folder.streamrun({"run", "--log-file", "log", "wordcount", "--input", "nowhere"});
  CHECK(bad.status == 66);
  CHECK(contains(bad.err, "error: E-PATH: "));
  CHECK_FALSE(contains(bad.err, "starting   empty"));
  CHECK(contains(text_of(folder.at("log")), "error: E-PATH: "));
  const Outcome nowhere =
      folder.streamrun({"run", "--log-file", "no/log", "wordcount", "--input", "in"});
  CHECK(nowhere.status == 66);
  CHECK(first_line(nowhere.err) == "error: E-PATH: cannot open the log file (no/log)");
}

TEST_CASE("run --dry-run: looks at input and output, and writes nothing", "[cli]") {
  const Folder folder;
  folder.write("in/text", "a b\n");
  folder.write("file", "");
  const std::vector<std::string> before = all_names(folder);
  const auto dry = [&](const std::string& input, const std::string& output) {
    return folder.streamrun(
        run_with({"--dry-run"}, {"wordcount", "--input", input, "--output", output}));
  };
  CHECK(dry("in", "new/folder").status == 0);
  const Outcome both = dry("nowhere", "file");
  CHECK(both.status == 66);
  CHECK(contains(both.err, "no such input file or folder (" + folder.at("nowhere") + ")\n"));
  CHECK(contains(both.err, "the output is not a folder (" + folder.at("file") + ")\n"));
  CHECK(dry("in", "file/below").status == 66);
  CHECK(folder
            .streamrun({"run", "--dry-run", "-D", "state.checkpoints.dir=no/such/ckpt", "wordcount",
                        "--input", "in"})
            .status == 66);
  CHECK(all_names(folder) == before);
}

TEST_CASE("run --dry-run: says that a state file is cut short or gone", "[cli]") {
  const Folder folder;
  write_words(folder, "in/text");
  const std::string snapshot =
      stopped_run(folder, {"wordcount", "--watch", "--input", "in", "--output", "out"});
  const Arguments dry = {"run", "--dry-run", "-s", snapshot};
  const Outcome good = folder.streamrun(dry);
  INFO(good.err);
  CHECK(good.status == 0);
  const std::string state = state_file_in(snapshot);
  fs::resize_file(state, 10);
  const Outcome cut = folder.streamrun(dry);
  CHECK(cut.status == 65);
  CHECK(contains(cut.err, "error: E-STATE-CORRUPT: "));
  CHECK(contains(cut.err, state));
  fs::remove(state);
  CHECK(contains(folder.streamrun(dry).err, "error: E-STATE-MISSING: "));
}

TEST_CASE("run --dry-run: reads the state files, so that one flipped bit is told", "[cli]") {
  const Folder folder;
  write_words(folder, "in/text");
  const std::string snapshot =
      stopped_run(folder, {"wordcount", "--watch", "--input", "in", "--output", "out"});
  const std::string state = state_file_in(snapshot);
  flip_a_bit(state);
  const Outcome looked = folder.streamrun({"run", "--dry-run", "-s", snapshot});
  CHECK(looked.status == 65);
  CHECK(contains(looked.err, "error: E-STATE-CORRUPT: "));
}

TEST_CASE("run -s: a damaged state file is answered with how to go on before it", "[cli]") {
  const Folder folder;
  write_words(folder, "in/text");
  const std::string snapshot =
      stopped_run(folder, {"wordcount", "--watch", "--input", "in", "--output", "out"});
  fs::remove(state_file_in(snapshot));
  const Outcome outcome = folder.streamrun({"run", "-s", snapshot});
  INFO(outcome.err);
  CHECK(outcome.status == 65);
  CHECK(contains(outcome.err, "streamrun run -s " + snapshot + " --fallback"));
  CHECK_FALSE(contains(outcome.err, "go on with"));
}

TEST_CASE("run -s latest --fallback: says which damaged one it went back from", "[cli]") {
  const Folder folder;
  const Arguments job = {"statemachine", "--rate", "100000", "--output", "out"};
  const std::string snapshot = stopped_run(folder, job);
  flip_a_bit(state_file_in(snapshot));
  Arguments resume = {"run",          "-D",     "state.checkpoints.dir=ckpt",
                      "-s",           "latest", "--fallback",
                      "--stop-after", "50ms"};
  resume.insert(resume.end(), job.begin(), job.end());
  const Outcome outcome = folder.streamrun(resume);
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.err, "is used instead"));
  CHECK(contains(outcome.err, fs::path(snapshot).filename().string()));
}

TEST_CASE("run: keys of state recovery mean what the flags mean", "[cli]") {
  const Folder folder;
  write_words(folder, "in/text");
  const Arguments job = {"wordcount", "--watch", "--input", "in", "--output", "out"};
  const std::string snapshot = stopped_run(folder, job);
  const auto run = [&](Arguments flags) {
    flags.insert(flags.begin(), {"run", "--stop-after", "50ms"});
    return folder.streamrun(flags);
  };
  for (const std::string key : {"execution.state-recovery.path", "execution.savepoint.path"}) {
    const Outcome resumed = run({"-D", key + "=" + snapshot});
    INFO(resumed.err);
    CHECK(resumed.status == 0);
    CHECK(contains(resumed.err, "restored   " + snapshot));
    const Outcome gone = run({"-D", key + "=/nowhere"});
    CHECK(gone.status == 66);
    CHECK(contains(gone.err, "/nowhere"));
  }
  const std::string recovery = "execution.state-recovery.";
  const Outcome other = run({"-D", recovery + "path=" + snapshot, "statemachine", "--output", "b"});
  CHECK(other.status == 76);
  const Outcome dropped =
      run({"-D", recovery + "path=" + snapshot, "-D", recovery + "ignore-unclaimed-state=true",
           "statemachine", "--output", "b"});
  INFO(dropped.err);
  CHECK(dropped.status == 0);
}

TEST_CASE("run: a snapshot is removed as one of the run's own if it is claimed, and else never",
          "[cli]") {
  const Folder folder;
  write_words(folder, "in/text");
  const Arguments job = {"wordcount", "--watch", "--input", "in", "--output", "out"};
  const std::string snapshot = stopped_run(folder, job);
  const auto resume = [&](Arguments flags) {
    flags.insert(flags.begin(), {"run", "--stop-after", "50ms", "-s", snapshot, "-D",
                                 "state.checkpoints.num-retained=1"});
    return folder.streamrun(flags);
  };
  for (const Arguments& mode :
       {Arguments{}, Arguments{"-claimMode", "no_claim"}, Arguments{"-cm", "LEGACY"}}) {
    const Outcome outcome = resume(mode);
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(fs::exists(fs::path(snapshot) / "_metadata"));
    CHECK(contains(outcome.err, "LEGACY is deprecated") ==
          (mode.size() == 2 && mode[1] == "LEGACY"));
  }
  const Outcome in_memory =
      resume({"-cm", "CLAIM", "-D", "execution.checkpointing.storage=jobmanager"});
  CHECK(in_memory.status == 0);
  CHECK(contains(in_memory.err, "the claimed snapshot stays"));
  CHECK(fs::exists(fs::path(snapshot) / "_metadata"));

  // It goes once there is a checkpoint of the run's own.
  Process claiming({.program = STREAMRUN_BINARY,
                    .arguments = {"run", "-s", snapshot, "-D", "state.checkpoints.num-retained=1",
                                  "-D", "execution.state-recovery.claim-mode=CLAIM"},
                    .working_directory = folder.path()});
  REQUIRE(claiming.wait_for_err(" done", 60s));
  claiming.kill(SIGTERM);
  const Outcome claimed = claiming.wait(60s);
  INFO(claimed.err);
  CHECK(claimed.status == 0);
  CHECK_FALSE(fs::exists(snapshot));
}

TEST_CASE("run: compressed snapshots are smaller, and are resumed from at any parallelism",
          "[cli]") {
  const Folder folder;
  const auto full_bytes = [&](const std::string& compression) {
    const Outcome outcome = folder.streamrun(run_with(
        {"--stop-after", "400ms", "-D", "execution.checkpointing.data-inline-threshold=0", "-D",
         "execution.checkpointing.snapshot-compression=" + compression},
        {"statemachine", "--sources", "50000", "--rate", "0", "--output", "out-" + compression}));
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    const Outcome latest = folder.streamrun({"list-checkpoints", "--dir", "ckpt", "--latest"});
    const std::string snapshot = first_line(latest.out);
    const Outcome resumed =
        folder.streamrun({"run", "-s", snapshot, "-p", "2", "-D", "state.checkpoints.dir=ckpt",
                          "--stop-after", "50ms"});
    INFO(resumed.err);
    CHECK(resumed.status == 0);
    return nlohmann::json::parse(folder.streamrun({"inspect", "--json", snapshot}).out)
        .at("full_bytes")
        .get<std::uint64_t>();
  };
  const std::uint64_t compressed = full_bytes("true");
  CHECK(compressed * 2 < full_bytes("false"));
}

TEST_CASE("run: what Flink has and this version has not is refused, not ignored", "[cli]") {
  const Folder folder;
  for (const std::string setting :
       {"execution.runtime-mode=BATCH", "execution.runtime-mode=AUTOMATIC",
        "execution.checkpointing.create-subdir=false"}) {
    const Outcome outcome = folder.streamrun(
        {"run", "--stop-after", "1ms", "-D", setting, "statemachine", "--output", "out"});
    INFO(setting << ": " << outcome.err);
    CHECK(outcome.status == 78);
    CHECK(contains(outcome.err, setting.substr(0, setting.find('='))));
    CHECK_FALSE(fs::exists(folder.at("out")));
  }
}

TEST_CASE("run: an empty path of a job is refused, not taken for the current folder", "[cli]") {
  const Folder folder;
  write_words(folder, "in/text");
  for (const Arguments& arguments :
       {Arguments{"--input", "", "--output", "out"}, Arguments{"--input", "in", "--output", ""}}) {
    Arguments all = {"run", "wordcount"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Outcome outcome = folder.streamrun(all);
    INFO(outcome.err);
    CHECK(outcome.status == 64);
    CHECK(contains(outcome.err, "empty path"));
  }
}

TEST_CASE("run -s PATH: warns when kin of the snapshot has finished since", "[cli]") {
  const Folder folder;
  const Arguments job = {"statemachine", "--rate", "2000", "--count", "1500", "--output", "out"};
  const std::string snapshot = stopped_run(folder, job);
  const Outcome on = folder.streamrun({"run", "-s", snapshot});
  INFO(on.err);
  REQUIRE(on.status == 0);
  REQUIRE(contains(on.err, "FINISHED"));
  CHECK_FALSE(contains(on.err, "resuming it writes output again"));
  const Outcome again = folder.streamrun({"run", "--dry-run", "-s", snapshot});
  INFO(again.err);
  CHECK(again.status == 0);
  CHECK(contains(again.err, "warning: statemachine "));
  CHECK(contains(again.err, "resuming it writes output again"));
}

TEST_CASE("run: a fresh start warns of a run of the same name that is alive", "[cli]") {
  const Folder folder;
  const Arguments job = {"statemachine", "--output", "out"};
  const Outcome first = folder.streamrun(run_with({"-d"}, job));
  REQUIRE(first.status == 0);
  const Outcome second = folder.streamrun(run_with({"--stop-after", "100ms"}, job));
  INFO(second.err);
  CHECK(second.status == 0);
  CHECK(contains(second.err, "another run of statemachine is alive, " + first_line(first.out)));
  CHECK(contains(second.err, "pid " + std::to_string(pid_in(first.err))));
  stop_background(pid_in(first.err));
}

TEST_CASE("run -s: what to try against a mismatch works when it is pasted", "[cli]") {
  const Folder folder;
  folder.write("in/text", "a b\n");
  const std::string snapshot =
      stopped_run(folder, {"wordcount", "--watch", "--input", "in", "--output", "out"});
  const Outcome refused =
      folder.streamrun({"run", "-D", "state.checkpoints.dir=other", "-s", snapshot, "statemachine",
                        "--count", "10", "--output", "two words"});
  INFO(refused.err);
  REQUIRE(refused.status == 76);
  std::string line;
  std::istringstream lines(refused.err);
  for (std::string each; std::getline(lines, each);) {
    if (contains(each, "try: streamrun run")) line = each.substr(each.find("streamrun"));
  }
  CHECK(contains(line, "-D state.checkpoints.dir=other -s " + snapshot + " --drop-state"));
  CHECK(contains(line, " statemachine --count 10 --output 'two words'  # loses "));
  const Outcome pasted = paste(folder, line);
  INFO(pasted.err);
  CHECK(pasted.status == 0);
  CHECK(fs::exists(folder.at("two words")));
  CHECK(fs::exists(folder.at("other")));
}

TEST_CASE("run: a start from nothing shows the whole line that goes on", "[cli]") {
  const Folder folder;
  const Arguments job = {"statemachine", "--rate", "2000", "--output", "out"};
  stopped_run(folder, job);
  const Outcome outcome = folder.streamrun(run_with({"--stop-after", "100ms"}, job));
  CHECK(contains(outcome.err,
                 "to go on from it: streamrun run -D state.checkpoints.dir=ckpt -D "
                 "execution.checkpointing.interval=20ms -s latest statemachine --rate 2000 "
                 "--output out\n"));
}

TEST_CASE("run -s: a work folder that was moved is told, with lines that help", "[cli]") {
  const Folder folder;
  folder.write("work/in/text", "a b\n");
  const Outcome first =
      folder.streamrun({"run", "--stop-after", "300ms", "-D", "state.checkpoints.dir=work/ckpt",
                        "wordcount", "--watch", "--input", "work/in", "--output", "work/out"});
  INFO(first.err);
  REQUIRE(first.status == 0);
  fs::rename(folder.at("work"), folder.at("moved"));
  const Arguments latest = {"list-checkpoints", "--dir", "moved/ckpt", "--latest"};
  const std::string snapshot = first_line(folder.streamrun(latest).out);
  const std::string link = "ln -s " + folder.at("moved") + " " + folder.at("work");

  const Outcome output = folder.streamrun({"run", "--stop-after", "100ms", "-s", snapshot});
  INFO(output.err);
  CHECK(output.status == 66);
  CHECK(contains(output.err, "E-PATH: the output folder of the run that is resumed is gone"));
  CHECK(contains(output.err, "try: streamrun run -s " + snapshot + " wordcount "));
  CHECK(contains(output.err, "--output " + folder.at("moved/out")));
  CHECK(contains(output.err, "try: " + link));
  CHECK_FALSE(fs::exists(folder.at("work")));

  const Outcome input = folder.streamrun(
      {"run", "--dry-run", "-D", "state.checkpoints.dir=moved/ckpt", "-s", snapshot, "wordcount",
       "--watch", "--input", folder.at("work/in"), "--output", "moved/out"});
  INFO(input.err);
  CHECK(input.status == 66);
  CHECK(first_try(input.err) == link);  // at another place all its files would be new

  const Outcome root =
      folder.streamrun({"run", "--stop-after", "100ms", "-s", snapshot, "wordcount", "--watch",
                        "--input", "moved/in", "--output", "moved/out"});
  CHECK(
      contains(root.err, "try: streamrun run -D state.checkpoints.dir=" + folder.at("moved/ckpt")));

  CHECK(paste(folder, link).status == 0);
  CHECK(folder.streamrun({"run", "--stop-after", "100ms", "-s", snapshot}).status == 0);
}

TEST_CASE("run: an output where the job looks for input is refused", "[cli]") {
  const Folder folder;
  folder.write("in/text", "a b\n");
  fs::create_directory_symlink(folder.at("in"), folder.at("link"));
  const auto status = [&](const std::string& input, const std::string& output) {
    return folder.streamrun({"run", "--dry-run", "wordcount", "--input", input, "--output", output})
        .status;
  };
  CHECK(status("in", "in") == 64);
  CHECK(status("in", "in/below/out") == 64);
  CHECK(status("in", "link/out") == 64);
  CHECK(status("i*", "in/out") == 64);
  CHECK(status("in/*", "in") == 64);
  CHECK(status("in", "in/_out") == 0);
  CHECK(status("in", "in2") == 0);
  CHECK(status("in/text", "in") == 0);
  const Outcome outcome =
      folder.streamrun({"run", "wordcount", "--input", "in", "--output", "in/out"});
  CHECK(outcome.err.starts_with("error: E-USAGE: the output folder " + folder.at("in/out") +
                                " lies inside the input " + folder.at("in") + ": "));
  CHECK_FALSE(fs::exists(folder.at("in/out")));
}

TEST_CASE("run: a job whose input is not there never says RUNNING", "[cli]") {
  const Folder folder;
  const Outcome outcome =
      folder.streamrun({"run", "wordcount", "--input", "in", "--output", "out"});
  CHECK(outcome.status == 66);
  CHECK(contains(outcome.err, "error: E-PATH: "));
  CHECK_FALSE(contains(outcome.err, "RUNNING"));
}

TEST_CASE("run: the output folder is created with those above it", "[cli]") {
  const Folder folder;
  folder.write("in/text", "a b\n");
  const Outcome outcome =
      folder.streamrun({"run", "-q", "wordcount", "--input", "in", "--output", "a/b/c"});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK_FALSE(fs::is_empty(folder.at("a/b/c")));
}

TEST_CASE("run: a reader that leaves stops the job with a checkpoint, which says why", "[cli]") {
  // So little is printed that a checkpoint finds out first that nobody reads any more.
  const std::string job = " statemachine --rate 2000 --error-every 200; echo status $? >&2; }";
  const Folder folder;
  for (const std::string number : {"1", "2", "3"}) {
    const Outcome outcome = paste(folder,
                                  "{ streamrun run -D execution.checkpointing.interval=10ms "
                                  "-D state.checkpoints.dir=ckpt" +
                                      number + job + " | head -n 2");
    INFO(outcome.err);
    CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 2);
    CHECK(contains(outcome.err, "status 0\n"));
    CHECK(contains(outcome.err, "standard output was closed: the job stops; "));
    CHECK(contains(outcome.err, " stopped with " + folder.at("ckpt" + number)));
    CHECK_FALSE(contains(outcome.err, "E-CANCELLED"));
    CHECK_FALSE(contains(outcome.err, "warning"));
    const auto latest =
        folder.streamrun({"list-checkpoints", "--dir", "ckpt" + number, "--latest"});
    CHECK(contains(outcome.err, "go on with: streamrun run -s " + latest.out));
  }
}

TEST_CASE("config: an older prefix shows the keys that it stands for", "[cli]") {
  const Folder folder;
  CHECK(folder.own({"config", "state.checkpoints"}).out ==
        "KEY                                    ALSO                             VALUE  FROM\n"
        "execution.checkpointing.create-subdir  state.checkpoints.create-subdir  true   default\n"
        "execution.checkpointing.dir            state.checkpoints.dir            -      not set\n"
        "execution.checkpointing.num-retained   state.checkpoints.num-retained   3      default "
        "(Flink: 1)\n");
  const std::string backend = folder.own({"config", "state.backend"}).out;
  CHECK(contains(backend, "\nstate.backend.type "));
  CHECK(contains(backend, "\nexecution.checkpointing.incremental "));
  CHECK(contains(backend, " state.backend.incremental "));
  const auto json =
      nlohmann::json::parse(folder.own({"config", "state.checkpoints", "--json"}).out);
  CHECK(json.at("configuration").at(0).at("also") == "state.checkpoints.create-subdir");
}

TEST_CASE("configuration: a folder in a store that is not there names key and place", "[cli]") {
  const Folder folder;
  folder.write("conf/flink-conf.yaml", "\nstate.checkpoints.dir: gs://bucket/ckpt\n");
  const std::string error =
      "error: E-CONF: state.checkpoints.dir: gs://bucket/ckpt: this version has no file system for "
      "gs://, only for file://, hdfs://, s3://, s3a://, s3p://, swebhdfs://, webhdfs:// "
      "(conf/flink-conf.yaml:2)\n";
  for (const Arguments& arguments :
       {Arguments{"run", "echo"}, Arguments{"run", "-s", "latest", "echo"},
        Arguments{"list-checkpoints"}}) {
    const Outcome outcome = folder.own(arguments);
    CHECK(outcome.status == 78);
    CHECK(outcome.err == error);
  }
}

TEST_CASE("--json: a path that is no UTF-8 comes out as valid JSON", "[cli]") {
  const Folder folder;
  const std::string odd =
      "od\xff\xc3"
      "d";
  const Arguments settings = {"-D", "state.checkpoints.dir=" + odd};
  const auto check = [](const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(nlohmann::json::accept(line));
    }
    CHECK(contains(text, "od\xef\xbf\xbd"));
  };
  const Outcome ran = folder.streamrun({"run", "--json", "--stop-after", "200ms", settings[0],
                                        settings[1], "statemachine", "--output", odd + "-out"});
  CHECK(ran.status == 0);
  check(ran.err);
  check(folder.streamrun({"list-checkpoints", "--json", "--dir", odd}).out);
  check(folder.streamrun({"list-checkpoints", "--json", "--latest", "--dir", odd}).out);
  check(folder.streamrun({"config", "--json", "--changed", settings[0], settings[1]}).out);
  check(folder.streamrun({"list-checkpoints", "--json", "--dir", odd + "-no"}).err);
  check(folder.streamrun({"run", "--json", "wordcount", "--input", odd + "-no"}).err);
  const Outcome started = folder.streamrun(
      {"run", "-d", "--json", settings[0], settings[1], "statemachine", "--output", "out"});
  check(started.out);
  stop_background(nlohmann::json::parse(started.out).at("pid").get<pid_t>());
}

TEST_CASE("run: a line that a person may run next is whole, and tells no secret", "[cli]") {
  const Folder folder;
  folder.write("in", "a b\n");
  const Outcome by_environment =
      folder.streamrun({"run", "-s", "latest", "wordcount", "--input", "in"},
                       {{"STREAMRUN_STATE_CHECKPOINTS_DIR", "ckpt"}});
  CHECK(contains(by_environment.err, "streamrun run -s latest --or-fresh wordcount --input in  #"));

  const Outcome with_secret =
      folder.streamrun({"run", "-D", "s3.secret-key=planted", "-D", "state.checkpoints.dir=ckpt",
                        "-s", "latest", "wordcount", "--input", "in"});
  CHECK(contains(with_secret.err, "s3.secret-key=******"));
  CHECK_FALSE(contains(with_secret.err, "planted"));
}

}  // namespace streamrun::test

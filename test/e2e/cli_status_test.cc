// Exit statuses, one row of the table each, and what stands on which stream.
#include <algorithm>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("exit status 0: done, with nothing on stderr", "[cli]") {
  const Folder folder;
  for (const char* command : {"jobs", "help", "config", "--version"}) {
    const Outcome outcome = folder.streamrun({command});
    CHECK(outcome.status == 0);
    CHECK_FALSE(outcome.out.empty());
    CHECK(outcome.err.empty());
  }
}

TEST_CASE("exit status 64: usage; as JSON it is one line on stderr", "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.streamrun({"jbos", "--json"});
  CHECK(outcome.status == 64);
  CHECK(outcome.out.empty());
  CHECK(
      outcome.err ==
      R"({"v":1,"error":{"code":"E-USAGE","exit":64,"what":"unknown command jbos; did you mean jobs?",)"
      R"("try":["streamrun help"]}})"
      "\n");
}

TEST_CASE("exit status 65: what is there is damaged", "[cli]") {
  const Folder folder;
  folder.write("ckpt/11111111111111111111111111111111/chk-3/_metadata", "no metadata at all");
  const Outcome outcome =
      folder.streamrun({"list-checkpoints", "--latest", "-D", "state.checkpoints.dir=ckpt"});
  CHECK(outcome.status == 65);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.starts_with("error: E-META-CORRUPT: "));
}

TEST_CASE("exit status 66: what was named is not there", "[cli]") {
  const Folder folder;
  const Outcome conf = folder.streamrun({"config", "--conf", "nowhere"});
  CHECK(conf.status == 66);
  CHECK(conf.err == "error: E-PATH: --conf names what does not exist (nowhere)\n");
  const Outcome folders = folder.streamrun({"list-checkpoints", "--dir", "nowhere"});
  CHECK(folders.status == 66);
  CHECK(contains(folders.err, folder.at("nowhere")));
}

TEST_CASE("exit status 70: a bug says so, with the version", "[cli]") {
  const Folder folder;
  const Outcome thrown = folder.own({"info", "broken", "--how", "exception"});
  CHECK(thrown.status == 70);
  CHECK(thrown.err.starts_with("error: E-BUG: thrown by the program\n"));
  CHECK(contains(thrown.err, "a bug in streamrun " STREAMRUN_VERSION));
  const Outcome asserted = folder.own({"info", "broken", "--how", "assertion"});
  CHECK(asserted.status == 70);
  CHECK(asserted.signal == 0);
  CHECK(asserted.err.starts_with("error: E-BUG: the program asserts ("));
  CHECK(contains(asserted.err, "a bug in streamrun " STREAMRUN_VERSION));
}

TEST_CASE("exit status 74: standard output that takes nothing is an error", "[cli]") {
  const Outcome outcome = run({.program = STREAMRUN_BINARY,
                               .arguments = {"jobs"},
                               .working_directory = "/",
                               .stdout_file = "/dev/full"});
  CHECK(outcome.status == 74);
  CHECK(contains(outcome.err, "E-STORE-FULL"));
}

TEST_CASE("exit status 77: a file that this user may not read", "[cli]") {
  const Folder folder;
  folder.write("conf/flink-conf.yaml", "parallelism.default: 2\n");
  REQUIRE(::chmod(folder.at("conf/flink-conf.yaml").c_str(), 0) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  Command command{
      .program = STREAMRUN_BINARY, .arguments = {"config"}, .working_directory = folder.path()};
  if (::geteuid() == 0) {  // root may read everything, so it becomes somebody else
    command.arguments = {"--reuid=65534", "--clear-groups", STREAMRUN_BINARY, "config"};
    command.program = "/usr/bin/setpriv";
  }
  const Outcome outcome = run(command);
  INFO(outcome.err);
  CHECK(outcome.status == 77);
  CHECK(outcome.err.starts_with("error: E-PERM: "));
  CHECK(outcome.out.empty());
}

TEST_CASE("exit status 78: all that is wrong with the configuration is said", "[cli]") {
  const Folder folder;
  folder.write("conf/flink-conf.yaml",
               "parallelism.default: many\nstate.backend.incrmental: true\n");
  const Outcome outcome = folder.streamrun({"config"});
  CHECK(outcome.status == 78);
  CHECK(outcome.out.empty());
  CHECK(contains(outcome.err,
                 "error: E-CONF: unknown key state.backend.incrmental; did you mean "
                 "state.backend.incremental? (conf/flink-conf.yaml:2:1)\n"));
  CHECK(contains(outcome.err, "(conf/flink-conf.yaml:1:1)\n"));
  const Outcome as_json = folder.streamrun({"config", "--json"});
  CHECK(as_json.status == 78);
  CHECK(lines_in(as_json.err) == 2);
}

TEST_CASE("exit status 78: values that contradict each other", "[cli]") {
  const Folder folder;
  const Outcome outcome =
      folder.streamrun({"config", "-D", "execution.checkpointing.unaligned=true", "-D",
                        "execution.checkpointing.mode=AT_LEAST_ONCE"});
  CHECK(outcome.status == 78);
  CHECK(outcome.err.starts_with("error: E-CONF: "));
}

TEST_CASE("notices: on stderr, and not with -q", "[cli]") {
  const Folder folder;
  folder.write("conf/flink-conf.yaml", "taskmanager.numberOfTaskSlots: 4\n");
  const Outcome outcome = folder.streamrun({"config", "parallelism.default"});
  CHECK(
      outcome.err ==
      "note: keys of Flink's that mean nothing to a single process: taskmanager.numberOfTaskSlots "
      "(conf/flink-conf.yaml:1)\n");
  CHECK(lines_in(outcome.out) == 2);
  const Outcome quiet = folder.streamrun({"config", "parallelism.default", "-q"});
  CHECK(quiet.err.empty());
  CHECK(quiet.out == outcome.out);
  CHECK(
      folder.streamrun({"config", "--json"}).err.starts_with(R"({"v":1,"event":"note","text":")"));
}

TEST_CASE("colour: only where it is asked for when there is no terminal", "[cli]") {
  const Folder folder;
  CHECK_FALSE(contains(folder.streamrun({"--conf", "nowhere", "config"}).err, "\x1b["));
  CHECK(folder.streamrun({"--color", "always", "--conf", "nowhere", "config"})
            .err.starts_with("\x1b[1;31merror:\x1b[0m E-PATH"));
}

TEST_CASE("a reader that leaves ends a command silently", "[cli]") {
  const std::string late = "{ sleep 0.3; " STREAMRUN_BINARY " jobs; echo $? >&2; } | :";
  Command command{.program = "/bin/sh", .arguments = {"-c", late}, .working_directory = "/"};
  CHECK(run(command).err == "141\n");  // as the shell says that SIGPIPE ended it
  command.arguments = {"-c", "trap '' PIPE; " + late};
  CHECK(run(command).err == "0\n");
}

}  // namespace streamrun::test

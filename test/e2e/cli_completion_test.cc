// Completion, and that help, man page and completion agree, since all are made from one table.
#include <set>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

using Names = std::set<std::string>;

/// The candidates without their descriptions.
Names candidates(const Folder& folder, std::vector<std::string> words) {
  words.insert(words.begin(), "__complete");
  const Outcome outcome = folder.own(words);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  Names names;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) names.insert(line.substr(0, line.find('\t')));
  return names;
}

/// Every flag with two dashes that heads a line of help.
Names flags_in_help(const std::string& help) {
  Names names;
  std::istringstream lines(help.substr(help.find("flags:\n")));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find("--");
    if (at == 6 && line.starts_with("  ")) names.insert(line.substr(at, line.find(' ', at) - at));
  }
  return names;
}

Names commands_in_help(const std::string& help) {
  Names names;
  std::istringstream lines(help.substr(help.find("commands:\n")));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && !line.empty()) {
    if (line[2] != ' ') names.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

std::string escaped(const std::string& flag) {
  std::string roff;
  for (const char c : flag) roff += c == '-' ? std::string("\\-") : std::string(1, c);
  return roff;
}

/// The candidates that bash would offer for a line of words, as its completion function leaves
/// them.
std::string bash_completion(const Folder& folder, const std::string& words) {
  const std::string script = "source <(\"$OWN\" completion bash); COMP_WORDS=(\"$OWN\" " + words +
                             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _streamrun; "
                             "echo \"${COMPREPLY[*]}\"";
  const Outcome outcome = run({.program = "/bin/bash",
                               .arguments = {"-c", script},
                               .environment = {{"OWN", STREAMRUN_OWN_BINARY}},
                               .working_directory = folder.path()});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  return outcome.out;
}

}  // namespace

TEST_CASE("help, man page and completion agree about commands and flags", "[cli]") {
  const Folder folder;
  const std::string man = folder.own({"help", "--man"}).out;
  const Names commands = commands_in_help(folder.own({"help"}).out);
  CHECK(commands.size() == 16);
  CHECK(candidates(folder, {""}) == commands);
  for (const std::string& command : commands) {
    CHECK(contains(man, ".SS " + escaped(command) + "\n"));
    const Names flags = flags_in_help(folder.own({"help", command}).out);
    CHECK(flags.size() >= 11);
    CHECK(candidates(folder, {command, "--"}) == flags);
    for (const std::string& flag : flags) CHECK(contains(man, escaped(flag)));
  }
}

TEST_CASE("man page: it has the sections that people look for, and every exit status", "[cli]") {
  const std::string man = Folder().own({"help", "--man"}).out;
  for (const char* section : {"NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES",
                              "SIGNALS", "EXAMPLES"}) {
    CHECK(contains(man, std::string(".SH ") + section + "\n"));
  }
  for (const char* status : {"64", "65", "66", "69", "70", "73", "74", "75", "76", "77", "78"}) {
    CHECK(contains(man, std::string(".TP\n") + status + "\n"));
  }
}

TEST_CASE("completion: jobs and their arguments", "[cli]") {
  const Folder folder;
  CHECK(candidates(folder, {"run", "-p", "4", ""}) == Names{"tally", "echo", "broken"});
  CHECK(candidates(folder, {"info", "ta"}) == Names{"tally"});
  CHECK(candidates(folder, {"run", "tally", "--"}) ==
        Names{"--count", "--input", "--label", "--loud", "--note"});
  CHECK(candidates(folder, {"run", "tally", "--input", ""}) == Names{":files"});
  CHECK(candidates(folder, {"run", "tally", "--label", ""}).empty());
}

TEST_CASE("completion: values of flags and configuration", "[cli]") {
  const Folder folder;
  CHECK(candidates(folder, {"run", "--claimMode", ""}) == Names{"NO_CLAIM", "CLAIM", "LEGACY"});
  CHECK(candidates(folder, {"list-checkpoints", "--kind=s"}) == Names{"--kind=savepoint"});
  CHECK(candidates(folder, {"run", "-D", "state.checkpoints.num"}) ==
        Names{"state.checkpoints.num-retained="});
  CHECK(candidates(folder, {"run", "-D", "execution.checkpointing.mode="}) ==
        Names{"execution.checkpointing.mode=EXACTLY_ONCE",
              "execution.checkpointing.mode=AT_LEAST_ONCE"});
  CHECK(candidates(folder, {"config", "explain", "parallelism."}) == Names{"parallelism.default"});
  CHECK(candidates(folder, {"help", "E-META-M"}) == Names{"E-META-MISSING"});
}

TEST_CASE("completion: checkpoints on the local disk", "[cli]") {
  const Folder folder;
  const std::string job = "ckpt/11111111111111111111111111111111";
  folder.write("conf/flink-conf.yaml", "state.checkpoints.dir: ckpt\n");
  folder.write(job + "/chk-3/_metadata", "x");
  folder.write(job + "/chk-4/unfinished", "x");
  folder.write("ckpt/savepoint-111111-aabbccddeeff/_metadata", "x");
  CHECK(candidates(folder, {"run", "-s", ""}) ==
        Names{"latest", job + "/chk-3", "ckpt/savepoint-111111-aabbccddeeff"});
}

TEST_CASE("completion: nothing is said when something is wrong", "[cli]") {
  const Folder folder;
  folder.write("conf/flink-conf.yaml", "no: [yaml\n");
  CHECK(candidates(folder, {"run", "-s", "lat"}) == Names{"latest"});
  CHECK(candidates(folder, {"nonsense", "--what", ""}).size() == 16);
  CHECK(candidates(folder, {}).size() == 16);
}

TEST_CASE("completion: the script for bash works in bash", "[cli]") {
  const Folder folder;
  CHECK(bash_completion(folder, "ru") == "run\n");
  CHECK(bash_completion(folder, "run tally --lo") == "--loud\n");
  // bash hands over words cut at "=".
  CHECK(bash_completion(folder, "run -D state.backend.type = hash") == "hashmap\n");
  CHECK(bash_completion(folder, "run -D state.backend.type =") ==
        "hashmap rocksdb filesystem jobmanager\n");
  CHECK(bash_completion(folder, "info -o d") == "dot\n");
}

TEST_CASE("completion: there is a script for each shell, and none for others", "[cli]") {
  const Folder folder;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = folder.own({"completion", shell});
    CHECK(outcome.status == 0);
    CHECK(contains(outcome.out, "__complete"));
  }
  CHECK(folder.own({"completion", "tcsh"}).status == 64);
  CHECK(folder.own({"completion"}).status == 64);
}

}  // namespace streamrun::test

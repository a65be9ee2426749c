// What the command line means, and what is refused.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

using Arguments = std::vector<std::string>;

/// E-USAGE: one line on stderr that says `what`, perhaps lines to try; nothing on stdout.
void require_usage_error(const Outcome& outcome, const std::string& what) {
  INFO(outcome.err);
  CHECK(outcome.status == 64);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.substr(0, outcome.err.find('\n')) == "error: E-USAGE: " + what);
}

}  // namespace

TEST_CASE("command line: what is unknown is one line with the nearest right one", "[cli]") {
  const Folder folder;
  require_usage_error(folder.own({"jbos"}), "unknown command jbos; did you mean jobs?");
  require_usage_error(folder.own({"zzzzzzzz"}), "unknown command zzzzzzzz");
  require_usage_error(folder.own({"--jsn", "jobs"}),
                      "streamrun has no flag --jsn; did you mean --json?");
  require_usage_error(folder.own({"run", "--orfresh", "echo"}),
                      "run has no flag --orfresh; did you mean --or-fresh?");
  require_usage_error(folder.own({"jobs", "-x"}), "jobs has no flag -x");
  require_usage_error(folder.own({"run", "tally2"}), "unknown job tally2; did you mean tally?");
  require_usage_error(folder.own({"help", "rnu"}), "no help on rnu; did you mean run?");
  require_usage_error(folder.own({}), "a command is missing");
}

TEST_CASE("command line: commands that do not exist are neither listed nor accepted", "[cli]") {
  const Folder folder;
  const std::string help = folder.own({"help"}).out;
  for (const char* later : {"top", "validate"}) {
    CHECK(folder.own({later}).status == 64);
    CHECK_FALSE(contains(help, std::string("\n  ") + later + " "));
  }
}

TEST_CASE("command line: a value that is missing, doubled or of the wrong form is refused",
          "[cli]") {
  const Folder folder;
  require_usage_error(folder.own({"run", "-s"}), "--fromSavepoint needs a value");
  require_usage_error(folder.own({"run", "-s", "--or-fresh", "echo"}),
                      "--fromSavepoint needs a value before --or-fresh");
  require_usage_error(folder.own({"jobs", "--conf", "a", "--conf", "b"}), "--conf is given twice");
  require_usage_error(folder.own({"jobs", "--json=yes"}), "--json takes no value");
  require_usage_error(folder.own({"jobs", "more"}), "jobs does not take \"more\"");
  require_usage_error(folder.own({"--color", "red", "jobs"}),
                      "--color takes auto, always, never, not \"red\"");
  require_usage_error(folder.own({"run", "-p", "0", "echo"}),
                      "-p takes a whole number from 1 on, not \"0\"");
  require_usage_error(folder.own({"list-checkpoints", "--dir", ".", "--older", "soon"}),
                      "--older takes a time such as 2h, not \"soon\"");
}

TEST_CASE("command line: an empty -s is refused, however it is written", "[cli]") {
  const Folder folder;
  for (const Arguments& arguments :
       {Arguments{"run", "-s", "", "echo"}, Arguments{"run", "--fromSavepoint", "", "echo"},
        Arguments{"run", "--fromSavepoint=", "echo"},
        Arguments{"run", "-fromSavepoint=", "echo"}}) {
    const Outcome outcome = folder.own(arguments);
    INFO(outcome.err);
    CHECK(outcome.status == 64);
    CHECK(contains(outcome.err, "empty"));
    CHECK(outcome.out.empty());
  }
  CHECK(folder.own({"run", "echo"}, {{"STREAMRUN_FROMSAVEPOINT", ""}}).status == 64);
}

TEST_CASE("command line: Flink's long options with one dash are understood", "[cli]") {
  const Folder folder;
  require_usage_error(folder.own({"run", "-claimMode", "MINE", "echo"}),
                      "--claimMode takes NO_CLAIM, CLAIM, LEGACY, not \"MINE\"");
  require_usage_error(folder.own({"run", "-cm", "MINE", "echo"}),
                      "--claimMode takes NO_CLAIM, CLAIM, LEGACY, not \"MINE\"");
  const Outcome outcome = folder.own({"run", "-claimMode=no_claim", "-sae", "echo"});
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.out == "0\n1\n2\n");
}

TEST_CASE("command line: one of our flags after the job is shown where it belongs", "[cli]") {
  const Folder folder;
  const auto line_to_try = [&](const Arguments& arguments) {
    const Outcome outcome = folder.own(arguments);
    CHECK(outcome.status == 64);
    const std::size_t at = outcome.err.find("  try: ");
    return at == std::string::npos ? outcome.err : outcome.err.substr(at + 7);
  };
  CHECK(line_to_try({"run", "echo", "-p", "4"}) == "streamrun run -p 4 echo\n");
  CHECK(line_to_try({"run", "tally", "--label", "a b", "-s", "X", "--input", "y"}) ==
        "streamrun run -s X tally --label 'a b' --input y\n");
  CHECK(line_to_try({"-q", "run", "-n", "tally", "-p4", "--loud", "--claimMode=CLAIM"}) ==
        "streamrun -q run -n -p4 --claimMode=CLAIM tally --loud\n");
  CHECK(line_to_try({"info", "tally", "-o", "json"}) == "streamrun info -o json tally\n");
  CHECK(line_to_try({"run", "echo", "--conf=", "--conf="}) ==
        "streamrun run --conf '' --conf '' echo\n");
}

TEST_CASE("job arguments: they are read by the job's declarations", "[cli]") {
  const Folder folder;
  require_usage_error(folder.own({"run", "tally", "--input"}),
                      "--input of tally needs a value: folder with numbers");
  require_usage_error(folder.own({"run", "tally", "--label", "--input", "x"}),
                      "--label of tally needs a value: what to call them");
  require_usage_error(folder.own({"run", "tally", "--loud", "yes"}),
                      "tally takes its arguments as --name value; \"yes\" belongs to none");
  require_usage_error(folder.own({"info", "tally", "--inptu", "x"}),
                      "the job has no argument --inptu; did you mean --input?");
  require_usage_error(folder.own({"info", "tally", "--input", "x"}),
                      "the job needs --label: what to call them");
  require_usage_error(folder.own({"info", "tally", "--input=x", "--label=-y", "--count", "many"}),
                      "--count takes a whole number, not \"many\"");
  CHECK(folder
            .own({"info", "tally", "--input=x", "--input", "y", "--label=-y", "--count", "-5",
                  "--loud"})
            .status == 0);
}

TEST_CASE("flags: they can come from the environment, weaker than the command line", "[cli]") {
  const Folder folder;
  CHECK(folder.own({"jobs"}, {{"STREAMRUN_JSON", "true"}}).out.starts_with("{"));
  CHECK(folder.own({"jobs"}, {{"STREAMRUN_JSON", "0"}}).out.starts_with("NAME"));
  CHECK(folder.own({"jobs"}, {{"STREAMRUN_JSON", ""}}).out.starts_with("NAME"));
  CHECK(folder.own({"jobs"}, {{"STREAMRUN_VERSION", "3.1"}}).out.starts_with("NAME"));
  require_usage_error(folder.own({"jobs"}, {{"STREAMRUN_JSON", "maybe"}}),
                      "STREAMRUN_JSON in the environment is true or false, not \"maybe\"");
  const std::map<std::string, std::string> dot = {{"STREAMRUN_OUTPUT", "dot"}};
  CHECK(folder.own({"info", "echo"}, dot).out.starts_with("digraph"));
  CHECK(folder.own({"info", "-o", "JSON", "echo"}, dot).out.starts_with("{"));
}

TEST_CASE("flags: -D without a value means true, and stands before or after the command", "[cli]") {
  const Folder folder;
  const Outcome outcome = folder.own({"-Dparallelism.default=3", "config", "--changed", "-D",
                                      "execution.checkpointing.unaligned", "-q"});
  INFO(outcome.err);
  CHECK(contains(outcome.out, "execution.checkpointing.unaligned "));
  CHECK(contains(outcome.out, "true "));
  CHECK(contains(outcome.out, "parallelism.default "));
}

}  // namespace streamrun::test

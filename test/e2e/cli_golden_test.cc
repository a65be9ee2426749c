// Texts that people and scripts rely on, to the letter.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/cli_harness.h"

namespace streamrun::test {
namespace {

void require_golden(const Outcome& outcome, const std::string& name) {
  INFO(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(outcome.out == golden(name));
}

}  // namespace

TEST_CASE("jobs: a table of what is in the binary", "[cli]") {
  require_golden(Folder().own({"jobs"}), "jobs.txt");
}

TEST_CASE("jobs: a document of what is in the binary", "[cli]") {
  const auto document = nlohmann::json::parse(Folder().own({"jobs", "--json"}).out);
  CHECK(document.at("v") == 1);
  const auto& tally = document.at("jobs").at(0);
  CHECK(tally.at("name") == "tally");
  CHECK(tally.at("stateful") == true);
  CHECK(tally.at("about") == "tallies numbers");
  CHECK(tally.at("arguments").at(0) == nlohmann::json({{"name", "count"},
                                                       {"type", "integer"},
                                                       {"help", "how many numbers"},
                                                       {"required", false},
                                                       {"repeatable", false},
                                                       {"default", "10"}}));
  CHECK(document.at("jobs").at(1).at("stateful") == false);
}

TEST_CASE("info: the plan as text, and as a graph", "[cli]") {
  const Folder folder;
  require_golden(folder.own({"info", "tally"}), "info.txt");
  require_golden(folder.own({"info", "-p", "3", "-o", "dot", "tally"}), "info.dot");
}

TEST_CASE("info: with --json the plan of Flink's shape stands in a document", "[cli]") {
  const Folder folder;
  const auto plan = nlohmann::json::parse(folder.own({"info", "-o", "json", "tally"}).out);
  CHECK(plan.at("nodes").size() == 3);
  const auto document = nlohmann::json::parse(folder.own({"info", "--json", "tally"}).out);
  CHECK(document.at("v") == 1);
  CHECK(document.at("plan") == plan);
}

TEST_CASE("info: --help behind a job shows its arguments", "[cli]") {
  const Folder folder;
  require_golden(folder.own({"info", "tally", "--help"}), "job_help.txt");
  require_golden(folder.own({"run", "tally", "-h"}), "job_help.txt");
}

TEST_CASE("help: of the program, of a command, of an error", "[cli]") {
  const Folder folder;
  require_golden(folder.own({"help"}), "help.txt");
  require_golden(folder.own({"-h"}), "help.txt");
  require_golden(folder.own({"help", "run"}), "help_run.txt");
  require_golden(folder.own({"run", "--help"}), "help_run.txt");
  require_golden(folder.own({"help", "list-checkpoints"}), "help_list_checkpoints.txt");
  require_golden(folder.own({"help", "e-meta-missing"}), "help_code.txt");
}

TEST_CASE("config: changed values, each with where it comes from", "[cli]") {
  const Folder folder;
  folder.write("conf/flink-conf.yaml",
               "execution.checkpointing.interval: 60 s\ns3.secret-key: xyz\n");
  const Outcome outcome = folder.own({"config", "--changed", "-D", "state.backend.type=hashmap"},
                                     {{"STREAMRUN_STATE_CHECKPOINTS_DIR", "ckpt"}});
  require_golden(outcome, "config_changed.txt");
}

TEST_CASE("config: one key by an older name, and all keys that begin so", "[cli]") {
  const Folder folder;
  const std::string one = folder.own({"config", "state.checkpoints.num-retained"}).out;
  CHECK(one ==
        "KEY                                   VALUE  FROM\n"
        "execution.checkpointing.num-retained  3      default (Flink: 1)\n");
  CHECK(folder.own({"config", "restart-strategy.fixed-delay"}).out ==
        "KEY                                    VALUE  FROM\n"
        "restart-strategy.fixed-delay.attempts  1      default\n"
        "restart-strategy.fixed-delay.delay     1 s    default\n");
  CHECK(folder.own({"config", "state.checkpoints"}).out.find("num-retained") != std::string::npos);
  CHECK(folder.own({"config", "state.chekpoints.num-retained"}).status == 64);
}

TEST_CASE("config explain: meaning, type and default of a key", "[cli]") {
  const Folder folder;
  require_golden(folder.own({"config", "explain", "state.checkpoints.num-retained"}),
                 "explain_retained.txt");
  require_golden(folder.own({"config", "explain", "state.backend"}), "explain_backend.txt");
  CHECK(folder.own({"config", "explain", "taskmanager.host"})
            .out.find("nothing to a single process") != std::string::npos);
  CHECK(folder.own({"config", "explain", "state.backnd"}).status == 64);
}

}  // namespace streamrun::test

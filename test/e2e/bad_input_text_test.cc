// Bad configuration files and command lines: what the binary answers, before anything is started.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "e2e/bad_input_world.h"

namespace streamrun::test {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

struct FileRow {
  std::string input;
  std::string text;  ///< of conf/flink-conf.yaml
  Answer answer;
};

Answer refused(const std::string& word) {
  return {78, "E-CONF", word};
}

std::string billion_laughs() {
  std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    text += std::string(1, c) + ": &" + c + " [*" + before;
    for (int i = 0; i < 9; ++i) text += ", *" + before;
    text += "]\n";
  }
  return text;
}

/// A flow list that is closed nowhere.
std::string deep(std::size_t levels) {
  return "a: " + std::string(levels, '[') + "\n";
}

const std::vector<FileRow>& file_rows() {
  static const std::string kInterval = "execution.checkpointing.interval: ";
  static const std::vector<FileRow> kRows = {
      // Unknown keys with the nearest one, and several errors at once: cli_status_test.cc.
      {"a tab that indents", "a:\n\tb: 1\n", refused("flink-conf.yaml:2:1")},
      {"a bad indentation", "a: 1\n  b: 2\n", refused("flink-conf.yaml:2:")},
      {"aliases that multiply", billion_laughs(), refused("alias")},
      {"lists in lists", deep(100'000), refused("flink-conf.yaml:1:")},
      {"two documents", "parallelism.default: 2\n---\nparallelism.default: 3\n",
       refused("flink-conf.yaml:2:1")},
      {"a NUL", "parallelism.default: 2\0\n"s, refused("flink-conf.yaml:1:23")},
      {"no UTF-8", "pipeline.name: \xff\n", refused("flink-conf.yaml:1:16")},
      {"an overlong form", "pipeline.name: \xc0\x80\n", refused("flink-conf.yaml:1:16")},
      {"more than 1 MiB", "a: 1\n#" + std::string(1U << 20U, 'x'), refused("1 MiB")},
      {"a key twice", "parallelism.default: 1\nb: 1\nparallelism.default: 2\n",
       refused("flink-conf.yaml:3:1")},
      {"a key twice names the first line", "parallelism.default: 1\nparallelism.default: 2\n",
       refused("line 1")},
      {"an empty key", "parallelism.default: 1\n\"\": {rest.port: 1}\n",
       refused("flink-conf.yaml:2:1")},
      {"an empty key in another", "rest:\n  \"\": 1\n", refused("flink-conf.yaml:2:3")},
      {"an unknown key", "state.checkpoint.dir: x\n",
       refused("did you mean state.checkpoints.dir")},
      {"a negative duration", kInterval + "-1 s\n", refused("accepted: digits and a unit")},
      {"a fraction of an hour", kInterval + "1.5 h\n", refused("accepted: digits and a unit")},
      {"a duration that overflows", kInterval + "99999999999 d\n", refused("at most 292 years")},
      {"a unit of length", kInterval + "5 parsecs\n", refused("accepted: digits and a unit")},
      {"a size that overflows",
       "execution.checkpointing.data-inline-threshold: 99999999999999 gb\n",
       refused("below 2^63 bytes")},
      {"port 0", "rest.port: 0\n", refused("a port from 1 to 65535")},
      {"port 70000", "rest.port: 70000\n", refused("a port from 1 to 65535")},
      {"yes", "execution.checkpointing.unaligned: yes\n", refused("accepted: true, false")},
      {"a choice that is none", "execution.checkpointing.mode: MAYBE_ONCE\n",
       refused("EXACTLY_ONCE")},
      {"a number that is none", "parallelism.default: many\n", refused("'many'")},
      {"an interval under 10 ms", kInterval + "5 ms\n", refused("at least 10 ms")},
      {"a time-out under 10 ms", "execution.checkpointing.timeout: 5 ms\n",
       refused("at least 10 ms")},
      {"no checkpoint retained", "state.checkpoints.num-retained: 0\n", refused("at least 1")},
      {"unaligned and at-least-once",
       "execution.checkpointing.unaligned: true\nexecution.checkpointing.mode: AT_LEAST_ONCE\n",
       refused("execution.checkpointing.mode")},
      {"several unaligned ones at once",
       "execution.checkpointing.unaligned: true\n"
       "execution.checkpointing.max-concurrent-checkpoints: 2\n",
       refused("one checkpoint at a time")},
      {"BOM and CRLF", "\xEF\xBB\xBFparallelism.default: 2\r\n", {0, "", ""}},
      {"digits alone are milliseconds", kInterval + "10\n", {0, "", ""}},
      {"a choice in another case", "execution.checkpointing.mode: exactly_once\n", {0, "", ""}},
      {"a key of Flink's without use",
       "taskmanager.numberOfTaskSlots: 4\n",
       {0, "", "note: keys of Flink's"}},
  };
  return kRows;
}

struct LineRow {
  std::string input;
  std::vector<std::string> arguments;
  Answer answer;
};

const std::vector<LineRow>& line_rows() {
  static const std::string kLong(100 << 10U, 'x');
  static const std::string kLines = [] {
    std::string text;
    while (text.size() < kLong.size()) text += "x\n";
    return text;
  }();
  /// Taken as arguments, and too long to be repeated.
  static const std::string kShorter(60 << 10U, 'x');
  static const std::string kPath(4000, 'y');
  static const Answer kUsage{64, "E-USAGE", "try: "};
  static const Answer kTooLong{64, "E-USAGE", "try: put what is long into a file"};
  static const std::vector<LineRow> kRows = {
      // Unknown and doubled flags, flags behind the job, an empty -s: cli_usage_test.cc.
      {"an unknown job", {"run", "wordcuont"}, {64, "E-USAGE", "did you mean wordcount?"}},
      {"a value that is missing", {"run", "-s"}, {64, "E-USAGE", "needs a value"}},
      {"a job's value that is missing", {"run", "wordcount", "--input"}, {64, "E-USAGE", "value"}},
      {"a job that is no UTF-8", {"run", "wo\xffrd"}, kUsage},
      {"a flag that is no UTF-8", {"run", "--fl\xff", "wordcount"}, kUsage},
      {"a command that is no UTF-8", {"r\xffn"}, kUsage},
      {"a job of 100 KiB", {"run", kLong}, kTooLong},
      {"a definition of 100 KiB", {"run", "-D", kLong, "wordcount"}, kTooLong},
      {"a value of 100 KiB", {"run", "-D", "parallelism.default=" + kLong, "wordcount"}, kTooLong},
      {"a command of 100 KiB", {kLong}, kTooLong},
      {"a flag of 100 KiB", {"run", "--" + kLong}, kTooLong},
      {"a path of 100 KiB", {"run", "-s", kLong}, kTooLong},
      {"an argument of the job of 100 KiB", {"run", "wordcount", "--" + kLong, "x"}, kTooLong},
      {"an argument of 100 KiB of lines", {"run", "wordcount", "--input", kLines}, kTooLong},
      {"what stands behind a command, of 100 KiB", {"jobs", kLong}, kTooLong},
      {"a job of 60 KiB", {"run", kShorter}, kUsage},
      {"a command of 60 KiB", {kShorter}, {64, "E-USAGE", "[… 61"}},
      {"a flag of 60 KiB", {"run", "--" + kShorter}, {64, "E-USAGE", "[… 61"}},
      {"an argument of the job of 60 KiB",
       {"run", "wordcount", "--" + kShorter, "x"},
       {64, "E-USAGE", "[… 61"}},
      {"what stands behind a command, of 60 KiB", {"jobs", kShorter}, {64, "E-USAGE", "[… 61"}},
      {"a definition of 60 KiB",
       {"run", "-D", kShorter, "wordcount"},
       {78, "E-CONF", "is not a key"}},
      {"a value of 60 KiB",
       {"run", "-D", "parallelism.default=" + kShorter, "wordcount"},
       {78, "E-CONF", "parallelism.default"}},
      {"a path of 60 KiB", {"run", "-s", kShorter}, {66, "E-PATH", "File name too long"}},
      {"a path of 4000 bytes", {"run", "-s", kPath}, {66, "E-PATH", "[… 40"}},
      {"an input of 60 KiB",
       {"run", "--dry-run", "wordcount", "--input", kShorter, "--output", "out"},
       {66, "E-PATH", "[… 61"}},
      {"a parallelism that is none", {"run", "-p", "0", "wordcount"}, {64, "E-USAGE", "from 1 on"}},
      {"a path in a store that is not there",
       {"run", "-s", "gs://nn/ckpt"},
       {64, "E-USAGE", "hdfs"}},
  };
  return kRows;
}

}  // namespace

TEST_CASE("bad configuration: it is refused with line and column, at once", "[bad]") {
  for (const FileRow& row : file_rows()) {
    INFO(row.input);
    const Folder folder;
    folder.write("conf/flink-conf.yaml", row.text);
    const Outcome outcome = folder.streamrun({"config"});
    check_answer(outcome, row.answer);
    CHECK(outcome.out.empty() == (row.answer.status != 0));
  }
}

TEST_CASE("bad configuration: a folder in the place of the file is refused", "[bad]") {
  const Folder folder;
  fs::create_directories(folder.at("some.yaml"));
  check_answer(folder.streamrun({"config", "--conf", "some.yaml"}), {78, "E-CONF", "some.yaml"});
}

TEST_CASE("bad command line: it is refused with a hint, and not repeated at length", "[bad]") {
  for (const LineRow& row : line_rows()) {
    INFO(row.input);
    const Folder folder;
    const Outcome outcome = folder.streamrun(row.arguments);
    check_answer(outcome, row.answer);
    CHECK(outcome.err.size() < 2000);
    CHECK(fs::is_empty(folder.path()));
  }
}

}  // namespace streamrun::test

#include <streamrun/api/job_arguments.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

/// What a person is told, or nothing if the arguments are good.
std::string complaint(const std::function<void()>& use) {
  try {
    use();
  } catch (const ErrorException& thrown) {
    CHECK(thrown.error().code == ErrorCode::usage);
    return thrown.error().message;
  }
  return {};
}
std::string complaint_of_check(const JobArguments& arguments) {
  return complaint([&] { arguments.check(); });
}

TEST_CASE("job arguments: texts are given, or have their default, or are missing", "[api]") {
  JobArguments arguments({{"topic", "clicks"}, {"empty", ""}}, "/home/me");
  CHECK(arguments.text("topic", "where to read") == "clicks");
  CHECK(arguments.text("empty", "may be empty") == "");
  CHECK(arguments.text("brokers", "servers", "localhost:9092") == "localhost:9092");
  CHECK(arguments.optional_text("group", "consumer group") == std::nullopt);
  CHECK(complaint_of_check(arguments).empty());
}

TEST_CASE("job arguments: a missing one is named, with its help", "[api]") {
  JobArguments arguments({}, "/home/me");
  arguments.paths("input", "file to read");
  arguments.text("topic", "where to read");
  CHECK(complaint_of_check(arguments) == "the job needs --input: file to read");
}

TEST_CASE("job arguments: an unknown one is named, with the nearest that there is", "[api]") {
  JobArguments slip({{"outptu", "x"}}, "/home/me");
  slip.optional_path("output", "where to write");
  CHECK(complaint_of_check(slip) == "the job has no argument --outptu; did you mean --output?");
  JobArguments far({{"parallelism", "2"}}, "/home/me");
  far.optional_path("output", "where to write");
  far.flag("watch", "go on");
  CHECK(complaint_of_check(far) ==
        "the job has no argument --parallelism; it has: --output, --watch");
}

TEST_CASE("job arguments: an unknown one is told before a missing one, as it is likely the same",
          "[api]") {
  JobArguments arguments({{"inpt", "x"}}, "/home/me");
  arguments.paths("input", "file to read");
  CHECK(complaint_of_check(arguments) == "the job has no argument --inpt; did you mean --input?");
}

TEST_CASE("job arguments: only those that may be repeated are given twice", "[api]") {
  JobArguments arguments({{"input", "a"}, {"input", "b"}, {"topic", "x"}, {"topic", "y"}},
                         "/home/me");
  CHECK(arguments.paths("input", "files") == std::vector<std::string>{"/home/me/a", "/home/me/b"});
  arguments.text("topic", "where to read", "");
  CHECK(complaint_of_check(arguments) == "--topic is given twice");
}

TEST_CASE("job arguments: a flag is set without a value", "[api]") {
  JobArguments arguments({{"watch", "true"}, {"off", "false"}, {"odd", "yes"}}, "/home/me");
  CHECK(arguments.flag("watch", "go on"));
  CHECK_FALSE(arguments.flag("off", "not"));
  CHECK_FALSE(arguments.flag("absent", "not"));
  CHECK(complaint([&] { arguments.flag("odd", "?"); }) == "--odd is a flag and takes no value");
}

TEST_CASE("job arguments: paths are made absolute and recorded so, URIs stay", "[api]") {
  JobArguments arguments(
      {{"input", "data/../text.txt"}, {"input", "hdfs://nn/x"}, {"input", "/a"}, {"output", "out"}},
      "/home/me/here");
  CHECK(arguments.paths("input", "files") ==
        std::vector<std::string>{"/home/me/here/text.txt", "hdfs://nn/x", "/a"});
  CHECK(arguments.optional_path("output", "folder") == "/home/me/here/out");
  CHECK(arguments.values() == JobArguments::Values{{"input", "/home/me/here/text.txt"},
                                                   {"input", "hdfs://nn/x"},
                                                   {"input", "/a"},
                                                   {"output", "/home/me/here/out"}});
  CHECK(complaint_of_check(arguments).empty());
  JobArguments again(arguments.values(), "/somewhere/else");
  CHECK(again.optional_path("output", "folder") == "/home/me/here/out");
}

TEST_CASE("job arguments: a whole number is one, to its last character", "[api]") {
  JobArguments arguments(
      {{"a", "-12"}, {"b", "12x"}, {"c", ""}, {"d", "9223372036854775808"}, {"e", "1.5"}},
      "/home/me");
  CHECK(arguments.integer("a", "number", 0) == -12);
  CHECK(arguments.integer("absent", "number", 7) == 7);
  for (const std::string name : {"b", "c", "d", "e"}) {
    CHECK(complaint([&] {
            arguments.integer(name, "number", 0);
          }).starts_with("--" + name + " takes a whole number"));
  }
}

TEST_CASE("job arguments: durations have units, texts may come again", "[api]") {
  JobArguments arguments({{"wait", "500ms"}, {"never", "-1 s"}, {"tag", "a"}, {"tag", "b"}},
                         "/home/me");
  CHECK(arguments.duration("wait", "how long", "5 min") == std::chrono::milliseconds(500));
  CHECK(arguments.duration("absent", "how long", "5 min") == std::chrono::minutes(5));
  CHECK(arguments.texts("tag", "tags") == std::vector<std::string>{"a", "b"});
  CHECK(complaint_of_check(arguments) ==
        "the job has no argument --never; it has: --wait, --absent, --tag");
  CHECK(complaint([&] { arguments.duration("never", "how long", "1 s"); }) ==
        "--never takes a duration such as 500ms or \"5 min\", not \"-1 s\"");
}

TEST_CASE("job arguments: a listing collects every declaration and misses nothing", "[api]") {
  JobArguments arguments = JobArguments::listing();
  CHECK(arguments.text("topic", "where to read").empty());
  CHECK(arguments.paths("input", "files") == std::vector<std::string>{"/input"});
  CHECK(arguments.integer("count", "how many", 5) == 5);
  arguments.flag("watch", "go on");
  CHECK(complaint_of_check(arguments).empty());
  const auto& declared = arguments.declarations();
  REQUIRE(declared.size() == 4);
  CHECK(declared[0].required);
  CHECK(declared[0].type == "text");
  CHECK(declared[1].repeatable);
  CHECK(declared[1].type == "path");
  CHECK(declared[2].default_text == "5");
  CHECK(declared[2].type == "integer");
  CHECK(declared[3].name == "watch");
  CHECK(declared[3].help == "go on");
  CHECK(declared[3].type == "flag");
}

}  // namespace
}  // namespace streamrun

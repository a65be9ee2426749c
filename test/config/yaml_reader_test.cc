#include <streamrun/base/strings.h>
#include <streamrun/config/yaml_reader.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

ConfigFile read(const std::string& text) {
  return load_configuration_file("c.yaml", text);
}

/// `key=value@line:column` of each entry; there must be no error.
std::vector<std::string> entries_of(const std::string& text) {
  const ConfigFile file = read(text);
  for (const Error& error : file.errors) FAIL_CHECK(error.headline());
  std::vector<std::string> shown;
  for (const ConfigEntry& entry : file.entries) {
    CHECK(entry.file == "c.yaml");
    shown.push_back(entry.key + "=" + entry.value + "@" + std::to_string(entry.line) + ":" +
                    std::to_string(entry.column));
  }
  return shown;
}

std::vector<std::string> errors_of(const std::string& text) {
  std::vector<std::string> shown;
  for (const Error& error : read(text).errors) {
    CHECK(error.code == ErrorCode::config);
    shown.push_back(error.message + " (" + error.where + ")");
  }
  return shown;
}

using Lines = std::vector<std::string>;

TEST_CASE("yaml reader: flat and nested keys mix", "[config]") {
  CHECK(entries_of("a.b: 1\nc:\n  d: x y\n  e.f:\n    g: true # why\n") ==
        Lines{"a.b=1@1:1", "c.d=x y@3:3", "c.e.f.g=true@5:5"});
}

TEST_CASE("yaml reader: an empty or commented file has no entries", "[config]") {
  CHECK(entries_of("").empty());
  CHECK(entries_of("# nothing\n\n#a: 1\n").empty());
  CHECK(entries_of("---\n").empty());
}

TEST_CASE("yaml reader: scalars keep their text", "[config]") {
  CHECK(entries_of(
            "a: yes\nb: 010\nc: 1.0\nd: off\ne: '10'\nf: \"a: b\"\ng: http://x:1/y#z\nh: ''\n") ==
        Lines{"a=yes@1:1", "b=010@2:1", "c=1.0@3:1", "d=off@4:1", "e=10@5:1", "f=a: b@6:1",
              "g=http://x:1/y#z@7:1", "h=@8:1"});
}

TEST_CASE("yaml reader: BOM, CRLF and a document start are accepted", "[config]") {
  CHECK(entries_of("\xEF\xBB\xBF"
                   "a: 1\r\nb: 2\r\n") == Lines{"a=1@1:1", "b=2@2:1"});
  CHECK(entries_of("---\na: 1\n") == Lines{"a=1@2:1"});
  CHECK(entries_of("a: 1\n...\n") == Lines{"a=1@1:1"});
}

TEST_CASE("yaml reader: blanks and tabs after a value do not belong to it", "[config]") {
  CHECK(entries_of("a: 1 \t \nb: 2\t# c\n") == Lines{"a=1@1:1", "b=2@2:1"});
}

TEST_CASE("yaml reader: lists become flow text that reads back the same", "[config]") {
  CHECK(entries_of("a:\n  - x\n  - \"y, z\"\n  - 'it''s'\nb: [1, [2, 3], {k: v}]\nc: []\n") ==
        Lines{"a=[x, \"y, z\", \"it's\"]@1:1", "b=[1, [2, 3], {k: v}]@5:1", "c=[]@6:1"});
}

TEST_CASE("yaml reader: aliases repeat what they stand for", "[config]") {
  CHECK(entries_of("a: &x 5\nb: *x\n") == Lines{"a=5@1:1", "b=5@2:1"});
  std::string many = "a: &x 5\n";
  for (int i = 0; i < 100; ++i) many += "b" + std::to_string(i) + ": *x\n";
  CHECK(read(many).errors.empty());
  CHECK(errors_of(many + "last: *x\n") == Lines{"more than 100 aliases (c.yaml:102:7)"});
}

TEST_CASE("yaml reader: aliases that multiply are refused before they fill the memory",
          "[config]") {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1) + " ";
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [" + last + "," + last + "," + last + "," + last + "," + last +
            "," + last + "," + last + "]\n";
  }
  const Lines errors = errors_of(bomb);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("more than 100 aliases (c.yaml:") == 0);
  CHECK(errors_of("a: &x [*x]\n").size() == 1);
}

TEST_CASE("yaml reader: duplicates name both lines, however the key is written", "[config]") {
  CHECK(errors_of("a: 1\nb: 2\na: 3\n") ==
        Lines{"'a' is set twice: in line 1 and in line 3 (c.yaml:3:1)"});
  CHECK(errors_of("a.b: 1\na:\n  b: 1\n") ==
        Lines{"'a.b' is set twice: in line 1 and in line 3 (c.yaml:3:3)"});
  CHECK(errors_of("a:\n  b: 1\n  b: 2\n") ==
        Lines{"'a.b' is set twice: in line 2 and in line 3 (c.yaml:3:3)"});
  CHECK(errors_of("a:\n  b: 1\na:\n  b: 2\n  c: 3\n") ==
        Lines{"'a.b' is set twice: in line 2 and in line 4 (c.yaml:4:3)"});
}

TEST_CASE("yaml reader: a key without a value is refused", "[config]") {
  CHECK(errors_of("a:\nb: ~\nc: null\nd: # x\n") ==
        Lines{"'a' has no value (c.yaml:1:1)", "'b' has no value (c.yaml:2:1)",
              "'c' has no value (c.yaml:3:1)", "'d' has no value (c.yaml:4:1)"});
}

TEST_CASE("yaml reader: what is not text is refused with its place", "[config]") {
  CHECK(errors_of(std::string("a: 1\nb: \0x\n", 11)) == Lines{"a NUL byte (c.yaml:2:4)"});
  CHECK(errors_of("a: 1\nb: \x01\n") == Lines{"a control character (c.yaml:2:4)"});
  CHECK(errors_of("a: 1\nb: x\xFF\n") == Lines{"not UTF-8 (c.yaml:2:5)"});
  CHECK(errors_of("\xC3") == Lines{"not UTF-8 (c.yaml:1:1)"});
  CHECK(errors_of("a: \xE2\x82\n") == Lines{"not UTF-8 (c.yaml:1:4)"});
  CHECK(errors_of("a: \xC3\xA4\xC3\n") == Lines{"not UTF-8 (c.yaml:1:6)"});
  CHECK(errors_of("a: \"x\\0y\"\n") ==
        Lines{"'a': the value has a control character (c.yaml:1:1)"});
}

TEST_CASE("yaml reader: more than 1 MiB is refused, 1 MiB is not", "[config]") {
  std::string text = "a: 1\n#";
  text.resize(kMaxConfigFileBytes, 'x');
  CHECK(entries_of(text) == Lines{"a=1@1:1"});
  CHECK(errors_of(text + "x") ==
        Lines{"the file has 1048577 bytes; at most 1 MiB is read (c.yaml:1:1)"});
}

TEST_CASE("yaml reader: tabs in the indentation are all named", "[config]") {
  CHECK(errors_of("a:\n\tb: 1\n  c: 2\n \td: 3\n\t# fine\n") ==
        Lines{"a tab in the indentation; YAML takes blanks only (c.yaml:2:1)",
              "a tab in the indentation; YAML takes blanks only (c.yaml:4:2)"});
}

TEST_CASE("yaml reader: bad indentation is refused with its line", "[config]") {
  for (const std::string text :
       {"a: 1\n  b: 2\n", "a:\n    b: 1\n  c: 2\n", "a:\n  b: 1\n   c: 2\n"}) {
    INFO(text);
    const Lines errors = errors_of(text);
    REQUIRE_FALSE(errors.empty());
    CHECK((errors[0].find("(c.yaml:2:") != std::string::npos ||
           errors[0].find("(c.yaml:3:") != std::string::npos));
  }
}

TEST_CASE("yaml reader: what is no single map of texts is refused", "[config]") {
  struct Row {
    std::string text;
    std::string begins;
  };
  const std::vector<Row> rows = {
      {"a: 1\n---\nb: 2\n", "a second document"},
      {"- a\n- b\n", "expected lines of the form key: value"},
      {"just words\n", "expected lines of the form key: value"},
      {"? [a, b]\n: c\n", "a key that is not a text"},
      {"~: c\n", "a key that is not a text"},
      {"a: !java x\n", "the value needs quotes"},
      {"a:\n  b: !java x\n", "a tag"},
      {std::string(500, '[') + "\n", "nested deeper than 32"},
      {std::string(100000, '{') + "\n", "nested deeper than 32"},
      {std::string(300, 'k') + ": 1\n", "a key is longer than 256 bytes"},
      {"a: [1, 2\n", ""},
      {"a:\n  b: 'x\n  c: 1\n", "a quote that is not closed (c.yaml:2:6)"},
      {"a: \"x\n   y\nb: 1\n", "a quote that is not closed (c.yaml:1:4)"},
      {"a: *nowhere\n", ""},
  };
  for (const Row& row : rows) {
    INFO(row.text.substr(0, 40));
    const Lines errors = errors_of(row.text);
    REQUIRE_FALSE(errors.empty());
    CHECK(errors[0].find(row.begins) == 0);
    CHECK(errors[0].find("(c.yaml:") != std::string::npos);
  }
}

TEST_CASE("yaml reader: a line of Flink's old parser is shown put right", "[config]") {
  struct Row {
    std::string line;
    std::string put_right;
  };
  const std::vector<Row> rows = {
      {"a.b: @home", "a.b: \"@home\""},
      {"a.b: %x", "a.b: \"%x\""},
      {"a.b: `x`", "a.b: \"`x`\""},
      {"a.b: *.log", "a.b: \"*.log\""},
      {"a.b: &x", "a.b: \"&x\""},
      {"a.b: !x", "a.b: \"!x\""},
      {"a.b: x: y", "a.b: \"x: y\""},
      {"a.b: [x", "a.b: \"[x\""},
      {"a.b: {x", "a.b: \"{x\""},
      {"a.b: x}: y", "a.b: \"x}: y\""},
      {"a.b: \"x\" y", "a.b: '\"x\" y'"},
      {"a.b: 'x' it", "a.b: \"'x' it\""},
      {"a.b: @x\\y", "a.b: '@x\\y'"},
      {"a.b: @x  # why", "a.b: \"@x\"  # why"},
      {"a.b:4", "a.b: 4"},
      {"a.b:@4", "a.b: \"@4\""},
  };
  for (const Row& row : rows) {
    INFO(row.line);
    const ConfigFile file = read("x.y: 1\n" + row.line + "\nz: 2\n");
    REQUIRE(file.errors.size() == 1);
    CHECK(file.errors[0].message.find("write: " + row.put_right) != std::string::npos);
    CHECK(file.errors[0].message.size() ==
          file.errors[0].message.find("write: ") + 7 + row.put_right.size());
    CHECK(file.errors[0].where.find("c.yaml:2:") == 0);
    // The line as shown must be one that is read.
    CHECK(read("x.y: 1\n" + row.put_right + "\nz: 2\n").errors.empty());
  }
}

TEST_CASE("yaml reader: values over several lines are not taken for old lines", "[config]") {
  CHECK(entries_of("a: [1,\n  2]\nb: \"x\n  y\"\nc: |\n  text\nd: {k: [\n]}\n") ==
        Lines{"a=[1, 2]@1:1", "b=x y@3:1", "c=text\n@5:1", "d.k=[]@7:5"});
}

TEST_CASE("yaml reader: a line with an alias is not taken for an old line", "[config]") {
  CHECK(errors_of("a: &x 5\nb: *x\nc: [1, *x]\nd: @y\n") ==
        Lines{"the value needs quotes in YAML; write: d: \"@y\" (c.yaml:4:4)"});
}

TEST_CASE("yaml reader: every wrong line of a file is reported", "[config]") {
  const Lines errors = errors_of("a: @x\nb: 1\nb: 2\nc: 'x\nd:\ne: %y\nf: ]\ng: 4\ng: 5\n");
  std::vector<int> lines;
  for (const std::string& error : errors) {
    const std::string place = error.substr(error.rfind("c.yaml:") + 7);
    lines.push_back(std::stoi(place.substr(0, place.find(':'))));
  }
  CHECK(lines == std::vector<int>{1, 3, 4, 5, 6, 7, 9});
}

TEST_CASE("yaml reader: the value of a secret is not shown when its line is wrong", "[config]") {
  for (const std::string text :
       {"s3.secret-key: @hunter2\n", "my.password:hunter2\n", "ssl.Token: x: hunter2\n"}) {
    INFO(text);
    const ConfigFile file = read(text);
    REQUIRE(file.errors.size() == 1);
    CHECK(file.errors[0].message.find("hunter2") == std::string::npos);
    CHECK(file.errors[0].message.find("******") != std::string::npos);
  }
}

TEST_CASE("yaml reader: a file cut short anywhere is read or refused, never more", "[config]") {
  const std::string text =
      "a.b: \"x\\u00e4 y\"\nc:\n  d: [1, 'two', {k: v}]\n  e: &x |\n    t\n  f: *x\n\xEF\xBB\xBFg: "
      "!!str 5\nh: @x # y\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const ConfigFile file = read(text.substr(0, length));
    for (const ConfigEntry& entry : file.entries) CHECK(is_valid_utf8(entry.value));
    for (const Error& error : file.errors) CHECK(error.code == ErrorCode::config);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char byte : {'\0', '\t', '\n', ':', '[', '{', '"', '\xFF', '*', '-'}) {
      std::string damaged = text;
      damaged[i] = byte;
      for (const Error& error : read(damaged).errors) CHECK(error.where.find("c.yaml:") == 0);
    }
  }
}

}  // namespace
}  // namespace streamrun

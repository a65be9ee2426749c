#include <streamrun/connectors/file/file_sink.h>

#include <cstdint>
#include <limits>

#include <catch2/catch.hpp>

namespace streamrun::test {
namespace {

struct Row {
  std::string word;
  std::int64_t count = 0;
};
void to_line(std::string& out, const Row& row) {
  out += row.word + "," + std::to_string(row.count);
}
struct Opaque {};

static_assert(SinkOf<FileSink, Row>);
static_assert(LineWritable<Row> && LineWritable<double> && !LineWritable<Opaque>);

template <typename T>
std::string line_of(const T& record) {
  std::string line = "before ";
  LineFormat<T>::append(line, record);
  return line;
}

TEST_CASE("line format: strings, numbers and types with to_line are appended", "[connectors]") {
  CHECK(line_of(std::string("text")) == "before text");
  CHECK(line_of(Row{.word = "word", .count = 7}) == "before word,7");
  CHECK(line_of(std::numeric_limits<std::int64_t>::min()) == "before -9223372036854775808");
  CHECK(line_of(0.1) == "before 0.1");
  CHECK(line_of(std::numeric_limits<double>::denorm_min()) == "before 5e-324");
}

}  // namespace
}  // namespace streamrun::test

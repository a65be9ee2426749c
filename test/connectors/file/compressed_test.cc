#include <streamrun/connectors/file/file_source.h>

#include <algorithm>

#include <zlib.h>
#include <zstd.h>

#include "temporary_folder.h"

namespace streamrun::test {
namespace {

std::string gzip_of(std::string_view text) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string zstd_of(std::string_view text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  out.resize(::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

struct Format {
  std::string ending;
  std::string (*compress)(std::string_view);
};
const std::vector<Format> kFormats = {{".gz", gzip_of}, {".zst", zstd_of}};

std::vector<std::string> numbers(int count) {
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) lines.push_back(std::to_string(i));
  return lines;
}
std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string error_of(World& world, const FileSource& source) {
  try {
    SourceRun<std::string> run(world, source, 1);
    run.run_to_end();
    return run.failure ? run.failure->headline() : "";
  } catch (const ErrorException& thrown) {
    return thrown.error().headline();
  }
}

TEST_CASE("compressed source: several members are one text, cut anywhere", "[connectors]") {
  for (const Format& format : kFormats) {
    const TemporaryFolder folder;
    const std::string text = text_of(numbers(500)) + "the end";
    for (const std::size_t cut : {std::size_t{0}, std::size_t{5}, std::size_t{1000}, text.size()}) {
      folder.write("in" + format.ending, format.compress(text.substr(0, cut)) +
                                             format.compress("") +
                                             format.compress(text.substr(cut)));
      for (const std::uint64_t block_bytes : {1, 7, 100, 100'000}) {
        LocalWorld world(block_bytes);
        const FileSource source{
            .paths = {folder.path()}, .split_bytes = 10, .block_bytes = block_bytes};
        SourceRun<std::string> run(world, source, 2);
        run.run_to_end();
        std::vector<std::string> expected = numbers(500);
        expected.emplace_back("the end");
        INFO(format.ending << " cut at " << cut << ", blocks of " << block_bytes);
        REQUIRE(run.lines() == expected);
      }
    }
  }
}

TEST_CASE("compressed source: a restore after every block goes on with the next line",
          "[connectors]") {
  for (const Format& format : kFormats) {
    const TemporaryFolder folder;
    folder.write("in" + format.ending,
                 format.compress(text_of(numbers(60))) + format.compress("a\nb\n"));
    const FileSource source{.paths = {folder.path()}, .block_bytes = 20};
    LocalWorld world;
    SourceRun<std::string> run(world, source, 1);
    while (!run.ended()) {
      world.settle();
      run.poll(0);
      LocalWorld next_world;
      SourceRun<std::string> next(next_world, source, 1, run.snapshot());
      next.run_to_end();
      std::vector<std::string> all = run.lines();
      all.insert(all.end(), next.lines().begin(), next.lines().end());
      std::vector<std::string> expected = numbers(60);
      expected.insert(expected.end(), {"a", "b"});
      REQUIRE(all == expected);
    }
  }
}

TEST_CASE("compressed source: a file cut anywhere is an error, after the lines before it",
          "[connectors]") {
  for (const Format& format : kFormats) {
    const TemporaryFolder folder;
    const std::string whole = format.compress(text_of(numbers(50)));
    for (std::size_t length = 1; length < whole.size(); ++length) {
      folder.write("in" + format.ending, whole.substr(0, length));
      LocalWorld world;
      INFO(format.ending << " cut at " << length);
      REQUIRE(error_of(world, {.paths = {folder.path()}})
                  .starts_with("E-STORE-IO: the input file is not whole"));
    }
  }
}

TEST_CASE("compressed source: flipped bytes are an error or change nothing", "[connectors]") {
  const TemporaryFolder folder;
  const std::string whole = gzip_of(text_of(numbers(50)));
  for (std::size_t at = 10; at < whole.size(); ++at) {  // the header may hold anything
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    folder.write("in.gz", damaged);
    LocalWorld world;
    REQUIRE(error_of(world, {.paths = {folder.path()}})
                .starts_with("E-STORE-IO: the input file is not whole gzip"));
  }
}

TEST_CASE("compressed source: zeros after the last member are no text", "[connectors]") {
  const TemporaryFolder folder;
  folder.write("in.gz", gzip_of("a\n") + std::string(512, '\0'));
  LocalWorld world;
  SourceRun<std::string> run(world, FileSource{.paths = {folder.path()}}, 1);
  run.run_to_end();
  CHECK(run.lines() == std::vector<std::string>{"a"});
}

TEST_CASE("compressed source: a text shorter than what was read of it is lost", "[connectors]") {
  const TemporaryFolder folder;
  const std::string text = text_of(numbers(50));
  folder.write("in.gz", gzip_of(text));
  const FileSource source{.paths = {folder.path()}, .block_bytes = 50};
  LocalWorld world;
  SourceRun<std::string> run(world, source, 1);
  world.settle();
  run.poll(0);
  const SourceState state = run.snapshot();
  folder.write("in.gz", gzip_of("short\n") + std::string(1000, '\0'));
  LocalWorld next_world;
  SourceRun<std::string> next(next_world, source, 1, state);
  try {
    next.run_to_end();
    FAIL("the text is gone");
  } catch (const ErrorException& thrown) {
    CHECK(thrown.error().headline().starts_with(
        "E-SOURCE-LOST: the text of the input file has only 6 bytes"));
  }
}

}  // namespace
}  // namespace streamrun::test

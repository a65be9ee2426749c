// real_store ENDPOINT BUCKET: the client against a store that is not ours, by the real network.
// Says what differs, and ends with the number of differences. Keys come from AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY.
#include <streamrun/platform/curl/curl_transport.h>
#include <streamrun/platform/process_table.h>
#include <streamrun/platform/real_clock.h>
#include <streamrun/storage/s3/s3_file_system.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace streamrun {
namespace {

int differences = 0;

void expect(bool holds, const std::string& what) {
  std::printf("%s: %s\n", holds ? "right" : "WRONG", what.c_str());
  if (!holds) ++differences;
}

template <typename T>
bool is(const Result<T>& result, const T& wanted) {
  if (!result)
    std::printf("  %s: %s\n", result.error().headline().c_str(), result.error().why.c_str());
  return result && *result == wanted;
}

bool is_done(const Result<void>& result) {
  if (!result)
    std::printf("  %s: %s\n", result.error().headline().c_str(), result.error().why.c_str());
  return result.has_value();
}

template <typename T>
bool fails(const Result<T>& result, ErrorCode code) {
  if (!result && result.error().code != code)
    std::printf("  %s: %s\n", result.error().headline().c_str(), result.error().why.c_str());
  return !result && result.error().code == code;
}

Result<void> write(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::unique_ptr<WritableFile> file = SR_TRY(files.create(path));
  SR_TRY(file->append(bytes));
  SR_TRY(file->sync());
  return file->close();
}

std::string numbered(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 65'521);
  return bytes;
}

std::string listed(FileSystem& files, const std::string& folder) {
  std::string text;
  const Result<std::vector<FileStatus>> found = files.list(folder);
  if (!found) return found.error().headline();
  for (const FileStatus& status : *found) {
    text += base_name(status.path);
    text += status.kind == FileKind::directory ? "/ " : " ";
  }
  return text;
}

void try_names(FileSystem& files, const std::string& root) {
  expect(is(files.create_directory(root), true), "a folder is made");
  expect(is(files.create_directory(root), false), "and is there then");
  expect(fails(files.status(root + "/none"), ErrorCode::path), "a file that is not there");
  expect(fails(files.open(root + "/none"), ErrorCode::path), "is not opened");
  expect(fails(files.list(root + "/none"), ErrorCode::path), "nor listed");
  expect(fails(files.status("s3://no-such-bucket-here/f"), ErrorCode::path), "no such bucket");
  expect(fails(write(files, "s3://no-such-bucket-here/f", "x"), ErrorCode::path), "nor written");
  for (const std::string name : {"plain", "a b+c&d=e%41~*'()", "\u00fc\u1234", "chk-1/_metadata"}) {
    const std::string path = root + "/" + name;
    expect(is_done(write(files, path, name)), "written: " + name);
    expect(is(files.read_all(path, 100), name), "read: " + name);
    expect(fails(write(files, path, "again"), ErrorCode::store_io), "taken: " + name);
    expect(is(files.read_all(path, 100), name), "as before: " + name);
  }
  const std::string content = listed(files, root);
  expect(content == "a b+c&d=e%41~*'() chk-1/ plain \u00fc\u1234 ", "the listing: " + content);
  expect(is_done(write(files, root + "/empty", "")), "an empty file is written");
  expect(is(files.read_all(root + "/empty", 0), std::string()), "and read");
  expect(fails(files.open(root + "/chk-1"), ErrorCode::store_io), "a folder is no file");
  const Result<FileStatus> status = files.status(root + "/plain");
  expect(status && status->size == 5 && status->modified_unix_milliseconds > 1'600'000'000'000,
         "size and time of a file");
}

void try_steps(FileSystem& files, const std::string& root) {
  expect(is(files.publish(root, "meta", "one", "a"), true), "published");
  expect(is(files.publish(root, "meta", "two", "b"), false), "not again");
  expect(is(files.read_all(root + "/meta", 10), std::string("one")), "and as it was");
  expect(is(files.rename_no_replace(root + "/plain", root + "/meta"), false), "no rename replaces");
  expect(is(files.rename_no_replace(root + "/a b+c&d=e%41~*'()", root + "/moved +"), true),
         "a rename");
  expect(is(files.read_all(root + "/moved +", 100), std::string("a b+c&d=e%41~*'()")),
         "moves the bytes");
  expect(is(files.remove_directory(root + "/chk-1"), false), "a folder with a file stays");
  expect(is(files.remove_file(root + "/chk-1/_metadata"), true), "a file is removed");
  expect(is(files.remove_file(root + "/chk-1/_metadata"), false), "once");
  expect(is(files.create_directory(root + "/chk-2"), true), "a new folder");
  expect(listed(files, root + "/chk-2").empty(), "holds nothing");
  expect(is(files.exists(root + "/chk-2"), true), "and is there");
  expect(is(files.remove_directory(root + "/chk-2"), true), "is removed");
  expect(is(files.exists(root + "/chk-2"), false), "and is not there any more");
  auto lock = files.lock(root + "/.lock", "note");
  expect(lock.has_value() && files.lock(root + "/.lock", "other").error().code == ErrorCode::lock,
         "a lock has one holder");
}

void try_large(FileSystem& files, const std::string& root) {
  const std::string bytes = numbered((std::size_t{21} << 20U) + 3);
  expect(is_done(write(files, root + "/large", bytes)), "21 MiB in parts");
  const Result<std::string> read = files.read_all(root + "/large", bytes.size());
  expect(read && *read == bytes, "come back");
  expect(fails(write(files, root + "/large", bytes), ErrorCode::store_io),
         "a taken name, in parts");
  expect(is(files.rename_no_replace(root + "/large", root + "/large-2"), true),
         "is renamed in parts");
  const Result<std::string> moved = files.read_all(root + "/large-2", bytes.size());
  expect(moved && *moved == bytes, "and comes back again");
}

int run(const std::string& endpoint, const std::string& bucket) {
  const auto transport = make_curl_transport();
  const auto processes = make_process_table();
  RealClock clock;
  RealRandom random;
  S3Settings settings;
  settings.endpoint = endpoint;
  settings.path_style = true;
  settings.credentials = {.access_key = std::getenv("AWS_ACCESS_KEY_ID"),
                          .secret_key = std::getenv("AWS_SECRET_ACCESS_KEY")};
  settings.most_copy_bytes = std::uint64_t{16} << 20U;
  settings.copy_part_bytes = std::uint64_t{6} << 20U;
  const auto files = make_s3_file_system(settings, *transport, random, clock, *processes);
  const std::string root = "s3://" + bucket + "/" + random.uuid();
  try_names(*files, root);
  try_steps(*files, root);
  try_large(*files, root);
  settings.credentials.secret_key = "wrong";
  const auto strangers = make_s3_file_system(settings, *transport, random, clock, *processes);
  const Result<FileStatus> refused = strangers->status(root + "/plain");
  std::printf("a wrong key: %s\n", refused ? "taken" : refused.error().headline().c_str());
  return differences;
}

}  // namespace
}  // namespace streamrun

int main(int count, char** arguments) {
  if (count != 3) return 64;
  return streamrun::run(arguments[1], arguments[2]);
}

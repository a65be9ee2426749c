#include <streamrun/storage/owner_lock.h>
#include <streamrun/storage/s3/s3_file_system.h>

#include <algorithm>
#include <utility>

#include "s3_copy.h"
#include "s3_objects.h"
#include "s3_reader.h"
#include "s3_uri.h"
#include "s3_writer.h"
#include "transfer_budget.h"

namespace streamrun {
namespace {

Error not_there(const S3Place& place) {
  return {
      .code = ErrorCode::path, .message = "there is no such file or folder", .where = place.path};
}

Error is_folder(const S3Place& place, std::string_view what) {
  return {.code = ErrorCode::store_io,
          .message = "cannot " + std::string(what) + " a folder as a file",
          .where = place.path,
          .retry = Retry::no};
}

Error is_file(const S3Place& place) {
  return {.code = ErrorCode::path,
          .message = "cannot create the folder: a file has its name",
          .where = place.path,
          .retry = Retry::no};
}

/// The object that stands for an empty folder.
S3Place marker_of(S3Place place) {
  if (!place.key.empty()) place.key += '/';
  return place;
}

FileStatus folder_status(std::string path) {
  return {.path = std::move(path), .kind = FileKind::directory};
}

FileStatus file_status(const S3Place& place, const S3ObjectInfo& info) {
  return {.path = place.path,
          .kind = FileKind::file,
          .size = info.size,
          .modified_unix_milliseconds = info.modified_unix_milliseconds,
          .identity = place.bucket + "/" + place.key};
}

class S3FileSystem final : public FileSystem {
 public:
  S3FileSystem(S3Settings settings, StoreTransport& transport, Random& random, const Clock& clock,
               const ProcessTable& processes)
      : budget_(settings.most_transfer_bytes),
        client_(std::move(settings), transport, random, clock),
        objects_(client_),
        processes_(processes) {}

  Result<std::string> canonical(const std::string& path) const override {
    const S3Place place = SR_TRY(place_in_bucket(path));
    const std::string bucket = "s3://" + place.bucket;
    return place.key.empty() ? bucket : join_path(bucket, place.key);
  }

  Result<FileStatus> status(const std::string& path) override {
    const S3Place place = SR_TRY(place_of(path));
    if (place.bucket.empty()) return folder_status(path);
    if (place.key.empty()) {
      SR_TRY(objects_.head_bucket(place));
      return folder_status(path);
    }
    if (const auto info = SR_TRY(objects_.head(place))) return file_status(place, *info);
    if (SR_TRY(holds_anything(place))) return folder_status(path);
    return not_there(place);
  }

  Result<std::vector<FileStatus>> list(const std::string& directory) override {
    const S3Place place = SR_TRY(place_in_bucket(directory));
    const std::string prefix = marker_of(place).key;
    S3Listing listing = SR_TRY(objects_.list(place, prefix, std::nullopt));
    const bool is_empty = listing.objects.empty() && listing.common_prefixes.empty();
    if (is_empty && !place.key.empty() && !SR_TRY(has_marker(place))) return not_there(place);
    return entries_of(listing, place, prefix);
  }

  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override {
    const S3Place place = SR_TRY(place_in_bucket(path));
    if (place.key.empty()) {
      SR_TRY(objects_.head_bucket(place));
      return is_folder(place, "open");
    }
    return open_s3_object(objects_, budget_, place);
  }
  Result<std::unique_ptr<ReadableFile>> open_no_follow(const std::string& path) override {
    return open(path);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    S3Place place = SR_TRY(place_in_bucket(path));
    if (place.key.empty()) return is_folder(place, "create");
    return create_s3_object(objects_, budget_, std::move(place));
  }

  Result<bool> create_directory(const std::string& path) override {
    const S3Place place = SR_TRY(place_of(path));
    if (place.bucket.empty()) return false;
    if (place.key.empty()) {
      SR_TRY(objects_.head_bucket(place));
      return false;
    }
    if (SR_TRY(objects_.head(place))) return is_file(place);
    if (!SR_TRY(objects_.put_new(marker_of(place), ""))) return false;
    // Files that were copied here came without a marker: this folder is not new.
    return !SR_TRY(holds_more_than_marker(place));
  }

  Result<bool> rename_no_replace(const std::string& from, const std::string& to) override {
    const S3Place source = SR_TRY(place_in_bucket(from));
    const S3Place target = SR_TRY(place_in_bucket(to));
    if (SR_TRY(objects_.head(target))) return false;
    const std::optional<S3ObjectInfo> info = SR_TRY(objects_.head(source));
    if (!info) {
      const FileStatus found = SR_TRY(status(from));
      return found.kind == FileKind::directory ? is_folder(source, "rename") : not_there(source);
    }
    SR_TRY(copy_object(objects_, source, *info, target));
    const std::optional<S3ObjectInfo> copy = SR_TRY(objects_.head(target));
    if (!copy || copy->size != info->size) {
      return Error{.code = ErrorCode::store_io,
                   .message = "the copy of the object is not as long as the object: it stays",
                   .where = from};
    }
    SR_TRY(objects_.remove(source));
    return true;
  }

  Result<bool> remove_file(const std::string& path) override {
    const S3Place place = SR_TRY(place_in_bucket(path));
    const Result<FileStatus> found = status(path);
    if (!found && found.error().code == ErrorCode::path) return false;
    if (!found) return found.error();
    if (found->kind != FileKind::file) return is_folder(place, "remove");
    SR_TRY(objects_.remove(place));
    return true;
  }

  Result<bool> remove_directory(const std::string& path) override {
    const S3Place place = SR_TRY(place_in_bucket(path));
    if (place.key.empty()) return false;
    const S3Place marker = marker_of(place);
    const S3Listing listing = SR_TRY(objects_.list(place, marker.key, 2));
    const bool lists_marker = !listing.objects.empty() && listing.objects.front().key == marker.key;
    const std::size_t entries = listing.objects.size() + listing.common_prefixes.size();
    if (entries > (lists_marker ? 1 : 0)) return false;
    if (!lists_marker && !SR_TRY(has_marker(place))) {
      if (!SR_TRY(objects_.head(place))) return false;
      return Error{.code = ErrorCode::path,
                   .message = "cannot remove the folder: it is a file",
                   .where = path,
                   .retry = Retry::no};
    }
    SR_TRY(objects_.remove(marker));
    return true;
  }

  Result<void> sync_directory(const std::string& path) override {
    SR_TRY(parse_s3_uri(path));
    return {};
  }

  Result<std::unique_ptr<FolderLock>> lock(const std::string& path,
                                           std::string_view note) override {
    return lock_by_owner_file(*this, processes_, path, note);
  }
  Result<std::optional<std::string>> lock_holder(const std::string& path) override {
    return holder_of_owner_file(*this, processes_, path);
  }

  Result<bool> publish(const std::string& directory, const std::string& name,
                       std::string_view bytes, const std::string&) override {
    const S3Place place = SR_TRY(place_in_bucket(join_path(directory, name)));
    return objects_.put_new_bytes(place, bytes);
  }

 private:
  static Result<S3Place> place_of(const std::string& path) {
    S3Uri uri = SR_TRY(parse_s3_uri(path));
    return S3Place{.bucket = std::move(uri.bucket), .key = std::move(uri.key), .path = path};
  }
  static Result<S3Place> place_in_bucket(const std::string& path) {
    S3Place place = SR_TRY(place_of(path));
    if (!place.bucket.empty()) return place;
    return Error{.code = ErrorCode::usage,
                 .message = "the path names no bucket: it is s3://bucket/key",
                 .where = path,
                 .retry = Retry::no};
  }

  Result<bool> holds_anything(const S3Place& place) {
    const S3Listing listing = SR_TRY(objects_.list(place, marker_of(place).key, 1));
    if (!listing.objects.empty() || !listing.common_prefixes.empty()) return true;
    return has_marker(place);
  }

  /// Not all stores list a folder's own object.
  Result<bool> has_marker(const S3Place& place) {
    return SR_TRY(objects_.head(marker_of(place))).has_value();
  }

  Result<bool> holds_more_than_marker(const S3Place& place) {
    const std::string marker = marker_of(place).key;
    const S3Listing listing = SR_TRY(objects_.list(place, marker, 2));
    const bool has_others =
        std::any_of(listing.objects.begin(), listing.objects.end(),
                    [&marker](const S3ListedObject& object) { return object.key != marker; });
    return has_others || !listing.common_prefixes.empty();
  }

  static std::vector<FileStatus> entries_of(const S3Listing& listing, const S3Place& place,
                                            const std::string& prefix) {
    std::vector<FileStatus> entries;
    for (const S3ListedObject& object : listing.objects) {
      if (!object.key.starts_with(prefix) || object.key.size() == prefix.size()) continue;
      const S3Place entry{.bucket = place.bucket,
                          .key = object.key,
                          .path = join_path(place.path, object.key.substr(prefix.size()))};
      entries.push_back(file_status(
          entry,
          {.size = object.size, .modified_unix_milliseconds = object.modified_unix_milliseconds}));
    }
    for (const std::string& folder : listing.common_prefixes) {
      if (!folder.starts_with(prefix) || folder.size() <= prefix.size() + 1) continue;
      const std::string name = folder.substr(prefix.size(), folder.size() - prefix.size() - 1);
      entries.push_back(folder_status(join_path(place.path, name)));
    }
    std::sort(entries.begin(), entries.end(),
              [](const FileStatus& a, const FileStatus& b) { return a.path < b.path; });
    return entries;
  }

  TransferBudget budget_;
  S3Client client_;
  S3Objects objects_;
  const ProcessTable& processes_;
};

}  // namespace

std::unique_ptr<FileSystem> make_s3_file_system(S3Settings settings, StoreTransport& transport,
                                                Random& random, const Clock& clock,
                                                const ProcessTable& processes) {
  return std::make_unique<S3FileSystem>(std::move(settings), transport, random, clock, processes);
}

}  // namespace streamrun

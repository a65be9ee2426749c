#include <streamrun/state/rocksdb/rocksdb_settings.h>

#include <cstdint>
#include <string>

#include <catch2/catch.hpp>

#include "rocksdb_options.h"

namespace streamrun {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

TEST_CASE("rocksdb settings: all that is kept in memory stays within the budget", "[state]") {
  for (const double ratio : {0.0, 0.1, 0.5, 1.0}) {
    const RocksDbMemory shares = shares_of(512 * kMiB, ratio);
    INFO(ratio);
    CHECK(shares.rows == 128 * kMiB);
    // Write buffers may take half as much again before they are all on the disk.
    CHECK(shares.rows + shares.block_cache + shares.write_buffers / 2 <= 512 * kMiB);
    CHECK(shares.write_buffers <= shares.block_cache);
  }
  CHECK(shares_of(512 * kMiB, 0.5).write_buffers == 128 * kMiB);
  CHECK(shares_of(512 * kMiB, 0.5).block_cache == 320 * kMiB);
}

TEST_CASE("rocksdb settings: databases share one cache and one limit for write buffers",
          "[state]") {
  RocksDbSettings settings;
  settings.memory = 64 * kMiB;
  const SharedMemory shared = make_shared_memory(settings);
  REQUIRE(shared.block_cache != nullptr);
  CHECK(shared.block_cache->GetCapacity() == 40 * kMiB);
  CHECK(shared.write_buffers->buffer_size() == 16 * kMiB);
  CHECK(shared.write_buffers->cost_to_cache());
  CHECK(database_options(settings, shared).write_buffer_manager == shared.write_buffers);
  settings.memory.reset();
  const SharedMemory nothing = make_shared_memory(settings);
  CHECK(nothing.block_cache == nullptr);
  CHECK(nothing.write_buffers == nullptr);
}

TEST_CASE("rocksdb settings: what is set counts more than what is predefined", "[state]") {
  RocksDbSettings settings;
  CHECK(column_family_options(settings, {}).write_buffer_size == 64 * kMiB);
  CHECK(column_family_options(settings, {}).max_write_buffer_number == 2);
  CHECK(database_options(settings, {}).max_background_jobs == 2);
  settings.predefined = RocksDbPredefined::spinning_disk_optimized_high_mem;
  settings.write_buffer_count = 3;
  const rocksdb::ColumnFamilyOptions options = column_family_options(settings, {});
  CHECK(options.max_write_buffer_number == 3);
  CHECK(options.min_write_buffer_number_to_merge == 3);
  CHECK(options.level_compaction_dynamic_level_bytes);
  CHECK(options.target_file_size_base == 256 * kMiB);
  CHECK(database_options(settings, {}).max_background_jobs == 4);
  settings.predefined = RocksDbPredefined::flash_ssd_optimized;
  settings.threads = 1;
  CHECK(database_options(settings, {}).max_background_jobs == 1);
}

TEST_CASE("rocksdb settings: the last compression is that of all further levels", "[state]") {
  RocksDbSettings settings;
  settings.compression_per_level = {"NO_COMPRESSION", "LZ4_COMPRESSION"};
  const auto levels = column_family_options(settings, {}).compression_per_level;
  REQUIRE(levels.size() >= 3);
  CHECK(levels[0] == rocksdb::kNoCompression);
  CHECK(levels[1] == rocksdb::kLZ4Compression);
  CHECK(levels.back() == rocksdb::kLZ4Compression);
  CHECK(is_rocksdb_compression("SNAPPY_COMPRESSION"));
  CHECK_FALSE(is_rocksdb_compression("XPRESS_COMPRESSION"));
}

}  // namespace
}  // namespace streamrun

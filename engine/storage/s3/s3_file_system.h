#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/process_table.h>
#include <streamrun/platform/random.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/storage/s3/s3_settings.h>

#include <memory>

namespace streamrun {

/// A `FileSystem` on an object store that speaks S3's REST API, for paths `s3://bucket/key` (and
/// s3a, s3p, which mean the same). What differs from a disk:
/// - A folder is what keys have in common, or an empty object `key/` that `create_directory` makes:
///   that one is exclusive, so of two runners one gets a name. A bucket is a folder that has to be
///   there.
/// - A file appears whole at `sync` or `close`; only then a taken name shows.
/// - `publish` is one PUT with `If-None-Match: *`. Before the first write to a bucket it is tried
///   whether the store keeps that condition.
/// - A rename is a copy inside the store and a removal; between the look at the new name and the
///   copy another one may take it. All that use it give files names that carry the hash of their
///   content or that nobody else has, so that race does no harm. A crash in between leaves both
///   names, and the next rename says `false`.
/// - What is written is durable and visible at once: `sync_directory` has nothing to do.
/// Errors are those of `FileSystem`, E-UNAVAILABLE with the host's name, E-CONF for a bucket in
/// another region, E-USAGE for a path of another form. All arguments outlive it. Blocks.
std::unique_ptr<FileSystem> make_s3_file_system(S3Settings settings, StoreTransport& transport,
                                                Random& random, const Clock& clock,
                                                const ProcessTable& processes);

}  // namespace streamrun

#pragma once

#include <streamrun/base/result.h>

#include "s3_objects.h"

namespace streamrun {

/// Makes a copy of the object `from`, which is as `info` says, inside the store: in one step up to
/// S3's bound for that, else in parts. What was under `to` is replaced. Fails if `from` has changed
/// meanwhile.
Result<void> copy_object(S3Objects& objects, const S3Place& from, const S3ObjectInfo& info,
                         const S3Place& to);

}  // namespace streamrun

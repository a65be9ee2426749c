#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>

#include "s3_objects.h"
#include "transfer_budget.h"

namespace streamrun {

/// Opens an object: one exchange, which brings the whole of a small one. Where only names below
/// `place` are there it is a folder: E-STORE-IO. Reads come as pieces of windows (8 MiB, the next
/// one on its way while one is read front to back); all are of the very object that was opened, or
/// fail. An object that was removed meanwhile is gone: E-PATH. `objects` and `budget` outlive it.
Result<std::unique_ptr<ReadableFile>> open_s3_object(S3Objects& objects, TransferBudget& budget,
                                                     const S3Place& place);

}  // namespace streamrun

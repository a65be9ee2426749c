#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>

#include "s3_objects.h"
#include "transfer_budget.h"

namespace streamrun {

/// A new object. Nothing is to be seen of it before `sync` or `close`, whichever comes first, and
/// that call fails with E-STORE-IO if the name is taken by then. Up to one part of bytes waits in
/// memory and goes as one PUT; a longer file goes as a multipart upload, several parts at a time.
/// An upload that comes to nothing is aborted, also by the destructor (which then blocks for one
/// exchange); what a killed process leaves of one is not visible, and a lifecycle rule of the
/// bucket removes it. `objects` and `budget` outlive it.
std::unique_ptr<WritableFile> create_s3_object(S3Objects& objects, TransferBudget& budget,
                                               S3Place place);

}  // namespace streamrun

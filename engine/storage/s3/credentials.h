#pragma once

#include <streamrun/base/result.h>
#include <streamrun/storage/file_system.h>
#include <streamrun/storage/s3/s3_settings.h>

#include <map>
#include <string>

namespace streamrun {

/// Who to ask S3 as, found where Amazon's own tools look: what the configuration says; else
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else the profile AWS_PROFILE
/// (`default`) of the file AWS_SHARED_CREDENTIALS_FILE (`~/.aws/credentials`), read through
/// `files`. E-CONF that names the three ways if none of them has any, or one has only half; never
/// with a value in its text. Blocks.
Result<S3Credentials> find_s3_credentials(const S3Credentials& configured,
                                          const std::map<std::string, std::string>& environment,
                                          FileSystem& files);

}  // namespace streamrun

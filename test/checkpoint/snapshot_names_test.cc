#include <streamrun/checkpoint/snapshot_names.h>

#include <string>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

TEST_CASE("snapshot names: only the one spelling of a checkpoint's folder has an id",
          "[checkpoint]") {
  CHECK(checkpoint_id_of_name("chk-1") == 1);
  CHECK(checkpoint_id_of_name(checkpoint_folder_name(9007199254740991)) == 9007199254740991);
  for (const char* name :
       {"chk-", "chk-0", "chk-01", "chk-1x", "chk--1", "chk-+1", "Chk-1", "chk-1 ",
        "chk-9007199254740992", "chk-99999999999999999999", "xchk-1", ""}) {
    INFO(name);
    CHECK(!checkpoint_id_of_name(name));
  }
}

TEST_CASE("snapshot names: a job's folder is 32 lower-case hex digits", "[checkpoint]") {
  CHECK(job_id_of_name(std::string(32, '1')) == test::job_id(0x11));
  CHECK(!job_id_of_name(std::string(31, '1')));
  CHECK(!job_id_of_name(std::string(32, 'A')));
}

TEST_CASE("snapshot names: a savepoint is named after its job and chance", "[checkpoint]") {
  CHECK(savepoint_folder_name(test::job_id(0xab), "0123456789abcdef") ==
        "savepoint-ababab-0123456789ab");
}

TEST_CASE("snapshot names: temporary names are hidden ones with an attempt", "[checkpoint]") {
  CHECK(is_temporary_name("._metadata.tmp-abc"));
  CHECK(!is_temporary_name("_metadata.tmp-abc"));
  CHECK(!is_temporary_name(".lock"));
}

}  // namespace
}  // namespace streamrun

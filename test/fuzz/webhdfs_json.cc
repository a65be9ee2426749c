// What a name node or data node answers, as the client of HDFS takes it apart.
#include <string>

#include "fuzz_target.h"
#include "storage/hdfs/webhdfs_answer.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace streamrun;
  const std::string_view text = fuzz::text_of(data, size);
  if (const auto exception = remote_exception_in(text)) {
    fuzz::require(exception->message.find('\n') == std::string::npos,
                  "a message is one line of what was thrown");
  }
  const nlohmann::json document = parse_webhdfs_json(text);
  const auto status = file_status_of(document);
  const auto listing = listing_of(document);
  const auto boolean = boolean_of(document);
  const auto exception = remote_exception_of(document);
  const bool is_nothing = document.is_discarded() || !document.is_object();
  fuzz::require(!is_nothing || (!status && !listing && !boolean && !exception),
                "what is no document of WebHDFS is no answer");
  if (status) fuzz::require(is_same_file(*status, *status), "a file is itself");
  if (listing) {
    for (const WebHdfsStatus& entry : listing->entries) {
      fuzz::require(entry.name.find('/') == std::string::npos, "R3: no name leads elsewhere");
      fuzz::require(entry.name != ".." && entry.name != ".", "R3: no name leads up");
    }
  }
  return 0;
}

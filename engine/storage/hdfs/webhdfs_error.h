#pragma once

#include <streamrun/base/error.h>
#include <streamrun/platform/transport.h>

#include <string>
#include <string_view>

#include "webhdfs_answer.h"

namespace streamrun {

/// Where a URL leads, for messages: scheme, host and port, without path and query.
std::string server_of(std::string_view url);
/// Its host alone: how a name node is told to leave a data node out.
std::string host_of(std::string_view url);

/// The code that fits what the name node or data node threw.
Error error_of(const RemoteException& exception, const std::string& where);

/// The name is taken: the code and words of a local disk.
Error name_taken(const std::string& where);

/// E-UNAVAILABLE: not what WebHDFS answers.
Error nonsense(const std::string& server, const HttpResponse& response, const std::string& where);

/// No data node can be had for a new file: all are full, gone, or left out by the request.
bool means_no_data_node(const RemoteException& exception);
/// The same of those that have a block.
bool means_no_holder(const RemoteException& exception);
bool means_taken(const RemoteException& exception);
/// A data node had no answer from the name node: it may have acted or not.
bool means_cut_off(const RemoteException& exception);
/// Another name node may be active.
bool means_standby(const RemoteException& exception);
/// It has not acted, and may soon.
bool means_later(const RemoteException& exception);

}  // namespace streamrun

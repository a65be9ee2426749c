#pragma once

#include <streamrun/base/result.h>

#include <string_view>

#include <nlohmann/json.hpp>

namespace streamrun {

/// The document, without what a JSON library lets pass and an attacker may use: duplicate keys,
/// depth above 32, strings above 64 KiB (but for values under keys that end in `base64`), any
/// number that is not an integer within ±(2^53 - 1), more values than the length of an honest
/// document could hold. It stops at the first of these. UTF-8 and surrogates are checked by the
/// parser. E-META-CORRUPT with the offset.
Result<nlohmann::json> parse_checked_json(std::string_view text);

}  // namespace streamrun

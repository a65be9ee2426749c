#!/usr/bin/env bash
# Formats all of our C++, or the files that are named.
set -euo pipefail
if (($# > 0)); then
  exec clang-format-14 -i "$@"
fi
cd "$(dirname "$0")/.."
find cli engine jobs test \( -name '*.cc' -o -name '*.h' \) -print0 | xargs -0 clang-format-14 -i

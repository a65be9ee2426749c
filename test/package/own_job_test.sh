#!/usr/bin/env bash
# own_job_test.sh BUILD PROJECT: installs what is in BUILD, copies PROJECT outside the tree, builds it against the
# installed package, and runs its job.
set -euo pipefail
build=$1
project=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --prefix "$folder/installed" >"$folder/install.log"
cp -r "$project" "$folder/project"
cmake -S "$folder/project" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$folder/installed" >"$folder/configure.log"
cmake --build "$folder/build" >"$folder/build.log" || { cat "$folder/build.log" && exit 1; }

printf 'one\ntwo\nthree\n\nfive5\n' >"$folder/text"
result=$("$folder/build/own_job" run line-lengths --input "$folder/text" 2>"$folder/talk" | sort -n)
expected=$(printf '0 1\n3 2\n5 2')
if [[ $result != "$expected" ]]; then
  printf 'expected:\n%s\ngot:\n%s\ntalk:\n' "$expected" "$result"
  cat "$folder/talk"
  exit 1
fi
"$folder/installed/bin/streamrun" --version
echo "an outside project built and ran its own job"

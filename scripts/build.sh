#!/usr/bin/env bash
# Builds one flavour of streamrun, each in its own folder below build/.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: scripts/build.sh release|dev|tsan|crash|fuzz [TARGET…]
       scripts/build.sh tidy [BASE | --all]
  release  optimised, assertions on: build/release/streamrun
  dev      Debug with AddressSanitizer and UBSan, and the marks of crash, in build/dev
  tsan     Debug with ThreadSanitizer, in build/tsan
  crash    as release, and STREAMRUN_CRASH=NAME:K ends it at that mark: build/crash/streamrun
  fuzz     the fuzz targets with clang, libFuzzer, AddressSanitizer and UBSan: build/fuzz/test/fuzz/fuzz_NAME
  tidy     clang-format and clang-tidy over what changed since BASE (scripts/tidy.sh)
TEXT
}

flavour=${1:-release}
[[ $# -gt 0 ]] && shift
case $flavour in
  release) settings=(-DCMAKE_BUILD_TYPE=Release -DSTREAMRUN_SANITIZE=) ;;
  dev)
    settings=(-DCMAKE_BUILD_TYPE=Debug "-DSTREAMRUN_SANITIZE=address,undefined" -DCMAKE_UNITY_BUILD=ON
      -DSTREAMRUN_CRASHPOINTS=ON)
    ;;
  tsan) settings=(-DCMAKE_BUILD_TYPE=Debug -DSTREAMRUN_SANITIZE=thread -DCMAKE_UNITY_BUILD=ON) ;;
  crash) settings=(-DCMAKE_BUILD_TYPE=Release -DSTREAMRUN_SANITIZE= -DSTREAMRUN_CRASHPOINTS=ON) ;;
  fuzz)
    settings=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=clang++-14 -DSTREAMRUN_FUZZ=ON -DSTREAMRUN_WERROR=OFF)
    (($# > 0)) || set -- fuzzers
    ;;
  tidy) exec scripts/tidy.sh "$@" ;;
  -h | --help)
    usage
    exit
    ;;
  *)
    usage >&2
    exit 64
    ;;
esac

folder=build/$flavour
mkdir -p build
# CMake says what it found; nobody reads that when nothing is wrong.
if ! cmake -S . -B "$folder" -G Ninja "${settings[@]}" >"$folder.configure.log" 2>&1; then
  cat "$folder.configure.log" >&2
  exit 1
fi
targets=()
(($# > 0)) && targets=(--target "$@")
cmake --build "$folder" --parallel "$(nproc)" "${targets[@]}"
[[ ! $flavour =~ ^(release|crash)$ || $# -gt 0 ]] || echo "built $folder/streamrun"

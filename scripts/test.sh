#!/usr/bin/env bash
# What must hold before a change goes in: the linters over what changed, and the tests of the builds with
# AddressSanitizer and UBSan, with ThreadSanitizer (the tests that have threads), and of the release build. It stops at
# the first failure. With --quick only the linters and the release build.
# No test needs two builds: what looks at one unit runs with sanitizers, long searches without.
# STREAMRUN_LINT_BASE is the commit to compare with; without it, the one before the last.
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# > 1)) || [[ ${1:---quick} != --quick ]]; then
  echo "usage: scripts/test.sh [--quick]" >&2
  exit 64
fi
started=$SECONDS
say() {
  printf '\n== %d s: %s\n' $((SECONDS - started)) "$*"
}

# ThreadSanitizer wants its addresses where kernels with much randomisation do not leave them.
fixed_addresses=()
if setarch "$(uname -m)" --addr-no-randomize true 2>/dev/null; then
  fixed_addresses=(setarch "$(uname -m)" --addr-no-randomize)
fi

# run_tests FLAVOUR COMMAND… [-- CTEST OPTION…]: the tests of one build.
run_tests() {
  local flavour=$1 command=()
  shift
  while (($# > 0)) && [[ $1 != -- ]]; do
    command+=("$1")
    shift
  done
  (($# == 0)) || shift
  "${command[@]}" ctest --test-dir "build/$flavour" --output-on-failure --parallel "$(nproc)" "$@"
}

# What runs on several threads: the rest of the suite has one, and ThreadSanitizer nothing to say about it.
threaded_targets=(streamrun test_platform test_platform_curl test_state_threads test_operators test_connectors_file test_connectors_print
  test_connectors_generator test_runtime)
threaded_tests='^(platform|platform/curl|state/threads|operators|connectors/(file|print|generator)|runtime|e2e/wordcount|e2e/resume)$'

say "packages"
if [[ ${1:-} == --quick ]]; then
  scripts/install-packages.sh
else
  # Who may not install them does without Kafka, HDFS and S3: the tests that want one are skipped aloud.
  scripts/install-packages.sh --with-servers || scripts/install-packages.sh
fi
say "build: release"
if [[ ${1:-} == --quick ]]; then
  scripts/build.sh release
else
  scripts/build.sh release program_tests
fi
say "lint: what changed"
scripts/tidy.sh ${STREAMRUN_LINT_BASE:+"$STREAMRUN_LINT_BASE"}
if [[ ${1:-} != --quick ]]; then
  say "build: dev (AddressSanitizer, UBSan)"
  scripts/build.sh dev
  say "tests: dev"
  run_tests dev env
  say "build: tsan (ThreadSanitizer)"
  "${fixed_addresses[@]}" scripts/build.sh tsan "${threaded_targets[@]}"
  say "tests: tsan"
  run_tests tsan "${fixed_addresses[@]}" env -- --tests-regex "$threaded_tests"
fi
say "tests: release"
if [[ ${1:-} == --quick ]]; then
  run_tests release env
else
  run_tests release env -- --label-exclude unit
fi

#!/usr/bin/env bash
# Everything that must hold before a change goes in: three builds (release; AddressSanitizer with UBSan;
# ThreadSanitizer), the tests of each, and the linters over what changed. It stops at the first failure.
# STREAMRUN_LINT_BASE is the commit to compare with; without it, the one before the last.
set -euo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
say() {
  printf '\n== %d s: %s\n' $((SECONDS - started)) "$*"
}

# ThreadSanitizer wants its addresses where kernels with much randomisation do not leave them.
fixed_addresses=()
if setarch "$(uname -m)" --addr-no-randomize true 2>/dev/null; then
  fixed_addresses=(setarch "$(uname -m)" --addr-no-randomize)
fi

run_tests() {
  local flavour=$1
  shift
  "$@" ctest --test-dir "build/$flavour" --output-on-failure --parallel "$(nproc)"
}

say "packages"
scripts/install-packages.sh
say "build: release"
scripts/build.sh release
say "lint: what changed"
scripts/tidy.sh ${STREAMRUN_LINT_BASE:+"$STREAMRUN_LINT_BASE"}
say "build: dev (AddressSanitizer, UBSan)"
scripts/build.sh dev
say "tests: dev"
run_tests dev env
say "build: tsan (ThreadSanitizer)"
"${fixed_addresses[@]}" scripts/build.sh tsan
say "tests: tsan"
run_tests tsan "${fixed_addresses[@]}" env
say "tests: release"
run_tests release env

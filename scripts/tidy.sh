#!/usr/bin/env bash
# Checks with clang-format and clang-tidy what changed since BASE, the working tree included.
# Without BASE: since the commit before the last one. With --all: everything (5 to 25 s a file).
set -euo pipefail
cd "$(dirname "$0")/.."

usage='usage: scripts/tidy.sh [BASE | --all]'
database=build/release
base=${1:-}
case $base in
  -h | --help)
    echo "$usage"
    exit
    ;;
  --all | '') ;;
  -*)
    echo "$usage" >&2
    exit 64
    ;;
esac
if [[ -z $base ]]; then
  base=$(git rev-parse --verify --quiet 'HEAD~1^{commit}' || true)
  if [[ -z $base ]]; then
    echo "tidy: there is no earlier commit to compare with: checking everything"
    base=--all
  fi
fi

# Our C++ files that are there and changed, one a line; those that git does not know count as changed.
changed_files() {
  {
    if [[ $base == --all ]]; then
      git ls-files
    else
      git diff --name-only --diff-filter=d "$base"
    fi
    git ls-files --others --exclude-standard
  } | grep -E '^(cli|engine|jobs|test)/.*\.(cc|h)$' | sort -u | while read -r file; do
    [[ ! -e $file ]] || echo "$file"
  done
}

# clang-tidy reads a header through a file that includes it: its own .cc, else the first one found.
reader_of() {
  local header=$1
  local own=${header%.h}.cc
  if [[ -e $own ]]; then
    echo "$own"
  else
    grep -rlE --include='*.cc' "#include [<\"](.*/)?$(basename "$header")[>\"]" cli engine jobs test |
      sort | head -n 1 || true
  fi
}

mapfile -t files < <(changed_files || true)
if ((${#files[@]} == 0)); then
  echo "tidy: no C++ file changed"
  exit 0
fi
echo "tidy: clang-format over ${#files[@]} files"
clang-format-14 --dry-run -Werror "${files[@]}"

[[ -e $database/compile_commands.json ]] || scripts/build.sh release
mapfile -t units < <(
  for file in "${files[@]}"; do
    case $file in
      *.cc) echo "$file" ;;
      *) reader_of "$file" ;;
    esac
  done | sort -u | while read -r unit; do
    # What CMake does not build (yet) can't be read the way the compiler does.
    ! grep -qF "$PWD/$unit\"" "$database/compile_commands.json" || echo "$unit"
  done
)
# What it says of headers that did not change is not about this change.
only_changed=$(printf ',{"name":"%s"}' "${files[@]}")
echo "tidy: clang-tidy over ${#units[@]} files"
((${#units[@]} == 0)) || printf '%s\0' "${units[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p "$database" --line-filter="[${only_changed:1}]" \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument
echo "tidy: done"

#!/usr/bin/env bash
# The baselines of scripts/bench count words as tr, sort and uniq do. Arguments: the programs to check.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat /usr/share/common-licenses/* >"$folder/licenses"
{
  # Words of 15, 16, 17 and many bytes, bytes that are no ASCII, and an end without a newline.
  printf 'abcdefghijklmno ABCDEFGHIJKLMNOP abcdefghijklmnopq \xc3\xa9t\xc3\xa9 0@9AZ[`az{/: '
  head -c 300000 /dev/zero | tr '\0' 'Q'
  printf ' '
  head -c 65536 /dev/zero | tr '\0' ' '
  seq 100000
  printf 'end'
} >"$folder/odd"

export LC_ALL=C
for text in "$folder/licenses" "$folder/odd"; do
  tr -cs 'A-Za-z0-9' '\n' <"$text" | tr '[:upper:]' '[:lower:]' | sed '/^$/d' | sort | uniq -c |
    sed -E 's/^ *([0-9]+) (.*)/\2\t\1/' | sort >"$folder/expected"
  for program in "$@"; do
    "$program" "$text" | sort | cmp - "$folder/expected"
  done
done
echo "$# programs agree with sort and uniq"

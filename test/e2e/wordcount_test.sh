#!/usr/bin/env bash
# wordcount_test.sh BINARY: word counts of real text equal those of tr, sort and uniq, however the text comes.
set -euo pipefail
streamrun=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export LC_ALL=C
cd "$folder"

count() { tr -cs 'A-Za-z0-9' '\n' | tr '[:upper:]' '[:lower:]' | grep . | sort | uniq -c | awk '{ print $2 "\t" $1 }' | sort; }
check() {
  local what=$1 got=$2
  cmp "$got" expected || { echo "wrong counts: $what" && exit 1; }
  echo "right counts: $what"
}
run() { "$streamrun" run -q -D state.checkpoints.dir=ckpt -D execution.checkpointing.interval=50ms "$@"; }

mkdir text many
if command -v bible >/dev/null; then
  bible 'gen1:1-rev22:21' >text/bible.txt </dev/null
else
  cat /usr/share/common-licenses/* >text/licenses.txt
fi
cat text/* >all
count <all >expected

for p in 1 2 4; do
  run -p "$p" wordcount --input text --output "out-$p"
  sort "out-$p"/part-* >got
  check "parallelism $p" got
done

cp -r text zipped
gzip zipped/*
run -p 2 wordcount --input zipped --output out-gz
sort out-gz/part-* >got
check "gzip" got

split -n l/1000 -a 4 all many/part-of-
test "$(find many -type f | wc -l)" -eq 1000
run -p 2 wordcount --input many --output out-many
sort out-many/part-* >got
check "1,000 files" got

# Watching: files appear by rename while the job runs; the largest count of each word is its total.
mkdir inbox waiting
split -n l/8 all waiting/
# Not through the function: the signal is for the binary, not for a shell around it.
"$streamrun" run -q -D state.checkpoints.dir=ckpt -D execution.checkpointing.interval=50ms \
  -p 2 wordcount --watch --input inbox --output out-watch &
job=$!
trap 'kill -KILL "$job" 2>/dev/null || true; rm -rf "$folder"' EXIT
for file in waiting/*; do
  mv "$file" inbox/
  sleep 0.3
done
for _ in $(seq 200); do
  sort -k1,1 -k2,2nr out-watch/part-* 2>/dev/null | sort -u -k1,1 >got || true
  cmp -s got expected && break
  sleep 0.2
done
kill -TERM "$job"
wait "$job"
check "watched folder" got

#!/usr/bin/env bash
# resume_test.sh BINARY [COPIES [BACKENDS]]: a killed run goes on from its newest checkpoint without name or arguments, from another
# folder, at another parallelism, after its checkpoints have moved, and with its state on the disk; the counts are those of
# an undisturbed run. BACKENDS is `all`, or `memory` where RocksDB can't be looked at.
set -euo pipefail
streamrun=$1
copies=${2:-400}  # of the text: enough for two checkpoints before its end
backends=${3:-all}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export LC_ALL=C
cd "$folder"

for _ in $(seq "$copies"); do cat /usr/share/common-licenses/*; done >text
"$streamrun" run -q wordcount --input text --output plain
sort plain/part-* >expected
settings=(-D state.checkpoints.dir=ckpt -D execution.checkpointing.interval=10ms)

# Starts a run over the text with outputs in $1 and kills it as soon as it has two checkpoints.
start_and_kill() {
  "$streamrun" run -q "${settings[@]}" wordcount --input text --output "$1" &
  local job=$!
  for _ in $(seq 2000); do
    [[ $("$streamrun" list-checkpoints --dir ckpt -o path 2>/dev/null | wc -l) -lt 2 ]] || break
    sleep 0.002
  done
  kill -KILL "$job" 2>/dev/null || true
  wait "$job" 2>/dev/null || true
  latest=$("$streamrun" list-checkpoints --dir ckpt --latest wordcount) || {
    echo "the run ended before it was killed: more text is needed"
    exit 1
  }
}
check() {
  sort "$2"/part-* >got
  cmp got expected || { echo "wrong counts after: $1" && exit 1; }
  [[ -z $(find "$2" -name '.*' -type f) ]] || { echo "unfinished parts are left after: $1" && exit 1; }
  echo "right counts after: $1"
  rm -rf ckpt
}

start_and_kill one
"$streamrun" run -q -s "$latest"
check "no name, no arguments" one

start_and_kill two
(cd / && "$streamrun" run -q -s "$latest" -p 3)
check "another folder, another parallelism" two

start_and_kill three
mkdir elsewhere
mv ckpt elsewhere/moved
"$streamrun" run -q -s "elsewhere/moved/$(basename "$(dirname "$latest")")"
check "the job's folder has moved" three

start_and_kill four
"$streamrun" run -q "${settings[@]}" -s latest wordcount
"$streamrun" run "${settings[@]}" -s latest wordcount 2>"talk"
grep -q 'nothing left to do' talk
check "-s latest, twice" four

if [[ $backends == all ]]; then
  settings+=(-D state.backend.type=rocksdb -D state.backend.rocksdb.localdir="$folder/local" -D taskmanager.memory.managed.size=4mb)
  start_and_kill five
  "$streamrun" run -q -s "$latest" -p 2
  check "state in RocksDB" five
  [[ -z $(ls "$folder/local") ]] || { echo "databases are left" && exit 1; }
fi

status=0
"$streamrun" run -s "$("$streamrun" list-checkpoints --dir ckpt --latest wordcount 2>/dev/null)" 2>"talk" || status=$?
[[ $status -eq 64 ]] || { echo "an empty -s ended with $status" && exit 1; }
echo "an empty -s is refused"

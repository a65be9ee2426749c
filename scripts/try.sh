#!/usr/bin/env bash
# streamrun in a minute: counts the words of real text, then kills an endless job and resumes it.
# Installs and builds what is missing. What it writes goes to build/try and is removed at the next start.
set -euo pipefail
cd "$(dirname "$0")/.."

text=/usr/share/common-licenses
streamrun=build/release/streamrun
folder=build/try

say() {
  printf '\n== %s\n' "$*"
}
# Shows a command as one would type it, then runs it.
run() {
  printf '$ %s\n' "$*"
  "$@"
}
# The newest checkpoint below a folder, or nothing.
newest_checkpoint() {
  find "$1" -path '*/chk-*/_metadata' -printf '%T@ %h\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2
}
# Waits until a checkpoint is there that is not the given one.
wait_for_checkpoint() {
  local last=$1 newest
  for ((i = 0; i < 300; ++i)); do
    newest=$(newest_checkpoint "$folder/checkpoints")
    [[ -z $newest || $newest == "$last" ]] || return 0
    sleep 0.1
  done
  echo "error: no checkpoint within 30 s" >&2
  return 1
}
stop_job() {
  [[ -z $job ]] || kill -KILL "$job" 2>/dev/null || true
}
job=
trap stop_job EXIT

say "packages and build"
scripts/install-packages.sh
scripts/build.sh release streamrun
rm -rf "$folder"
mkdir -p "$folder"

say "counting the words of $text, with a checkpoint every 100 ms"
run "$streamrun" run -D state.checkpoints.dir="$folder/checkpoints" \
  -D execution.checkpointing.interval=100ms wordcount --input "$text" --output "$folder/words"
echo "the ten most frequent of $(cat "$folder"/words/part-* | wc -l) words, from $folder/words:"
sort -k2,2nr "$folder"/words/part-* | sed -n 1,10p

settings=(-D state.checkpoints.dir="$folder/checkpoints" -D execution.checkpointing.interval=1s)
say "an endless job: it checks event by event that none is lost and none comes twice"
printf '$ %s &\n' "$streamrun run ${settings[*]} statemachine --output $folder/alerts"
"$streamrun" run "${settings[@]}" statemachine --output "$folder/alerts" &
job=$!
wait_for_checkpoint ""
sleep 2
say "killing it: kill -9 $job"
run kill -KILL "$job"
wait "$job" || true
job=
run "$streamrun" list-checkpoints --dir "$folder/checkpoints"

say "going on from its newest checkpoint, for a few seconds"
last=$(newest_checkpoint "$folder/checkpoints")
printf '$ %s &\n' "$streamrun run -s latest ${settings[*]} statemachine --output $folder/alerts"
"$streamrun" run -s latest "${settings[@]}" statemachine --output "$folder/alerts" &
job=$!
wait_for_checkpoint "$last"
sleep 3
run kill -TERM "$job"
wait "$job"
job=

say "done; every alert below is an event that is wrong on purpose ('got x')"
sort -u "$folder"/alerts/part-* | sed -n 1,3p
unexpected=$(
  grep -hv 'got x$' "$folder"/alerts/part-* || true
  sort "$folder"/alerts/part-* | uniq -d
)
if [[ -n $unexpected ]]; then
  printf 'error: these alerts should not be, or not twice:\n%s\n' "$unexpected" >&2
  exit 1
fi
echo
echo "to resume the endless job once more:"
echo "  $streamrun run -s latest ${settings[*]} statemachine --output $folder/alerts"

# How the set-up speaks, and how it runs what takes long: in the background, with its output in a log. Sourced, not run;
# `logs` is the folder of the logs.

say() { printf '\n==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
  printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# begin WHAT COMMAND...: starts a command in the background, with its output in a log file. It has a process group of its own
# (a background job does not hear a Ctrl-C), and the whole group ends with this script, also where that is killed.
declare -A begun=() since=()
begin() {
  local what=$1
  shift
  mkdir -p "$logs"
  # At once: whoever looks into it for a first line must not find that of an earlier run.
  : >"$(log_of "$what")"
  # shellcheck disable=SC2016 # for that shell
  setsid bash -c 'parent=$0
    while sleep 1 && kill -0 "$$"; do kill -0 "$parent" || kill -KILL 0; done 2>/dev/null >&2 &
    exec "$@"' "$$" "$@" >"$(log_of "$what")" 2>&1 </dev/null &
  begun[$what]=$!
  since[$what]=$SECONDS
}

# finish WHAT: waits for it, says every ten seconds that it goes on, and shows the end of its output where it failed.
finish() {
  local code=0
  follow "$1" || code=$?
  [ "$code" -eq 0 ] || show_failure "$1" "$code"
  return "$code"
}

follow() {
  local what=$1 log pid=${begun[$1]} code=0 tenths=0
  log=$(log_of "$what")
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    tenths=$((tenths + 2))
    [ $((tenths % 100)) -ne 0 ] ||
      note "$what: $((SECONDS - since[$what])) s  $(grep -v '^npm warn' "$log" | tail -n 1 | tr -d '\r' | cut -c1-60)"
  done
  wait "$pid" || code=$?
  unset "begun[$what]"
  return "$code"
}

show_failure() {
  tail -n 20 "$(log_of "$1")" | sed 's/^/    | /'
  note "$1 failed (exit code $2); all of its output is in $(log_of "$1")"
}

# long WHAT COMMAND...: both.
long() { begin "$@" && finish "$1"; }
log_of() { printf '%s/%s.log' "$logs" "${1// /-}"; }

at_exit() {
  local code=$? what signal
  # npm takes its time over a SIGTERM, and what goes on here would be in the way of the next run.
  for signal in TERM KILL; do
    for what in "${!begun[@]}"; do kill -s "$signal" -- "-${begun[$what]}" 2>/dev/null && sleep 1; done
  done
  # What a run keeps in memory must not stay there.
  [ -z "${scratch:-}" ] || rm -rf "$scratch"
  [ "$code" -ne 130 ] || printf '\nInterrupted. Run it again to go on from here.\n'
  exit "$code"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

#!/usr/bin/env bash
# Every check and every test, from a clean clone: bash test/all.sh [--long]
#
# With --long also the tests with the tag "long" (vitest.config.ts): they walk ways that the others walk, again, in greater numbers or
# with one more of a kind, and take about as long as all the others together.
#
# Sets up what is missing (dependencies, build, Docker engine, sandbox image), as the quickstart does. The last line counts
# the tests as the runner's own report does (.results/tests.json), and each static check of `npm run check` as one more.
# Without an engine the suites that need one fail and say so; what a suite could not begin counts as failed, not as skipped.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../deploy/setup.sh"
cd "$root" || exit 1
case ${1-} in
  '') filter=(--tags-filter '!long') ;;
  --long) filter=() ;;
  *)
    echo "test/all.sh takes nothing, or --long; it was given: $*" >&2
    exit 2
    ;;
esac
report=.results/tests.json
mkdir -p .results
rm -f "$report"

say 'Set-up'
need_programs
install_dependencies || die 'The dependencies could not be installed; see above.'
build_sources || note 'The build failed; the checks below say where.'
help_dependencies
if need_engine; then
  if need_image; then
    need_agents claude codex gemini opencode pi || note 'Not every agent is there: the suites that need one will fail.'
  else
    note 'There is no sandbox image: the suites that need it will fail.'
  fi
else
  note 'No Docker engine can be used: the suites that need one will fail.'
fi
need_compose || note 'There is no docker-compose: the suite that needs it will fail.'
need_shells || note 'Not every shell is there: the tests of its completion are skipped, and say so.'
need_browser || note 'There is no chromium-headless-shell: the tests of the dashboard will fail. On Debian: apt-get install chromium-headless-shell'
finish_dependencies || die 'better-sqlite3 could not be installed; see above.'

# Two at a time: most of them use one core. In a shell of their own, which waits for nothing else (an engine, say).
mapfile -t commands < <(node -p 'require("./package.json").scripts.check.split(" && ").join("\n")')
said=$(mktemp -d)
(
  for n in "${!commands[@]}"; do
    while (($(jobs -rp | wc -l) >= 2)); do wait -n; done
    # shellcheck disable=SC2086 # a command line of package.json
    { PATH=$root/node_modules/.bin:$PATH ${commands[n]} </dev/null >"$said/$n" 2>&1 && touch "$said/$n.passed"; } &
  done
  wait
)
passed=0
failed=0
for n in "${!commands[@]}"; do
  say "Check: ${commands[n]}"
  cat "$said/$n"
  if [ -e "$said/$n.passed" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
rm -r "$said"
checks="static checks: $passed passed, $failed failed"

# Unit tests make repositories and data folders and remove them again: in memory, where there is much of it, that takes a fifth
# less of the processor, and a disk that is slow holds up nothing.
room=$(df --output=avail -BG /dev/shm 2>/dev/null | tail -n 1 | tr -dc 0-9)
if [[ ${room:-0} -ge 8 ]]; then
  scratch=$(mktemp -d /dev/shm/cd.XXXX) || die 'There is no room for the files of tests.'
  # As /tmp is: some of it belongs to another user.
  chmod 1777 "$scratch"
  export COFFERDAM_TEST_FOLDER=$scratch
fi

# For the processes of tests alone; test/support/vfork.c says what for.
vfork=$root/.results/vfork.so
if [ "$(uname -m)" = x86_64 ] && command -v cc >/dev/null && cc -shared -fPIC -O1 -o "$vfork" test/support/vfork.c &&
  LD_PRELOAD=$vfork node -e 'require("node:child_process").execFileSync("true")'; then
  preload=(env "LD_PRELOAD=$vfork")
else
  note 'vfork.so could not be made or used (it needs cc, x86-64): the tests take a third longer.'
  preload=()
fi

say 'Tests'
"${preload[@]}" node_modules/.bin/vitest run "${filter[@]}"
runner=$?

((${#filter[@]} == 0)) || note 'Tests with the tag "long" are counted as skipped: bash test/all.sh --long runs them too.'
say "$checks (counted with the tests below)"
node test/sum.mjs "$report" "$passed" "$failed" "$runner"

#!/usr/bin/env bash
# Every check and every test, from a clean clone: bash test/all.sh
#
# Sets up what is missing (dependencies, build, Docker engine, sandbox image), as the quickstart does. The last line counts
# the tests as the runner's own report does (.results/tests.json), and each static check of `npm run check` as one more.
# Without an engine the suites that need one fail and say so; what a suite could not begin counts as failed, not as skipped.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../deploy/setup.sh"
cd "$root" || exit 1
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
need_browser || note 'There is no chromium: the tests of the dashboard will fail. On Debian: apt-get install chromium'
finish_dependencies || die 'better-sqlite3 could not be installed; see above.'

passed=0
failed=0
while read -r check; do
  say "Check: $check"
  # shellcheck disable=SC2086 # a command line of package.json
  if PATH=$root/node_modules/.bin:$PATH $check </dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done < <(node -p 'require("./package.json").scripts.check.split(" && ").join("\n")')
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

say 'Tests'
node_modules/.bin/vitest run
runner=$?

say "$checks (counted with the tests below)"
node test/sum.mjs "$report" "$passed" "$failed" "$runner"

#!/usr/bin/env bash
# The last three stages of quickstart.sh: an example repository, an agent, and a task. bash deploy/first-task.sh FOLDER
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
# shellcheck source=deploy/first-agent.sh
source "$root/deploy/first-agent.sh"
example=${1:?usage: bash deploy/first-task.sh FOLDER}

say "6/8 An example repository with two bugs and a failing test, in $example"
bash "$root/deploy/example.sh" "$example"

if ! git -C "$example" show main:receipt.py | cmp --silent - "$root/deploy/example/receipt.py"; then
  say '7/8 No task on it: its receipt.py on main is no longer the one with the bugs'
  note "For another go: rm -r $example, then run this again. For a task on a repository of your own:"
  note '  cofferdam run --repo PATH --goal TEXT --test CMD --agent command -- ARGV...'
  exit
fi

say '7/8 The agent that is to work on it'
choose_agent
need_agent

say '8/8 A task on it: make the failing tests pass'
configure_agent
goal='The totals and discounts on receipts come out wrong. Make the failing tests pass.'
note "cofferdam run --repo $example --goal '$goal' \\"
note "  --test 'python3 -m unittest' ${agent_options[*]}"
say_agent
printf '\n'
code=0
with_keys cofferdam run --repo "$example" --goal "$goal" --test 'python3 -m unittest' "${agent_options[@]}" || code=$?
# The address in it is that of a script, which ends here too.
[ "$model" != scripted ] || rm -f "$COFFERDAM_CONFIG"
[ "$code" -eq 0 ] || die "The task was not applied (exit code $code); see above."

branch=$(git -C "$example" for-each-ref --sort=-committerdate --count=1 --format='%(refname:short)' refs/heads/cofferdam/)
say "What it changed, on the branch $branch of $example"
git -C "$example" --no-pager diff "main...$branch"

say 'What next'
note 'Keep it (until then nothing but that branch has changed in the repository):'
note "  git -C $example merge $branch"
say_next_agent
note 'What there is, whether all is in order, and the rest:'
note '  cofferdam task list;  cofferdam doctor;  cofferdam --help'

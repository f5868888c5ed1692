#!/usr/bin/env bash
# From a clone to a first applied change: bash deploy/quickstart.sh
#
# Says what it does before it does it. May be interrupted and run again at any point; what is there already is used again.
# QUICKSTART_TASK=no leaves out the example and its task, for an installation that is in use.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
if [ $# -gt 0 ]; then
  echo "deploy/quickstart.sh takes no arguments; it was given: $*. docs/deployment.md, \"The quickstart\", says what it does." >&2
  exit 2
fi

# The command as a link to the built program, where programs of this user are looked for.
link_command() {
  local folder=${COFFERDAM_BIN:-/usr/local/bin} target=$root/dist/program/cofferdam.js link
  [ -w "$folder" ] || folder=$HOME/.local/bin
  link=$folder/cofferdam
  if [ "$(readlink "$link" 2>/dev/null)" = "$target" ]; then
    note "the command cofferdam is $link"
  elif [ -e "$link" ] && ! [ -L "$link" ]; then
    note "$link is something else and stays as it is: call $target instead"
  else
    mkdir -p "$folder"
    ln -sfn "$target" "$link"
    note "linked $link to this folder's build; \"rm $link\" undoes it"
  fi
  case ":$PATH:" in
    *":$folder:"*) ;;
    *) note "$folder is not in your PATH: add it, or call $link" ;;
  esac
}

say '1/8 What must be there: Node.js 20.19, git 2.38'
need_programs

say '2/8 Dependencies, in node_modules'
install_dependencies || die 'The dependencies could not be installed; see above. Then run this again.'

say '3/8 Build, into dist, and the command cofferdam'
build_sources || die 'The sources do not compile; see above.'
link_command
help_dependencies || die 'There is no compiler, and better-sqlite3 needs one; see above. Then run this again.'

say '4/8 A Docker engine'
need_engine || die 'There is no Docker engine yet; see above.'

say '5/8 The sandbox image, in which every step runs'
need_image || die 'The sandbox image could not be built; see above. Then run this again.'
finish_dependencies || die 'better-sqlite3 could not be installed; see above. Then run this again.'

if [ "${QUICKSTART_TASK:-yes}" = no ]; then
  note 'no task is tried, as QUICKSTART_TASK says: no data folder was opened'
  exit
fi
with_keys bash "$root/deploy/first-task.sh" "${COFFERDAM_EXAMPLE:-$HOME/cofferdam-example}"

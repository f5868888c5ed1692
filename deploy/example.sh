#!/usr/bin/env bash
# Makes the example repository of the quickstart: bash deploy/example.sh FOLDER. A folder that has one is left as it is.
set -euo pipefail

folder=${1:?usage: bash deploy/example.sh FOLDER}
files=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/example

if git -C "$folder" rev-parse --quiet --verify refs/heads/main >/dev/null 2>&1; then
  echo '    already there'
  exit
fi
if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
  echo "    $folder is not empty and has no branch main: move it away, or name another folder in COFFERDAM_EXAMPLE." >&2
  exit 1
fi

# Made beside its place and moved there, so that it is whole or not there at all.
new=$(mktemp -d "$(dirname "$folder")/.cofferdam-example.XXXXXX")
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"
cp -R "$files/." "$new"
git -C "$new" init --quiet --initial-branch=main
git -C "$new" add --all
git -C "$new" -c user.name=Example -c user.email=example@cofferdam.invalid commit --quiet --message='Count receipts'
if [ -d "$folder" ]; then rmdir "$folder"; fi
mv "$new" "$folder"
trap - EXIT
echo "    made: receipt.py with two bugs, test_receipt.py that finds them, tools/fixer.py that mends one at a time"

# What quickstart.sh and test/all.sh share: from a clone to a built project with an engine and an image. Sourced, not run.
# Every function may be called again at any time: it does what is still missing and says what it finds.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/.results
# shellcheck source=deploy/engine.sh
source "$root/deploy/engine.sh"

say() { printf '\n==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
  printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# begin WHAT COMMAND...: starts a command in the background, with its output in a log file. It has a process group of its own
# (a background job does not hear a Ctrl-C) and ends with this script.
declare -A begun=() since=()
begin() {
  local what=$1
  shift
  mkdir -p "$logs"
  setpriv --pdeathsig KILL setsid "$@" >"$(log_of "$what")" 2>&1 </dev/null &
  begun[$what]=$!
  since[$what]=$SECONDS
}

# finish WHAT: waits for it, says every ten seconds that it goes on, and shows the end of its output where it failed.
finish() {
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
  if [ "$code" -ne 0 ]; then
    tail -n 20 "$log" | sed 's/^/    | /'
    note "$what failed (exit code $code); all of its output is in $log"
  fi
  return "$code"
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
  [ "$code" -ne 130 ] || printf '\nInterrupted. Run it again to go on from here.\n'
  exit "$code"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

is_root_with_apt() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

# apt_install PACKAGE...: installs what is missing of these packages.
apt_install() {
  local missing=() package
  for package in "$@"; do
    dpkg --status "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  note "installing with apt: ${missing[*]}"
  dpkg --configure -a >/dev/null 2>&1 || true # where an earlier run was interrupted
  long 'apt update' apt-get -o DPkg::Lock::Timeout=120 update || return
  DEBIAN_FRONTEND=noninteractive long 'apt install' \
    apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "${missing[@]}"
}

need_programs() {
  command -v git >/dev/null || die 'git is missing. Install it (apt-get install git), then run this again.'
  command -v node >/dev/null || die 'Node.js is missing. Install version 20.19 or newer, then run this again.'
  command -v npm >/dev/null || die 'npm is missing. It comes with Node.js: install that again, then run this again.'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    die "Node.js $(node -v) is too old. Install version 20.19 or newer, then run this again."
  note "node $(node -v), npm $(npm -v 2>/dev/null), $(git --version)"
}

# The dependencies, by the lock file. What has to be compiled is begun here and awaited by finish_dependencies, because it
# takes a minute on one core that nothing before the first task needs.
install_dependencies() {
  if [ "$(cat "$root/node_modules/.cofferdam" 2>/dev/null)" = "$(dependencies_wanted)" ] && sqlite_loads; then
    note 'already there, by package-lock.json'
    return
  fi
  note 'npm ci: half a minute or so'
  long 'npm ci' npm --prefix "$root" ci --ignore-scripts --no-audit --no-fund || return
  if ! sqlite_loads; then
    begin_sqlite
    note 'better-sqlite3 is fetched, or compiled where that is not possible, while the next stages go on'
  fi
}

finish_dependencies() {
  if [ -n "${begun[better-sqlite3]:-}" ]; then
    finish better-sqlite3 || true
    sqlite_loads || sqlite_with_compiler || return
  fi
  dependencies_wanted >"$root/node_modules/.cofferdam"
}

dependencies_wanted() {
  printf '%s %s\n' "$(cat "$root/package-lock.json" "$root/package.json" | sha256sum | cut -c1-16)" \
    "$(node -p 'process.versions.modules')"
}

sqlite_loads() { (cd "$root" && node -e 'new (require("better-sqlite3"))(":memory:").close()') 2>/dev/null; }

begin_sqlite() {
  # Node's own headers, where they came with it, spare a download.
  local prefix
  prefix=$(node -p 'require("node:path").dirname(require("node:path").dirname(process.execPath))')
  if [ -e "$prefix/include/node/node_version.h" ]; then export npm_package_config_node_gyp_nodedir=$prefix; fi
  begin better-sqlite3 npm --prefix "$root" rebuild --foreground-scripts better-sqlite3
}

sqlite_with_compiler() {
  if have_compiler || ! is_root_with_apt; then
    note 'better-sqlite3 does not load. It needs python3, make and g++, and the headers of this Node.js: install them,'
    note 'then run this again.'
    return 1
  fi
  note 'it could not be fetched, and there is no compiler: installing one'
  apt_install python3 make g++ || return
  begin_sqlite
  finish better-sqlite3 && sqlite_loads
}

have_compiler() { command -v python3 >/dev/null && command -v make >/dev/null && command -v g++ >/dev/null; }

# Compiles the sources where they differ from what was compiled last.
build_sources() {
  local stamp=$root/dist/.built want
  want=$(cd "$root" && find control-plane src test tsconfig.json package-lock.json -type f -print0 |
    sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    note 'already built'
    return
  fi
  # Without a stamp nobody knows what is in there.
  [ -e "$stamp" ] || rm -rf "$root/dist"
  long 'npm run build' npm --prefix "$root" run build || return
  chmod +x "$root/dist/src/cli/main.js"
  printf '%s' "$want" >"$stamp"
}

cofferdam() { node "$root/dist/src/cli/main.js" "$@"; }

image_is_there() {
  (cd "$root" && node --input-type=module -e "
    import { connector } from './dist/src/sandbox/docker/connect.js'
    import { findImage } from './dist/src/sandbox/docker/image.js'
    process.exit((await findImage((await connector(process.argv[1])()).docker)) === null ? 1 : 0)" \
    "$engine_socket") 2>/dev/null
}

# The sandbox image. Without a registry it is bootstrapped, for which mmdebstrap must be there.
need_image() {
  if image_is_there; then
    note 'already built'
    return
  fi
  if is_root_with_apt && ! command -v mmdebstrap >/dev/null; then apt_install mmdebstrap || return; fi
  cofferdam image build
}

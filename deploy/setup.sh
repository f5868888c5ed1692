# What quickstart.sh and test/all.sh share: from a clone to a built project with an engine and an image. Sourced, not run.
# Every function may be called again at any time: it does what is still missing and says what it finds.

root=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/.results
# shellcheck source=deploy/jobs.sh
source "$root/deploy/jobs.sh"
# shellcheck source=deploy/engine.sh
source "$root/deploy/engine.sh"

# Keys are for the first task alone: all else that is started here would have them in its environment, an engine for good.
keys=(ANTHROPIC_API_KEY OPENAI_API_KEY GEMINI_API_KEY OPENAI_COMPATIBLE_API_KEY DISCORD_TOKEN GITHUB_TOKEN GITLAB_TOKEN FORGEJO_TOKEN)
export -n "${keys[@]}"

# with_keys COMMAND...: runs it with those keys.
with_keys() { (export "${keys[@]}" && "$@"); }

is_root_with_apt() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

# apt_install PACKAGE...: installs what is missing of these packages, also where an earlier run was interrupted in the middle.
apt_install() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  note "installing with apt: ${missing[*]}"
  if [ -n "$(dpkg --audit 2>&1)" ] || [ -n "$(ls /var/lib/dpkg/updates)" ]; then
    note 'dpkg was interrupted in an earlier installation: completing that'
    long dpkg dpkg --configure -a || true # what it cannot complete, apt can
  fi
  long 'apt update' apt-get -o DPkg::Lock::Timeout=120 update || note 'trying it with the lists that are there'
  DEBIAN_FRONTEND=noninteractive long 'apt install' \
    apt-get -o DPkg::Lock::Timeout=120 install --fix-broken --yes --no-install-recommends "${missing[@]}"
}

newer_node='Install version 20.19 or newer, from nodejs.org or with a version manager such as nvm (Debian 12 has 18), then run this again.'

need_programs() {
  command -v git >/dev/null || die 'git is missing. Install it (apt-get install git), then run this again.'
  command -v node >/dev/null || die "Node.js is missing. $newer_node"
  command -v npm >/dev/null || die 'npm is missing. It comes with Node.js: install that again, then run this again.'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    die "Node.js $(node -v) is too old. $newer_node"
  node -e 'const [a, b] = process.argv[1].match(/\d+/g).map(Number); process.exit(a > 2 || (a === 2 && b >= 38) ? 0 : 1)' "$(git --version)" ||
    die "$(git --version) is too old: nothing can be merged with it. Install git 2.38 or newer (Debian 12 has 2.39), then run this again."
  note "node $(node -v), npm $(npm -v 2>/dev/null), $(git --version)"
}

# The dependencies, by the lock file. What has to be compiled is begun here and awaited by finish_dependencies, because it
# takes a minute on one core that nothing before the first task needs.
install_dependencies() {
  local stamp=$root/node_modules/.cofferdam
  if [ "$(cat "$stamp" 2>/dev/null)" = "$(dependencies_wanted)" ]; then
    note 'already there, by package-lock.json'
  else
    rm -f "$stamp"
    note 'npm ci: half a minute or so'
    long 'npm ci' npm --prefix "$root" ci --ignore-scripts --no-audit --no-fund || return
    dependencies_wanted >"$stamp"
  fi
  if ! sqlite_loads && ! take_sqlite; then
    begin_sqlite
    note 'better-sqlite3 is fetched, or compiled where that is not possible, while the next stages go on'
  fi
}

# Without a compiler the first try ends soon. Where it could not fetch anything, this installs one and begins again, so that
# it compiles beside the next stages.
help_dependencies() {
  if [ -z "${begun[better-sqlite3]:-}" ] || have_compiler; then return 0; fi
  follow better-sqlite3 || true
  sqlite_loads || { need_compiler && begin_sqlite; }
}

finish_dependencies() {
  local code=0
  [ -z "${begun[better-sqlite3]:-}" ] || follow better-sqlite3 || code=$?
  if ! sqlite_loads && ! { have_compiler && [ -n "$(headers)" ]; }; then
    need_compiler || return
    code=0
    begin_sqlite
    follow better-sqlite3 || code=$?
  fi
  if sqlite_loads; then
    keep_sqlite || note 'What better-sqlite3 was compiled to could not be kept for the next clone.'
    return
  fi
  show_failure better-sqlite3 "$code"
  return 1
}

dependencies_wanted() {
  printf '%s %s\n' "$(cat "$root/package-lock.json" "$root/package.json" | sha256sum | cut -c1-16)" \
    "$(node -p 'process.versions.modules')"
}

sqlite_loads() { (cd "$root" && node -e 'new (require("better-sqlite3"))(":memory:").close()') 2>/dev/null; }

# The addon that an earlier set-up came to, for this version of it and this Node.js: to compile it again takes a minute.
take_sqlite() {
  local kept
  kept=$(kept_sqlite) && [ -f "$kept" ] || return
  mkdir -p "$root/$addon_folder" && cp "$kept" "$root/$addon_folder/better_sqlite3.node" && sqlite_loads && return
  rm -f "$root/$addon_folder/better_sqlite3.node" "$kept"
  return 1
}

keep_sqlite() {
  local kept
  kept=$(kept_sqlite) || return
  [ ! -f "$kept" ] || return 0
  mkdir -p "$(dirname "$kept")" && cp "$root/$addon_folder/better_sqlite3.node" "$kept.$$" && mv "$kept.$$" "$kept"
}

addon_folder=node_modules/better-sqlite3/build/Release

kept_sqlite() {
  local caches=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}} name
  [ -n "$caches" ] || return
  name=$(cd "$root" && node -p "[require('better-sqlite3/package.json').version, process.versions.modules, process.platform, process.arch].join('-')" 2>/dev/null) || return
  echo "$caches/cofferdam/better-sqlite3-$name.node"
}

begin_sqlite() {
  local nodedir
  mend_headers || true
  nodedir=$(headers)
  # The second name is for npm 10, which does not know the first.
  begin better-sqlite3 env ${nodedir:+"npm_package_config_node_gyp_nodedir=$nodedir" "npm_config_nodedir=$nodedir"} \
    npm --prefix "$root" rebuild --foreground-scripts better-sqlite3
}

# Where this Node.js has its headers (in include/node below that); nothing where they did not come with it. node-gyp then
# downloads them from nodejs.org, where that can be reached.
headers() {
  local place
  for place in "$root/node_modules/.node" "$(node -p 'path.dirname(path.dirname(process.execPath))')"; do
    if grep -qs "NODE_MODULE_VERSION $(node -p process.versions.modules)\$" "$place/include/node/node_version.h"; then
      echo "$place"
      return
    fi
  done
}

# With the headers of Node.js 24.19 and later ones of 24, an addon ends the process where what it made is collected while no
# code runs (nodejs/node#65446). What is compiled takes a copy of them without that, as other releases have it.
mend_headers() {
  local place copy=$root/node_modules/.node file=include/node/node_object_wrap.h
  place=$(headers)
  grep -qs '^ *AddCleanupHook();$' "$place/$file" || return 0
  if [ "$place" != "$copy" ]; then
    rm -rf "$copy"
    mkdir -p "$copy/include"
    cp -R "$place/include/node" "$copy/include/node"
  fi
  sed -i '/^ *\(Add\|Remove\)CleanupHook();$/d' "$copy/$file"
}

# The npm registry has each version of Node.js as a package, with its headers.
fetch_headers() {
  local package place=$root/node_modules/.node
  package=node-linux-$(node -p process.arch)@$(node -p process.versions.node)
  note "this Node.js came without its headers: taking those of $package"
  rm -rf "$place"
  mkdir -p "$place"
  long headers npm --prefix "$place" pack --pack-destination "$place" "$package" &&
    tar -xzf "$place"/*.tgz -C "$place" --strip-components=1 package/include && rm "$place"/*.tgz
}

need_compiler() {
  if ! have_compiler; then
    note 'better-sqlite3 cannot be fetched here, and there is no compiler'
    if ! is_root_with_apt; then
      note 'Have python3, make and g++ installed, on Debian and Ubuntu with: apt-get install python3 make g++'
      return 1
    fi
    apt_install python3 make g++ || return
  fi
  [ -n "$(headers)" ] || fetch_headers
}

have_compiler() { command -v python3 >/dev/null && command -v make >/dev/null && command -v g++ >/dev/null; }

# Those that the command completes for, for its tests.
need_shells() {
  if command -v zsh >/dev/null && command -v fish >/dev/null; then return 0; fi
  is_root_with_apt && apt_install zsh fish
}

# For the test of deploy/compose.yaml, as Debian has it.
need_compose() {
  if command -v docker-compose >/dev/null; then return 0; fi
  is_root_with_apt && apt_install docker-compose
}

# The browser in which the dashboard is tried, for its tests.
need_browser() {
  [ -x /usr/bin/chromium-headless-shell ] || { is_root_with_apt && apt_install chromium-headless-shell; }
}

# Leaves the commit for `cofferdam --version`; nothing where this is no clone.
stamp_commit() {
  git -C "$root" describe --always --dirty --exclude='*' >"$root/dist/.commit" 2>/dev/null || true
}

# Compiles the sources where they differ from what was compiled last.
build_sources() {
  local stamp=$root/dist/.built want
  want=$(cd "$root" && find control-plane src test package.json package-lock.json rolldown.config.ts tsconfig.json -type f -print0 |
    sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
    note 'already built'
    # Of the same sources, which may be another commit by now.
    stamp_commit
    return
  fi
  # Without a stamp nobody knows what is in there.
  [ -e "$stamp" ] || rm -rf "$root/dist"
  long 'npm run build' npm --prefix "$root" run build || return
  printf '%s' "$want" >"$stamp"
}

cofferdam() { node "$root/dist/program/cofferdam.js" "$@"; }

# Whether the image with these agents is there.
image_is_there() {
  (cd "$root" && node --input-type=module -e "
    import { connector } from './dist/src/sandbox/docker/connect.js'
    import { imageTag } from './dist/src/sandbox/docker/image/agents.js'
    import { idOf } from './dist/src/sandbox/docker/image/id.js'
    const [socket, ...agents] = process.argv.slice(1)
    process.exit((await idOf((await connector(socket)()).docker, imageTag(agents))) === null ? 1 : 0)" \
    "$engine_socket" "$@") 2>/dev/null
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

# need_agents NAME...: the image with each of these agents alone.
need_agents() {
  local agent code=0
  for agent in "$@"; do
    if image_is_there "$agent"; then
      note "already built: $agent"
    else
      cofferdam image build --agents "$agent" || code=1
    fi
  done
  return "$code"
}

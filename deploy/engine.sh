#!/usr/bin/env bash
# Makes sure that a Docker engine answers: uses a running one, else starts an installed one, else installs docker.io with
# apt where this is root on Debian or Ubuntu, else says what to run. Run by itself, or sourced by setup.sh.

# As the program itself finds it: DOCKER_HOST, else the usual socket, else that of a rootless engine.
engine_socket=/var/run/docker.sock
rootless=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
if [[ ${DOCKER_HOST:-} == unix://* ]]; then engine_socket=${DOCKER_HOST#unix://}
elif ! [ -e "$engine_socket" ] && [ -e "$rootless" ]; then engine_socket=$rootless; fi
engine_log=/var/log/cofferdam-dockerd.log

# Prints what is behind the socket: `up`, `denied` or `down`. A docker client alone says nothing about an engine.
engine_state() {
  node -e '
    const request = require("node:http").get({ socketPath: process.argv[1], path: "/_ping", timeout: 5000 }, (answer) => {
      console.log(answer.statusCode === 200 ? "up" : "down"); process.exit() })
    request.on("timeout", () => request.destroy(new Error("no answer in time")))
    request.on("error", (error) => { console.log(error.code === "EACCES" ? "denied" : "down"); process.exit() })
  ' "$engine_socket"
}

engine_version() {
  node -e '
    require("node:http").get({ socketPath: process.argv[1], path: "/version" }, (answer) => {
      let text = ""; answer.on("data", (data) => (text += data)).on("end", () => {
        const { Version, ApiVersion } = JSON.parse(text); console.log(`Docker ${Version}, API ${ApiVersion}`) }) })
  ' "$engine_socket"
}

need_engine() {
  if [ -n "${DOCKER_HOST:-}" ] && [[ $DOCKER_HOST != unix://* ]]; then
    note "DOCKER_HOST is $DOCKER_HOST, but only the unix socket of an engine on this machine will do: unset it, run this again."
    return 1
  fi
  case "$(engine_state)" in
    up)
      note "$(engine_version) answers"
      return
      ;;
    denied)
      note "There is a Docker engine, but this user may not use it. As root: usermod -aG docker $(id -un)"
      note 'Then log in again and run this again. (Who may use the engine is as powerful as root.)'
      return 1
      ;;
  esac
  if [ -n "${DOCKER_HOST:-}" ]; then
    note "No Docker engine answers at $engine_socket, which DOCKER_HOST names: start it, or unset that, then run this again."
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    note 'No Docker engine answers, and only root can install or start one. As root, one of:'
    note "  bash $(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/engine.sh     (starts it; on Debian and Ubuntu installs docker.io)"
    note '  systemctl start docker     (where it is installed)'
    note "Then: usermod -aG docker $(id -un), log in again, and run this again."
    return 1
  fi
  if ! command -v dockerd >/dev/null; then
    if ! command -v apt-get >/dev/null; then
      note 'No Docker engine answers, and this is neither Debian nor Ubuntu. Install Docker the way your system does,'
      note 'start it, and run this again.'
      return 1
    fi
    note 'no Docker engine here: installing docker.io with apt'
    # With what only its recommendations bring: authorities for its pulls, and the parser of a kernel that has AppArmor on.
    # shellcheck disable=SC2046 # one word or none
    apt_install docker.io ca-certificates $(grep -qs Y /sys/module/apparmor/parameters/enabled && echo apparmor) || return
  fi
  start_engine
}

start_engine() {
  local pid='' waited
  if [ -d /run/systemd/system ]; then
    note 'starting it with systemd'
    systemctl enable --now docker >/dev/null 2>&1 || systemctl start docker || true
  elif [ "$(engine_state)" != up ]; then
    note "starting dockerd in the background, its log is $engine_log"
    setsid nohup dockerd >>"$engine_log" 2>&1 </dev/null &
    pid=$!
  fi
  for waited in {1..60}; do
    if [ "$(engine_state)" = up ]; then
      note "$(engine_version) answers"
      return
    fi
    # Where apt has begun to start one as well, ours ends and that one comes up.
    # shellcheck disable=SC2046 # nothing where there is no such file
    if [ -n "$pid" ] && ! kill -0 "$pid" $(cat /var/run/docker.pid 2>/dev/null) 2>/dev/null; then break; fi
    [ $((waited % 10)) -ne 0 ] || note "waiting for it: $waited s"
    sleep 1
  done
  note 'The engine did not come up. The last it said:'
  if [ -n "$pid" ]; then tail -n 15 "$engine_log"; else journalctl --unit docker --no-pager --lines 15; fi 2>&1 |
    sed 's/^/    | /'
  if [ -n "$pid" ] && tail -n 50 "$engine_log" | grep -qi 'cgroup'; then
    note 'It needs control groups. Where none are mounted: apt-get install cgroupfs-mount && cgroupfs-mount'
  fi
  note 'Mend what it complains about, then run this again.'
  return 1
}

if ! (return 0 2>/dev/null); then
  set -euo pipefail
  source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
  need_engine
fi

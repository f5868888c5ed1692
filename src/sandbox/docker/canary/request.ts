import type { BoxRequest, BoxSpec } from '../../../domain/box.ts'
import { gatewayAddress } from '../../../domain/egress.ts'
import { parseTaskId } from '../../../domain/ids.ts'
import type { Policy } from '../../../domain/policy.ts'

/** Counts the canaries that there were: another one makes every engine be examined again. */
export const canaryVersion = 1

/** What is in the canary's worktree. */
export const canaryFiles = {
  'AGENTS.md': 'not to be changed\n',
  'config/secret.txt': 'not to be seen\n',
} as const

const policy: Policy = {
  allow: [],
  readonly: ['AGENTS.md'],
  deny: ['secret.txt'],
  except: [],
  onViolation: 'fail',
  egress: [],
  upstreams: [],
  posture: 'degraded',
  limits: {
    memoryMb: 256,
    cpus: 1,
    pids: 64,
    openFiles: 256,
    fileMb: 16,
    tmpMb: 16,
    outputMb: 1,
    worktreeMb: 16,
    worktreeFiles: 1000,
    upMb: 1,
    downMb: 1,
    connections: 4,
    // It writes nothing: a full disk is not what it is to find.
    diskFreeMb: 0,
    testSeconds: 30,
    setupSeconds: 30,
  },
}

/**
 * An agent box with a mask, a pin, a readonly path, a cache and a channel; what it runs comes with `withScript`. Writable
 * islands, the folders that setup left and the views of test boxes are not in it: they are mounted in the same ways, and
 * the views depend on the disk, which is found out when one is made. Pure.
 */
export function canaryRequest(
  who: Pick<BoxRequest, 'installation' | 'image' | 'user' | 'fence'>,
): BoxRequest {
  const task = parseTaskId('canarybird')
  if (task === null) throw new Error('the canary has no task id')
  return {
    ...who,
    kind: 'agent',
    task,
    step: 0,
    attempt: 1,
    argv: ['true'],
    env: {},
    seconds: 30,
    policy,
    listing: {
      hidden: [],
      folders: ['config'],
      matches: [
        { path: 'AGENTS.md', type: 'file', kind: 'readonly', rule: 'AGENTS.md' },
        { path: 'config/secret.txt', type: 'file', kind: 'deny', rule: 'secret.txt' },
      ],
    },
    ownFolder: false,
    setupFolders: [],
    caches: ['npm'],
    egress: { tunnels: [], upstreams: [], limits: { connections: 4, upMb: 1, downMb: 1 } },
  }
}

/** Places that no box may write in, beside the readonly mounts of its spec. */
const closed = ['/', '/etc', '/usr/bin', '/cofferdam', '/sys/fs/cgroup', '/proc/sys/kernel/core_pattern']

/** Every place that the canary tries to write in. */
export function triedBy(spec: BoxSpec): readonly string[] {
  return [...closed, ...spec.mounts.filter(({ readonly }) => readonly).map(({ target }) => target)]
}

/** The same box, running a script that tells in lines `name=value` what the box is like. Pure. */
export function withScript(spec: BoxSpec): BoxSpec {
  return { ...spec, argv: ['bash', '-c', script, 'canary', ...triedBy(spec)] }
}

const script = `
say() { printf '%s=%s\\n' "$1" "$2"; }
while read -r name value _; do
  case $name in Cap*: | NoNewPrivs: | Seccomp:) say "\${name%:}" "$value" ;; esac
done </proc/self/status
say uid "$EUID"
found=
while read -r name _; do case $name in *:*) found="$found \${name%%:*}" ;; esac; done </proc/net/dev
say interfaces "\${found# }"
count=-1
while read -r _; do count=$((count + 1)); done </proc/net/route
say routes "$count"
while read -r _ _ _ _ place flags _; do say "mount $place" "$flags"; done </proc/self/mountinfo
first() { local line; for file in "\${@:2}"; do if { read -r line <"$file"; } 2>/dev/null; then say "$1" "$line"; return; fi; done; }
first pids /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max
first memory /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max
for place; do
  if [ -d "$place" ]; then file="$place/canary"; else file=$place; fi
  if { : >>"$file"; } 2>/dev/null; then say "write $place" done; else say "write $place" refused; fi
done
if { line=$(<config/secret.txt); } 2>/dev/null && [ -n "$line" ]; then say mask seen; else say mask empty; fi
if mv config moved 2>/dev/null; then say pin moved; else say pin held; fi
if { : >config/new && rm config/new; } 2>/dev/null; then say worktree written; else say worktree closed; fi
exec 3<>/dev/tcp/${gatewayAddress.replace(':', '/')} && read -r -t 5 line <&3
say channel "$line"
`

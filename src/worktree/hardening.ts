import type { HostPath } from '../domain/brand.ts'

/** Name and address for commits. */
export interface Author {
  readonly name: string
  readonly email: string
}

export type Setting = readonly [key: string, value: string]

/**
 * Laid over whatever a repository configures, on every call: nothing that a repository names may run, no network, no
 * conversion of content. `diff.external` is not here as its empty value breaks `git diff`; `--no-ext-diff` does it.
 */
const settings: readonly Setting[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.sshCommand', 'false'],
  ['core.askPass', 'false'],
  ['core.editor', 'false'],
  ['core.pager', 'cat'],
  ['core.alternateRefsCommand', 'true'],
  ['credential.helper', ''],
  ['gpg.program', 'false'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
  ['protocol.allow', 'never'],
  ['protocol.ext.allow', 'never'],
  ['submodule.recurse', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['receive.autogc', 'false'],
  ['transfer.fsckObjects', 'true'],
  ['safe.bareRepository', 'explicit'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.autocrlf', 'false'],
  ['core.fileMode', 'true'],
  ['core.symlinks', 'true'],
  ['core.ignoreCase', 'false'],
  ['core.precomposeUnicode', 'false'],
  ['core.splitIndex', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.trustctime', 'true'],
  ['core.checkStat', 'default'],
  ['core.logAllRefUpdates', 'false'],
  // Larger files are streamed, and are binary to a diff.
  ['core.bigFileThreshold', '32m'],
]

/** Pushes what it is told alone: no hook of ours runs, and no tag, signature or submodule goes along. */
export const barePush = [
  'push',
  '--no-verify',
  '--no-follow-tags',
  '--no-signed',
  '--recurse-submodules=no',
] as const

/** For what a checkpoint consists of: on the disk, and not only on its way, before it is recorded as made. */
export const durable: readonly Setting[] = [
  ['core.fsync', 'objects,reference'],
  ['core.fsyncMethod', 'batch'],
]

/** For what is made anew when it is lost. */
export const fleeting: readonly Setting[] = [['core.fsync', 'none']]

/** The complete environment of a git process; nothing of our own is inherited. */
export function hardenedEnv(
  searchPath: string,
  author: Author,
  more: readonly Setting[] = [],
): Record<string, string> {
  return {
    PATH: searchPath,
    // No such folder, so no configuration of a user is found under it.
    HOME: '/nonexistent',
    XDG_CONFIG_HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_EDITOR: '/bin/false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    // No protocol has this name: none is allowed.
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_DEFAULT_REF_FORMAT: 'files',
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    ...configEnv([...settings, ...more]),
  }
}

/** In the environment and not in argv, as a key may hold any character there (`filter.<name>.clean`). */
function configEnv(all: readonly Setting[]): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(all.length) }
  for (const [index, [key, value]] of all.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key
    env[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return env
}

/**
 * The command line for the other end of a fetch or a push, which git starts through a shell in the user's repository,
 * under its owner's ids where those are not ours. Git takes our settings out of its environment, so they are in its argv.
 */
export function farEnd(
  service: 'upload-pack' | 'receive-pack',
  owner: Owner | null,
  more: readonly Setting[],
): string {
  const config = [...settings, ...more].flatMap(([key, value]) => ['-c', `${key}=${value}`])
  return [...asOwner(owner), 'env', 'GIT_ALLOW_PROTOCOL=none', 'git', ...config, service]
    .map(quoted)
    .join(' ')
}

/**
 * The same for another repository of this machine, which is pushed to as anybody would: with its own settings and hooks,
 * under its owner's ids.
 */
export function remoteEnd(service: 'upload-pack' | 'receive-pack', owner: Owner | null): string {
  return [...asOwner(owner), 'env', 'GIT_ALLOW_PROTOCOL=none', 'git', service].map(quoted).join(' ')
}

interface Owner {
  readonly uid: number
  readonly gid: number
}

function asOwner(owner: Owner | null): readonly string[] {
  if (owner === null) return []
  return ['setpriv', `--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--no-new-privs']
}

/** A word as a shell reads it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** Where git works: nothing is discovered, everything is named. */
export interface GitPlace {
  readonly gitDir: HostPath
  readonly workTree?: HostPath
  readonly index?: HostPath
}

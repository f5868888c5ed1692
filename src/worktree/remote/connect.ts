import type { RemoteKey, RemoteSettings } from '../../domain/remote.ts'
import type { Secret } from '../../domain/secret.ts'
import { quoted, type Setting } from '../hardening.ts'

/** What git is told for one remote, beyond what it is always told. */
export interface Connection {
  readonly config: readonly Setting[]
  readonly env: Readonly<Record<string, string>>
}

/** Less than this many bytes a second for so long, and a server counts as gone. */
const slowest = { bytes: '1000', seconds: '60' } as const

/**
 * Who git says that it is, and over which protocol alone. What is secret stands in the environment of that one process:
 * its helper is text that names the variables.
 */
export function connectionTo({ url, login, ssh }: RemoteSettings): Connection {
  const { protocol, origin } = new URL(url)
  const scheme = protocol.slice(0, -1)
  const config: Setting[] = [
    [`protocol.${scheme}.allow`, 'always'],
    // A server that sends elsewhere could send into a network that only this machine can reach.
    ['http.followRedirects', 'false'],
    ['http.lowSpeedLimit', slowest.bytes],
    ['http.lowSpeedTime', slowest.seconds],
    // What is old and odd in a history that is there already stays usable, as in a repository on this machine.
    ['fetch.fsckObjects', 'false'],
    // What comes in is one file, whose size has a limit.
    ['fetch.unpackLimit', '1'],
  ]
  const env: Record<string, string> = { GIT_ALLOW_PROTOCOL: scheme }
  if (login?.password != null) {
    const known = credentialFor(origin, login.user, login.password)
    config.push(...known.config)
    Object.assign(env, known.env)
  }
  if (ssh !== null) Object.assign(env, sshEnv(ssh))
  return { config, env }
}

/**
 * Who git says that it is to one host and no other. It answers with what stands in the environment alone: argv and files of
 * settings are read by others.
 * @param origin of the host's URLs
 */
export function credentialFor(origin: string, user: string, password: Secret): Connection {
  return {
    config: [[`credential.${origin}.helper`, helper]],
    env: { COFFERDAM_GIT_USER: user, COFFERDAM_GIT_PASSWORD: password.reveal() },
  }
}

// Git would also have it keep what was accepted and forget what was not.
const helper =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$COFFERDAM_GIT_USER" "$COFFERDAM_GIT_PASSWORD"; }; f'

/** How git calls ssh, for one process. */
export function sshEnv(files: RemoteKey): Record<string, string> {
  return { GIT_SSH_COMMAND: sshCommand(files), GIT_SSH_VARIANT: 'ssh' }
}

/** Nothing of the user's own configuration, no agent, nobody who is asked, and no host that is not known already. */
function sshCommand({ key, knownHosts }: RemoteKey): string {
  const options = [
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    'PreferredAuthentications=publickey',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'ConnectTimeout=20',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
  ]
  return ['ssh', '-F', '/dev/null', '-i', key, ...options.flatMap((option) => ['-o', option])]
    .map(quoted)
    .join(' ')
}

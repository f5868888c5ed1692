import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { Environment } from './environment.ts'

/** Node cuts longer socket paths without a word (the system has 108 bytes). */
const longestSocket = 90

/** The path of a socket in the runtime folder; refused where it would be cut. */
export function socketPath(folder: HostPath, name: string): HostPath {
  const path = join(folder, name)
  if (Buffer.byteLength(path) <= longestSocket) return hostPath(path)
  throw new Failure(
    'bad_config',
    `The socket ${path} would have a path of more than ${longestSocket} bytes: ` +
      'name a shorter folder as "runtime" in the configuration or in COFFERDAM_RUNTIME.',
  )
}

/** Where the configuration is, and whether it may be missing. */
export function configPlace(
  flag: string | undefined,
  around: Environment,
): { path: string; optional: boolean } {
  const named = flag ?? around.env['COFFERDAM_CONFIG']
  if (named) return { path: expand(named, around.cwd, around), optional: false }
  const folder = xdg(around, 'XDG_CONFIG_HOME') ?? join(around.home, '.config')
  return { path: join(folder, 'cofferdam', 'cofferdam.yaml'), optional: true }
}

/** `--data`, else the environment, else the configuration (seen from its folder), else the user's own. */
export function dataPlace(
  flag: string | undefined,
  configured: string | undefined,
  configFile: string,
  around: Environment,
): HostPath {
  // As from `--data "$UNSET"`: the default folder is not what was meant.
  if (flag === '')
    throw new Failure('bad_config', 'The data folder of --data is empty: name one, or leave --data out.')
  const named = flag ?? around.env['COFFERDAM_DATA']
  if (named) return expand(named, around.cwd, around)
  if (configured) return expand(configured, dirname(configFile), around)
  const folder = xdg(around, 'XDG_DATA_HOME') ?? join(around.home, '.local', 'share')
  return hostPath(join(folder, 'cofferdam', '.workspace'))
}

/**
 * The folder for the sockets of one data folder. It must come out the same for every command on that data folder, whatever
 * session it is started from; so root always takes /run, and a user's own runtime folder is found without the variable.
 */
export function runtimePlace(
  configured: string | undefined,
  configFile: string,
  data: HostPath,
  around: Environment,
): HostPath {
  const named = around.env['COFFERDAM_RUNTIME']
  const name = createHash('sha256').update(resolved(data)).digest('hex').slice(0, 8)
  if (named) return hostPath(join(expand(named, around.cwd, around), name))
  if (configured) return hostPath(join(expand(configured, dirname(configFile), around), name))
  if (around.uid === 0) return hostPath(join('/run/cofferdam', name))
  const own = xdg(around, 'XDG_RUNTIME_DIR') ?? `/run/user/${around.uid}`
  if (existsSync(own)) return hostPath(join(own, 'cofferdam', name))
  return hostPath(join(around.tmp, `cofferdam-${around.uid}`, name))
}

/** The unix socket of the engine: configured, else DOCKER_HOST, else the usual one, else that of a rootless engine. */
export function enginePlace(
  configured: string | undefined,
  configFile: string,
  around: Environment,
): HostPath {
  const only = 'but only the unix socket of an engine on this machine will do'
  if (configured) {
    const path = configured.replace(/^unix:\/\/(?=\/)/, '')
    if (!path.includes('://')) return expand(path, dirname(configFile), around)
    throw new Failure(
      'bad_config',
      `engine.socket is ${configured}, ${only}: remove it or set it to /var/run/docker.sock.`,
    )
  }
  const named = around.env['DOCKER_HOST']
  if (named) {
    const path = /^unix:\/\/(\/.+)$/.exec(named)?.[1]
    if (path !== undefined) return hostPath(path)
    throw new Failure(
      'bad_config',
      `DOCKER_HOST is ${named}, ${only}: unset it or set it to unix:///var/run/docker.sock.`,
    )
  }
  const usual = '/var/run/docker.sock'
  const rootless = join(xdg(around, 'XDG_RUNTIME_DIR') ?? `/run/user/${around.uid}`, 'docker.sock')
  return hostPath(!existsSync(usual) && existsSync(rootless) ? rootless : usual)
}

/** Whom this process was told to believe over TLS beside those that Node knows; Node itself reads it only at its start. */
export function authoritiesPlace({ env, cwd }: Environment): HostPath | null {
  const named = env['NODE_EXTRA_CA_CERTS']
  return named ? hostPath(resolve(cwd, named)) : null
}

/** An absolute path: `~` is the user's home, anything else is seen from `from`. */
export function expand(path: string, from: string, around: Environment): HostPath {
  return hostPath(resolve(from, path.replace(/^~(?=\/|$)/, around.home)))
}

/** The path without symlinks, as far as it exists already. */
export function resolved(path: HostPath): HostPath {
  try {
    return hostPath(realpathSync(path))
  } catch {
    const parent = hostPath(dirname(path))
    return parent === path ? path : hostPath(join(resolved(parent), basename(path)))
  }
}

/** A variable of the XDG base folders; as the specification says, a relative one does not count. */
function xdg(around: Environment, name: string): string | undefined {
  const value = around.env[name]
  return value && isAbsolute(value) ? value : undefined
}

export function hostPath(path: string): HostPath {
  if (isHostPath(path)) return path
  throw new Error(`not an absolute path: ${path}`)
}

function isHostPath(path: string): path is HostPath {
  return isAbsolute(path)
}

import type { TunnelRule } from './egress.ts'

/** Where packages come from on this machine, as its own package managers are set. */
export interface Registries {
  /** What a setup box may reach; nothing else. */
  readonly tunnels: readonly TunnelRule[]
  /** Settings for the package managers in the box. Without credentials: those stay outside. */
  readonly env: Readonly<Record<string, string>>
  /** What a person should know: a registry that wants credentials, a package manager that could not be asked. */
  readonly notes: readonly string[]
}

/** A setting of a package manager that names a registry. */
export interface RegistrySetting {
  /** For people: `npm registry`, `pip index`, `apt source`. */
  readonly what: string
  readonly url: string
  /** The variable by which the box is told; null where it need not be. */
  readonly variable: string | null
}

/** Pure: what settings come to. What is no http(s) address, such as a folder of wheels, is of no use to a box. */
export function registriesOf(settings: readonly RegistrySetting[]): Registries {
  const tunnels = new Map<string, TunnelRule>()
  const env: Record<string, string> = {}
  const notes: string[] = []
  for (const { what, url: text, variable } of settings) {
    const url = URL.canParse(text) ? new URL(text) : null
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) continue
    if (url.username !== '' || url.password !== '')
      notes.push(
        `The ${what} has a password in its address, which no box is given: what is not public there fails.`,
      )
    url.username = ''
    url.password = ''
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    tunnels.set(`${url.hostname}:${port}`, { host: url.hostname, ports: [port], inside: true, why: what })
    if (variable !== null)
      env[variable] = env[variable] === undefined ? url.href : `${env[variable]} ${url.href}`
  }
  return { tunnels: [...tunnels.values()], env, notes }
}

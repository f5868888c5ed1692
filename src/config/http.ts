import { isIP } from 'node:net'
import { dirname } from 'node:path'
import { Failure } from '../domain/failure.ts'
import type { HttpSettings } from '../domain/listen.ts'
import type { Environment } from './environment.ts'
import { expand } from './places.ts'
import type { ConfigFile } from './schema.ts'

/** Where the API is offered, as the configuration says it. */
export function httpOf(
  { listen, hosts, tls, proxyTls, perMinute }: NonNullable<ConfigFile['http']>,
  file: string,
  around: Environment,
): HttpSettings {
  const at = (path: string): string => expand(path, dirname(file), around)
  return {
    ...placeOf(listen, file),
    hosts,
    tls: tls === undefined ? null : { cert: at(tls.cert), key: at(tls.key) },
    proxyTls,
    perMinute,
  }
}

function placeOf(listen: string | number, file: string): { address: string; port: number } {
  if (typeof listen === 'number') return { address: '127.0.0.1', port: listen }
  const [, inBrackets, bare = '', port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(listen) ?? []
  const named = inBrackets ?? bare
  const address = named === 'localhost' ? '127.0.0.1' : named
  if (isIP(address) !== 0 && Number(port) <= 65_535) return { address, port: Number(port) }
  throw new Failure(
    'bad_config',
    `The configuration ${file} cannot be used. "http.listen" is ${listen}: give an IP address with a port, ` +
      'such as 127.0.0.1:7878 or [::1]:7878.',
  )
}

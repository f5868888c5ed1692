import { createRequire, Module } from 'node:module'
import type Docker from 'dockerode'

/**
 * What dockerode loads at its start, and by whom: gRPC for sessions of BuildKit, SSH for engines on other machines.
 * Cofferdam uses neither, and both together take half of the library's memory and two thirds of the time to load it.
 */
const unused: readonly (readonly [by: string, name: string])[] = [
  ['dockerode', '@grpc/grpc-js'],
  ['dockerode', '@grpc/proto-loader'],
  ['docker-modem', 'ssh2'],
]

/** The library, without these. Loaded when it is asked for: most commands never talk to an engine. */
export async function loadDockerode(): Promise<typeof Docker> {
  const dockerode = createRequire(createRequire(import.meta.url).resolve('dockerode'))
  for (const [by, name] of unused) {
    const from = by === 'dockerode' ? dockerode : createRequire(dockerode.resolve(by))
    const path = from.resolve(name)
    // Where somebody else has loaded it already, it stays as it is.
    from.cache[path] ??= Object.assign(new Module(path), { filename: path, loaded: true })
  }
  const { default: library } = await import('dockerode')
  return library
}

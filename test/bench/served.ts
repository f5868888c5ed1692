import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '../../src/client/client.ts'
import { socketFetch } from '../../src/client/fetch.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Lab } from './lab.ts'
import { installationOf, type Premises } from './plane.ts'

const program = fileURLToPath(new URL('../../program/cofferdam.js', import.meta.url))

/** `cofferdam serve` in a process of its own. */
export interface Served extends AsyncDisposable {
  readonly pid: number
  /** From the start of the process until it said that it works, ms. */
  readonly readyMs: number
  readonly client: Client
}

export async function serve(lab: Lab, place: Premises): Promise<Served> {
  const begun = performance.now()
  const args = [program, 'serve', '--json', '--data', place.data, '--config', place.config]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)))
  const [first] = (await Promise.race([once(child.stdout, 'data'), exit])) as readonly unknown[]
  const readyMs = performance.now() - begun
  if (!Buffer.isBuffer(first) || child.pid === undefined) throw new Error(`serve ended at once: ${said}`)

  const config = loadConfig(place, thisProcess())
  lab.owns(installationOf(config.dataFolder))
  const fetch = socketFetch(config.controlSocket)
  const close = async (): Promise<void> => {
    fetch[Symbol.dispose]()
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exit
  }
  lab.atEnd(close)
  return { pid: child.pid, readyMs, client: createClient(fetch), [Symbol.asyncDispose]: close }
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startChild } from '../control-plane/store/child.ts'
import { program, type Program } from '../support/program.ts'
import { receiver } from '../support/receiver.ts'

let folder: string
let sender: Program
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-webhook-tls-'))
  sender = program(new URL('programs/sender.ts', import.meta.url))
  certificate('here', 'DNS:localhost')
  certificate('elsewhere', 'DNS:elsewhere.test')
})
afterAll(() => {
  sender[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const fileOf = (name: string, part: 'cert' | 'key'): string => join(folder, `${name}-${part}.pem`)

function certificate(name: string, names: string): void {
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
  const files = `-keyout ${fileOf(name, 'key')} -out ${fileOf(name, 'cert')}`
  const args = `req -x509 ${key} -days 1 -subj /CN=${name} -addext subjectAltName=${names} ${files}`
  execFileSync('openssl', args.split(' '), { stdio: 'ignore' })
}

/** What comes of a letter to a receiver with this certificate, and what that one got; `trusted`: whom the sender trusts. */
async function sent(name: string, trusted: string | null) {
  const pair = {
    cert: readFileSync(fileOf(name, 'cert'), 'utf8'),
    key: readFileSync(fileOf(name, 'key'), 'utf8'),
  }
  await using there = await receiver(undefined, 'localhost', pair)
  const trust = trusted === null ? [] : [`NODE_EXTRA_CA_CERTS=${fileOf(trusted, 'cert')}`]
  const child = startChild('env', [...trust, process.execPath, sender.file, there.url])
  await child.ended()
  return { outcome: JSON.parse(child.output()) as unknown, there }
}

it('a webhook over TLS is delivered to a receiver whose certificate is trusted and of its name', async () => {
  const { outcome, there } = await sent('here', 'here')
  expect(outcome).toEqual({ kind: 'delivered' })
  expect(there.received.map((request) => there.verified(request))).toEqual([{ type: 'task.applied' }])
})

it.each([
  ['that nobody vouches for', 'here', null, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['of another name', 'elsewhere', 'elsewhere', 'ERR_TLS_CERT_ALTNAME_INVALID'],
])('a receiver with a certificate %s is told nothing', async (_, name, trusted, code) => {
  const { outcome, there } = await sent(name, trusted)
  expect(outcome).toEqual({
    kind: 'failed',
    fault: 'passing',
    text: `localhost could not be reached: ${code}.`,
  })
  expect(there.received).toEqual([])
})

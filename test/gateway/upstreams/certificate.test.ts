import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { anthropic } from '../../../src/gateway/upstreams/anthropic.ts'
import { openLab, publicAddress } from '../lab.ts'
import { call, key } from './provider.ts'

it('a provider that cannot prove its name gets neither a call nor the key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-certificate-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=model.test -addext subjectAltName=DNS:model.test -keyout ${keyFile} -out ${certFile}`
  execFileSync('openssl', made.split(' '), { stdio: 'ignore' })
  let asked = 0
  const server = createServer(
    { key: readFileSync(keyFile), cert: readFileSync(certFile) },
    (_request, response) => {
      asked += 1
      response.end('{}')
    },
  )
  let bytes = ''
  server.on('connection', (socket) => socket.on('data', (chunk) => (bytes += chunk.toString('latin1'))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())

  const lab = await openLab({
    upstreams: [anthropic({ origin: 'https://model.test', key })],
    names: { 'model.test': [publicAddress] },
    far: (server.address() as AddressInfo).port,
  })
  const reply = await call(lab)
  expect([reply.status, asked]).toEqual([502, 0])
  expect(reply.body).toContain('self-signed certificate')
  expect(bytes).not.toContain(key)
  expect(lab.spent).toEqual([])
})

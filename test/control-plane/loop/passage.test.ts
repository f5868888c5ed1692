import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { BoxNotices } from '../../../control-plane/loop/notices.ts'
import { openPassage, type AttendedPassage } from '../../../control-plane/loop/passage.ts'
import type { Egress } from '../../../src/domain/egress.ts'
import { aBox, anEgress } from '../../support/box.ts'
import { openBoxWork } from './box-work.ts'

function opening(egress: Egress | null) {
  const opened = openBoxWork()
  const box = aBox({ egress })
  const nobody = { spent: () => undefined, unavailable: () => undefined }
  const passage = openPassage(opened.work, box, new BoxNotices(opened.work, box), nobody)
  return { ...opened, passage, rows: () => opened.store.egressLog(opened.work.task.id, box.name, 10) }
}

/** What comes back on a connection of the box, until it is closed. */
async function answerTo(passage: AttendedPassage, bytes: string): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => passage.accept(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined)
  socket.write(bytes)
  let got = ''
  socket.on('data', (chunk) => (got += String(chunk)))
  await new Promise((resolve) => socket.on('close', resolve))
  return got
}

const ask = 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n'

it('a box without an egress has a connection closed, and no counts', async () => {
  const { passage, rows } = opening(null)
  expect(await answerTo(passage, ask)).toBe('')
  expect([await passage.close(), rows()]).toEqual([null, []])
})

it('a box with one is answered by the gateway, and all is on record when it is closed', async () => {
  const { passage, rows, noticed } = opening(anEgress)
  expect(await answerTo(passage, ask)).toContain('HTTP/1.1 403')
  const counts = await passage.close()
  expect(counts).toMatchObject({ allowed: 0, denied: 1 })
  expect(rows()).toEqual([expect.objectContaining({ host: 'a.test', port: 443, verdict: 'denied' })])
  expect(noticed()).toHaveLength(1)
})

it('what connects afterwards is closed', async () => {
  const { passage } = opening(anEgress)
  await passage.close()
  expect(await answerTo(passage, ask)).toBe('')
})

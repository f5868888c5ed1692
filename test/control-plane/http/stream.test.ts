import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpApp } from '../../../control-plane/http/app.ts'
import { serveSocket } from '../../../control-plane/http/socket.ts'
import { taskRequestSchema } from '../../../src/domain/intake.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOwner, aTask } from '../../support/task.ts'
import { until } from '../../support/until.ts'

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-stream-'))
  plane = new ScriptedPlane(folder, applies)
  app = httpApp(plane, {
    caller: () => anOwner,
    report: () => undefined,
    stream: { heartbeatMs: 20, stallMs: 1000, bufferBytes: 64 * 1024 },
  })
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function submitted(draft = false): Promise<TaskId> {
  const request = taskRequestSchema.parse({ goal: 'Mend the parser', repository: '/r/one', draft })
  return (await plane.submit(request, anOwner, null)).task.id
}

const stream = async (id: TaskId, last?: string, query = ''): Promise<Response> =>
  app.request(`/v1/tasks/${id}/stream${query}`, {
    headers: last === undefined ? {} : { 'last-event-id': last },
  })

const idsIn = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
const upTo = (last: number, from = 1): number[] =>
  Array.from({ length: last - from + 1 }, (_, index) => from + index)

describe('the stream of a task over HTTP', () => {
  it('replays what was missed, goes on live, and ends with the last event of a final task', async () => {
    const id = await submitted()
    const answer = await stream(id)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    plane.attend(id)
    const text = await answer.text()
    const { status, version } = plane.task(id)
    expect(status).toBe('APPLIED')
    expect(idsIn(text)).toEqual(upTo(version))
    expect(text).toContain('retry: ')
    const again = await (await stream(id, '3')).text()
    expect(idsIn(again)).toEqual(upTo(version, 4))
    expect(idsIn(await (await stream(id, undefined, '?after=3')).text())).toEqual(upTo(version, 4))
  })

  it('has nothing to come back for when a final task was seen to its end', async () => {
    const id = await submitted(true)
    await plane.act(id, { act: 'reject', text: null }, anOwner, null)
    const last = plane.task(id).version
    for (const seen of [String(last), String(last + 10)]) {
      const answer = await stream(id, seen)
      expect([answer.status, await answer.text()]).toEqual([204, ''])
    }
    expect((await stream(id, String(last - 1))).status).toBe(200)
  })

  it('ends also where a rejected task waits for room on the disk, for which nobody will look', async () => {
    const rejected = { status: 'REJECTED', phase: 'postponed' } as const
    const { id } = plane.transitions.birth(aTask(rejected), 'Rejected.')
    expect(idsIn(await (await stream(id)).text())).toEqual([1])
    expect((await stream(id, '1')).status).toBe(204)
  })

  it('is opened a thousand times by one caller and no more, until one is closed', async () => {
    const changes = (): Promise<Response> => Promise.resolve(app.request('/v1/changes'))
    const opened: Response[] = []
    while (opened.length < 1000) opened.push(await changes())
    expect(new Set(opened.map(({ status }) => status))).toEqual(new Set([200]))
    const refused = await changes()
    expect([refused.status, await refused.json()]).toEqual([
      429,
      expect.objectContaining({ detail: 'This token has 1000 streams open: close some, then try again.' }),
    ])
    await opened.pop()?.body?.cancel()
    opened.push(await changes())
    expect(opened.at(-1)?.status).toBe(200)
    expect((await changes()).status).toBe(429)
    for (const { body } of opened) await body?.cancel()
    expect((await changes()).status).toBe(200)
  })

  it('stays open where a task may go on, with a heartbeat', async () => {
    const id = await submitted()
    await plane.act(id, { act: 'stop', text: null }, anOwner, null)
    const answer = await stream(id, String(plane.task(id).version))
    expect(answer.status).toBe(200)
    const reader = answer.body?.getReader()
    let text = ''
    while (!text.includes('event: beat\ndata: {"everyMs":20}\n\n'))
      text += new TextDecoder().decode((await reader?.read())?.value)
    expect(idsIn(text)).toEqual([])
    await reader?.cancel()
  })

  it.each(['x', '-1', '1.5', ''])('begins at the first event where Last-Event-ID is "%s"', async (last) => {
    const id = await submitted(true)
    await plane.act(id, { act: 'reject', text: null }, anOwner, null)
    expect(idsIn(await (await stream(id, last)).text())).toEqual(upTo(plane.task(id).version))
  })

  it('drops a reader that takes nothing, and goes on for one that does', async () => {
    plane[Symbol.dispose]()
    plane = new ScriptedPlane(folder, async ({ output, signal }) => {
      for (; !signal.aborted; await sleep(2)) output('agent', 'x'.repeat(32 * 1024))
    })
    const gone: boolean[] = []
    const watch = plane.watch.bind(plane)
    plane.watch = (id, after, signal) => {
      const reader = gone.push(false) - 1
      signal.addEventListener('abort', () => (gone[reader] = true))
      return watch(id, after, signal)
    }
    app = httpApp(plane, {
      caller: () => anOwner,
      report: () => undefined,
      stream: { heartbeatMs: 1000, stallMs: 200, bufferBytes: 64 * 1024 },
    })
    const path = join(folder, 's')
    await using _ = await serveSocket(app, path)
    const id = await submitted()
    const reading = (): Socket =>
      connect(path, function (this: Socket) {
        this.write(`GET /v1/tasks/${id}/stream HTTP/1.1\r\nhost: cofferdam\r\n\r\n`)
      })
    const slow = reading().pause()
    await until(() => gone.length === 1)
    let taken = 0
    const quick = reading().on('data', (chunk) => (taken += chunk.length))
    plane.attend(id)
    await until(() => gone[0] === true)
    const before = taken
    await until(() => taken > before + 1024 * 1024)
    expect(gone).toEqual([true, false])
    slow.destroy()
    quick.destroy()
    await until(() => gone[1] === true)
  })
})

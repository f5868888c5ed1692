import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { httpApp } from '../../control-plane/http/app.ts'
import { serveSocket } from '../../control-plane/http/socket.ts'
import type { Sight } from '../../src/domain/control-plane.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { type FetchLike, socketFetch, Unreachable } from '../../src/client/fetch.ts'
import { sights } from '../../src/client/stream.ts'
import { Failure } from '../../src/domain/failure.ts'
import { taskRequestSchema } from '../../src/domain/intake.ts'
import { applies, ScriptedPlane, worksForever } from '../support/scripted-plane.ts'
import { anOwner, aTaskId } from '../support/task.ts'

const request = taskRequestSchema.parse({ goal: 'Make the tests pass', repository: '/repositories/example' })

let folder: string
let plane: ScriptedPlane
const closers: (() => PromiseLike<void> | void)[] = []
afterEach(() => close())

/** What was opened last is closed first. */
async function close(): Promise<void> {
  for (const closer of closers.splice(0).toReversed()) await closer()
}

type Way = 'in this process' | 'over a socket'

async function client(way: Way, script = applies): Promise<Client> {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-client-'))
  closers.push(() => rmSync(folder, { recursive: true, force: true }))
  const scripted = new ScriptedPlane(folder, script)
  closers.push(() => scripted[Symbol.dispose]())
  plane = scripted
  const app = httpApp(plane, {
    caller: () => anOwner,
    report: (error) => {
      throw error
    },
  })
  if (way === 'in this process') return createClient(async (path, call) => app.request(path, call))
  const server = await serveSocket(app, join(folder, 's'))
  const fetch = socketFetch(join(folder, 's'))
  closers.push(
    () => fetch[Symbol.dispose](),
    () => server[Symbol.asyncDispose](),
  )
  return createClient(fetch)
}

/** What a stream begins with. */
function readerOf(text: string) {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
  }).getReader()
}

describe.each<Way>(['in this process', 'over a socket'])('a client %s', (way) => {
  it('mirrors the control plane', async () => {
    const there = await client(way)
    await there.ping()
    const { task, notes } = await there.submit(request)
    expect(notes).toEqual(['Uncommitted changes are not part of the task.'])
    expect(await there.task(task.id)).toEqual(plane.task(task.id))
    expect(await there.tasks({ statuses: ['PENDING'], limit: 1 })).toEqual(plane.tasks({}))
    expect(await there.tasks({ statuses: ['BLOCKED'] })).toEqual([])
    const found = await there.search({ text: 'tests pass', statuses: ['PENDING'], limit: 5 })
    expect(found).toEqual(await plane.search({ text: 'tests pass' }))
    expect(found.hits).toHaveLength(1)
    expect(await there.events(task.id, 0)).toEqual(plane.events(task.id, 0))
    expect(await there.checkpoints(task.id)).toEqual([])
    expect(await there.diff(task.id, null)).toBe('')
    expect(await there.logs(task.id, 3)).toContain('step 3')
    expect(await there.doctor()).toEqual(await plane.doctor())
    expect(await there.explain(request)).toEqual(await plane.explain(request, anOwner))
    expect((await there.act(task.id, { act: 'stop', text: 'enough' })).halt?.text).toBe('enough')
    const budget = { steps: 9 }
    expect((await there.act(task.id, { act: 'resume', instruction: null, budget })).budget.steps).toBe(9)
  })

  it.each(['x', '修', '🚀'])('B30 searches for 10,000 times %s', async (letter) => {
    const there = await client(way)
    expect(await there.search({ text: letter.repeat(10_000) })).toEqual({ hits: [], more: false, behind: 0 })
  })

  it('submits once under a key, and acts on what was shown alone', async () => {
    const there = await client(way)
    const { task } = await there.submit({ ...request, draft: true }, 'key')
    expect((await there.submit({ ...request, draft: true }, 'key')).task).toEqual(task)
    await expect(there.submit(request, 'key')).rejects.toMatchObject({ name: 'Failure', code: 'conflict' })
    await there.act(task.id, { act: 'suggest', text: 'use ls' }, 1)
    await expect(there.act(task.id, { act: 'approve' }, 1)).rejects.toMatchObject({ code: 'conflict' })
    expect((await there.act(task.id, { act: 'approve' }, 2)).status).toBe('PENDING')
  })

  it('throws the failure that the control plane answers', async () => {
    const there = await client(way)
    await expect(there.task(aTaskId)).rejects.toMatchObject({ name: 'Failure', code: 'not_found' })
    const { task } = await there.submit(request)
    await expect(there.act(task.id, { act: 'approve' })).rejects.toThrow(/Possible now/)
    plane.doctor = () => Promise.reject(new Failure('engine', 'The engine is down.'))
    await expect(there.doctor()).rejects.toThrow('The engine is down.')
    plane.ready = () => Promise.reject(new Failure('busy', 'The disk is full.'))
    await expect(there.ready()).rejects.toThrow('The disk is full.')
  })

  it('replays the events, then follows live with output, until it is told to end', async () => {
    const there = await client(way)
    const { task } = await there.submit(request)
    const end = new AbortController()
    const seen: Sight[] = []
    for await (const sight of await there.watch(task.id, 0, end.signal)) {
      seen.push(sight)
      if (seen.length === 1) await there.attend(task.id)
      if (sight.kind === 'event' && sight.event.to === 'APPLIED') end.abort()
    }
    const types = seen.map((sight) => (sight.kind === 'event' ? sight.event.type : sight.text))
    expect(types[0]).toBe('submitted')
    expect(types.at(-1)).toBe('handed_over')
    expect(types.filter((text) => text === 'line')).toHaveLength(1)

    const again = new AbortController()
    for await (const sight of await there.watch(task.id, seen.length - 3, again.signal)) {
      if (sight.kind === 'event') expect(sight.event.seq).toBe(seen.length - 2)
      again.abort()
    }
  })

  it('ends at once when it is told to, though nothing comes', async () => {
    const there = await client(way)
    const { task } = await there.submit(request)
    const end = new AbortController()
    const started = Date.now()
    for await (const _ of await there.watch(task.id, 0, end.signal)) setTimeout(() => end.abort(), 50)
    expect(Date.now() - started).toBeLessThan(2000)
  })
})

describe('a control plane that goes away', () => {
  it('is unreachable, and nothing was sent, where nobody listens', async () => {
    using fetch = socketFetch('/nowhere/at/all')
    await expect(createClient(fetch).ping()).rejects.toMatchObject({ name: 'Unreachable', sent: false })
  })

  it('breaks off the stream', async () => {
    const there = await client('over a socket', worksForever)
    const { task } = await there.submit(request)
    await there.attend(task.id)
    const watching = async (): Promise<void> => {
      for await (const sight of await there.watch(task.id, 0, new AbortController().signal)) {
        if (sight.kind === 'event' && sight.event.type === 'begun') await close()
      }
    }
    await expect(watching()).rejects.toThrow(Unreachable)
  })

  it('passes beats over, which are no sights', async () => {
    const output = 'event: output\ndata: {"step":1,"box":"agent","text":"one"}\n\n'
    const beat = 'event: beat\ndata: {"everyMs":15000}\n\n'
    const seen: Sight[] = []
    const watching = async (): Promise<void> => {
      const reader = readerOf(`retry: 500\n\n${beat}${output}${beat}`)
      for await (const sight of sights(reader, new AbortController().signal, 20)) seen.push(sight)
    }
    await expect(watching()).rejects.toThrow(Unreachable)
    expect(seen).toEqual([{ kind: 'output', step: 1, box: 'agent', text: 'one' }])
  })

  it('is taken for gone when it says nothing for too long', async () => {
    const silent = new ReadableStream<Uint8Array>().getReader()
    const watching = async (): Promise<void> => {
      for await (const _ of sights(silent, new AbortController().signal, 20));
    }
    await expect(watching()).rejects.toThrow(Unreachable)
  })
})

it('takes an answer that is no problem for a bug', async () => {
  const broken: FetchLike = () =>
    Promise.resolve({ status: 502, body: null, text: () => Promise.resolve('<html>') })
  await expect(createClient(broken).ping()).rejects.toThrow('answered with 502')
})

it.each([
  ['another shape', '{"tasks":[{"id":7}],"next":null}', 'tasks.0.id'],
  ['no JSON', 'Hello', 'all of it'],
])('an answer in %s is a server’s of another version, and no bug of the command', async (_, text, where) => {
  const there = createClient(async () => new Response(text))
  await expect(there.tasks({})).rejects.toMatchObject({
    name: 'Failure',
    code: 'server',
    message: expect.stringContaining(`(${where}), so it is of another version of Cofferdam`) as string,
  })
})

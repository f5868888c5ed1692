import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Failure } from '../../src/domain/failure.ts'
import { damagePage } from '../support/damaged-page.ts'
import type { Program } from '../support/program.ts'
import { until } from '../support/until.ts'
import { cofferdam, inside, type ServeLab, type Serving, serveLab } from './served.ts'

const canMount =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', 'sh', '-ec', 'mount -t tmpfs tmpfs /mnt']).status === 0

let built: Program
beforeAll(() => {
  built = cofferdam()
}, 120_000)
afterAll(() => built[Symbol.dispose]())

let lab: ServeLab
beforeEach(() => {
  lab = serveLab(built)
})
afterEach(() => lab[Symbol.dispose]())

describe('B07 a second `serve` on one data folder', () => {
  let first: Serving
  beforeEach(async () => {
    first = lab.serve()
    await first.works
  })

  /** What it is told: one sentence. */
  const sentence = (): string =>
    `Process ${first.process.pid} (serve) holds the data folder ${lab.data}: end it first, or use another with --data.`

  it('is refused with one sentence, and the first goes on', { timeout: 60_000 }, async () => {
    const second = lab.serve()
    expect(await second.code).toBe(7)
    expect(second.errors().trim().split('\n')).toEqual([expect.stringContaining(sentence())])
    expect((await lab.draft('Mend it')).task.status).toBe('DRAFT')
  })

  it('waits until the first lets go, where it is to', { timeout: 60_000 }, async () => {
    const second = lab.serve(null, '--wait')
    const waits = `Process ${first.process.pid} (serve) holds the data folder ${lab.data}; waiting until it lets go.`
    await until(() => second.errors().includes(waits))
    const { task } = await lab.draft('Mend it')
    first.process.kill('SIGTERM')
    expect(await first.code).toBe(0)
    await second.works
    expect(await lab.client.task(task.id)).toEqual(task)
  })

  it(
    'is refused while the first is suspended, so that nobody writes under a newer fence meanwhile',
    { timeout: 60_000 },
    async () => {
      const { task } = await lab.draft('Mend it')
      first.process.kill('SIGSTOP')
      const second = lab.serve()
      expect(await second.code).toBe(7)
      expect(second.errors()).toContain(sentence())
      first.process.kill('SIGCONT')
      expect(await lab.client.task(task.id)).toEqual(task)
      expect((await lab.client.act(task.id, { act: 'reject', text: null })).status).toBe('REJECTED')
    },
  )

  it(
    'takes over at once when the first was killed, with all that is on record',
    { timeout: 60_000 },
    async () => {
      const { task } = await lab.draft('Mend it')
      first.process.kill('SIGKILL')
      await first.code
      await lab.serve().works
      expect(await lab.client.task(task.id)).toEqual(task)
    },
  )
})

/** Fills the disk of the data folder to the last byte. @returns what makes room again */
function fill(serving: Serving, name: string): () => void {
  const file = inside(serving, `${lab.data}/${name}`)
  const fd = openSync(file, 'w')
  for (const size of [1 << 20, 4096, 1]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(size))
    } catch {
      // No room for so much.
    }
  }
  closeSync(fd)
  return () => rmSync(file)
}

it(
  '`serve` on a database with a damaged page says so at the terminal and to who asks, and works on',
  { timeout: 120_000 },
  async () => {
    const first = lab.serve()
    await first.works
    const { task } = await lab.draft('Before')
    const pageOf = async () => (await lab.client.doctor('machine')).find(({ name }) => name === 'database')
    await expect.poll(pageOf, { timeout: 20_000 }).toEqual({
      name: 'database',
      state: 'ok',
      text: 'every page of it is sound',
    })
    first.process.kill('SIGTERM')
    await first.code
    expect(first.errors()).not.toContain('damaged')

    damagePage(join(lab.data, 'cofferdam.db'), 'egress_log')
    const serving = lab.serve()
    await serving.works
    const sentence = `${join(lab.data, 'cofferdam.db')} is damaged: `
    await expect.poll(serving.errors, { timeout: 20_000 }).toContain(`cofferdam: ${sentence}`)
    expect(await pageOf()).toMatchObject({ state: 'problem', text: expect.stringContaining(sentence) })
    expect(await lab.client.task(task.id)).toEqual(task)
  },
)

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  )

// Only root can mount a disk, in a mount namespace of its own so that nothing is left of it.
describe.runIf(canMount)('`serve` (only root can try it)', () => {
  it(
    'on a full disk takes what it has put room by for, then refuses, loses nothing, and goes on when there is room',
    { timeout: 120_000 },
    async () => {
      const serving = lab.serve(`mount -t tmpfs -o size=48m,mode=700 tmpfs "${lab.data}"`)
      await serving.works
      const { task: before } = await lab.draft('Before')
      const makeRoom = fill(serving, 'filler')
      // The ballast is thrown off for this one.
      const { task: narrow } = await lab.draft('In a narrow place')
      const makeMoreRoom = fill(serving, 'more')
      expect(await codeOf(lab.draft('Full'))).toBe('disk')
      expect(await codeOf(lab.client.act(before.id, { act: 'reject', text: null }))).toBe('disk')

      // What only reads is answered, and shows what was taken and nothing else.
      expect(await lab.client.task(before.id)).toEqual(before)
      expect(new Set(await idsOf())).toEqual(new Set([before.id, narrow.id]))

      makeRoom()
      makeMoreRoom()
      expect((await lab.client.act(before.id, { act: 'reject', text: null })).status).toBe('REJECTED')
      const { task: after } = await lab.draft('After')
      expect(new Set(await idsOf())).toEqual(new Set([before.id, narrow.id, after.id]))
      expect(serving.process.exitCode).toBeNull()
    },
  )

  it(
    'on a read-only disk is refused with one sentence, and finds all in its place when it can write again',
    { timeout: 120_000 },
    async () => {
      const first = lab.serve()
      await first.works
      const { task } = await lab.draft('Before')
      first.process.kill('SIGTERM')
      await first.code
      const refused = lab.serve(
        `mount --bind "${lab.data}" "${lab.data}"; mount -o remount,bind,ro "${lab.data}"`,
      )
      expect(await refused.code).toBe(7)
      expect(refused.errors().trim().split('\n')).toEqual([expect.stringContaining(lab.data)])
      await lab.serve().works
      expect(await lab.client.task(task.id)).toEqual(task)
    },
  )
})

const idsOf = async (): Promise<readonly string[]> => (await lab.client.tasks({})).map(({ id }) => id)

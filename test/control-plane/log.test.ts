import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engineLog, openLog } from '../../control-plane/log.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Change } from '../../control-plane/store/store.ts'
import { type LoopLab, loopLab, readLog } from '../support/loop-lab.ts'
import { aRepository } from '../support/repository.ts'
import { until } from '../support/until.ts'

const lines = (write: (log: ReturnType<typeof openLog>) => void): ReturnType<typeof readLog> => {
  const data = mkdtempSync(join(tmpdir(), 'cofferdam-log-'))
  try {
    write(openLog(data, 'info', 'silent', { bytes: 2 ** 24, files: 2 }))
    return readLog(data)
  } finally {
    rmSync(data, { recursive: true })
  }
}

describe('the log', () => {
  it.each([
    [{ token: 'hunter2' }],
    [{ request: { authorization: 'Bearer hunter2' } }],
    [{ config: { discord: { token: 'hunter2' } } }],
    [{ headers: { 'x-api-key': 'hunter2' } }],
    [{ spec: { env: { SOME_KEY: 'hunter2' } } }],
    [{ apiKey: 'hunter2', password: 'hunter2', cookie: 'hunter2', secret: 'hunter2', nonce: 'hunter2' }],
  ])('does not tell the secret in %j', (fields) => {
    const [line] = lines((log) => log.info(fields, 'said'))
    expect(JSON.stringify(line)).not.toContain('hunter2')
    expect(JSON.stringify(line)).toContain('[redacted]')
  })

  it.each([
    [
      { box: 'cofferdam-abc-abcdefghij-s2-a3-agent-f1', running: true },
      { task: 'abcdefghij', step: 2, attempt: 3, running: true },
    ],
    [{ box: 'of somebody else' }, { box: 'of somebody else' }],
    [{ why: 'a disk' }, { why: 'a disk' }],
  ])('says of what an engine tells, %j, whose it is', (fields, told) => {
    const [line] = lines((log) => engineLog(log)('said', fields))
    expect(line).toMatchObject({ ...told, msg: 'said' })
    expect(line !== undefined && 'task' in line).toBe('task' in told)
  })

  it('says so where its folder is a link that leads nowhere', () => {
    const data = mkdtempSync(join(tmpdir(), 'cofferdam-log-'))
    symlinkSync(join(data, 'none/logs'), join(data, 'logs'))
    const open = (): unknown => openLog(data, 'info', 'silent', { bytes: 1024, files: 1 })
    expect(open).toThrow(Failure)
    expect(open).toThrow(/^The log .*logs\/cofferdam\.log cannot be written \(E/)
    rmSync(data, { recursive: true })
  })

  it('tells the message of an error', () => {
    const [line] = lines((log) => log.error({ err: new Error('no space') }, 'failed'))
    expect(line).toMatchObject({ err: { message: 'no space' } })
  })
})

describe('the log of a loop', () => {
  let lab: LoopLab
  beforeEach(async () => {
    lab = await loopLab()
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  it('has task, step and attempt on every line', async () => {
    const { id } = await lab.birth(
      aRepository(),
      '[ -f x.txt ] || echo TASK_STATE: CONTINUE; echo x >> x.txt',
      {
        test: 'true',
      },
    )
    await lab.settled(id)
    expect(lab.logged().map(({ task, step, attempt, msg }) => [task, step, attempt, msg])).toEqual([
      [id, 0, 1, 'box planned'],
      [id, 1, 1, 'box planned'],
      [id, 1, 1, 'box planned'],
      [id, 2, 1, 'box planned'],
      [id, 2, 1, 'box planned'],
    ])
  })

  it('has them on what goes wrong', async () => {
    const engineDown = (): never => {
      throw new Failure('engine', 'It is gone.')
    }
    const born = await lab.birth(aRepository(), 'echo at work; sleep 30')
    await until(async () => (await lab.deps.outputs.read(born.id, null)).includes('at work'))
    // What the step did cannot be kept, and that cannot be written at first: the box is left to the reaper.
    lab.faults.engine = (method) => (method === 'remove' ? engineDown() : undefined)
    let refused = false
    lab.faults.store = (method, args) => {
      if (refused || method !== 'write' || (args[0] as Change).event.type !== 'salvaged') return
      refused = true
      throw new Failure('busy', 'The storage is busy.')
    }
    lab.deps.tasks.act(born.id, { type: 'stopped', text: null }, born.createdBy)
    await lab.settled(born.id)
    lab.faults.engine = () => undefined
    await lab.reopen()
    await until(async () => (await lab.deps.engine.list()).length === 0)
    const { id } = born
    const told = lab.logged().map(({ task, step, attempt, msg }) => [task, step, attempt, msg])
    expect(told.filter((line) => line[3] !== 'the phase failed')).toEqual([
      [id, 1, 1, 'box planned'],
      [id, 1, 1, 'an error could not be recorded'],
      [id, 1, 1, 'removing a box that no attempt owns'],
    ])
    const failures = told.filter((line) => line[3] === 'the phase failed')
    expect(failures.length).toBeGreaterThan(1)
    expect(failures).toEqual(failures.map(() => [id, 1, 1, 'the phase failed']))
  })
})

import { describe, expect, it } from 'vitest'
import { actOfReply, addressee } from '../../src/discord/reply.ts'
import type { Task } from '../../src/domain/task.ts'
import { aTask, aTaskIdOf } from '../support/task.ts'

const on = (overrides: Partial<Task>) => (said: string) => actOfReply(aTask(overrides), said)

describe('a plain message in the thread of a task', () => {
  const running = on({ status: 'RUNNING', phase: 'agent' })
  const blocked = on({ status: 'BLOCKED', halt: { reason: 'agent', text: 'Which?' } })

  it.each(['stop', 'Stop.', 'STOP!', 'cancel', '停止', '停', '取消'])('%j stops it', (said) => {
    expect(running(said)).toEqual({ act: 'stop', text: null })
  })

  it.each(['pause', 'Pause', '暂停'])('%j pauses it', (said) => {
    expect(running(said)).toEqual({ act: 'pause' })
  })

  it.each(['resume', 'continue', 'go on', '继续', '恢复'])('%j goes on with it', (said) => {
    expect(blocked(said)).toEqual({ act: 'resume', instruction: null, budget: null })
  })

  it.each(['stop using tabs', 'use tabs', 'pause after each request', '用制表符'])(
    '%j is for the agent: a resume where it is halted, else for its next prompt',
    (said) => {
      expect(blocked(said)).toEqual({ act: 'resume', instruction: said, budget: null })
      expect(running(said)).toEqual({ act: 'steer', text: said })
    },
  )

  it('is a suggestion on a draft', () => {
    expect(on({ status: 'DRAFT' })(' use tabs ')).toEqual({ act: 'suggest', text: 'use tabs' })
  })

  it.each([
    'approve',
    'Approve!',
    'yes',
    'OK',
    'LGTM',
    'go ahead',
    'reject',
    'no',
    '批准',
    '同意。',
    '拒绝',
    '不行',
  ])('%j decides nothing on a draft, nor does it become part of the goal', (said) => {
    expect(on({ status: 'DRAFT' })(said)).toMatch(/press a button .* `\/task_approve`/)
    expect(blocked(said)).toEqual({ act: 'resume', instruction: said, budget: null })
  })

  it.each(['yes, but use tabs', 'approve of tabs', '同意用制表符'])(
    '%j is a suggestion on a draft',
    (said) => {
      expect(on({ status: 'DRAFT' })(said)).toEqual({ act: 'suggest', text: said })
    },
  )

  it.each(['APPLIED', 'REJECTED'] as const)(
    'can do nothing more where it is %s, and is told so',
    (status) => {
      expect(on({ status })('use tabs')).toMatch(/is final: begin a new one/)
    },
  )
})

describe('a plain message in the thread of a question', () => {
  const answered = on({ kind: 'question', status: 'APPLIED', answer: 'So.' })

  it('asks more where it is answered', () => {
    expect(answered(' And why? ')).toEqual({ act: 'ask', text: 'And why?' })
    expect(answered('stop')).toEqual({ act: 'stop', text: null })
  })

  it.each(['PENDING', 'RUNNING'] as const)('waits while it is %s', (status) => {
    expect(on({ kind: 'question', status })('And why?')).toMatch(/is being answered: ask the next one/)
  })

  it('goes on with it where it is halted, adds to it where it is a draft', () => {
    const halt = { reason: 'agent', text: 'Which?' } as const
    expect(on({ kind: 'question', status: 'BLOCKED', halt })('the second')).toMatchObject({ act: 'resume' })
    expect(on({ kind: 'question', status: 'DRAFT' })('in src')).toEqual({ act: 'suggest', text: 'in src' })
  })

  it('does nothing where it is rejected or discarded', () => {
    expect(on({ kind: 'question', status: 'REJECTED' })('why?')).toMatch(/final/)
    expect(on({ kind: 'question', status: 'APPLIED', delivery: 'discarded' })('why?')).toMatch(/final/)
  })
})

describe('of several questions in a thread a plain message is for', () => {
  const question = (number: number, more: Partial<Task>): Task =>
    aTask({ id: aTaskIdOf(number), kind: 'question', status: 'APPLIED', answer: 'So.', ...more })
  const unanswered = (number: number, status: Task['status']): Task =>
    question(number, { status, answer: null })
  const discarded = (number: number): Task => question(number, { delivery: 'discarded' })
  const first = question(1, {})

  it.each<[string, Task, Task]>([
    ['the newest, which is answered', question(2, {}), question(2, {})],
    ['the newest, which is halted', unanswered(2, 'BLOCKED'), unanswered(2, 'BLOCKED')],
    ['the newest, which is a draft', unanswered(2, 'DRAFT'), unanswered(2, 'DRAFT')],
    ['the last answered one, where the newest is rejected', unanswered(2, 'REJECTED'), first],
    ['the last answered one, where the newest is discarded', discarded(2), first],
  ])('%s', (_, newest, meant) => {
    expect(addressee(newest, [newest, discarded(3), unanswered(4, 'REJECTED'), first])).toEqual(meant)
  })

  it('the newest, where none has an answer', () => {
    const newest = unanswered(2, 'REJECTED')
    expect(addressee(newest, [newest, discarded(1)])).toEqual(newest)
  })
})

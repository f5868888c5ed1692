import { afterEach, beforeEach, expect, it } from 'vitest'
import { marksOf } from '../../../control-plane/loop/marks.ts'
import type { Work } from '../../../control-plane/loop/work.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository } from '../../support/repository.ts'
import { aCommitOf, aTask } from '../../support/task.ts'

let lab: LoopLab
beforeEach(async () => {
  lab = await loopLab()
  await lab.reopen()
})
afterEach(() => lab[Symbol.asyncDispose]())

const files = { 'README.md': 'hello\n', 'a.test.js': "it('adds', () => expect(1 + 1).toBe(2))\n" }

it('marks what is applied with every reason, which names its path, and puts that on record', async () => {
  const work = 'rm a.test.js; echo FROM scratch > Dockerfile; echo x > yarn.lock; echo y >> README.md'
  const { id } = await lab.birth(aRepository(files), work)
  const task = await lab.settled(id)
  const marks = [
    { rule: 'lockfile', path: 'yarn.lock', text: expect.stringContaining('"yarn.lock" is changed') },
    { rule: 'container', path: 'Dockerfile', text: expect.stringContaining('"Dockerfile" is changed') },
    { rule: 'tests', path: 'a.test.js', text: 'The test "a.test.js" is deleted.' },
  ]
  expect([task.status, task.marks]).toEqual(['APPLIED', marks])
  expect(lab.events(id).find(({ type }) => type === 'checkpointed')?.data).toMatchObject({ marks })
})

it('marks nothing of work that touches none of it', async () => {
  const { id } = await lab.birth(aRepository(files), 'echo y >> README.md')
  expect(await lab.settled(id)).toMatchObject({ status: 'APPLIED', marks: [] })
})

it('reads the work of all steps, and only when it is done', async () => {
  const work = `[ -e Dockerfile ] && { echo y >> README.md; echo TASK_STATE: DONE; exit; }
    echo FROM scratch > Dockerfile; echo TASK_STATE: CONTINUE`
  const { id } = await lab.birth(aRepository(files), work)
  const task = await lab.settled(id)
  expect([task.status, task.spent.steps, task.marks]).toMatchObject(['APPLIED', 2, [{ path: 'Dockerfile' }]])
  const marked = lab.events(id).filter(({ data }) => 'marks' in data)
  expect(marked.map(({ step }) => step)).toEqual([2])
})

it('says that nobody can judge what is too much', async () => {
  const base = { ref: 'main', commit: aCommitOf('a') }
  const worktrees = { changes: () => Promise.resolve(null) }
  const work = { deps: { worktrees }, task: aTask({ base }), signal: AbortSignal.any([]) } as unknown as Work
  expect(await marksOf(work, aCommitOf('b'))).toMatchObject([{ rule: 'unread', path: '.' }])
  expect(await marksOf(work, base.commit)).toEqual([])
})

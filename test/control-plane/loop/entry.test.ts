import { describe, expect, it } from 'vitest'
import { entryOf } from '../../../control-plane/loop/entry.ts'
import type { Candidate } from '../../../src/domain/worktree.ts'
import type { AgentResult } from '../../../src/domain/agent.ts'
import type { BoxSeen, BoxSpec } from '../../../src/domain/box.ts'
import type { TreeId } from '../../../src/domain/brand.ts'
import type { Checkpoint, Task } from '../../../src/domain/task.ts'
import { aBox } from '../../support/box.ts'
import { aCheckpoint, aCommit, aTask } from '../../support/task.ts'

const spec: BoxSpec = aBox({ kind: 'agent' })
const seen: BoxSeen = { name: spec.name, task: spec.task, specHash: 'hash', running: true }
const hash = (): string => 'hash'
const candidate: Candidate = {
  commit: aCommit,
  tree: aCommit as string as TreeId,
  changed: true,
  leftOut: [],
  stat: { files: 1, insertions: 1, deletions: 0 },
}
const said: AgentResult = {
  marker: { state: 'DONE' },
  text: '',
  exitCode: 0,
  session: null,
  usage: null,
  failure: null,
}

type Row = [
  string,
  Partial<Task>,
  Partial<Checkpoint> | null,
  readonly BoxSeen[],
  phase: string,
  open: string,
]
const rows: readonly Row[] = [
  ['a new task without test or setup', { test: null }, null, [], 'agent', 'drop'],
  ['a new task with a test', {}, null, [], 'baseline', 'drop'],
  ['a new task with a setup', { setup: 'npm ci' }, null, [], 'setup', 'drop'],
  ['setup is done, the baseline is not', { setup: 'npm ci', setupKey: 'k' }, null, [], 'baseline', 'drop'],
  ['everything is prepared', { baseline: '' }, null, [], 'agent', 'drop'],
  ['a live box of the attempt under way', { baseline: '' }, { box: spec }, [seen], 'agent', 'keep'],
  [
    'a live setup box',
    { setup: 'x' },
    { step: 0, box: aBox({ kind: 'setup' }) },
    [{ ...seen, name: aBox({ kind: 'setup' }).name }],
    'setup',
    'keep',
  ],
  [
    'a box that was made from another spec',
    { baseline: '' },
    { box: spec },
    [{ ...seen, specHash: 'other' }],
    'agent',
    'drop',
  ],
  ['a box that is gone', { baseline: '' }, { box: spec }, [], 'agent', 'drop'],
  [
    'an agent whose result is on record: its tree is as it left it',
    { baseline: '' },
    { box: spec, agent: said },
    [seen],
    'verify',
    'keep',
  ],
  ['a candidate', { baseline: '' }, { box: spec, agent: said, candidate }, [seen], 'test', 'carry'],
  [
    'a validated task whose branch was not handed over',
    { baseline: '', outcome: 'tested' },
    null,
    [],
    'handover',
    'drop',
  ],
  [
    'the same, resumed with an instruction',
    { baseline: '', outcome: 'tested', instruction: 'more' },
    null,
    [],
    'agent',
    'drop',
  ],
]

describe('where a claimed task enters the loop', () => {
  it.each(rows)('%s', (_, task, checkpoint, boxes, phase, open) => {
    const row = checkpoint === null ? null : aCheckpoint({ step: 1, box: null, ...checkpoint })
    const entry = entryOf(aTask(task), row, boxes, hash)
    expect([entry.phase, entry.open]).toEqual([phase, open])
    expect(entry.text).not.toBe('')
  })
})

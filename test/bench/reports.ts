import { z } from 'zod'
import type { Along } from '../../control-plane/tasks.ts'
import type { TreeId } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Input } from '../../src/domain/input.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import type { Listing } from '../../src/domain/listing.ts'
import { aBox } from '../support/box.ts'
import { aCheckpoint, aCommitOf } from '../support/task.ts'

export interface Report {
  readonly input: Input
  readonly along: Along
}

/** A worktree with two readonly paths, one of them in a folder that has to be pinned. */
const listing: Listing = {
  hidden: [],
  folders: ['.github', '.github/workflows', 'src', 'test'],
  matches: [
    { path: '.github/workflows', type: 'folder', kind: 'readonly', rule: '.github/workflows' },
    { path: 'AGENTS.md', type: 'file', kind: 'readonly', rule: 'AGENTS.md' },
  ],
}

/** What the loop reports in one step, each with the rows that it writes along. */
export function reportsOf(taskId: TaskId, step: number): readonly Report[] {
  const box = aBox({ task: taskId, step, policy: defaultPolicy, listing })
  const open = aCheckpoint({ taskId, step, box })
  const read: Checkpoint = {
    ...open,
    agent: {
      marker: { state: 'CONTINUE' },
      text: 'Went on.',
      exitCode: 0,
      session: null,
      usage: null,
      failure: null,
    },
  }
  const commit = aCommitOf(String(step % 10))
  const made: Checkpoint = {
    ...read,
    candidate: {
      commit,
      tree: z.custom<TreeId>().parse(commit),
      changed: true,
      leftOut: [],
      stat: { files: 1, insertions: 1, deletions: 1 },
    },
  }
  const kept: Checkpoint = { ...made, state: 'kept', commit, endedAt: open.startedAt + 100 }
  const progress = { signature: String(step), repeats: 1 }
  const row = (checkpoint: Checkpoint): Along => ({ checkpoints: [checkpoint] })
  return [
    {
      input: { type: 'begun', step, attempt: 1, text: 'The agent starts.', consumed: null },
      along: row(open),
    },
    { input: { type: 'agent_finished', text: 'The agent ended.' }, along: row(read) },
    { input: { type: 'advanced', phase: 'candidate', text: 'Inside the policy.' }, along: {} },
    { input: { type: 'candidate_made', text: '1 file changed.' }, along: row(made) },
    { input: { type: 'tested', text: 'Not tested.', priorFailure: null }, along: {} },
    {
      input: { type: 'checkpointed', verdict: { kind: 'next' }, head: commit, progress, marks: null },
      along: row(kept),
    },
  ]
}

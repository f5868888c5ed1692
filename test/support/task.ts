import type { Merge } from '../../src/domain/delivery/merge.ts'
import type { Pull } from '../../src/domain/delivery/pull.ts'
import type { Caller } from '../../src/domain/caller.ts'
import type { CommitId } from '../../src/domain/brand.ts'
import { taskId, type TaskId } from '../../src/domain/ids.ts'
import type { Policy } from '../../src/domain/policy.ts'
import { commitIdSchema } from '../../src/domain/schemas.ts'
import type { Actor, Budget, Checkpoint, Spent, Task } from '../../src/domain/task.ts'

export const aTaskId = aTaskIdOf(0)
export const aCommit = aCommitOf('a')
/** Midday, 1 January 2026. */
export const aTime = Date.UTC(2026, 0, 1, 12)
export const aPerson: Actor = { kind: 'local', id: 'ada' }
export const anOwner: Caller = { actor: aPerson, role: 'owner' }
export const anOperator: Caller = { actor: { kind: 'token', id: 'ci' }, role: 'operator' }
export const aViewer: Caller = { actor: { kind: 'discord', id: '42' }, role: 'viewer' }

/** A task id of its own for each whole number below 2^32. */
export function aTaskIdOf(number: number): TaskId {
  return taskId(Uint8Array.from({ length: 10 }, (_, place) => Math.floor(number / 32 ** place) % 32))
}

/** A commit id made of one hex digit. */
export function aCommitOf(digit: string): CommitId {
  return commitIdSchema.parse(digit.repeat(40))
}

/** A small policy, for tests that are not about what it says. */
export function aPolicy(overrides: Partial<Policy> = {}): Policy {
  return {
    allow: [],
    readonly: ['.github/workflows/**'],
    deny: ['.env', 'config.yaml', '**/.git', '.workspace'],
    except: ['.env.example'],
    onViolation: 'retry',
    egress: [],
    upstreams: [],
    posture: 'standard',
    limits: {
      memoryMb: 2048,
      cpus: 2,
      pids: 512,
      openFiles: 8192,
      fileMb: 2048,
      tmpMb: 512,
      outputMb: 100,
      worktreeMb: 10_240,
      worktreeFiles: 500_000,
      upMb: 256,
      downMb: 4096,
      connections: 128,
      diskFreeMb: 1024,
      testSeconds: 300,
      setupSeconds: 600,
    },
    ...overrides,
  }
}

/** A budget without limits on tokens and cost. */
export function aBudget(some: Partial<Budget> = {}): Budget {
  return { steps: 8, seconds: 1200, tokens: null, costUsd: null, ...some }
}

/** What was spent of it; nothing on models. */
export function aSpent(some: Partial<Spent> = {}): Spent {
  return { steps: 0, ms: 0, tokens: 0, costUsd: 0, ...some }
}

/** A task as it is right after its submission: PENDING, version 1, nothing spent. */
export function aTask(overrides: Partial<Task> = {}): Task {
  const id = overrides.id ?? aTaskId
  return {
    id,
    kind: 'change',
    status: 'PENDING',
    phase: null,
    halt: null,
    version: 1,
    revision: 1,
    fence: 0,
    leaseUntil: null,
    goal: 'Make the tests pass',
    request: 'Make the tests pass',
    repository: { path: '/repositories/example', key: 'example' },
    base: { ref: 'main', commit: aCommit },
    head: aCommit,
    branch: `cofferdam/${id}`,
    agent: { name: 'command', argv: ['true'] },
    setup: null,
    test: 'npm test',
    policy: aPolicy(),
    policyHash: '0'.repeat(64),
    budget: aBudget(),
    spent: aSpent(),
    step: 0,
    attempt: 0,
    violations: 0,
    losses: 0,
    instruction: null,
    priorFailure: null,
    baseline: null,
    setupKey: null,
    progress: { signature: '', repeats: 0 },
    risks: [],
    outcome: null,
    marks: null,
    answer: null,
    delivery: 'none',
    merge: null,
    pull: null,
    parentTaskId: null,
    createdBy: aPerson,
    createdAt: aTime,
    updatedAt: aTime,
    ...overrides,
  }
}

/** The open checkpoint of step 1, attempt 1, before its box is made. */
export function aCheckpoint(overrides: Partial<Checkpoint> = {}): Checkpoint {
  return {
    taskId: aTaskId,
    step: 1,
    attempt: 1,
    fence: 1,
    state: 'open',
    box: null,
    boxes: [],
    charged: 0,
    instruction: null,
    agent: null,
    violations: [],
    candidate: null,
    test: null,
    commit: null,
    startedAt: aTime,
    endedAt: null,
    ...overrides,
  }
}

/** A delivery into `main` that has just been decided. */
export function aMerge(overrides: Partial<Merge> = {}): Merge {
  return {
    into: 'main',
    how: 'merge',
    accepted: [],
    at: aTime,
    tries: 0,
    from: null,
    commit: null,
    said: null,
    refusal: null,
    ...overrides,
  }
}

/** A pull request into `main` that has just been decided. */
export function aPull(overrides: Partial<Pull> = {}): Pull {
  return {
    forge: 'github',
    project: 'ada/tools',
    remote: 'https://forge.test/ada/tools',
    into: 'main',
    draft: true,
    accepted: [],
    at: aTime,
    pushed: null,
    number: null,
    url: null,
    said: null,
    unfollowed: null,
    refusal: null,
    ...overrides,
  }
}

import * as fc from 'fast-check'
import type { BoxPath, TreeId } from '../../src/domain/brand.ts'
import { markRules } from '../../src/domain/marks/mark.ts'
import { z } from 'zod'
import type { BoxEnd } from '../../src/domain/box.ts'
import {
  type Checkpoint,
  deliveries,
  haltReasons,
  phases,
  statuses,
  type Task,
  taskKinds,
} from '../../src/domain/task.ts'
import { anEgress } from './box.ts'
import { aCheckpoint, aCommitOf, aPolicy, aTaskId } from './task.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })
const count = fc.nat(1_000_000)
const money = fc.constantFrom(0, 0.25, 12.5)
const millis = fc.integer({ min: 0, max: 4_102_444_800_000 })
const commit = fc.constantFrom('0', '7', 'a', 'f').map(aCommitOf)
const boxPath = z.custom<BoxPath>().parse('/work')
const boxEnds = [
  'exited',
  'time',
  'killed',
  'oom',
  'pids',
  'disk',
  'grown',
  'output',
  'not_started',
  'engine',
] as const satisfies readonly BoxEnd[]
const tree = z.custom<TreeId>().parse('b'.repeat(40))

/** Any task at all, whether or not it could come about; not of the first version. */
export const anyTask: fc.Arbitrary<Partial<Task>> = fc.record({
  kind: fc.constantFrom(...taskKinds),
  status: fc.constantFrom(...statuses),
  phase: maybe(fc.constantFrom(...phases)),
  halt: maybe(fc.record({ reason: fc.constantFrom(...haltReasons), text })),
  revision: count,
  fence: count,
  leaseUntil: maybe(millis),
  goal: text,
  request: text,
  repository: fc.record({ path: text, key: text }),
  base: fc.record({ ref: text, commit }),
  head: commit,
  branch: text,
  agent: fc.record({ name: text, argv: fc.array(text) }),
  setup: maybe(text),
  test: maybe(text),
  policy: fc.record({ allow: fc.array(text), deny: fc.array(text) }).map(aPolicy),
  policyHash: text,
  budget: fc.record({ steps: count, seconds: count, tokens: maybe(count), costUsd: maybe(money) }),
  spent: fc.record({ steps: count, ms: millis, tokens: count, costUsd: money }),
  step: count,
  attempt: count,
  violations: count,
  losses: count,
  instruction: maybe(text),
  priorFailure: maybe(text),
  baseline: maybe(text),
  setupKey: maybe(text),
  progress: fc.record({ signature: text, repeats: count }),
  risks: fc.array(fc.record({ rule: text, text })),
  outcome: maybe(fc.constantFrom('tested', 'untested')),
  marks: maybe(fc.array(fc.record({ rule: fc.constantFrom(...markRules), path: text, text }))),
  answer: maybe(text),
  delivery: fc.constantFrom(...deliveries),
  createdBy: fc.record({ kind: fc.constantFrom('local', 'system'), id: text }),
  createdAt: millis,
  updatedAt: millis,
})

const anyBoxRecord = fc.record({
  kind: fc.constantFrom('setup', 'baseline', 'agent', 'test'),
  name: text,
  specHash: text,
  image: text,
  end: fc.constantFrom(...boxEnds),
  exitCode: maybe(count),
  peaks: fc.record({ memoryMb: maybe(count), pids: maybe(count), cpuMs: maybe(count) }),
  egress: maybe(
    fc.record({
      allowed: count,
      denied: count,
      bytesUp: count,
      bytesDown: count,
      inputTokens: count,
      outputTokens: count,
      costUsd: maybe(money),
    }),
  ),
})

/** Any checkpoint of `aTaskId`, with every optional thing there or not. */
export const anyCheckpoint: fc.Arbitrary<Checkpoint> = fc
  .record({
    step: count,
    attempt: count,
    fence: count,
    state: fc.constantFrom('open', 'kept', 'partial', 'dropped'),
    box: maybe(
      fc.record({
        name: text,
        kind: fc.constantFrom('setup', 'baseline', 'agent', 'test'),
        task: fc.constant(aTaskId),
        step: count,
        attempt: count,
        fence: count,
        image: text,
        user: fc.record({ uid: count, gid: count }),
        folder: fc.constant(boxPath),
        argv: fc.array(text),
        stdin: maybe(fc.constant(boxPath)),
        env: fc.dictionary(
          fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
          text,
        ),
        egress: maybe(fc.constant(anEgress)),
        mounts: fc.array(
          fc.record(
            {
              source: fc.oneof(
                fc.record({ kind: fc.constantFrom('worktree', 'setup'), path: text }),
                fc.record({
                  kind: fc.constant('cache'),
                  name: text,
                  writes: fc.constantFrom('none', 'keep'),
                }),
                fc.record({ kind: fc.constant('tree'), commit, writes: fc.constantFrom('discard', 'keep') }),
                fc.record({
                  kind: fc.constantFrom('git', 'pointer', 'attempt', 'empty-file', 'empty-folder'),
                }),
              ),
              target: fc.constant(boxPath),
              readonly: fc.boolean(),
              why: text,
              placeholder: fc.constantFrom('file', 'folder'),
            },
            { requiredKeys: ['source', 'target', 'readonly', 'why'] },
          ),
        ),
        limits: fc.constant({
          memoryMb: 1,
          cpus: 0.5,
          pids: 3,
          openFiles: 4,
          fileMb: 5,
          tmpMb: 6,
          outputMb: 7,
          worktreeMb: 8,
          worktreeFiles: 9,
          upMb: 10,
          downMb: 11,
          connections: 12,
          diskFreeMb: 13,
          seconds: 14,
        }),
      }),
    ),
    boxes: fc.array(anyBoxRecord, { maxLength: 3 }),
    charged: millis,
    instruction: maybe(text),
    agent: maybe(
      fc.record({
        marker: fc.oneof(
          fc.record({ state: fc.constantFrom('DONE', 'CONTINUE', 'NONE') }),
          fc.record({ state: fc.constant('BLOCKED'), blockReason: text }),
        ),
        text,
        exitCode: maybe(count),
        session: maybe(text),
        usage: maybe(
          fc.record({ inputTokens: count, outputTokens: count, costUsd: maybe(fc.constant(0.25)) }),
        ),
        failure: maybe(text),
      }),
    ),
    violations: fc.array(
      fc.record({
        path: text,
        rule: text,
        kind: fc.constantFrom('deny', 'readonly'),
        what: fc.constantFrom('created', 'changed', 'mask'),
        found: text,
      }),
    ),
    candidate: maybe(
      fc.record({
        commit,
        tree: fc.constant(tree),
        changed: fc.boolean(),
        leftOut: fc.array(fc.record({ path: text, why: text })),
        stat: fc.record({ files: count, insertions: count, deletions: count }),
      }),
    ),
    commit: maybe(commit),
    test: maybe(
      fc.record({
        passed: fc.boolean(),
        end: fc.constantFrom(...boxEnds),
        exitCode: maybe(count),
        tail: text,
      }),
    ),
    startedAt: millis,
    endedAt: maybe(millis),
  })
  .map((fields) => aCheckpoint(fields))

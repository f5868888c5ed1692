import { Failure, type FailureCode, messageOf } from '../../src/domain/failure.ts'
import type { Input } from '../../src/domain/input.ts'
import { type Checkpoint, isDelivering } from '../../src/domain/task.ts'
import { timeOf } from '../../src/domain/text.ts'
import { logFile } from '../log.ts'
import { closed } from './attempts.ts'
import { afterDeliveryError } from './deliver/errors.ts'
import { planned } from './under-way.ts'
import type { Work } from './work.ts'

/** How long a task waits for an engine that does not answer, before it fails, ms. */
const engineWaitMs = 5 * 60_000
const engineWait = timeOf(engineWaitMs / 1000)
/** Longest pause between two tries, ms. */
const longestPauseMs = 30_000
/** How often a row is read that is damaged, in three minutes. */
const damagedTries = 10

/** What a phase that threw means for its task: waits and tries again, halts it for a person, or fails it. */
export async function afterError(work: Work, error: unknown, errors: number): Promise<void> {
  const code = error instanceof Failure ? error.code : null
  const text = messageOf(error)
  work.log.error({ err: error, errors }, 'the phase failed')
  if (isDelivering(work.task)) {
    await afterDeliveryError(work, error, errors, () => pause(work, errors))
    return
  }
  // A storage may work again at any time, and a row that is damaged stays so.
  if (code === 'busy' || (code === 'database' && (errors < damagedTries || areReadable(work)))) {
    await pause(work, errors)
    return
  }
  if (work.task.phase === 'salvage') {
    if (errors < salvageTriesAt(code)) await pause(work, errors)
    else if (code === 'disk') postponeSalvage(work, text)
    else giveUpSalvage(work, text)
    return
  }
  if (code === 'engine') {
    sayWaiting(work, text)
    const back = await engineBack(work)
    if (work.signal.aborted) return
    const input: Input = back
      ? { type: 'lost', text }
      : {
          type: 'failed',
          reason: 'engine',
          text: `${text} It stayed away for ${engineWait}. Mend it, then resume.`,
        }
    work.report(input, { checkpoints: back ? perhapsRun(work) : [] })
    if (back) await pause(work, errors)
    return
  }
  work.report(inputFor(code, text))
}

/**
 * The attempt whose agent may have run: an engine that fails while it makes, starts or watches a box does not say how far
 * that came, nor may it know afterwards. Closed, so that the next attempt begins from the last checkpoint.
 */
function perhapsRun(work: Work): readonly Checkpoint[] {
  const row = work.task.phase === 'agent' ? planned(work, 'agent') : null
  return row === null ? [] : [closed(row, 'dropped', work.deps.clock())]
}

/**
 * How often keeping the work of a halted step is tried: a tree that cannot be read never can, an engine may come back, and
 * a full disk is for a person.
 */
function salvageTriesAt(code: FailureCode | null): number {
  switch (code) {
    case 'worktree':
      return 1
    case 'disk':
      return 2
    case 'engine':
      return 14
    default:
      return 6
  }
}

/** Leaves the work of a halted step in its worktree until a resume: a disk with room takes it then. */
function postponeSalvage(work: Work, reason: string): void {
  const { deps, task } = work
  const open = deps.store.openCheckpoint(task.id)
  const what = open === null || open.step === 0 ? 'The worktree' : `What step ${open.step} has done`
  work.report({
    type: 'postponed',
    text: `${reason} ${what} is left in the data folder as it is: make room there, and resume goes on with it.`,
  })
}

/** Says that the work of a halted step is lost, so that nobody waits for it; the last checkpoint is untouched. */
function giveUpSalvage(work: Work, reason: string): void {
  const { deps, task } = work
  const row = areReadable(work) ? deps.store.openCheckpoint(task.id) : null
  const text = `What step ${task.step} had done could not be kept: ${reason} The last checkpoint is as it was.`
  const checkpoints = row === null ? [] : [closed(row, 'dropped', deps.clock())]
  work.report({ type: 'salvaged', head: task.head, text }, { checkpoints })
}

/** Whether none of the task's checkpoints is damaged. */
function areReadable({ deps, task }: Work): boolean {
  try {
    deps.store.checkpoints(task.id)
    deps.store.openCheckpoint(task.id)
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'database') return false
    throw error
  }
}

function inputFor(code: FailureCode | null, text: string): Input {
  switch (code) {
    case 'image':
      return { type: 'halted', reason: 'image', text }
    case 'disk':
      return { type: 'halted', reason: 'disk', text: `${text} Make room on the disk, then resume.` }
    case 'repository':
    // Its mirror was lost, and is made anew when the task goes on.
    case 'remote':
      return { type: 'halted', reason: 'repository', text }
    // An agent that there was when the task was made.
    case 'bad_request':
      return { type: 'halted', reason: 'agent', text }
    case 'database':
      return { type: 'failed', reason: 'crash', text: `${text} Then resume.` }
    case null:
      return {
        type: 'failed',
        reason: 'crash',
        text: `Cofferdam itself failed: ${text.replace(/\.$/, '')}. Look at ${logFile} in the data folder; resume tries again.`,
      }
    default:
      return { type: 'failed', reason: 'worktree', text }
  }
}

/** Told like a box's output, for those who look on: nothing has changed yet that would be an event. */
function sayWaiting({ deps, task }: Work, text: string): void {
  const line = `${text} Waiting for it, ${engineWait} at most.\n`
  deps.bus.output(task.id, { step: task.step, box: 'engine', text: line })
}

/** Waits until the engine answers again. A machine that slept meanwhile has not waited for it. */
async function engineBack(work: Work): Promise<boolean> {
  const { engine, ticks } = work.deps
  const until = ticks.now() + engineWaitMs
  for (let tries = 1; ticks.now() < until && !work.signal.aborted; tries += 1) {
    const answers = await engine.describe().then(
      () => true,
      () => false,
    )
    if (answers) return true
    await pause(work, tries)
  }
  return false
}

/** 1, 2, 4, … seconds, at most half a minute; ends at once when the work is no longer ours. */
async function pause(work: Work, tries: number): Promise<void> {
  const ms = Math.min(longestPauseMs, 1000 * 2 ** Math.min(tries - 1, 10))
  await work.deps.sleep(ms, work.signal)
}

import type { Machine, VirtualBox } from './machine.ts'
import type { Random } from './random.ts'
import { denied, manifest } from './worktrees.ts'

/** What one call of a model costs at most, tokens. */
export const mostTokens = 40

/** Lets the program of a box go on a little: it asks a model, writes something, or ends. `mayRun`: which processes do. */
export function goOn(
  machine: Machine,
  box: VirtualBox,
  random: Random,
  mayRun: (owner: number) => boolean,
): void {
  box.stage += 1
  // Most often when it has written something, which must not be there twice.
  if (random.chance(box.stage > 2 ? 0.1 : 0.02))
    machine.end(box, random.pick(['engine', 'engine', 'oom', 'disk']), null)
  else if (box.spec.kind === 'agent') agentGoesOn(machine, box, random, mayRun)
  else if (random.chance(0.5)) machine.end(box, 'exited', exitCodeOf(box, random))
}

function exitCodeOf({ spec: { kind } }: VirtualBox, random: Random): number {
  return random.chance(kind === 'setup' ? 0.95 : 0.6) ? 0 : 1
}

function agentGoesOn(
  machine: Machine,
  box: VirtualBox,
  random: Random,
  mayRun: (owner: number) => boolean,
): void {
  const { task, name, step } = box.spec
  if (box.stage === 1) askModel(machine, name, random, mayRun)
  else if (isQuestion(box)) {
    if (box.stage > 2) machine.end(box, 'exited', ...answer(random))
  } else if (box.stage === 2 && random.chance(0.85)) {
    const place = machine.places.get(task)
    if (place !== undefined) place.tree = [...place.tree, `step ${step} of ${name}`, ...mischief(random)]
  } else if (box.stage > 2) machine.end(box, 'exited', ...lastWords(random))
}

/** A model is asked only while somebody counts, as through the gateway. */
function askModel(machine: Machine, name: string, random: Random, mayRun: (owner: number) => boolean): void {
  const watch = machine.overseers.get(name)
  if (watch === undefined || !mayRun(watch.owner)) return
  const { overseer } = watch
  try {
    if (overseer.left().tokens === 0) overseer.exhausted('tokens')
    else overseer.spent({ inputTokens: random.below(mostTokens), outputTokens: 1, costUsd: 0 })
  } catch {
    // As the gateway does: what cannot be counted does not pass.
  }
}

function mischief(random: Random): readonly string[] {
  if (random.chance(0.08)) return [denied]
  return random.chance(0.05) ? [manifest] : []
}

/** It can read all of the repository, and write none of it. */
function isQuestion({ spec: { mounts } }: VirtualBox): boolean {
  return mounts.find(({ source }) => source.kind === 'worktree')?.readonly === true
}

function answer(random: Random): [number, string] {
  if (random.chance(0.2))
    return random.pick([
      [1, 'It broke.'],
      [0, ''],
      [0, 'TASK_STATE: BLOCKED'],
    ])
  return [0, 'It is so.\nTASK_STATE: DONE']
}

function lastWords(random: Random): [number, string] {
  if (random.chance(0.1)) return [1, 'It broke.']
  if (random.chance(0.1)) return [0, 'TASK_STATE: BLOCKED\nBLOCK_REASON: no key']
  return [0, `TASK_STATE: ${random.chance(0.55) ? 'DONE' : 'CONTINUE'}`]
}

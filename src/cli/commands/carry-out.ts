import type { Act } from '../../domain/control-plane.ts'
import type { TaskId } from '../../domain/ids.ts'
import { isDelivering, isWorking, type Task, type TaskEvent } from '../../domain/task.ts'
import { actOnce } from '../act-once.ts'
import { Connection } from '../connection.ts'
import type { Exit } from '../exit.ts'
import { interrupts } from '../interrupt.ts'
import { pursue } from '../pursue.ts'
import { actedLines } from '../render/acted.ts'
import { draftLines } from '../render/draft.ts'
import { openReporter } from '../reporter.ts'
import { type CommonOptions, print, printJson, type Shell, speller, targetOf } from './common.ts'

export interface ActOptions extends CommonOptions {
  readonly detach?: true
}

/**
 * Does an act of a person and tells what came of it; where the task goes on by it, follows the task to its end.
 * @param decidedOn the revision that was shown to them; without it, a DRAFT is decided on as it is now
 */
export async function carryOut(
  shell: Shell,
  id: TaskId,
  act: Act,
  options: ActOptions,
  decidedOn?: number,
): Promise<void> {
  const { world } = shell
  await using connection = await Connection.visit(targetOf(shell, options, `task ${act.act}`))
  const shown = await connection.persist((client) => client.task(id))
  if (act.act === 'approve' && shown.status === 'DRAFT' && options.json !== true) {
    const changed = decidedOn !== undefined && decidedOn !== shown.revision
    print(world, [changed ? `Task ${id} as it is now:` : `Approving task ${id}:`, ...draftLines(shown)])
  }
  // What is decided about a draft is bound to what it says; a halted task still moves while its work is put away.
  const bound = decidedOn ?? (shown.status === 'DRAFT' ? shown.revision : undefined)
  const task = await actOnce(connection, shown, act, bound)
  const goesOn = task.status === 'PENDING' || isWorking(task) || isDelivering(task)
  shell.end(
    goesOn && options.detach !== true
      ? await goOn(shell, connection, task, shown.version, options)
      : told(shell, act, task, await approvals(connection, act, shown), options),
  )
  if (
    (task.status === 'PENDING' || isDelivering(task)) &&
    options.detach === true &&
    connection.isHere &&
    options.json !== true
  ) {
    const spell = speller(options)
    print(world, [
      `No process works on it yet: \`${spell(`task watch ${id}`)}\` or \`${spell('serve')}\` does.`,
    ])
  }
}

/** The event of an act that a rule reads; of the others there is nothing to tell. */
async function approvals(connection: Connection, { act }: Act, shown: Task): Promise<readonly TaskEvent[]> {
  if (act !== 'resume' && act !== 'suggest' && act !== 'steer') return []
  return await connection.persist((client) => client.events(shown.id, shown.version))
}

/** Follows a task from its event `after` on. */
export async function goOn(
  { world }: Shell,
  connection: Connection,
  task: Task,
  after: number,
  options: CommonOptions,
): Promise<Exit> {
  const spell = speller(options)
  using reporter = openReporter(world, spell, options.json === true)
  using ways = interrupts(world, reporter)
  reporter.task(task, [])
  const pursuit = { world, connection, reporter, spell, ways, yes: false, quiet: true, mine: true, after }
  return await pursue(pursuit, task)
}

/** The act is done, whatever the state of the task is now. */
function told(
  { world }: Shell,
  act: Act,
  task: Task,
  events: readonly TaskEvent[],
  options: CommonOptions,
): Exit {
  if (options.json === true) printJson(world, { task })
  else print(world, actedLines(act, task, events, speller(options), world.terminal.paint))
  return 'done'
}

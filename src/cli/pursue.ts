import { isSettled, type Task } from '../domain/task.ts'
import { settleDraft } from './draft.ts'
import { type Exit, exitOf } from './exit.ts'
import { Follower } from './follow.ts'
import type { Words } from './interrupt.ts'
import type { Pursuit } from './pursuit.ts'

/** Follows a task to where it settles, with a person's decision in between where one is wanted. */
export async function pursue(pursuit: Pursuit, task: Task): Promise<Exit> {
  const { world, connection, reporter, spell, ways, mine } = pursuit
  ways.tell(wordsOf(pursuit, task))
  const onTakeover = async (): Promise<void> => {
    reporter.note('The process that ran this has gone; going on here.')
    hostNote(pursuit)
    await othersNote(pursuit, task)
  }
  const follower = new Follower(
    { connection, reporter, terminal: world.terminal, onTakeover },
    task.id,
    pursuit.after,
  )
  if (task.status === 'DRAFT' && !ways.stop.aborted) {
    const decided = await settleDraft(pursuit, follower, task, ways.leave)
    if (decided === null) return left(pursuit, task)
    if (isSettled(decided) || decided.status === 'DRAFT') return ended(pursuit, decided)
  }
  if (!isSettled(task)) hostNote(pursuit)
  await othersNote(pursuit, task)
  const leave = mine ? ways.leave : AbortSignal.any([ways.leave, ways.stop])
  const last = await follower.until(isSettled, mine ? { stop: ways.stop, leave } : { leave })
  if (last !== null) return ended(pursuit, last)
  reporter.note(
    connection.isHere
      ? `Task ${task.id} goes back into the queue: \`${spell(`task watch ${task.id}`)}\` or \`${spell('serve')}\` goes on with it.`
      : `Task ${task.id} goes on ${connection.elsewhere}.`,
  )
  return ways.stop.aborted ? 'interrupted' : 'terminated'
}

function wordsOf({ mine, spell }: Pursuit, { id }: Task): Words {
  const look = `\`${spell(`task show ${id}`)}\` says`
  return mine
    ? {
        first: `Stopping task ${id}… (Ctrl-C again leaves at once)`,
        last: `Left while task ${id} was being stopped: ${look} whether it is.`,
      }
    : { first: 'Leaving…', last: `Left task ${id}: ${look} how it stands.` }
}

function ended({ reporter }: Pursuit, task: Task): Exit {
  reporter.end(task)
  return exitOf(task)
}

function left({ reporter, spell }: Pursuit, task: Task): Exit {
  const approve = spell(`task approve ${task.id} --revision ${task.revision}`)
  reporter.note(`Task ${task.id} waits for a decision: \`${approve}\` runs it.`)
  return 'terminated'
}

/** Who only wanted to look learns that the task is worked on here, and what Ctrl-C does then. */
function hostNote({ connection, reporter, mine }: Pursuit): void {
  if (!connection.isHere || mine) return
  reporter.note(
    'This command works on the task, as no other process does; Ctrl-C puts it back into the queue.',
  )
}

/** Says which tasks wait and will go on waiting, because this process works on its own task alone. */
async function othersNote({ connection, reporter, spell }: Pursuit, own: Task): Promise<void> {
  if (!connection.isHere) return
  const waiting = await connection.client.tasks({ statuses: ['PENDING'], limit: 100 })
  const ids = waiting.filter((task) => task.id !== own.id).map((task) => task.id)
  if (ids.length === 0) return
  const some = ids.slice(0, 5).join(', ') + (ids.length > 5 ? ', …' : '')
  const [who, verb] =
    ids.length === 1 ? ['Another task waits', 'it'] : [`${ids.length} other tasks wait`, 'them']
  reporter.note(`${who} and will not be worked on here: ${some}. \`${spell('serve')}\` works on ${verb}.`)
}

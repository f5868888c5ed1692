import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Task } from '../../src/domain/task.ts'
import type { attestationsTable } from './attestations.ts'
import type { checkpointsTable } from './checkpoints.ts'
import type { Connection } from './database.ts'
import { type decisionsTable, useRefusal } from './decisions.ts'
import type { eventsTable } from './events.ts'
import type { outboxTable } from './outbox.ts'
import type { schedulesTable } from './schedules.ts'
import type { Change, Heartbeat, Lost, Store, Written } from './store.ts'
import type { tasksTable } from './tasks.ts'

export interface Tables {
  readonly tasks: ReturnType<typeof tasksTable>
  readonly checkpoints: ReturnType<typeof checkpointsTable>
  readonly events: ReturnType<typeof eventsTable>
  readonly decisions: ReturnType<typeof decisionsTable>
  readonly attestations: ReturnType<typeof attestationsTable>
  readonly outbox: ReturnType<typeof outboxTable>
  readonly schedules: ReturnType<typeof schedulesTable>
  /** To be called when a transaction was taken back: what this process remembers of it is not there. */
  forget(): void
}

/**
 * One transition, one transaction. The lock is taken first (a read that becomes a write may fail at once); what can be
 * lost is found out before anything is written; anything thrown takes everything back.
 */
export function writer(db: Connection, tables: Tables): Store['write'] {
  const write = db.transaction((change: Change) => tables.tasks.whileWriting(() => written(change)))
  const written = (change: Change): Written | Lost => {
    const lost = lostUse(tables, change) ?? lostRun(tables, change)
    if (lost !== null) return lost
    if (change.before !== null && tables.tasks.task(change.before.id)?.version === change.before.version)
      change.leaving?.(change.before)
    const task = writeTask(tables, change)
    if (task === null)
      return { kind: 'lost', reason: 'task', now: tables.tasks.task(change.after.id), surface: null }
    if (change.scheduled !== undefined) tables.schedules.decide(change.scheduled)
    for (const closed of change.close ?? []) tables.checkpoints.put(closed)
    if (change.checkpoint !== undefined) tables.checkpoints.put(change.checkpoint)
    writeSurfaces(tables, change)
    const { step, attempt, fence, version } = task
    const from = change.before?.status ?? null
    // Each write is one version and one event.
    const to = task.status
    const event = { ...change.event, taskId: task.id, seq: version, from, to, step, attempt, fence }
    tables.events.append(event)
    for (const letter of change.letters?.(event, task) ?? []) tables.outbox.add(letter)
    if (change.attestation !== undefined) tables.attestations.append(change.attestation)
    if (change.standing !== undefined) tables.attestations.append(change.standing(task))
    return { kind: 'written', task }
  }
  return (change) => {
    refuseNonsense(change)
    try {
      return write.immediate(change)
    } catch (error) {
      tables.forget()
      throw error
    }
  }
}

/** Many transitions, one transaction, each in a savepoint. */
export function together(db: Connection, tables: Pick<Tables, 'forget'>): Store['together'] {
  const each = <T>(act: () => T): PromiseSettledResult<T> => {
    try {
      return { status: 'fulfilled', value: db.transaction(act)() }
    } catch (reason) {
      tables.forget()
      // A full disk may have ended the transaction by itself; where not, the others would meet it too.
      if (!db.inTransaction || (reason instanceof Failure && reason.code === 'disk')) throw reason
      return { status: 'rejected', reason }
    }
  }
  return <T>(acts: readonly (() => T)[]) => {
    try {
      return db.transaction(() => acts.map((act) => each(act))).immediate()
    } catch (error) {
      tables.forget()
      throw error
    }
  }
}

/** A heartbeat, in one transaction: what the task is charged, its open checkpoint is charged. */
export function heartbeats(db: Connection, { tasks, checkpoints }: Tables): Store['heartbeat'] {
  const beat = db.transaction((id: TaskId, fence: number, signs: Heartbeat): boolean => {
    if (!tasks.heartbeat(id, fence, signs)) return false
    checkpoints.charge(id, signs)
    return true
  })
  return (id, fence, signs) => beat.immediate(id, fence, signs)
}

function lostUse({ tasks, decisions }: Tables, { before, surface }: Change): Lost | null {
  if (before === null || surface?.use === undefined) return null
  const found = decisions.surface(surface.use.id)
  const reason = useRefusal(found, surface.use, before)
  if (reason === null) return null
  const shown = reason === 'unknown' ? null : found
  return { kind: 'lost', reason, now: tasks.task(before.id), surface: shown }
}

function lostRun({ schedules }: Tables, { scheduled }: Change): Lost | null {
  if (scheduled === undefined) return null
  const reason = schedules.refusal(scheduled)
  return reason === null ? null : { kind: 'lost', reason, now: null, surface: null }
}

/** The task as it is written; null where it is not as the caller saw it. */
function writeTask({ tasks }: Tables, { before, after }: Change): Task | null {
  if (before !== null) return tasks.update(before, after)
  return tasks.insert(after) ? after : null
}

function writeSurfaces({ decisions }: Tables, { before, after, event, surface }: Change): void {
  if (surface?.use !== undefined) decisions.use(surface.use)
  if (surface?.closeAll === true) decisions.close(after.id, after.revision + 1, event.at)
  else if (before !== null && before.revision < after.revision) {
    decisions.close(after.id, after.revision, event.at)
  }
  if (surface?.record !== undefined) decisions.open(surface.record)
  if (surface?.open !== undefined) decisions.open(surface.open)
}

/** A change that contradicts itself is a bug of the caller. */
function refuseNonsense(change: Change): void {
  const { before, after, checkpoint, close, surface, attestation, scheduled } = change
  const say = (what: string): never => {
    throw new Error(`a change of task ${after.id} ${what}`)
  }
  if (before !== null && before.id !== after.id) say(`starts from task ${before.id}`)
  if (after.version !== (before?.version ?? 0) + 1) {
    say(`goes from version ${before?.version ?? 0} to ${after.version}`)
  }
  const points = [...(close ?? []), ...(checkpoint === undefined ? [] : [checkpoint])]
  if (points.some((point) => point.taskId !== after.id)) say('has a checkpoint of another task')
  if (attestation !== undefined && attestation.taskId !== after.id) say('has an attestation of another task')
  if (before === null && surface?.use !== undefined) say('uses a surface before its birth')
  if (scheduled !== undefined && (before !== null || scheduled.occurrence.task !== after.id)) {
    say('is the run of a schedule that made another task')
  }
  const record = surface?.record
  if (
    record !== undefined &&
    (record.taskId !== after.id || record.usedAction === null || record.closedAt === null)
  ) {
    say('records a decision of another task, or none')
  }
  const open = surface?.open
  if (open !== undefined && (open.taskId !== after.id || open.revision !== after.revision)) {
    say('opens a surface for another task or revision')
  }
}

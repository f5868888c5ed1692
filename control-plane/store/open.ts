import type { HostPath } from '../../src/domain/brand.ts'
import { messageOf } from '../../src/domain/failure.ts'
import { type AccessStore, accessTables } from './access.ts'
import { attestationsTable } from './attestations.ts'
import { checkpointsTable } from './checkpoints.ts'
import { type Connection, openDatabase } from './database.ts'
import { decisionsTable } from './decisions.ts'
import { dayReader } from './days.ts'
import { documentsTable } from './documents.ts'
import { egressTable } from './egress.ts'
import { eventsTable } from './events.ts'
import { damagedFile, overStorage } from './failures.ts'
import { headsOf } from './heads.ts'
import { LogPlayer } from './log-player.ts'
import { messagesTable } from './messages.ts'
import { migrations } from './migrations.ts'
import { outboxTable } from './outbox.ts'
import { recordReader } from './record.ts'
import { schedulesTable } from './schedules.ts'
import type { ScheduleStore, Store } from './store.ts'
import { taskLists } from './task-lists.ts'
import { tasksTable } from './tasks.ts'
import { textsReader } from './texts.ts'
import { heartbeats, together, writer } from './write.ts'

/**
 * Opens the store in this file; makes it where there is none, brings an older one up to date (a copy of it stays beside
 * it). Throws `Failure('database' | 'disk' | 'busy')` for what cannot be opened, and leaves it as it is.
 */
export function openStore(file: HostPath): Store {
  const db = openDatabase(file, migrations)
  const safely = <T>(act: () => T): T => overStorage(file, act)
  const tables = safely(() => prepareTables(db, file))
  const {
    tasks,
    lists,
    checkpoints,
    events,
    decisions,
    attestations,
    egress,
    outbox,
    messages,
    records,
    texts,
    schedules,
    days,
    heads,
  } = tables
  const write = writer(db, tables)
  const heartbeat = heartbeats(db, tables)
  const all = together(db, tables)
  const player = new LogPlayer(db, file)
  return {
    access: overAccess(tables.access, safely),
    write: (change) => safely(() => write(change)),
    together: (acts) => safely(() => all(acts)),
    heartbeat: (id, fence, beat) => safely(() => heartbeat(id, fence, beat)),
    task: (id) => safely(() => tasks.task(id)),
    tasks: (filter) => safely(() => lists.tasks(filter)),
    repositories: () => safely(() => lists.repositories()),
    oldestPending: (except, only) => safely(() => tasks.oldestPending(except, only)),
    inFlight: () => safely(() => tasks.inFlight()),
    events: (id, after, limit) => safely(() => events.events(id, after, limit)),
    decisions: (id, limit) => safely(() => events.decisions(id, limit)),
    checkpoints: (id, since = 0) => safely(() => checkpoints.checkpoints(id, since)),
    openCheckpoint: (id) => safely(() => checkpoints.open(id)),
    openBoxes: () => safely(() => checkpoints.openBoxes()),
    openSurface: (id) => safely(() => decisions.openSurface(id)),
    surfaces: (id) => safely(() => decisions.surfaces(id)),
    lastDecision: (id) => safely(() => decisions.lastUsed(id)),
    recordEgress: (rows) => safely(() => egress.put(rows)),
    egressLog: (id, box, limit) => safely(() => egress.log(id, box, limit)),
    lastEgressId: (id, box) => safely(() => egress.lastId(id, box)),
    attestations: (id) => safely(() => attestations.attestations(id)),
    lastAttestationHash: (id) => safely(() => attestations.lastHash(id)),
    lastAttestation: (id, below = Number.MAX_SAFE_INTEGER) => safely(() => attestations.last(id, below)),
    attestationKeys: () => safely(() => attestations.keys()),
    heads: () => safely(() => heads()),
    record: (id) => safely(() => records.record(id)),
    interimRecord: (id) => safely(() => records.interimRecord(id)),
    egressMarks: (id, boxes) => safely(() => records.egressMarks(id, boxes)),
    eventMarks: (id, from) => safely(() => records.eventMarks(id, from)),
    schedules: {
      all: () => safely(() => schedules.all()),
      schedule: (name) => safely(() => schedules.schedule(name)),
      change: (changing) => safely(() => schedules.change(changing)),
      settle: (run) => safely(() => schedules.settle(run)),
      decidedTo: (name, revision, to) => safely(() => schedules.decidedTo(name, revision, to)),
      occurrences: (name, before, limit) => safely(() => schedules.occurrences(name, before, limit)),
      last: (name) => safely(() => schedules.last(name)),
      waiting: (name) => safely(() => schedules.waiting(name)),
      occurrenceOf: (task) => safely(() => schedules.occurrenceOf(task)),
      underWay: (name) => safely(() => schedules.underWay(name)),
      endOccurrences: (before) => safely(() => schedules.endOccurrences(before)),
    } satisfies ScheduleStore,
    othersWrites: () => safely(() => tasks.othersWrites()),
    delivering: () => safely(() => tasks.delivering()),
    proposed: () => safely(() => tasks.proposed()),
    discarded: () => safely(() => tasks.discarded()),
    counts: () => safely(() => tasks.counts()),
    needing: () => safely(() => tasks.needing()),
    days: (span) => safely(() => days(span)),
    texts: (id) => safely(() => texts.texts(id)),
    versions: (after, limit) => safely(() => texts.versions(after, limit)),
    outbox: {
      claim: (destination, now, leaseMs) => safely(() => outbox.claim(destination, now, leaseMs)),
      dueAt: (destination) => safely(() => outbox.dueAt(destination)),
      move: (before, after) => safely(() => outbox.move(before, after)),
      giveUp: (destination, error, now) => safely(() => outbox.giveUp(destination, error, now)),
      letter: (id) => safely(() => outbox.letter(id)),
      letters: (filter) => safely(() => outbox.letters(filter)),
      open: () => safely(() => outbox.open()),
      standing: () => safely(() => outbox.standing()),
      forget: (before) => safely(() => outbox.forget(before)),
    },
    messages: {
      find: (destination, id, kind) => safely(() => messages.find(destination, id, kind)),
      put: (message) => safely(() => messages.put(message)),
      forget: (destination, which) => safely(() => messages.forget(destination, which)),
      unsettled: (destination, id) => safely(() => messages.unsettled(destination, id)),
      newest: (destination, id, prefix) => safely(() => messages.newest(destination, id, prefix)),
      taskOf: (destination, message) => safely(() => messages.taskOf(destination, message)),
      tasksOf: (destination, message) => safely(() => messages.tasksOf(destination, message)),
      behind: (destination) => safely(() => messages.behind(destination)),
    },
    [Symbol.dispose]() {
      player[Symbol.dispose]()
      db.close()
    },
  }
}

function overAccess(access: AccessStore, safely: <T>(act: () => T) => T): AccessStore {
  return {
    addToken: (token) => safely(() => access.addToken(token)),
    token: (id) => safely(() => access.token(id)),
    tokens: () => safely(() => access.tokens()),
    revokeToken: (id, at) => safely(() => access.revokeToken(id, at)),
    usedToken: (id, at) => safely(() => access.usedToken(id, at)),
    addSession: (session, most) => safely(() => access.addSession(session, most)),
    session: (hash) => safely(() => access.session(hash)),
    endSession: (hash) => safely(() => access.endSession(hash)),
    addAudit: (row) => safely(() => access.addAudit(row)),
    endAudit: (before) => safely(() => access.endAudit(before)),
    audit: (filter) => safely(() => access.audit(filter)),
    probe: (at) => safely(() => access.probe(at)),
    clockSeen: () => safely(() => access.clockSeen()),
    seeClock: (seen) => safely(() => access.seeClock(seen)),
  }
}

/** Prepares every statement once; where a table or column is missing, somebody else was at the file. */
function prepareTables(db: Connection, file: string) {
  try {
    const documents = documentsTable(db)
    const tasks = tasksTable(db, documents)
    return {
      access: accessTables(db),
      tasks,
      lists: taskLists(db, (ids) => tasks.several(ids)),
      checkpoints: checkpointsTable(db, documents),
      events: eventsTable(db),
      decisions: decisionsTable(db),
      attestations: attestationsTable(db),
      egress: egressTable(db),
      outbox: outboxTable(db),
      messages: messagesTable(db),
      records: recordReader(db),
      texts: textsReader(db),
      schedules: schedulesTable(db),
      days: dayReader(db),
      heads: headsOf(db),
      forget(): void {
        documents.forget()
        tasks.forget()
      },
    }
  } catch (error) {
    db.close()
    throw messageOf(error).startsWith('no such') ? damagedFile(file, messageOf(error), error) : error
  }
}

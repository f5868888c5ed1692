import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { storeContract } from '../../contract/store.ts'
import { makeHome } from './home.ts'

storeContract('one file', () => {
  const home = makeHome()
  return { open: () => openStore(home.file), [Symbol.dispose]: () => home[Symbol.dispose]() }
})

storeContract('one file, closed and opened again around every call', () => {
  const home = makeHome()
  // What is called inside of a call is about what that writes.
  let around: Store | null = null
  const once = <T>(call: (store: Store) => T): T => {
    if (around !== null) return call(around)
    const store = openStore(home.file)
    around = store
    try {
      return call(store)
    } finally {
      around = null
      store[Symbol.dispose]()
    }
  }
  return {
    open: () => ({
      access: {
        addToken: (token) => once(({ access }) => access.addToken(token)),
        token: (id) => once(({ access }) => access.token(id)),
        tokens: () => once(({ access }) => access.tokens()),
        revokeToken: (id, at) => once(({ access }) => access.revokeToken(id, at)),
        usedToken: (id, at) => once(({ access }) => access.usedToken(id, at)),
        addSession: (session, most) => once(({ access }) => access.addSession(session, most)),
        session: (hash) => once(({ access }) => access.session(hash)),
        endSession: (hash) => once(({ access }) => access.endSession(hash)),
        addAudit: (row) => once(({ access }) => access.addAudit(row)),
        endAudit: (before) => once(({ access }) => access.endAudit(before)),
        audit: (filter) => once(({ access }) => access.audit(filter)),
        probe: (at) => once(({ access }) => access.probe(at)),
        clockSeen: () => once(({ access }) => access.clockSeen()),
        seeClock: (seen) => once(({ access }) => access.seeClock(seen)),
      },
      write: (change) => once((store) => store.write(change)),
      together: (acts) => once((store) => store.together(acts)),
      heartbeat: (id, fence, beat) => once((store) => store.heartbeat(id, fence, beat)),
      task: (id) => once((store) => store.task(id)),
      outbox: {
        claim: (destination, now, leaseMs) => once(({ outbox }) => outbox.claim(destination, now, leaseMs)),
        dueAt: (destination) => once(({ outbox }) => outbox.dueAt(destination)),
        move: (before, after) => once(({ outbox }) => outbox.move(before, after)),
        giveUp: (destination, error, now) => once(({ outbox }) => outbox.giveUp(destination, error, now)),
        letter: (id) => once(({ outbox }) => outbox.letter(id)),
        letters: (filter) => once(({ outbox }) => outbox.letters(filter)),
        open: () => once(({ outbox }) => outbox.open()),
        standing: () => once(({ outbox }) => outbox.standing()),
        forget: (before) => once(({ outbox }) => outbox.forget(before)),
      },
      messages: {
        find: (destination, id, kind) => once(({ messages }) => messages.find(destination, id, kind)),
        put: (message) => once(({ messages }) => messages.put(message)),
        forget: (destination, which) => once(({ messages }) => messages.forget(destination, which)),
        unsettled: (destination, id) => once(({ messages }) => messages.unsettled(destination, id)),
        newest: (destination, id, prefix) => once(({ messages }) => messages.newest(destination, id, prefix)),
        taskOf: (destination, message) => once(({ messages }) => messages.taskOf(destination, message)),
        tasksOf: (destination, message) => once(({ messages }) => messages.tasksOf(destination, message)),
        behind: (destination) => once(({ messages }) => messages.behind(destination)),
      },
      texts: (id) => once((store) => store.texts(id)),
      versions: (after, limit) => once((store) => store.versions(after, limit)),
      tasks: (filter) => once((store) => store.tasks(filter)),
      repositories: () => once((store) => store.repositories()),
      oldestPending: (except, only) => once((store) => store.oldestPending(except, only)),
      inFlight: () => once((store) => store.inFlight()),
      events: (id, after, limit) => once((store) => store.events(id, after, limit)),
      decisions: (id, limit) => once((store) => store.decisions(id, limit)),
      recordEgress: (rows) => once((store) => store.recordEgress(rows)),
      egressLog: (id, box, limit) => once((store) => store.egressLog(id, box, limit)),
      lastEgressId: (id, box) => once((store) => store.lastEgressId(id, box)),
      attestations: (id) => once((store) => store.attestations(id)),
      othersWrites: () => once((store) => store.othersWrites()),
      lastAttestation: (id, below) => once((store) => store.lastAttestation(id, below)),
      lastAttestationHash: (id) => once((store) => store.lastAttestationHash(id)),
      attestationKeys: () => once((store) => store.attestationKeys()),
      heads: () => once((store) => store.heads()),
      record: (id) => once((store) => store.record(id)),
      interimRecord: (id) => once((store) => store.interimRecord(id)),
      egressMarks: (id, boxes) => once((store) => store.egressMarks(id, boxes)),
      eventMarks: (id, from) => once((store) => store.eventMarks(id, from)),
      checkpoints: (id, since) => once((store) => store.checkpoints(id, since)),
      openCheckpoint: (id) => once((store) => store.openCheckpoint(id)),
      openBoxes: () => once((store) => store.openBoxes()),
      openSurface: (id) => once((store) => store.openSurface(id)),
      surfaces: (id) => once((store) => store.surfaces(id)),
      lastDecision: (id) => once((store) => store.lastDecision(id)),
      delivering: () => once((store) => store.delivering()),
      proposed: () => once((store) => store.proposed()),
      discarded: () => once((store) => store.discarded()),
      schedules: {
        all: () => once((store) => store.schedules.all()),
        schedule: (name) => once((store) => store.schedules.schedule(name)),
        change: (changing) => once((store) => store.schedules.change(changing)),
        settle: (run) => once((store) => store.schedules.settle(run)),
        decidedTo: (name, revision, to) => once((store) => store.schedules.decidedTo(name, revision, to)),
        occurrences: (name, before, limit) =>
          once((store) => store.schedules.occurrences(name, before, limit)),
        last: (name) => once((store) => store.schedules.last(name)),
        waiting: (name) => once((store) => store.schedules.waiting(name)),
        occurrenceOf: (task) => once((store) => store.schedules.occurrenceOf(task)),
        underWay: (name) => once((store) => store.schedules.underWay(name)),
        endOccurrences: (before) => once((store) => store.schedules.endOccurrences(before)),
      },
      counts: () => once((store) => store.counts()),
      needing: () => once((store) => store.needing()),
      days: (span) => once((store) => store.days(span)),
      [Symbol.dispose]: () => undefined,
    }),
    [Symbol.dispose]: () => home[Symbol.dispose](),
  }
})

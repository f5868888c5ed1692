import type { BoxSpec } from '../../src/domain/box.ts'
import type { EgressCounts } from '../../src/domain/egress.ts'
import type { BoxNotices } from './notices.ts'
import { BoxOverseer, type Hears } from './overseer.ts'
import type { Work } from './work.ts'

/** The way out of one box, while it is attended. */
export interface AttendedPassage {
  accept(connection: NodeJS.ReadWriteStream): void
  /** Ends every connection and writes what is not yet on record. */
  close(): Promise<EgressCounts | null>
}

const closed: AttendedPassage = {
  accept(connection) {
    connection.on('error', () => undefined)
    connection.end()
  },
  close: () => Promise.resolve(null),
}

/** Opens the gateway for a box that has an egress; another box has nothing that leads anywhere. */
export function openPassage(work: Work, spec: BoxSpec, notices: BoxNotices, hears: Hears): AttendedPassage {
  if (spec.egress === null) return closed
  const overseer = new BoxOverseer(work, spec, notices, hears)
  const passage = work.deps.gateway.open(spec, overseer)
  return {
    accept: (connection) => passage.accept(connection),
    async close() {
      await passage.close()
      overseer.end()
      return passage.counts()
    },
  }
}

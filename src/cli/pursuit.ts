import type { Connection } from './connection.ts'
import type { Interrupts } from './interrupt.ts'
import type { Spell } from './render/next.ts'
import type { Reporter } from './reporter.ts'
import type { World } from './world.ts'

/** A command that follows a task: where it is, whom it is told to, and what may be done about it. */
export interface Pursuit {
  readonly world: World
  readonly connection: Connection
  readonly reporter: Reporter
  readonly spell: Spell
  readonly ways: Interrupts
  /** A DRAFT is approved without a question. */
  readonly yes: boolean
  /** Nobody is asked, whatever the terminal. */
  readonly quiet: boolean
  /** Ctrl-C stops the task; otherwise it only ends the looking. */
  readonly mine: boolean
  /** Events up to this `seq` are not shown. */
  readonly after: number
}

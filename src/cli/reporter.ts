import type { AgentProgress } from '../domain/agent.ts'
import type { Sight } from '../domain/control-plane.ts'
import type { Task, TaskEvent } from '../domain/task.ts'
import { jsonLine } from './render/json.ts'
import { isBare } from './bare.ts'
import { OutputLines } from './render/output-lines.ts'
import { eventLines, outputLine } from './render/progress.ts'
import type { Spell } from './render/next.ts'
import { toldEvent } from '../domain/retold.ts'
import { respelled } from './render/respelled.ts'
import { type Standing, statusLine } from './render/status-line.ts'
import { summaryLines } from './render/summary.ts'
import { hang, plain } from './render/text.ts'
import { Screen } from './screen.ts'
import type { World } from './world.ts'

/** Tells a person or a machine what happens on a task. */
export interface Reporter extends Disposable {
  /** The task that the following is about. */
  task(task: Task, notes: readonly string[]): void
  sight(sight: Sight): void
  note(text: string): void
  /** Something else uses the terminal: what is told from now on is written by `resume`. */
  pause(): void
  resume(): void
  end(task: Task): void
}

/** `json`: for a machine. */
export function openReporter(world: World, spell: Spell, json: boolean): Reporter {
  return json ? new MachineReporter(world) : new PeopleReporter(world, spell)
}

/** Lines for people; at a terminal with one live line at the bottom. */
class PeopleReporter implements Reporter {
  readonly #world: World
  readonly #spell: Spell
  readonly #screen: Screen
  readonly #output = new OutputLines()
  #box = ''
  #standing: Standing | null = null
  /** What came while something else used the terminal. */
  #held: Sight[] | null = null

  constructor(world: World, spell: Spell) {
    const { terminal } = world
    this.#world = world
    this.#spell = spell
    this.#screen = new Screen(terminal, () =>
      this.#standing === null
        ? ''
        : statusLine(this.#standing, world.now(), terminal.width(), terminal.paint),
    )
  }

  task(task: Task, notes: readonly string[]): void {
    const { paint } = this.#world.terminal
    this.#screen.print([
      `${paint.bold(`Task ${task.id}`)}  ${hang(`${task.base.ref} of ${task.repository.path}`, 2)}`,
      ...notes.map((note) => `  ${paint.yellow('!')} ${hang(respelled(note, this.#spell), 4)}`),
    ])
  }

  sight(sight: Sight): void {
    if (this.#held !== null) {
      this.#held.push(sight)
      return
    }
    const { paint } = this.#world.terminal
    if (sight.kind === 'output') {
      this.#count(sight.progress ?? [])
      if (sight.text === '') return
      const before = sight.box === this.#box ? [] : this.#rest()
      this.#box = sight.box
      const lines = this.#output.push(sight.text).map((line) => outputLine(sight.box, line, paint))
      this.#screen.print([...before, ...lines])
      return
    }
    const { event, task } = sight
    const before = this.#rest()
    const since = this.#standing?.task.phase === task.phase ? this.#standing.since : this.#world.now()
    this.#standing = { task, since }
    this.#screen.print([...before, ...eventLines(this.#spelled(event), task, paint)])
  }

  note(text: string): void {
    this.#screen.print([...this.#rest(), plain(text)])
  }

  pause(): void {
    this.#standing = null
    this.#held = []
    this.#screen.clear()
  }

  resume(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const sight of held) this.sight(sight)
  }

  end(task: Task): void {
    this.#standing = null
    const bare = isBare(task.repository.path)
    const lines = summaryLines(task, this.#spell, this.#world.terminal.paint, bare)
    this.#screen.print([...this.#rest(), ...lines])
  }

  [Symbol.dispose](): void {
    this.#screen[Symbol.dispose]()
  }

  /** What models have cost so far stands in the live line. */
  #count(progress: readonly AgentProgress[]): void {
    const spent = progress.findLast((one) => one.kind === 'spent')
    if (spent === undefined || this.#standing === null) return
    const { task } = this.#standing
    const { tokens, costUsd } = spent
    this.#standing = { ...this.#standing, task: { ...task, spent: { ...task.spent, tokens, costUsd } } }
  }

  #spelled(event: TaskEvent): TaskEvent {
    return { ...event, text: toldEvent(event, (text) => respelled(text, this.#spell)) }
  }

  #rest(): readonly string[] {
    return this.#output.rest().map((line) => outputLine(this.#box, line, this.#world.terminal.paint))
  }
}

/** One JSON object per line: `task`, `event`, `output`, `note`, and at the end `result`. */
class MachineReporter implements Reporter {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  task(task: Task, notes: readonly string[]): void {
    this.#line({ type: 'task', task, notes })
  }

  sight(sight: Sight): void {
    if (sight.kind === 'event') this.#line({ type: 'event', event: sight.event })
    else {
      const { step, box, text, progress } = sight
      this.#line({ type: 'output', step, box, text, ...(progress === undefined ? {} : { progress }) })
    }
  }

  note(text: string): void {
    this.#line({ type: 'note', text })
  }

  pause(): void {
    // Nobody is asked anything.
  }

  resume(): void {
    // Nobody was.
  }

  end(task: Task): void {
    this.#line({ type: 'result', task })
  }

  [Symbol.dispose](): void {
    // It holds nothing.
  }

  #line(value: unknown): void {
    this.#world.terminal.out(jsonLine(value))
  }
}

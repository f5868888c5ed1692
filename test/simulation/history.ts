import { setImmediate } from 'node:timers/promises'
import type { TaskId } from '../../src/domain/ids.ts'
import { Happenings } from './happenings.ts'
import { countedIds } from './ids.ts'
import { Machine } from './machine.ts'
import { People } from './people.ts'
import { type Broken, ControlPlaneProcess } from './process.ts'
import { Post } from './post.ts'
import { type Random, randomOf } from './random.ts'
import { wrongAtRest } from './rest.ts'
import type { Stage } from './stage.ts'
import type { Reader } from './view.ts'
import { Watcher } from './watcher.ts'
import { Yard } from './yard.ts'

/** What became of one history. */
export interface Told {
  /** What went wrong first, as `<invariant>: <what>`; empty where nothing did. */
  readonly wrong: readonly string[]
  /** What happened, in order: the same for the same seed. */
  readonly lines: readonly string[]
  /** Of all rows that it has left. */
  readonly digest: string
  readonly writes: number
  readonly tasks: number
}

/** So much happens before all that goes wrong ends, and so much may happen until everything is at rest. */
const [leastEvents, mostEvents, untilRest] = [25, 95, 4000]
/** Longer than the longest pause of any who tries again, and than left boxes are not looked for, ms. */
const quietMs = 100_000

/** Tells one history: what happens is drawn from the seed, and every write is held against the invariants. */
export async function tell(stage: Stage, seed: number, broken: Broken = {}): Promise<Told> {
  const ids = countedIds()
  const history = new History(stage, seed, broken)
  try {
    await history.run()
    return history.told()
  } finally {
    history[Symbol.dispose]()
    ids[Symbol.dispose]()
  }
}

class History {
  readonly #random: Random
  readonly #stage: Stage
  readonly #reader: Reader
  readonly #machine = new Machine()
  readonly #yard = new Yard()
  readonly #watcher: Watcher
  readonly #post: Post
  readonly #people: People
  readonly #happenings: Happenings
  readonly #broken: Broken
  readonly #processes: ControlPlaneProcess[] = []
  readonly #lines: string[] = []
  #wrong: readonly string[] = []

  constructor(stage: Stage, seed: number, broken: Broken) {
    const random = randomOf(seed)
    this.#stage = stage
    this.#random = random
    this.#machine.proposes = random.chance(0.3)
    this.#broken = broken
    this.#reader = stage.reader
    this.#watcher = new Watcher(this.#reader)
    this.#post = new Post(this.#reader, this.#machine)
    this.#people = new People(random, this.#machine, (id) => this.#watcher.view(id))
    this.#happenings = new Happenings({
      random,
      machine: this.#machine,
      yard: this.#yard,
      people: this.#people,
      living: () => this.#living(),
      mayRun: this.#mayRun,
      start: () => this.#start(),
    })
  }

  async run(): Promise<void> {
    this.#start()
    const events = leastEvents + this.#random.below(mostEvents - leastEvents)
    for (let event = 0; event < events && this.#fine(); event += 1) {
      this.#say(this.#happenings.something())
      await setImmediate()
    }
    this.#say(this.#happenings.calm())
    await this.#comeToRest()
    // Most tasks are applied only then.
    if (this.#fine() && this.#random.chance(0.5)) await this.#deliver()
    await this.#judge()
  }

  /** What was applied is merged, and taken out again, while things go wrong once more. */
  async #deliver(): Promise<void> {
    const asked = this.#living().find((process) => process.ready && !process.stopped)
    if (asked !== undefined) this.#say(this.#people.askForMore(asked))
    await setImmediate()
    await this.#comeToRest()
    // Only what meets with other work is tested once more.
    if (this.#random.chance(0.5)) this.#say(this.#happenings.moves())
    const events = this.#random.below(60)
    for (let event = 0; event < events && this.#fine(); event += 1) {
      const ready = this.#living().find((process) => process.ready && !process.stopped)
      const decides = ready !== undefined && this.#random.chance(0.3)
      const decided = decides ? this.#people.deliver(ready) : null
      const there = decided === null && this.#random.chance(0.1) ? this.#happenings.forgeMoves() : null
      this.#say(decided ?? there ?? this.#happenings.something())
      await setImmediate()
    }
    this.#say(this.#happenings.calm())
    await this.#comeToRest()
  }

  told(): Told {
    return {
      wrong: this.#wrong,
      lines: this.#lines,
      digest: this.#reader.digest(),
      writes: this.#watcher.writes,
      tasks: this.#reader.ids().length,
    }
  }

  [Symbol.dispose](): void {
    for (const process of this.#processes) process.kill()
    this.#stage.clear()
  }

  #say(line: string | null): void {
    if (line !== null) this.#lines.push(line)
  }

  #fine(): boolean {
    if (this.#wrong.length > 0) return false
    const others = [this.#post.broken, this.#people.broken].filter((wrong) => wrong !== null)
    this.#wrong = [...this.#watcher.broken, ...others]
    return this.#wrong.length === 0
  }

  #start(): string {
    const id = this.#processes.length + 1
    const wrote = (task: TaskId, writer: number): void => {
      const line = this.#watcher.wrote(task, writer)
      if (line !== null) this.#say(`  process ${writer}, task ${task}: ${line}`)
    }
    const site = {
      stage: this.#stage,
      machine: this.#machine,
      yard: this.#yard,
      broken: this.#broken,
      random: () => this.#random.below(1000) / 1000,
      watcher: { wrote, post: this.#post },
    }
    this.#processes.push(new ControlPlaneProcess(site, id))
    return `process ${id} starts`
  }

  readonly #mayRun = (owner: number): boolean => this.#processes[owner - 1]?.runs === true

  #living(): readonly ControlPlaneProcess[] {
    return this.#processes.filter(({ ended }) => ended === null)
  }

  /** Nobody does anything any more: everything has to come to rest. */
  async #comeToRest(): Promise<void> {
    const { clock } = this.#machine
    let quietSince = clock.ticks()
    let quit = false
    for (let event = 0; event < untilRest && this.#fine(); event += 1) {
      if (!this.#living().some(({ closing }) => !closing)) this.#say(this.#start())
      const ready = this.#living().find((process) => process.ready)
      if (!quit && ready !== undefined) {
        this.#people.quit(ready)
        quit = true
      }
      const happened = this.#happenings.letGo(0) ?? this.#happenings.boxGoesOn()
      // To look for left boxes and at pull requests, and to remove boxes again and again, is no news.
      if (happened !== null && !/engine\.(list|sweep|remove)|forge\.look/.test(happened))
        quietSince = clock.ticks()
      this.#say(happened)
      if (happened === null) {
        if (clock.ticks() - quietSince > quietMs) return
        clock.advance(Math.max(1, clock.untilDue(this.#mayRun) ?? 1000), this.#mayRun)
        this.#machine.enforce()
      }
      await setImmediate()
    }
    if (this.#fine()) this.#wrong = ['rest: it does not come to rest']
  }

  async #judge(): Promise<void> {
    for (const id of this.#reader.ids()) {
      if (!this.#fine()) return
      const view = this.#reader.view(id)
      if (view === null) continue
      // Two processes on one worktree get in each other's way, whatever the record says.
      const atRest = this.#happenings.twoAtOnce
        ? []
        : [wrongAtRest(this.#machine, view), await this.#unattested(id)]
      const wrong = [this.#people.unheard(id), ...atRest].filter((each) => each !== null)
      this.#wrong = wrong.map((each) => `${each} [task ${id}]`)
    }
    const lost = this.#post.atRest()
    if (this.#fine() && lost !== null) this.#wrong = [lost]
  }

  async #unattested(id: TaskId): Promise<string | null> {
    const process = this.#living()[0]
    if (process === undefined) return 'rest: no process lives'
    const verified = process.plane.verify(id, [])
    for (let turn = 0; turn < 8; turn += 1) {
      this.#happenings.letGo(0)
      await setImmediate()
    }
    const { findings } = await verified
    return findings.length === 0 ? null : `attested: ${findings[0]?.where}: ${findings[0]?.text}`
  }
}

import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import { Machine } from './machine.ts'
import { People } from './people.ts'
import { type Broken, ControlPlaneProcess } from './process.ts'
import { goOn } from './programs.ts'
import { type Random, randomOf } from './random.ts'
import { wrongAtRest } from './rest.ts'
import { Reader } from './view.ts'
import { Watcher } from './watcher.ts'
import { Yard } from './yard.ts'

/** What became of one history. */
export interface Told {
  /** What went wrong, or null. */
  readonly wrong: string | null
  /** What happened, in order: the same for the same seed. */
  readonly lines: readonly string[]
  readonly writes: number
  readonly tasks: number
}

/** Where histories are told: an empty database to start from, and a folder for their files. */
export interface Stage {
  readonly folder: string
  readonly empty: string
}

/** So much happens before all that goes wrong ends, and so much may happen until everything is at rest. */
const [leastEvents, mostEvents, untilRest] = [40, 160, 4000]

/** Tells one history: what happens is drawn from the seed, and every write is held against the invariants. */
export async function tell(stage: Stage, seed: number, broken: Broken = {}): Promise<Told> {
  const history = new History(stage, seed, broken)
  try {
    await history.run()
    return history.told()
  } finally {
    history[Symbol.dispose]()
  }
}

class History {
  readonly #random: Random
  readonly #file: HostPath
  readonly #reader: Reader
  readonly #machine = new Machine()
  readonly #yard = new Yard()
  readonly #watcher: Watcher
  readonly #people: People
  readonly #broken: Broken
  readonly #processes: ControlPlaneProcess[] = []
  readonly #lines: string[] = []
  #wrong: string | null = null
  /** Whether two processes have worked at once, which only the lock of the folder prevents. */
  #twoAtOnce = false

  constructor({ folder, empty }: Stage, seed: number, broken: Broken) {
    this.#random = randomOf(seed)
    this.#broken = broken
    this.#file = join(folder, `history-${seed}.db`) as HostPath
    copyFileSync(empty, this.#file)
    this.#reader = new Reader(this.#file)
    this.#watcher = new Watcher(this.#reader)
    this.#people = new People(this.#random, this.#machine, (id) => this.#watcher.view(id))
  }

  async run(): Promise<void> {
    this.#start()
    const events = leastEvents + this.#random.below(mostEvents - leastEvents)
    for (let event = 0; event < events && this.#fine(); event += 1) {
      this.#say(this.#something())
      await this.#settle()
    }
    await this.#calmDown()
    await this.#judge()
  }

  told(): Told {
    const { writes } = this.#watcher
    return { wrong: this.#wrong, lines: this.#lines, writes, tasks: this.#reader.ids().length }
  }

  [Symbol.dispose](): void {
    for (const process of this.#processes) {
      process.kill()
      process[Symbol.dispose]()
    }
    this.#reader[Symbol.dispose]()
    for (const end of ['', '-wal', '-shm']) rmSync(`${this.#file}${end}`, { force: true })
  }

  #say(line: string | null): void {
    if (line !== null) this.#lines.push(line)
  }

  #fine(): boolean {
    this.#wrong ??= this.#watcher.broken ?? this.#people.broken
    return this.#wrong === null
  }

  /** Lets everything happen that waits for nobody. */
  async #settle(): Promise<void> {
    await setImmediate()
  }

  #start(): string {
    const id = this.#processes.length + 1
    const wrote = (task: Parameters<Watcher['wrote']>[0], writer: number): void => {
      const line = this.#watcher.wrote(task, writer)
      if (line !== null) this.#say(`  process ${writer}, task ${task}: ${line}`)
    }
    const site = { file: this.#file, machine: this.#machine, yard: this.#yard, broken: this.#broken, wrote }
    this.#processes.push(new ControlPlaneProcess(site, id))
    return `process ${id} starts`
  }

  readonly #mayRun = (owner: number): boolean => this.#processes[owner - 1]?.runs === true

  #living(): readonly ControlPlaneProcess[] {
    return this.#processes.filter(({ ended }) => ended === null)
  }

  /** One thing that can happen now. */
  #something(): string | null {
    const random = this.#random
    const roll = random.below(100)
    if (roll < 45) return this.#letGo(0.03) ?? this.#boxGoesOn() ?? this.#timePasses()
    if (roll < 60) return this.#boxGoesOn() ?? this.#letGo(0) ?? this.#timePasses()
    if (roll < 72) return this.#timePasses()
    if (roll < 92) return this.#somebodyActs()
    return this.#somethingBreaks()
  }

  /** A call that waits takes effect, answers or, with this probability, fails. */
  #letGo(failing: number): string | null {
    const waiting = this.#yard.waiting(this.#mayRun)
    if (waiting.length === 0) return null
    const call = this.#random.pick(waiting)
    if (!this.#random.chance(failing)) {
      call.go()
      return `process ${call.owner} goes on: ${call.what}`
    }
    const ofEngine = call.what.startsWith('engine')
    const code = ofEngine ? 'engine' : this.#random.pick(['worktree', 'disk'] as const)
    call.fail(new Failure(code, `It went wrong: ${call.what}.`))
    return `process ${call.owner} fails: ${call.what} (${code})`
  }

  #boxGoesOn(): string | null {
    const running = this.#machine.running()
    if (running.length === 0) return null
    const box = this.#random.pick(running)
    goOn(this.#machine, box, this.#random, this.#mayRun)
    return `box ${box.spec.name} goes on${box.result === null ? '' : `: ${box.result.end}`}`
  }

  #timePasses(): string {
    const random = this.#random
    const ms = random.chance(0.02) ? 25 * 3_600_000 : random.pick([50, 500, 1000, 1500, 5000])
    this.#machine.clock.advance(ms, this.#mayRun)
    this.#machine.enforce()
    return `${ms} ms pass`
  }

  #somebodyActs(): string | null {
    const ready = this.#processes.filter((process) => process.ready && process.runs)
    return ready.length === 0 ? this.#mend() : this.#people.doSomething(this.#random.pick(ready))
  }

  #somethingBreaks(): string | null {
    const random = this.#random
    const living = this.#living()
    const process = living.length === 0 ? null : random.pick(living)
    const roll = random.below(9)
    if (process === null) return this.#start()
    if (roll === 0) {
      process.kill()
      return `process ${process.id} is killed`
    }
    if (roll <= 2) {
      process.fuse = { writes: random.below(5), after: random.chance(0.5) }
      return `process ${process.id} is to be killed ${process.fuse.after ? 'after' : 'before'} a write`
    }
    if (roll === 3 && !process.stopped && !process.closing) {
      process.close()
      return `process ${process.id} ends in good order`
    }
    if (roll === 4) {
      process.stopped = !process.stopped
      return `process ${process.id} ${process.stopped ? 'is stopped' : 'goes on'}`
    }
    if (roll === 5) {
      this.#machine.engineDown = !this.#machine.engineDown
      return this.#machine.engineDown ? 'the engine goes away' : 'the engine is back'
    }
    if (roll === 6) {
      this.#machine.diskFull = !this.#machine.diskFull
      return this.#machine.diskFull ? 'the disk is full' : 'there is room on the disk'
    }
    return this.#mend()
  }

  /** Another process begins where none works: also beside one that is stopped, as if there were no lock. */
  #mend(): string | null {
    const living = this.#living()
    if (living.some(({ stopped }) => !stopped)) return null
    if (living.length > 0) this.#twoAtOnce = true
    return this.#start()
  }

  /** Nothing goes wrong any more, nobody does anything: everything has to come to rest. */
  async #calmDown(): Promise<void> {
    this.#machine.engineDown = false
    this.#machine.diskFull = false
    for (const process of this.#living()) {
      process.stopped = false
      process.fuse = null
    }
    this.#say('all goes well from here')
    let quietMs = 0
    for (let event = 0; event < untilRest && this.#fine(); event += 1) {
      if (!this.#living().some(({ closing }) => !closing)) this.#say(this.#start())
      const happened = this.#letGo(0) ?? this.#boxGoesOn()
      // To look for left boxes is no news.
      if (happened !== null && !/engine\.(list|sweep)/.test(happened)) quietMs = 0
      this.#say(happened)
      if (happened === null) {
        // Twice the time in which left boxes are looked for.
        if (quietMs > 120_000) return
        const ms = Math.max(1, this.#machine.clock.untilDue(this.#mayRun) ?? 1000)
        this.#machine.clock.advance(ms, this.#mayRun)
        this.#machine.enforce()
        quietMs += ms
      }
      await this.#settle()
    }
    if (this.#fine()) this.#wrong = 'rest: it does not come to rest'
  }

  async #judge(): Promise<void> {
    for (const id of this.#reader.ids()) {
      if (!this.#fine()) return
      const view = this.#reader.view(id)
      if (view === null) continue
      const unheard = this.#people.unheard(id)
      // Two processes on one worktree get in each other's way, whatever the record says.
      const atRest = this.#twoAtOnce ? null : wrongAtRest(this.#machine, view)
      const wrong = unheard ?? atRest ?? (this.#twoAtOnce ? null : await this.#unattested(id))
      if (wrong !== null) this.#wrong ??= `${wrong} [task ${id}]`
    }
  }

  async #unattested(id: Parameters<ControlPlaneProcess['plane']['verify']>[0]): Promise<string | null> {
    const process = this.#living()[0]
    if (process === undefined) return 'rest: no process lives'
    const verified = process.plane.verify(id, [])
    for (let turn = 0; turn < 8; turn += 1) {
      this.#letGo(0)
      await this.#settle()
    }
    const { findings } = await verified
    return findings.length === 0 ? null : `attested: ${findings[0]?.where}: ${findings[0]?.text}`
  }
}

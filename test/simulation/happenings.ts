import { Failure } from '../../src/domain/failure.ts'
import { moods, told } from './mail.ts'
import type { Machine } from './machine.ts'
import type { People } from './people.ts'
import type { ControlPlaneProcess } from './process.ts'
import { goOn } from './programs.ts'
import type { Random } from './random.ts'
import type { Yard } from './yard.ts'

/** What things happen to. */
export interface World {
  readonly random: Random
  readonly machine: Machine
  readonly yard: Yard
  readonly people: People
  /** Those that have not ended. */
  readonly living: () => readonly ControlPlaneProcess[]
  /** Which processes are neither dead nor stopped. */
  readonly mayRun: (owner: number) => boolean
  /** Starts a process. @returns what happened, for the history */
  readonly start: () => string
}

/** Everything that can happen, one at a time. Methods return what did, or null where it is not possible now. */
export class Happenings {
  readonly #world: World
  /** Whether two processes have worked at once, which only the lock of the folder prevents. */
  twoAtOnce = false

  constructor(world: World) {
    this.#world = world
  }

  something(): string | null {
    const roll = this.#world.random.below(100)
    if (roll < 55) return this.letGo(0.03) ?? this.boxGoesOn() ?? this.#somebodyActs()
    if (roll < 75) return this.boxGoesOn() ?? this.letGo(0) ?? this.#somebodyActs()
    if (roll < 85) return this.#timePasses()
    return roll < 93 ? this.#somebodyActs() : this.#somethingBreaks()
  }

  /** A call that waits takes effect, answers or, with this probability, fails. */
  letGo(failing: number): string | null {
    const { random, yard, mayRun } = this.#world
    const waiting = yard.waiting(mayRun)
    if (waiting.length === 0) return null
    const call = random.pick(waiting)
    if (!random.chance(failing)) {
      call.go()
      return `process ${call.owner} goes on: ${call.what}`
    }
    // A branch that was moved is no longer where it was: what still fails then is to keep it on the disk.
    const onlyDisk = /checkpoint answers|handover answers/.test(call.what)
    const ofGit = onlyDisk ? 'disk' : random.pick(['worktree', 'disk'] as const)
    const ofForge = random.pick(['busy', 'repository'] as const)
    const code = call.what.startsWith('worktrees')
      ? ofGit
      : call.what.startsWith('forge')
        ? ofForge
        : 'engine'
    call.fail(new Failure(code, `It went wrong: ${call.what}.`))
    return `process ${call.owner} fails: ${call.what} (${code})`
  }

  boxGoesOn(): string | null {
    const { random, machine, mayRun } = this.#world
    const running = machine.running()
    if (running.length === 0) return null
    const box = random.pick(running)
    goOn(machine, box, random, mayRun)
    return `box ${box.spec.name} goes on${box.result === null ? '' : `: ${box.result.end}`}`
  }

  /** Nothing goes wrong any more. */
  calm(): string {
    const { machine, living } = this.#world
    machine.engineDown = false
    machine.diskFull = false
    machine.forge.down = false
    machine.mail.moods.clear()
    for (const process of living()) {
      process.stopped = false
      process.fuse = null
    }
    return 'all goes well from here'
  }

  #timePasses(): string {
    const { random, machine, mayRun } = this.#world
    if (random.chance(0.03)) {
      machine.clock.suspend(25 * 3_600_000)
      return 'the machine sleeps for 25 hours'
    }
    const ms = random.pick([50, 500, 1000, 1500, 5000, 20_000])
    machine.clock.advance(ms, mayRun)
    machine.enforce()
    return `${ms} ms pass`
  }

  #somebodyActs(): string | null {
    const { random, people, living } = this.#world
    const ready = living().filter((process) => process.ready && !process.stopped)
    return ready.length === 0 ? this.#mend() : people.doSomething(random.pick(ready))
  }

  #somethingBreaks(): string | null {
    const { random, living, start, machine } = this.#world
    const processes = living()
    if (processes.length === 0) return start()
    const stopped = processes.find((process) => process.stopped)
    if (stopped !== undefined && random.chance(0.4)) return this.#breaks(stopped, 5)
    const roll = random.below(10)
    if (roll < 6) return this.#breaks(random.pick(processes), roll)
    if (roll === 6) {
      machine.engineDown = !machine.engineDown
      return machine.engineDown ? 'the engine goes away' : 'the engine is back'
    }
    if (roll === 7) {
      machine.diskFull = !machine.diskFull
      return machine.diskFull ? 'the disk is full' : 'there is room on the disk'
    }
    if (roll === 8) {
      const [name, mood] = [random.pick(Object.keys(told)), random.pick(moods)]
      machine.mail.moods.set(name, mood)
      return `${name} is ${mood} from now on`
    }
    return random.chance(0.5) ? random.pick([this.moves, this.forgeMoves])() : this.#mend()
  }

  /** Somebody goes on in the source repository. */
  readonly moves = (): string => {
    const { machine, random } = this.#world
    const tip = machine.source.get('main') ?? machine.base
    const tree = [...machine.get(tip).tree, `theirs ${random.below(1000)}`].sort()
    machine.source.set('main', machine.commit(tip, tree, 'theirs').id)
    return 'somebody moves main'
  }

  /** The forge goes away or comes back, or people there decide about what was proposed. */
  readonly forgeMoves = (): string => {
    const { machine, random } = this.#world
    const { forge } = machine
    const open = forge.pulls.filter(({ state }) => state === 'open')
    if (open.length === 0 || random.chance(0.3)) {
      forge.down = !forge.down
      return forge.down ? 'the forge goes away' : 'the forge is back'
    }
    const pull = random.pick(open)
    pull.state = random.pick(['merged', 'closed'] as const)
    return `somebody has #${pull.number} ${pull.state}`
  }

  #breaks(process: ControlPlaneProcess, roll: number): string | null {
    const { random } = this.#world
    if (roll === 0) {
      process.kill()
      return `process ${process.id} is killed`
    }
    if (roll <= 3) {
      process.fuse = { writes: random.below(5), after: random.chance(0.5) }
      return `process ${process.id} is to be killed ${process.fuse.after ? 'after' : 'before'} a write`
    }
    if (roll === 4) {
      if (process.stopped || process.closing) return null
      void process.close()
      return `process ${process.id} ends in good order`
    }
    process.stopped = !process.stopped
    return `process ${process.id} ${process.stopped ? 'is stopped' : 'goes on'}`
  }

  /** Another process begins where none works: also beside one that is stopped, as if there were no lock. */
  #mend(): string | null {
    const living = this.#world.living()
    if (living.some(({ stopped }) => !stopped)) return null
    if (living.length > 0) this.twoAtOnce = true
    return this.#world.start()
  }
}

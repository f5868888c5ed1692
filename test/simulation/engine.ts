import { type BoxResult, detach, type Engine } from '../../src/domain/box.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Gateway } from '../../src/domain/gateway.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import type { Machine, VirtualBox } from './machine.ts'

/** The engine of a machine, as one process sees it. Its boxes are rows in memory: their programs run as the scheduler says. */
export function virtualEngine(machine: Machine, owner: number): Engine {
  const answers = (): void => {
    if (machine.engineDown) throw new Failure('engine', 'The engine does not answer.')
  }
  return {
    async describe() {
      answers()
      return 'virtual 1'
    },
    async posture() {
      answers()
      return { level: 'standard', missing: ['it is none'], engine: 'virtual 1', seen: {}, at: 0 }
    },
    async image() {
      answers()
      return `sha256:${'0'.repeat(64)}`
    },
    async run(spec, _materials, watcher, signal) {
      if (signal.reason === detach) signal.throwIfAborted()
      answers()
      const known = machine.boxes.get(spec.name)
      if (known !== undefined && known.hash !== specHash(spec))
        throw new Failure('engine', `There is a box ${spec.name} already, made for something else.`)
      const box = known ?? machine.start(spec)
      // Who takes one over has only the clock on the wall to go by.
      const late = machine.clock.now() >= box.startedAt + spec.limits.seconds * 1000
      if (late) machine.end(box, 'time', null)
      watcher.started(box.startedAt)
      if (box.result !== null) return box.result
      if (signal.aborted) machine.end(box, 'killed', null)
      return box.result ?? (await endOf(machine, box, owner, signal))
    },
    async list() {
      answers()
      return [...machine.boxes.values()].map(({ spec, hash, result }) => {
        return { name: spec.name, task: spec.task, specHash: hash, running: result === null }
      })
    },
    async remove(name) {
      answers()
      const box = machine.boxes.get(name)
      if (box === undefined) return
      machine.end(box, 'killed', null)
      machine.boxes.delete(name)
    },
    async sweep() {
      answers()
    },
  }
}

function endOf(machine: Machine, box: VirtualBox, owner: number, signal: AbortSignal): Promise<BoxResult> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      if (signal.reason !== detach) machine.end(box, 'killed', null)
      else if (box.waiting.delete(owner)) reject(signal.reason as Error)
    }
    signal.addEventListener('abort', aborted, { once: true })
    box.waiting.set(owner, (result) => {
      signal.removeEventListener('abort', aborted)
      resolve(result)
    })
  })
}

/** A gateway without a network: what a box's program asks of it, its overseer is asked by the scheduler. */
export function virtualGateway(machine: Machine, owner: number): Gateway {
  return {
    open(box, overseer) {
      machine.overseers.set(box.name, { owner, overseer })
      return {
        accept: () => undefined,
        counts: () => {
          const nothing = { allowed: 0, denied: 0, bytesUp: 0, bytesDown: 0 }
          return { ...nothing, inputTokens: 0, outputTokens: 0, costUsd: 0 }
        },
        async close() {
          if (machine.overseers.get(box.name)?.overseer === overseer) machine.overseers.delete(box.name)
        },
      }
    },
  }
}

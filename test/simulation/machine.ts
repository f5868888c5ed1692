import { createHash } from 'node:crypto'
import type { BoxEnd, BoxResult, BoxSpec } from '../../src/domain/box.ts'
import type { CommitId, TreeId } from '../../src/domain/brand.ts'
import type { Overseer } from '../../src/domain/gateway.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { aTime } from '../support/task.ts'
import { Clock } from './clock.ts'
import { VirtualForge } from './forge.ts'
import { Mail } from './mail.ts'

/** What a tree holds: one name for each thing that a box has written. */
export type Tree = readonly string[]

export interface Commit {
  readonly id: CommitId
  readonly parent: CommitId | null
  readonly tree: Tree
  /** The attestation that its last line names, and the commit that it seals. */
  readonly attestation: string | null
  readonly unsealed: CommitId
}

/** A task's place on disk. */
export interface Place {
  tree: Tree
  setup: string | null
}

export interface VirtualBox {
  readonly spec: BoxSpec
  readonly hash: string
  readonly startedAt: number
  /** The same in time as it goes by, which is what its limit is measured in. */
  readonly since: number
  /** How far its program is. */
  stage: number
  /** Null while it runs. */
  result: BoxResult | null
  /** Those who wait for its end, by process. */
  readonly waiting: Map<number, (result: BoxResult) => void>
}

/** What outlives a process: boxes, git, disk and time. */
export class Machine {
  readonly clock = new Clock(aTime)
  readonly boxes = new Map<string, VirtualBox>()
  readonly places = new Map<TaskId, Place>()
  readonly commits = new Map<CommitId, Commit>()
  /** Branches of the mirror and of the source repository. */
  readonly mirror = new Map<string, CommitId>()
  readonly source = new Map<string, CommitId>()
  /** Who watches over a box's way out, by its name: the process that had it last. */
  readonly overseers = new Map<string, { readonly owner: number; readonly overseer: Overseer }>()
  readonly mail = new Mail()
  readonly forge = new VirtualForge()
  /** Whether it is configured that work is proposed, and not merged. */
  proposes = false
  engineDown = false
  diskFull = false
  readonly base = this.commit(null, ['base'], 'base').id

  commit(parent: CommitId | null, tree: Tree, message: string, seals: Commit | null = null): Commit {
    const id = hashOf(JSON.stringify([parent, tree, message, seals?.id])) as CommitId
    const attestation = seals === null ? null : message
    const made: Commit = { id, parent, tree, attestation, unsealed: seals?.id ?? id }
    this.commits.set(id, made)
    return made
  }

  get(id: CommitId): Commit {
    const found = this.commits.get(id)
    if (found === undefined) throw new Error(`there is no commit ${id}`)
    return found
  }

  start(spec: BoxSpec): VirtualBox {
    const box: VirtualBox = {
      spec,
      hash: specHash(spec),
      startedAt: this.clock.now(),
      since: this.clock.ticks(),
      stage: 0,
      result: null,
      waiting: new Map(),
    }
    this.boxes.set(spec.name, box)
    return box
  }

  /** Ends a box, once. */
  end(box: VirtualBox, end: BoxEnd, exitCode: number | null, output = ''): void {
    if (box.result !== null) return
    const over = Math.max(0, this.clock.ticks() - box.since - box.spec.limits.seconds * 1000)
    box.result = {
      end,
      exitCode,
      output,
      outputBytes: output.length,
      truncated: false,
      startedAt: box.startedAt,
      endedAt: this.clock.now() - over,
      peaks: { memoryMb: null, pids: null, cpuMs: null },
      message: end === 'exited' ? null : `The box ended: ${end}.`,
    }
    for (const tell of box.waiting.values()) tell(box.result)
    box.waiting.clear()
  }

  /** Ends the boxes whose time is up. */
  enforce(): void {
    for (const box of this.boxes.values())
      if (this.clock.ticks() >= box.since + box.spec.limits.seconds * 1000) this.end(box, 'time', null)
  }

  running(): readonly VirtualBox[] {
    return [...this.boxes.values()].filter(({ result }) => result === null)
  }

  /** Nobody of a dead process waits for anything any more. */
  drop(owner: number): void {
    this.clock.drop(owner)
    for (const { waiting } of this.boxes.values()) waiting.delete(owner)
    for (const [box, watch] of this.overseers) if (watch.owner === owner) this.overseers.delete(box)
  }
}

export const treeIdOf = (tree: Tree): TreeId => hashOf(JSON.stringify(tree)) as TreeId

function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}

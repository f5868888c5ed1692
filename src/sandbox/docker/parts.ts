import { join } from 'node:path'
import type { BoxSpec } from '../../domain/box.ts'
import type { HostPath, Millis } from '../../domain/brand.ts'
import type { Channels } from './channel.ts'
import type { Api } from './connect.ts'
import type { ImagePlan } from './image/find.ts'

/** What the parts of the engine share. */
export interface Parts {
  readonly connect: () => Promise<Api>
  readonly installation: string
  /** Whom boxes run as. */
  readonly user: BoxSpec['user']
  readonly scratch: HostPath
  readonly planOf: (repository: string | null) => ImagePlan
  readonly now: () => Millis
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void
  /** Containers made or found by this process, by name: saves asking for them. */
  readonly ids: Map<string, string>
  /** Ids of images as they were last found; forgotten when the engine no longer has one. */
  readonly images: Map<string, string>
  readonly channels: Channels
  /** Boxes that `run` is busy with: their folders are not leftovers. */
  readonly busy: Set<string>
  /** Boxes that the engine runs for itself: nobody else's to see or remove. */
  readonly canaries: Set<string>
  /** Set when the disk of the scratch folder has refused to carry copy-on-write views. */
  readonly views: { refused: boolean }
}

/** The folder with all that is made on the disk for one box: the journal of its placeholders, its throw-away folders. */
export function boxFolder({ scratch }: Parts, name: string): string {
  return join(scratch, 'boxes', name)
}

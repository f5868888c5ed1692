import type { AgentBoxRequest, BoxKind, BoxRequest, BoxSpec, BoxWatcher } from '../../src/domain/box.ts'
import type { CommitId } from '../../src/domain/brand.ts'
import type { Egress } from '../../src/domain/egress.ts'
import type { Listing } from '../../src/domain/listing.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { aCommit, aPolicy, aTaskId } from './task.ts'

export const boxUser = { uid: 10001, gid: 10001 }

/** The listing of a worktree that has nothing for a policy to name. */
export const emptyListing: Listing = { hidden: [], folders: [], matches: [] }

/** An egress to nothing: a channel, and what is behind it decides. */
export const anEgress: Egress = {
  tunnels: [],
  upstreams: [],
  limits: { connections: 128, upMb: 16, downMb: 16 },
}

/** Of what a box of this kind is computed from; what another kind has is left out of it. */
export type Overrides = Partial<Omit<AgentBoxRequest, 'kind'>> & {
  readonly kind?: BoxKind
  readonly commit?: CommitId
}

/** What an agent box of step 1, or another kind, is computed from, for tests that are not about it. */
export function aRequest(overrides: Overrides = {}): BoxRequest {
  const {
    kind = 'agent',
    commit = aCommit,
    listing = emptyListing,
    setupFolders = [],
    ownFolder = false,
    caches = [],
    egress = null,
    ...more
  } = overrides
  const common = {
    installation: 'test',
    task: aTaskId,
    step: 1,
    attempt: 1,
    fence: 1,
    image: `sha256:${'0'.repeat(64)}`,
    user: boxUser,
    argv: ['true'],
    env: {},
    seconds: 60,
    policy: aPolicy(),
    ...more,
  }
  switch (kind) {
    case 'agent':
      return { ...common, kind, listing, setupFolders, ownFolder, caches, egress }
    case 'setup':
      return { ...common, kind, commit, caches, egress }
    case 'baseline':
    case 'test':
      return { ...common, kind, commit, caches }
  }
}

export function aBox(overrides: Overrides = {}): BoxSpec {
  return compileBox(aRequest(overrides))
}

/** Notes what an engine tells of a run. */
export class Notes implements BoxWatcher {
  readonly starts: number[] = []
  readonly chunks: Buffer[] = []
  started(at: number): void {
    this.starts.push(at)
  }
  output(chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk))
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

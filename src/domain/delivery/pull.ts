import type { CommitId, Millis } from '../brand.ts'
import type { AcceptRule } from '../marks/mark.ts'
import type { OutsideNetwork } from '../outside.ts'
import type { RemoteKey } from '../remote.ts'
import type { Secret } from '../secret.ts'
import type { Refusal } from './refusal.ts'

/** How the work of a task gets to people: into a branch of its repository, or as a pull request somewhere else. */
export const deliveryWays = ['merge', 'pull-request'] as const
export type DeliveryWay = (typeof deliveryWays)[number]

/** Where pull requests can be opened. Gitea speaks as Forgejo does; GitLab calls them merge requests. */
export const forgeKinds = ['github', 'gitlab', 'forgejo'] as const
export type ForgeKind = (typeof forgeKinds)[number]

/** Of a pull request nothing else is known by its kind. */
export const pullRefusals = ['foreign', 'other'] as const satisfies readonly Refusal[]
export type PullRefusal = (typeof pullRefusals)[number]

/** What becomes of one that was open. */
export const pullEnds = ['merged', 'closed'] as const
export type PullEnd = (typeof pullEnds)[number]

/** A delivery of a task's work as a pull request: what was decided, and how far it has come. */
export interface Pull {
  readonly forge: ForgeKind
  /** As the forge names it, such as `owner/name`. */
  readonly project: string
  /** Where its branch is pushed to, without credentials. */
  readonly remote: string
  /** The branch of the project that it asks to be merged into. */
  readonly into: string
  readonly draft: boolean
  /** What was accepted with it. */
  readonly accepted: readonly AcceptRule[]
  /** When it was decided. */
  readonly at: Millis
  /** What the branch there was made to be by us; null before. */
  readonly pushed: CommitId | null
  /** Of the pull request, once it is open. */
  readonly number: number | null
  readonly url: string | null
  /** How it stands or ended, in a sentence; null while it is under way. */
  readonly said: string | null
  /** Why an open one is not followed, and what to do about that; null where it is, as far as is known. */
  readonly unfollowed: string | null
  /** As of a merge. */
  readonly refusal: PullRefusal | null
}

/** What the operator configured for the pull requests of a repository. */
export interface PullSettings {
  readonly forge: ForgeKind
  /** Where its API is: an address without a path of its own, or with the one it is served under. */
  readonly address: string
  readonly project: string
  /** The address of a repository (`https://…`, or `ssh://…` with `ssh`), or the absolute path of a bare one. */
  readonly remote: string
  readonly ssh?: RemoteKey
  /** The name that goes with the token when git pushes. */
  readonly user: string
  readonly token: Secret | null
  /** Where the token is looked for, for people. */
  readonly tokenFrom: string
  readonly network: OutsideNetwork
  readonly draft: boolean
}

/** What to do where no token is set. */
export function noToken({ project, tokenFrom }: Pick<PullSettings, 'project' | 'tokenFrom'>): string {
  return `There is no token for ${project}: put one that may push and open pull requests in ${tokenFrom}, and start Cofferdam anew.`
}

/** Whether both are about the same project, so that what one has pushed and opened is there for the other. */
export function isSamePlace(
  one: Pick<Pull, 'forge' | 'project' | 'remote'>,
  other: Pick<Pull, 'forge' | 'project' | 'remote'>,
): boolean {
  return one.forge === other.forge && one.project === other.project && one.remote === other.remote
}

/** `#7 of owner/name`, with the sign that the forge itself has for it. */
export function pullName({ forge, number, project }: Pick<Pull, 'forge' | 'number' | 'project'>): string {
  return `${forge === 'gitlab' ? '!' : '#'}${number ?? '?'} of ${project}`
}

import type { AgentBoxRequest, BoxMount, BoxRequest } from '../domain/box.ts'
import type { CommitId, TreePath } from '../domain/brand.ts'
import { compilePolicy } from '../domain/matcher.ts'
import { absentCovers, existingCovers, type Cover } from './covers.ts'
import { islandsOf, type Island } from './islands.ts'
import {
  attemptFolder,
  cacheFolder,
  channelFolder,
  gitFolder,
  inWork,
  ownFolder,
  workFolder,
} from './places.ts'
import { ancestors, byDepth, isAtOrUnder } from './tree.ts'

type ReachingRequest = Exclude<BoxRequest, { readonly kind: 'baseline' | 'test' }>

/** The ordered mounts of a box. Pure. A mount never comes before one that it lies in. */
export function mountPlan(request: BoxRequest): readonly BoxMount[] {
  switch (request.kind) {
    case 'agent':
    case 'setup':
      return [...contentMounts(request), ...cacheMounts(request), ...channelMount(request)]
    case 'baseline':
    case 'test':
      return [...contentMounts(request), ...cacheMounts(request)]
  }
}

function contentMounts(request: BoxRequest): readonly BoxMount[] {
  switch (request.kind) {
    case 'agent':
      return [...agentMounts(request), ...ownMounts(request)]
    case 'setup':
      return [treeMount(request.commit, 'keep')]
    // Denied content is not in the tree and nothing that is written stays, so there is nothing to mask.
    case 'baseline':
    case 'test':
      return [treeMount(request.commit, 'discard')]
  }
}

function ownMounts({ ownFolder: own }: AgentBoxRequest): readonly BoxMount[] {
  if (!own) return []
  return [{ source: { kind: 'agent' }, target: ownFolder, readonly: false, why: 'settings, conversations' }]
}

function treeMount(commit: CommitId, writes: 'keep' | 'discard'): BoxMount {
  const source = { kind: 'tree', commit, writes } as const
  return {
    source,
    target: workFolder,
    readonly: false,
    why: writes === 'keep' ? 'tree' : 'tree, writes are lost',
  }
}

/** What a setup box has fetched; only such a box writes there, or one box could poison another's dependencies. */
function cacheMounts({ kind, caches }: BoxRequest): readonly BoxMount[] {
  const fills = kind === 'setup'
  return caches.map((name) => {
    if (!/^[a-z0-9-]+$/.test(name)) throw new Error(`not the name of a cache: ${name}`)
    const source = { kind: 'cache', name, writes: fills ? 'keep' : 'none' } as const
    return { source, target: cacheFolder(name), readonly: !fills, why: fills ? 'cache, filled' : 'cache' }
  })
}

/** A folder that the box cannot write in: the socket in it can be connected to all the same, and not be replaced. */
function channelMount({ egress }: ReachingRequest): readonly BoxMount[] {
  if (egress === null) return []
  return [{ source: { kind: 'channel' }, target: channelFolder, readonly: true, why: 'gateway' }]
}

function agentMounts({
  policy,
  listing,
  setupFolders,
  readOnly = false,
}: AgentBoxRequest): readonly BoxMount[] {
  const matcher = compilePolicy(policy)
  const limited = readOnly || policy.allow.length > 0
  // What setup left is exempt from the patterns: a dependency tree is full of them.
  const setup = new Set(setupFolders)
  const islands =
    limited && !readOnly
      ? islandsOf(policy, listing, matcher).filter(({ path }) => !isAtOrUnder(setup, path))
      : []
  const shores = new Set(islands.map(({ path }) => path))
  const writable = (path: TreePath): boolean => !limited || isAtOrUnder(shores, path)

  const existing = existingCovers(listing).filter(
    ({ path, kind }) => !isAtOrUnder(setup, path) && (kind === 'deny' || writable(path)),
  )
  const closed = new Set([...existing.map(({ path }) => path), ...setup])
  const covers = [...existing, ...absentCovers(listing, matcher, existing, closed, writable)].sort((a, b) =>
    byDepth(a.path, b.path),
  )
  const pins = pinsOf(covers, (path) => writable(path) && !shores.has(path))
  const folders = new Set(listing.folders)

  return [
    { source: worktree(''), target: workFolder, readonly: limited, why: 'worktree' },
    ...islands.map((island) => islandMount(island, folders)),
    ...pins.map((path) => pinMount(path, folders)),
    ...covers.filter(({ kind }) => kind === 'readonly').map(coverMount),
    ...covers.filter(({ kind }) => kind === 'deny').map(coverMount),
    { source: { kind: 'pointer' }, target: inWork('.git'), readonly: true, why: 'pointer' },
    { source: { kind: 'git' }, target: gitFolder, readonly: readOnly, why: 'private git' },
    { source: { kind: 'attempt' }, target: attemptFolder, readonly: true, why: 'prompt' },
    ...[...setupFolders].sort(byDepth).map(setupMount),
  ]
}

/**
 * Folders above a cover, bound onto themselves: without that, renaming one and making it anew would leave the cover
 * behind. Only these, as nothing can be renamed or linked across a pin.
 */
function pinsOf(covers: readonly Cover[], wanted: (path: TreePath) => boolean): readonly TreePath[] {
  const pins = new Set(covers.flatMap(({ path }) => ancestors(path)).filter(wanted))
  return [...pins].sort(byDepth)
}

function worktree(path: TreePath): BoxMount['source'] {
  return { kind: 'worktree', path }
}

function islandMount({ path, type }: Island, folders: ReadonlySet<TreePath>): BoxMount {
  const why = type === 'file' ? 'allow, written in place only' : 'allow'
  const mount = { source: worktree(path), target: inWork(path), readonly: false, why }
  return folders.has(path) ? mount : { ...mount, placeholder: type }
}

function pinMount(path: TreePath, folders: ReadonlySet<TreePath>): BoxMount {
  const mount = { source: worktree(path), target: inWork(path), readonly: false, why: 'pin' }
  return folders.has(path) ? mount : { ...mount, placeholder: 'folder' }
}

function coverMount({ path, kind, type, rule, absent }: Cover): BoxMount {
  const source: BoxMount['source'] =
    kind === 'readonly' ? worktree(path) : { kind: type === 'file' ? 'empty-file' : 'empty-folder' }
  const mount = { source, target: inWork(path), readonly: true, why: `${kind} ${rule}` }
  return absent ? { ...mount, placeholder: type } : mount
}

function setupMount(path: TreePath): BoxMount {
  return {
    source: { kind: 'setup', path },
    target: inWork(path),
    readonly: false,
    why: 'setup, writes are lost',
    placeholder: 'folder',
  }
}

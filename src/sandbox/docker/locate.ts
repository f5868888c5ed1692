import { lstatSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { BoxMount, BoxSource, BoxSpec, Materials } from '../../domain/box.ts'
import type { TreePath } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import { fromWork } from '../places.ts'
import { ancestors } from '../tree.ts'

/** A mount with its source's place on this disk: a folder outside the box's reach, and a path in it that is not. */
export interface Located {
  readonly mount: BoxMount
  /** Resolved: no part of it is a symlink. */
  readonly root: string
  readonly below: TreePath
}

export interface Locations {
  readonly mounts: readonly Located[]
  /** The folder that is at `/work`, where it is the worktree: mounts in it need their targets there. */
  readonly worktree: string | null
  /** What setup left, where it left anything and the box's tree is to be seen on top of it. */
  readonly setup: string | null
}

/** Asks for every source's place; the same root once. `channel` is the folder of the box's socket. */
export async function locate(
  spec: BoxSpec,
  materials: Pick<Materials, 'locate'>,
  channel: () => Promise<string>,
): Promise<Locations> {
  const place = (source: BoxSource): Promise<string> =>
    source.kind === 'channel' ? channel() : materials.locate(source)
  const roots = new Map<string, Promise<string>>()
  const rootOf = (source: BoxSource): Promise<string> => {
    const key = JSON.stringify(source)
    const known = roots.get(key) ?? place(source).then((path) => realpath(path))
    roots.set(key, known)
    return known
  }
  const mounts = await Promise.all(
    spec.mounts.map(async (mount): Promise<Located> => {
      const { source } = mount
      if (source.kind !== 'worktree' && source.kind !== 'setup')
        return { mount, root: await rootOf(source), below: '' }
      return { mount, root: await rootOf({ kind: source.kind, path: '' }), below: source.path }
    }),
  )
  const base = mounts.find(({ mount }) => fromWork(mount.target) === '')
  const discards = base?.mount.source.kind === 'tree' && base.mount.source.writes === 'discard'
  return {
    mounts,
    worktree: base?.mount.source.kind === 'worktree' ? base.root : null,
    setup: discards ? await materials.locate({ kind: 'setup', path: '' }).then(existing) : null,
  }
}

/** The folders and files of the caller that a box is to see. */
export function rootsOf({ mounts, setup }: Locations): readonly string[] {
  const given = mounts.filter(({ mount }) => mount.source.kind !== 'channel').map(({ root }) => root)
  return [...new Set(setup === null ? given : [...given, setup])]
}

export function pathOf({ root, below }: Located): string {
  return below === '' ? root : join(root, below)
}

async function existing(path: string): Promise<string | null> {
  try {
    return await realpath(path)
  } catch {
    return null
  }
}

/**
 * Refuses symlinks in every source and target that a box of this task may have written, and targets that are not there
 * (the engine would make them, as root). The engine follows symlinks at start and does not show it, so this comes right
 * before; it is synchronous, to leave no gap.
 */
export function checkPlaces({ mounts, worktree }: Locations): void {
  const seen = new Set<string>()
  for (const { root, below } of mounts) checkPath(root, below, seen)
  if (worktree === null) return
  for (const { mount } of mounts) {
    const target = fromWork(mount.target)
    if (target !== null) checkPath(worktree, target, seen)
  }
}

function checkPath(root: string, below: TreePath, seen: Set<string>): void {
  for (const part of below === '' ? [''] : ['', ...ancestors(below), below]) {
    const path = join(root, part)
    if (seen.has(path)) continue
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined)
      throw new Failure('worktree', `${path} is gone; the box was not started. Resume the task to try again.`)
    if (stat.isSymbolicLink())
      throw new Failure(
        'worktree',
        `${path} is a symlink, and the box's policy needs a mount there: it was not started. Remove the symlink, then resume.`,
      )
    seen.add(path)
  }
}

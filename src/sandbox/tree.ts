import type { TreePath } from '../domain/brand.ts'

// Arithmetic on paths of a worktree.

/** The folders above a path, from the top down; the root is not among them. */
export function ancestors(path: TreePath): readonly TreePath[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

/** Whether `path`, or a folder above it, is in `set`. */
export function isAtOrUnder(set: ReadonlySet<TreePath>, path: TreePath): boolean {
  return set.has(path) || ancestors(path).some((folder) => set.has(folder))
}

export function join(folder: TreePath, name: string): TreePath {
  return folder === '' ? name : `${folder}/${name}`
}

/** Parents before children, siblings by name: the order in which mounts stack. */
export function byDepth(a: TreePath, b: TreePath): number {
  return depth(a) - depth(b) || (a < b ? -1 : a > b ? 1 : 0)
}

function depth(path: TreePath): number {
  return path === '' ? 0 : path.split('/').length
}

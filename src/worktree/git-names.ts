import type { RawPath } from './raw.ts'

// Signs that some file systems do not tell names apart by, in UTF-8 read byte by byte.
const unseen = /\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf/g
// With what other systems take off a name, and with their short names.
const dotGit = /^(?:\.git|git~1)[ .]*(?::.*)?$/
const modules = /^(?:\.gitmodules[ .]*(?::.*)?|(?:gitmod|gi7eb[0-9a-f])~\d+)$/
const rules = /^(?:\.git(?:attributes|ignore)[ .]*(?::.*)?|(?:git(?:att|ign)|gi[0-9a-f]{4})~\d+)$/

function folded(name: string): string {
  return name.replaceAll(unseen, '').toLowerCase()
}

/** Whether a name is `.git` on this or any other file system. */
export function isDotGit(name: string): boolean {
  return folded(name)
    .split('\\')
    .some((part) => dotGit.test(part))
}

export function isGitModules(name: string): boolean {
  return modules.test(folded(name))
}

/** Whether git reads a file of this name as rules of its own, on this or any other file system. */
export function isGitFile(name: string): boolean {
  const last = folded(name.slice(name.lastIndexOf('\\') + 1))
  return modules.test(last) || rules.test(last)
}

const odd = /\.git|git\w*~|gi[0-9a-f]{4}~|\\|[\x80-\xff]/i

/** Whether git may have something against what is at a path: no other names mean anything to it. */
export function mayOffend(path: RawPath): boolean {
  return odd.test(path)
}

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommitId } from '../../src/domain/brand.ts'

// Branches of repositories that tests made, with as few processes as it takes.

/** The commit that a branch is at, read without a process where that is plain. */
export function tipIn(folder: string, branch: string): CommitId {
  for (const gitDir of [join(folder, '.git'), folder]) {
    const file = join(gitDir, 'refs/heads', branch)
    const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
    if (/^[0-9a-f]{40}$/.test(text)) return text as CommitId
  }
  return execFileSync('git', ['-C', folder, 'rev-parse', branch], { encoding: 'utf8' }).trim() as CommitId
}

/** Has a checkout on a new branch that is where `main` is, as `git checkout -b` does. */
export function leaveMain(folder: string, branch: string): void {
  writeFileSync(join(folder, '.git/refs/heads', branch), `${tipIn(folder, 'main')}\n`)
  point(folder, branch)
}

/** Points the `HEAD` of a checkout to a branch, and leaves its files alone. */
export function point(folder: string, branch: string): void {
  writeFileSync(join(folder, '.git/HEAD'), `ref: refs/heads/${branch}\n`)
}

/** A commit of somebody's on a branch that is not checked out. */
export function commitOn(folder: string, branch: string, files: Readonly<Record<string, string>>): CommitId {
  const ref = `refs/heads/${branch}`
  const seconds = Math.floor(Date.now() / 1000)
  const lines = [
    `commit ${ref}`,
    `committer U <u@example.org> ${seconds} +0000`,
    'data 5',
    'work',
    `from ${ref}^0`,
  ]
  for (const [name, content] of Object.entries(files))
    lines.push(`M 100644 inline ${name}`, `data ${Buffer.byteLength(content)}`, content)
  execFileSync('git', ['-C', folder, 'fast-import', '--quiet'], { input: `${lines.join('\n')}\n` })
  return tipIn(folder, branch)
}

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// To start git costs more than all that it does in a small repository, so each is made once and copied after that.

let kept: string | null = null
const made = new Map<string, string>()

/** Makes a folder, which must not be there or be empty, what `make` makes of an empty one; it is called once for each key. */
export function fromTemplate(key: string, folder: string, make: (folder: string) => void): void {
  const name = createHash('sha256').update(key).digest('hex').slice(0, 16)
  let template = made.get(name)
  if (template === undefined) {
    template = mkdtempSync(join(keptFolder(), `${name}-`))
    make(template)
    made.set(name, template)
  }
  cpSync(template, folder, { recursive: true, verbatimSymlinks: true })
}

/** Of this process; gone when it ends. */
export function keptFolder(): string {
  if (kept === null) {
    const folder = mkdtempSync(join(tmpdir(), 'cofferdam-templates-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    kept = folder
  }
  return kept
}

/** For a commit: git starts one more process to ask whether it should pack. */
export const withoutUpkeep = ['-c', 'maintenance.auto=false'] as const

/** The commit that is checked out, as git writes it down: read without a process where that is plain. */
export function headOf(folder: string): string {
  try {
    const ref = /^ref: (.+)\n$/.exec(readFileSync(join(folder, '.git/HEAD'), 'utf8'))?.[1]
    if (ref !== undefined) return readFileSync(join(folder, '.git', ref), 'utf8').trim()
  } catch {
    // Packed, or kept elsewhere: git knows.
  }
  return execFileSync('git', ['-C', folder, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
}

/** Removes a folder as `rm -rf` does, which is called only for what Node cannot name: no UTF-8, or nested too deep. */
export function removeAll(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    execFileSync('rm', ['-rf', folder])
  }
}

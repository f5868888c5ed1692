import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { external, target } from '../../rolldown.config.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A TypeScript program made ready for plain `node`, for tests that need a process of their own to kill. */
export interface Program {
  /** The JavaScript file to run. */
  readonly file: string
  [Symbol.dispose](): void
}

/** Puts `entry` (a path from the root of the project, or its URL) and what it imports together, as the build does. */
export function program(entry: string | URL): Program {
  mkdirSync(join(root, '.results'), { recursive: true })
  // Inside the project, so that packages are found.
  const folder = mkdtempSync(join(root, '.results', 'program-'))
  const start = typeof entry === 'string' ? resolve(root, entry) : fileURLToPath(entry)
  const options = ['--platform', 'node', '--transform.target', target, '--dir', folder, '--logLevel', 'warn']
  const left = external.flatMap((name) => ['--external', name])
  const bundler = join(root, 'node_modules/.bin/rolldown')
  execFileSync(bundler, [...options, ...left, start], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  return {
    file: join(folder, basename(start).replace(/\.ts$/, '.js')),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

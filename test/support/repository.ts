import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fromTemplate, withoutUpkeep } from './template.ts'

/** Git as a person would run it, with nothing of this machine's configuration. */
export function git(folder: string, ...args: readonly string[]): string {
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.test',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.test',
  }
  return execFileSync('git', ['-C', folder, '-c', 'safe.directory=*', ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
}

/** Lays files out in a folder; a name that ends with `/` is an empty folder. */
export function layOut(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    if (name.endsWith('/')) {
      mkdirSync(path, { recursive: true })
      continue
    }
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
}

/** A fresh repository on branch `main` with one commit of these files. */
export function aRepository(files: Readonly<Record<string, string>> = { 'README.md': 'hello\n' }): string {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-repo-'))
  fromTemplate(`repository ${JSON.stringify(files)}`, folder, (template) => {
    git(template, 'init', '-q', '-b', 'main')
    layOut(template, files)
    git(template, 'add', '-A', '-f')
    git(template, ...withoutUpkeep, 'commit', '-q', '--allow-empty', '-m', 'Begin')
  })
  return folder
}

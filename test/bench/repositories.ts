import { execFileSync } from 'node:child_process'
import { git, layOut } from '../support/repository.ts'
import type { Lab } from './lab.ts'

/** What a small repository holds: enough for a mount plan with pins, masks and readonly paths. */
export const smallFiles: Readonly<Record<string, string>> = {
  'README.md': 'A small repository.\n',
  'AGENTS.md': 'Be brief.\n',
  'package.json': '{ "name": "small", "private": true }\n',
  '.github/workflows/ci.yml': 'on: push\n',
  'src/index.js': 'export const one = 1\n',
  'test/index.test.js': 'import "../src/index.js"\n',
}

/** @returns the path of a repository with `smallFiles` in one commit */
export function smallRepository(lab: Lab): string {
  const folder = lab.fresh('repository')
  git(folder, 'init', '-q', '-b', 'main')
  layOut(folder, smallFiles)
  git(folder, 'add', '-A')
  git(folder, 'commit', '-q', '-m', 'Begin')
  return folder
}

/** The path of file `index` in a big repository: 50 folders of 50 folders each. */
export function bigFile(index: number): string {
  return `d${index % 50}/e${Math.floor(index / 50) % 50}/f${index}.ts`
}

/** @returns the path of a bare repository with so many files in one commit; it is written without a checkout */
export function bigRepository(lab: Lab, files: number): string {
  const folder = lab.fresh('big.git')
  git(folder, 'init', '-q', '--bare', '-b', 'main')
  const parts = ['commit refs/heads/main\ncommitter Ada <ada@example.test> 1767268800 +0000\ndata 5\nBegin\n']
  for (let index = 0; index < files; index += 1) {
    const content = `export const x${index} = ${index}\n`.repeat(1 + (index % 20))
    parts.push(`M 100644 inline ${bigFile(index)}\ndata ${content.length}\n${content}\n`)
  }
  execFileSync('git', ['--git-dir', folder, 'fast-import', '--quiet'], { input: parts.join('') })
  return folder
}

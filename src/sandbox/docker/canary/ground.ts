import { chownSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BoxSource, BoxSpec, Materials } from '../../../domain/box.ts'
import { gitFolder } from '../../places.ts'
import { greeting } from './judge.ts'
import { canaryFiles } from './request.ts'

/** What a canary's box is made of, in a folder of its own; gone when it is disposed. */
export async function canaryGround(
  folder: string,
  user: BoxSpec['user'],
): Promise<Materials & AsyncDisposable> {
  const at = (name: string): string => join(folder, name)
  const give = (path: string): void => {
    if (process.getuid?.() === 0) chownSync(path, user.uid, user.gid)
  }
  const folders = ['worktree', 'worktree/config', 'git', 'attempt', 'cache', 'empty-folder'].map(at)
  for (const path of folders) {
    await mkdir(path, { recursive: true })
    give(path)
  }
  const files = {
    ...Object.fromEntries(Object.entries(canaryFiles).map(([path, text]) => [`worktree/${path}`, text])),
    'worktree/.git': 'gitdir: /nowhere\n',
    pointer: `gitdir: ${gitFolder}\n`,
    'attempt/prompt.md': '',
    'empty-file': '',
  }
  for (const [path, text] of Object.entries(files)) {
    await writeFile(at(path), text)
    give(at(path))
  }
  const none = async (): Promise<never> => {
    throw new Error('a canary is not packed')
  }
  return {
    locate: async (source: BoxSource) =>
      at(source.kind === 'worktree' ? join('worktree', source.path) : source.kind),
    pack: none,
    unpack: none,
    accept(connection) {
      connection.on('error', () => undefined)
      connection.end(`${greeting}\n`)
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Where canaries' grounds are; what a crash left there is nobody's. */
export function canaryFolder(scratch: string): string {
  return join(scratch, 'canary')
}

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-fs'
import type { BoxSource, Materials } from '../../src/domain/box.ts'

/** A task's materials in a folder of its own, as plain as can be: no git, a tree is a folder like another. */
export interface TestMaterials extends Materials, AsyncDisposable {
  readonly folder: string
  readonly worktree: string
  /** The checkout that test boxes see; setup boxes get a copy of it that stays (`kept`). */
  readonly tree: string
  readonly kept: string
  readonly setup: string
  readonly git: string
  /** What is at the other end of a box's channel; ends every connection where nothing else is said. */
  serve: (connection: NodeJS.ReadWriteStream) => void
  /** Writes files and gives everything to the box's user. A path that ends with `/` is an empty folder. */
  write(root: string, files: Readonly<Record<string, string>>): Promise<void>
}

export async function testMaterials(options: { parent?: string; uid?: number } = {}): Promise<TestMaterials> {
  const folder = await mkdtemp(join(options.parent ?? tmpdir(), 'cofferdam-materials-'))
  const owner = `${options.uid ?? 10001}:${options.uid ?? 10001}`
  const at = (name: string): string => join(folder, name)
  const folders = ['worktree', 'tree', 'kept', 'setup', 'git', 'attempt', 'cache', 'empty-folder'].map(at)
  for (const path of folders) await mkdir(path)
  await writeFile(at('empty-file'), '', { mode: 0o444 })
  await writeFile(at('pointer'), 'gitdir: /cofferdam/git\n')
  await writeFile(at('worktree/.git'), 'gitdir: /nowhere\n')
  await writeFile(at('attempt/prompt.md'), 'Do what is asked.\n')

  const give = (path: string): void => {
    if (process.getuid?.() === 0) execFileSync('chown', ['-R', owner, path])
  }
  for (const path of folders) give(path)

  const place = (source: BoxSource): string => {
    switch (source.kind) {
      case 'worktree':
      case 'setup':
        return join(at(source.kind), source.path)
      case 'tree':
        return at(source.writes === 'keep' ? 'kept' : 'tree')
      case 'cache': {
        const path = join(at('cache'), source.name)
        mkdirSync(path, { recursive: true })
        give(path)
        return path
      }
      default:
        return at(source.kind)
    }
  }
  const prepare = async (source: BoxSource): Promise<void> => {
    if (source.kind !== 'tree' || source.writes !== 'keep' || (await readdir(at('kept'))).length > 0) return
    await cp(at('tree'), at('kept'), { recursive: true })
    give(at('kept'))
  }
  const materials: TestMaterials = {
    folder,
    worktree: at('worktree'),
    tree: at('tree'),
    kept: at('kept'),
    setup: at('setup'),
    git: at('git'),
    serve: (connection) => connection.end(),
    accept: (connection) => materials.serve(connection),
    async write(root, files) {
      for (const [path, content] of Object.entries(files)) {
        const target = join(root, path)
        await mkdir(path.endsWith('/') ? target : join(target, '..'), { recursive: true })
        if (!path.endsWith('/')) await writeFile(target, content)
      }
      give(root)
    },
    async locate(source) {
      await prepare(source)
      return place(source)
    },
    async pack(source) {
      await prepare(source)
      const path = place(source)
      if (source.kind === 'empty-file' || source.kind === 'pointer')
        return Readable.from(tar.pack(folder, { entries: [source.kind] }))
      return Readable.from(tar.pack(path))
    },
    async unpack(source, stream) {
      const path = place(source)
      for (const name of await readdir(path)) await rm(join(path, name), { recursive: true })
      await pipeline(stream, tar.extract(path))
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
  return materials
}

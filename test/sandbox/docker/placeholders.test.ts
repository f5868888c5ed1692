import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BoxMount, BoxSpec } from '../../../src/domain/box.ts'
import { makePlaceholders, removePlaceholders } from '../../../src/sandbox/docker/placeholders.ts'
import { inWork } from '../../../src/sandbox/places.ts'
import { aBox } from '../../support/box.ts'

const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

function mask(path: string): BoxMount {
  return {
    source: { kind: 'empty-file' },
    target: inWork(path),
    readonly: true,
    why: 'deny',
    placeholder: 'file',
  }
}
function island(path: string, placeholder: 'file' | 'folder'): BoxMount {
  return {
    source: { kind: 'worktree', path },
    target: inWork(path),
    readonly: false,
    why: 'allow',
    placeholder,
  }
}

describe('placeholders', () => {
  let root: string
  let worktree: string
  let folder: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'cofferdam-placeholders-'))
    worktree = join(root, 'worktree')
    folder = join(root, 'box')
    await mkdir(join(worktree, 'src'), { recursive: true })
    await mkdir(folder)
  })
  afterEach(async () => rm(root, { recursive: true }))

  const spec = (...mounts: BoxMount[]): BoxSpec => ({ ...aBox(), user, mounts })
  const usual = spec(
    mask('.env'),
    mask('src/.env'),
    mask('a/b/.env'),
    island('new', 'folder'),
    island('f', 'file'),
  )
  const all = async (): Promise<string[]> => (await readdir(worktree, { recursive: true })).sort()

  it('are made with their parents, and are all gone afterwards', async () => {
    await makePlaceholders(usual, worktree, folder)
    expect(await all()).toEqual(['.env', 'a', 'a/b', 'a/b/.env', 'f', 'new', 'src', 'src/.env'])
    expect((await stat(join(worktree, '.env'))).mode & 0o777).toBe(0o444)
    expect((await stat(join(worktree, 'f'))).mode & 0o222).not.toBe(0)
    await removePlaceholders(folder)
    expect(await all()).toEqual(['src'])
    await removePlaceholders(folder)
  })

  it('that exist already are no placeholders', async () => {
    await writeFile(join(worktree, 'f'), '')
    await mkdir(join(worktree, 'new'))
    await makePlaceholders(usual, worktree, folder)
    await removePlaceholders(folder)
    expect(await all()).toEqual(['f', 'new', 'src'])
  })

  it('that were used stay', async () => {
    await makePlaceholders(usual, worktree, folder)
    await writeFile(join(worktree, 'f'), 'used')
    await writeFile(join(worktree, 'new/x'), '')
    await writeFile(join(worktree, 'a/y'), '')
    await removePlaceholders(folder)
    expect(await all()).toEqual(['a', 'a/y', 'f', 'new', 'new/x', 'src'])
  })

  it('that were replaced stay, and nothing is removed through a symlink', async () => {
    await makePlaceholders(usual, worktree, folder)
    await rm(join(worktree, '.env'))
    await writeFile(join(worktree, '.env'), '')
    const elsewhere = join(root, 'elsewhere')
    await rename(join(worktree, 'a'), elsewhere)
    await symlink(elsewhere, join(worktree, 'a'))
    await removePlaceholders(folder)
    expect(await all()).toContain('.env')
    expect(await readdir(join(elsewhere, 'b'))).toEqual(['.env'])
  })

  it('of a process that died while it made them are found', async () => {
    await makePlaceholders(usual, worktree, folder)
    await rm(join(folder, 'placeholder-ids.json'))
    await rm(join(worktree, 'a/b/.env'))
    await removePlaceholders(folder)
    expect(await all()).toEqual(['src'])
  })

  it('are not thought to be there from half a journal', async () => {
    await writeFile(join(folder, 'placeholders.json'), '{"worktree":')
    await writeFile(join(worktree, '.env'), '')
    await removePlaceholders(folder)
    expect(await all()).toEqual(['.env', 'src'])
  })

  it('are not made through a symlink', async () => {
    await symlink('/nowhere', join(worktree, 'a'))
    await makePlaceholders(spec(mask('a/b/.env')), worktree, folder)
    expect(await all()).toEqual(['a', 'src'])
  })

  it('that another box needs too are gone with the last of them', async () => {
    const next = join(root, 'next')
    await mkdir(next)
    await makePlaceholders(spec(mask('.env'), mask('a/.env')), worktree, folder)
    const { placeholder: _, ...found } = mask('a/.env')
    await makePlaceholders(spec(found, mask('a/b/.env')), worktree, next)
    await removePlaceholders(folder)
    expect(await all()).toEqual(['a', 'a/.env', 'a/b', 'a/b/.env', 'src'])
    await rm(folder, { recursive: true })
    await removePlaceholders(next)
    expect(await all()).toEqual(['src'])
  })
})

import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { HostPath } from '../../src/domain/brand.ts'
import { linkObjects } from '../../src/worktree/link-objects.ts'
import { commit, git, openLab, repository } from './lab.ts'

/** What git finds in a folder of objects. */
function objectsIn(repo: string, folder: string): string {
  const args = ['-C', repo, 'cat-file', '--batch-all-objects', '--batch-check']
  return execFileSync('git', args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_OBJECT_DIRECTORY: folder },
  })
}

test('all objects of a small repository are linked, loose ones and packs', () => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n', 'src/b.txt': 'b\n' })
  git(repo, 'repack', '-q', '-a', '-d')
  commit(repo, { 'c.txt': 'c\n' })
  const from = `${repo}/.git/objects` as HostPath
  const to = `${lab.folder}/linked` as HostPath
  expect(linkObjects(from, to)).toBe(true)
  expect(objectsIn(repo, to)).toBe(objectsIn(repo, from))
  const pack = readdirSync(`${from}/pack`).find((name) => name.endsWith('.pack')) ?? ''
  expect(lstatSync(`${to}/pack/${pack}`).ino).toBe(lstatSync(`${from}/pack/${pack}`).ino)
})

test.each([
  [
    'that borrows objects',
    (objects: string) => writeFileSync(`${objects}/info/alternates`, '/elsewhere/objects\n'),
  ],
  [
    'with a symlink in the place of an object',
    (objects: string, folder: string, name: string) => {
      renameSync(`${objects}/${folder}/${name}`, `${objects}/../moved`)
      symlinkSync('../../moved', `${objects}/${folder}/${name}`)
    },
  ],
  [
    'with a symlink in the place of a folder of objects',
    (objects: string, folder: string) => {
      renameSync(`${objects}/${folder}`, `${objects}/../moved`)
      symlinkSync('../moved', `${objects}/${folder}`)
    },
  ],
  [
    'with a folder in the place of an object',
    (objects: string, folder: string, name: string) => {
      rmSync(`${objects}/${folder}/${name}`)
      mkdirSync(`${objects}/${folder}/${name}`)
    },
  ],
  [
    'with a symlink in the place of its packs',
    (objects: string) => {
      renameSync(`${objects}/pack`, `${objects}/../moved`)
      symlinkSync('../moved', `${objects}/pack`)
    },
  ],
])('a repository %s is left to git', (_, change) => {
  using lab = openLab()
  const repo = repository(lab, { 'a.txt': 'a\n' })
  const objects = `${repo}/.git/objects` as HostPath
  const folder = readdirSync(objects).find((name) => /^[0-9a-f]{2}$/.test(name)) ?? ''
  change(objects, folder, readdirSync(`${objects}/${folder}`)[0] ?? '')
  expect(linkObjects(objects, `${lab.folder}/linked` as HostPath)).toBe(false)
})

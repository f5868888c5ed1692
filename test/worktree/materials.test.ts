import { mkdirSync, readlinkSync, readdirSync, symlinkSync } from 'node:fs'
import { Readable } from 'node:stream'
import { extract, pack } from 'tar-fs'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import type { BoxSource } from '../../src/domain/box.ts'
import type { TaskPlace } from '../../src/domain/worktree.ts'
import { boxOf, made, openLab, repository, snapshot, taskOn, user, write, type Lab } from './lab.ts'
import { lstatSync } from 'node:fs'

const worktree: BoxSource = { kind: 'worktree', path: '' }

async function opened(lab: Lab): Promise<TaskPlace> {
  const task = await taskOn(
    lab.worktrees,
    repository(lab, { 'a.txt': 'a\n', 'run.sh': '#!/bin/sh\n', '.env': 'x' }),
  )
  await lab.worktrees.open(task)
  return task
}

test('an engine that shares no disk takes the worktree as a tar and hands it back', async () => {
  using lab = openLab()
  const task = await opened(lab)
  const materials = lab.worktrees.materials(task)
  const remote = `${lab.folder}/remote`
  mkdirSync(remote)
  await pipeline(await materials.pack(worktree), extract(remote))
  expect(readdirSync(remote).sort()).toEqual(['a.txt', 'run.sh'])
  write(remote, { 'new/x.txt': 'x\n', 'a.txt': 'changed\n' })
  symlinkSync('/etc/passwd', `${remote}/outside`)
  symlinkSync('nowhere', `${remote}/dangling`)
  await materials.unpack(worktree, Readable.from(pack(remote)))
  const box = await boxOf(lab.worktrees, task)
  expect(readlinkSync(`${box}/outside`)).toBe('/etc/passwd')
  expect(lstatSync(`${box}/new/x.txt`).uid).toBe(user.uid)
  expect(await lab.worktrees.verify(task, task.base.commit)).toEqual([])
  const { stat } = made(await lab.worktrees.candidate(task, task.base.commit, 'x'))
  expect(stat.files).toBe(4)
})

test('every source can be packed', async () => {
  using lab = openLab()
  const task = await opened(lab)
  await lab.worktrees.writeAttemptFile(task, 'prompt.md', 'do it')
  const names = async (source: BoxSource): Promise<readonly string[]> => {
    const folder = `${lab.folder}/${source.kind}`
    mkdirSync(folder, { recursive: true })
    await pipeline(await lab.worktrees.materials(task).pack(source), extract(folder))
    return readdirSync(folder).sort()
  }
  expect(await names({ kind: 'pointer' })).toEqual(['pointer'])
  expect(await names({ kind: 'attempt' })).toEqual(['prompt.md'])
  expect(await names({ kind: 'empty-file' })).toEqual(['empty-file'])
  expect(await names({ kind: 'empty-folder' })).toEqual([])
  expect(await names({ kind: 'git' })).toContain('HEAD')
  const tree = { kind: 'tree', commit: task.base.commit, writes: 'discard' } as const
  expect(await names(tree)).toEqual(['a.txt', 'run.sh'])
})

/** A tar archive of these entries, as no honest program would write it. */
function tarOf(
  entries: readonly { name: string; type: string; link?: string; content?: string }[],
): Readable {
  const blocks = entries.flatMap(({ name, type, link = '', content = '' }) => {
    const header = Buffer.alloc(512)
    header.write(name, 0)
    header.write('0000644\0', 100)
    header.write('0000000\0', 108)
    header.write('0000000\0', 116)
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        ', 148)
    header.write(type, 156)
    header.write(link, 157)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
    body.write(content)
    return [header, body]
  })
  return Readable.from([Buffer.concat([...blocks, Buffer.alloc(1024)])])
}

const file = (name: string): { name: string; type: string; content: string } => ({
  name,
  type: '0',
  content: 'evil',
})
const symlink = (name: string, link: string): { name: string; type: string; link: string } => ({
  name,
  type: '2',
  link,
})

const evil: readonly { name: string; entries: Parameters<typeof tarOf>[0] }[] = [
  { name: 'a way up', entries: [file('../escaped')] },
  { name: 'a way up in the middle', entries: [file('x/../../escaped')] },
  { name: 'an absolute name', entries: [file('/escaped')] },
  { name: 'a file through a symlink', entries: [symlink('out', '..'), file('out/escaped')] },
  { name: 'a folder over a symlink', entries: [symlink('out', '..'), { name: 'out/', type: '5' }] },
  { name: 'a file over a symlink', entries: [symlink('out', '../escaped'), file('out')] },
  { name: 'a symlink through a symlink', entries: [symlink('out', '..'), symlink('out/escaped', 'x')] },
  { name: 'a hardlink to outside', entries: [{ name: 'x', type: '1', link: '../outside.txt' }] },
  {
    name: 'a hardlink through a symlink',
    entries: [symlink('out', '..'), { name: 'x', type: '1', link: 'out/outside.txt' }],
  },
  { name: 'a device', entries: [{ name: 'x', type: '3' }] },
  { name: 'a fifo', entries: [{ name: 'x', type: '6' }] },
]

test.each(evil)('A015 $name in a tar is refused, and the worktree is as before', async ({ entries }) => {
  using lab = openLab()
  const task = await opened(lab)
  const box = await boxOf(lab.worktrees, task)
  write(`${lab.data}/tasks`, { 'outside.txt': 'outside' })
  const before = snapshot(box)
  const outside = lstatSync(`${lab.data}/tasks`)
  await expect(
    lab.worktrees.materials(task).unpack(worktree, tarOf([file('good.txt'), ...entries])),
  ).rejects.toThrow(/What the engine handed back is refused/)
  expect(snapshot(box)).toEqual(before)
  expect(readdirSync(`${lab.data}/tasks`).filter((name) => name.includes('escaped'))).toEqual([])
  const now = lstatSync(`${lab.data}/tasks`)
  expect([now.uid, now.mode]).toEqual([outside.uid, outside.mode])
  await lab.worktrees.sweep(new Set())
  expect(readdirSync(`${lab.data}/tasks`).sort()).toEqual([task.id, 'outside.txt'])
})

test('a good tar of the same making is taken', async () => {
  using lab = openLab()
  const task = await opened(lab)
  const entries = [file('good.txt'), symlink('l', '/etc'), { name: 'hard', type: '1', link: 'good.txt' }]
  await lab.worktrees.materials(task).unpack(worktree, tarOf(entries))
  expect(snapshot(await boxOf(lab.worktrees, task))).toEqual({
    'good.txt': 'evil',
    hard: 'evil',
    l: 'symlink',
  })
})

import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import type { MergeWay } from '../../src/domain/delivery/merge.ts'
import type { RemoteSettings } from '../../src/domain/remote.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { Merged, Moved, TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import { openRemotes, type RemotesOptions } from '../../src/worktree/remote/open.ts'
import { type GitServer, openGitServer } from '../support/git-server.ts'
import { remembered } from '../support/remembered.ts'
import { tipIn } from '../support/branches.ts'
import { appliedIn, author, commit, git, type Lab, openLab, repository } from './lab.ts'

const password = 'a-token-that-is-long'

let lab: Lab
let server: GitServer
/** The bare repository on the far side, and a clone of it in which somebody else works. */
let far: string
let theirs: string
let task: TaskPlace
let head: CommitId
const opened: ReturnType<typeof openRemotes>[] = []

// One for all, so that all have the same URL, of which much depends that is remembered.
beforeAll(async () => {
  lab = openLab()
  server = await openGitServer(join(lab.folder, 'far'), `git:${password}`)
  lab[Symbol.dispose]()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(async () => {
  lab = openLab()
  far = join(lab.folder, 'far', 'shop')
  theirs = join(lab.folder, 'repo')
  ;({ task, head } = await remembered(server.url('shop'), lab.folder, async () => {
    mkdirSync(join(lab.folder, 'far'))
    repository(lab, { 'a.txt': 'one\ntwo\nthree\n' })
    git(lab.folder, 'clone', '-q', '--bare', theirs, far)
    git(far, 'config', 'http.receivepack', 'true')
    return appliedIn({ ...lab, worktrees: open() }, 'shop', { 'b.txt': 'new\n' })
  }))
})
afterEach(async () => {
  for (const remotes of opened.splice(0)) await remotes.end()
  server.manner = 'serves'
  lab[Symbol.dispose]()
})

/** As another process would have it, with nothing known but what is on disk. */
function open(more: Partial<RemoteSettings> = {}, options: Partial<RemotesOptions> = {}): Worktrees {
  const settings: RemoteSettings = {
    name: 'shop',
    url: server.url('shop'),
    login: { user: 'git', password: new Secret('of the repository shop', password), from: 'the file token' },
    ssh: null,
    away: 'continue',
    fetchMs: 20_000,
    cloneMs: 60_000,
    mostMb: 100,
    ...more,
  }
  const remotes = openRemotes({ data: lab.data, author, remotes: [settings], ...options })
  opened.push(remotes)
  return lab.reopened({ remotes })
}

const wish = { into: 'main', since: null, at: Date.UTC(2026, 0, 2), message: 'Merge it\n' } as const

async function mergedAs(how: MergeWay, worktrees = open()) {
  const result: Merged = await worktrees.merge(task, head, { ...wish, how })
  if (result.kind === 'made') return result
  throw new Error(JSON.stringify(result))
}

/** As most begin. */
const merged = () =>
  remembered(JSON.stringify(['merged', server.url('shop'), task, head]), lab.folder, () => mergedAs('merge'))

type Made = Pick<Awaited<ReturnType<typeof mergedAs>>, 'from' | 'commit'>
const moved = ({ from, commit: to }: Made, worktrees = open()): Promise<Moved> =>
  worktrees.move(task, { into: 'main', from, to, back: false })
const undone = ({ from, commit: to }: Made, worktrees = open()): Promise<Moved> =>
  worktrees.move(task, { into: 'main', from: to, to: from, back: true })

function hook(text: string): void {
  writeFileSync(join(far, 'hooks', 'pre-receive'), `#!/bin/sh\n${text}\n`)
  chmodSync(join(far, 'hooks', 'pre-receive'), 0o755)
}
const tip = (): string => tipIn(far, 'main')
const goOn = (files: Record<string, string>): CommitId => {
  const made = commit(theirs, files)
  git(theirs, 'push', '-q', far, 'HEAD:refs/heads/main')
  return made
}

describe('the branch of a remote', () => {
  it('becomes what was merged with it as it is now, and nothing else there changes', async () => {
    const before = goOn({ 'a.txt': 'ONE\ntwo\nthree\n' })
    const made = await merged()
    expect([made.from, tip()]).toEqual([before, before])
    expect(await moved(made)).toEqual({ kind: 'moved' })
    expect(git(far, 'for-each-ref', '--format=%(refname) %(objectname)')).toBe(
      `refs/heads/main ${made.commit}`,
    )
    expect(git(far, 'log', '-1', '--format=%P', 'main')).toBe(`${before} ${head}`)
    expect([git(far, 'show', 'main:a.txt'), git(far, 'show', 'main:b.txt')]).toEqual([
      'ONE\ntwo\nthree',
      'new',
    ])
    expect(await open().merge(task, head, { ...wish, how: 'merge' })).toMatchObject({ kind: 'contained' })
  })

  it.each(['fast-forward', 'squash'] as const)('becomes it as a %s', async (how) => {
    const made = await mergedAs(how)
    expect(await moved(made)).toEqual({ kind: 'moved' })
    expect(git(far, 'log', '--format=%P', '-1', 'main')).toBe(task.base.commit)
    expect(tip() === head).toBe(how === 'fast-forward')
  })

  it('stays where the mirror was removed with the only copy of the work, and the next task has a new one', async () => {
    const before = tip()
    rmSync(join(lab.data, 'mirrors'), { recursive: true })
    const lost = {
      code: 'repository',
      message: `The mirror of shop has lost ${head.slice(0, 10)}, which this task came to: a new task on the repository brings back what that has itself; for the rest put back, with the service ended, what is gone from a copy: \`cp -an COPY/mirrors/. DATA/mirrors/\`, or discard the task and make another.`,
    }
    await expect(open().diff(task, task.base.commit, head)).rejects.toMatchObject(lost)
    const elsewhere = { url: far, user: 'x', token: null, network: 'public' } as const
    const wished = { into: 'main', since: null }
    await expect(open().push(task, head, elsewhere, wished)).rejects.toMatchObject(lost)
    await expect(merged()).rejects.toMatchObject(lost)
    // By now the mirror is there again, without the work.
    await expect(open().diff(task, task.base.commit, head)).rejects.toMatchObject(lost)
    await expect(open().push(task, head, elsewhere, wished)).rejects.toMatchObject(lost)
    expect(tip()).toBe(before)
    ;({ task, head } = await appliedIn({ ...lab, worktrees: open() }, 'shop', { 'c.txt': 'new\n' }))
    expect(await moved(await merged())).toEqual({ kind: 'moved' })
  })

  it('goes back where nobody has gone on, and not where somebody has', async () => {
    const made = await merged()
    await moved(made)
    expect(await undone(made)).toEqual({ kind: 'moved' })
    expect(tip()).toBe(made.from)
    // Once more, as by a process that did not live to say so.
    expect(await undone(made)).toEqual({ kind: 'moved' })
    await moved(made)
    git(theirs, 'pull', '-q', '--ff-only', far, 'main')
    const next = goOn({ 'c.txt': 'c\n' })
    expect(await undone(made)).toEqual({ kind: 'elsewhere', tip: next })
    expect(tip()).toBe(next)
  })

  it('is found moved by the next process, also where somebody has gone on from there', async () => {
    const made = await merged()
    await moved(made)
    hook('exit 1')
    expect(await moved(made)).toEqual({ kind: 'moved' })
    hook('exit 0')
    git(theirs, 'pull', '-q', '--ff-only', far, 'main')
    goOn({ 'c.txt': 'c\n' })
    expect(await moved(made)).toEqual({ kind: 'moved' })
  })

  it('is not pushed over what came there since, even at that very moment', async () => {
    const made = await merged()
    const next = goOn({ 'c.txt': 'c\n' })
    expect(await moved(made)).toEqual({ kind: 'elsewhere', tip: next })
    const again = await merged()
    const other = commit(theirs, { 'd.txt': 'd\n' })
    git(theirs, 'push', '-q', far, `${other}:refs/heads/side`)
    hook(`env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main ${other}`)
    expect(await moved(again)).toEqual({ kind: 'elsewhere', tip: other })
    expect(tip()).toBe(other)
  })

  it('that is not there is said before anything is made', async () => {
    await expect(open().merge(task, head, { ...wish, into: 'nowhere', how: 'merge' })).rejects.toThrow(
      'shop has no branch nowhere',
    )
  })

  it('of another URL under that name is left alone', async () => {
    git(lab.folder, 'clone', '-q', '--bare', theirs, join(lab.folder, 'far', 'other'))
    const other = open({ url: server.url('other') })
    await expect(other.merge(task, head, { ...wish, how: 'merge' })).rejects.toThrow(
      'shop has another URL in the configuration than when this task was made',
    )
  })

  it('is what a diff against it shows', async () => {
    goOn({ 'a.txt': 'ONE\ntwo\nthree\n' })
    const diff = await open().diffInto(task, head, 'main')
    expect([diff.includes('+new'), diff.includes('ONE')]).toEqual([true, false])
  })
})

describe('a remote that does not let its branch be moved', () => {
  it.each([
    ['by a hook', 'echo "no tasks on Fridays" >&2; exit 1', '(it says: "no tasks on Fridays")'],
    ['without a word', 'exit 1', '(pre-receive hook declined)'],
    ['as its disk is full', 'echo "fatal: write error: No space left on device" >&2; exit 1', 'no room left'],
  ])('%s is told in a sentence', async (_, script, text) => {
    const made = await merged()
    hook(script)
    const result = await moved(made)
    expect(result).toMatchObject({ kind: 'refused', text: expect.stringContaining(text) })
    expect(tip()).toBe(made.from)
    hook('exit 0')
    expect(await moved(made)).toEqual({ kind: 'moved' })
  })

  it('says again what it was sent, which is in no sentence', async () => {
    const made = await merged()
    hook(`echo "you are ${password}" >&2; exit 1`)
    const result = await moved(made)
    expect(JSON.stringify(result)).toContain('you are [redacted')
    expect(JSON.stringify(result)).not.toContain(password)
  })

  it('as it is not written to at all is found out before a test is run', async () => {
    git(far, 'config', 'http.receivepack', 'false')
    await expect(merged()).rejects.toThrow(/^The remote of shop .* does not let these credentials push/)
    expect(tip()).toBe(task.base.commit)
  })

  it('back says that a revert is the way', async () => {
    git(far, 'config', 'receive.denyNonFastForwards', 'true')
    const made = await merged()
    expect(await moved(made)).toEqual({ kind: 'moved' })
    expect(await undone(made)).toMatchObject({
      kind: 'refused',
      text: expect.stringMatching(
        /does not let main go back \(.*non-fast-forward.*\)\. `git revert` in a clone/,
      ),
    })
    expect(tip()).toBe(made.commit)
  })

  it('as a hook of it hangs is left, and can be moved when that is mended', async () => {
    const made = await merged()
    const goes = join(lab.folder, 'goes')
    hook(`while ! [ -e ${goes} ]; do sleep 0.1; done`)
    const result = await moved(made, open({}, { pushMs: 1000 }))
    writeFileSync(goes, '')
    expect(result).toMatchObject({ kind: 'refused', text: expect.stringContaining('did not come to an end') })
    hook('exit 0')
    expect(await moved(made)).toEqual({ kind: 'moved' })
  })

  it('as it takes the call and says nothing is left in its time', async () => {
    const made = await merged()
    server.manner = 'hangs'
    await expect(moved(made, open({ fetchMs: 500 }))).rejects.toMatchObject({
      code: 'remote',
      message: expect.stringContaining('did not come to an end within'),
    })
    server.manner = 'serves'
    expect(await moved(made)).toEqual({ kind: 'moved' })
  })

  it('as nobody answers is a failure that may pass', async () => {
    const made = await merged()
    server.manner = 'breaks'
    await expect(moved(made)).rejects.toMatchObject({ code: 'remote' })
    server.manner = 'serves'
    expect(await moved(made)).toEqual({ kind: 'moved' })
  })
})

describe('a remote that is a folder of this machine', () => {
  it('is pushed to with its own hooks, and a checkout of the branch there is not moved under its owner', async () => {
    const url = `file://${far}`
    const worktrees = open({ url, login: null })
    ;({ task, head } = await appliedIn({ ...lab, worktrees }, 'shop', { 'b.txt': 'new\n' }, 'b'))
    hook(`echo ran > ${join(lab.folder, 'ran')}`)
    const made = await mergedAs('merge', worktrees)
    expect(await moved(made, worktrees)).toEqual({ kind: 'moved' })
    expect([tip(), existsSync(join(lab.folder, 'ran'))]).toEqual([made.commit, true])

    const checkout = open({ url: `file://${theirs}`, login: null })
    ;({ task, head } = await appliedIn({ ...lab, worktrees: checkout }, 'shop', { 'b.txt': 'new\n' }, 'c'))
    expect(await moved(await mergedAs('merge', checkout), checkout)).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining('refusing to update checked out branch'),
    })
  })
})

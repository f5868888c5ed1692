import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import type { Remotes, RemoteSettings } from '../../src/domain/remote.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import { openRemotes, type RemotesOptions } from '../../src/worktree/remote/open.ts'
import { sourceOf } from '../../src/worktree/source.ts'
import { type GitServer, openGitServer } from '../support/git-server.ts'
import { until } from '../support/until.ts'
import {
  author,
  boxOf,
  commit,
  git,
  id,
  type Lab,
  made,
  openLab,
  repository,
  snapshot,
  taskOn,
} from './lab.ts'

const password = 'a-token-that-is-long'

function settings(url: string, more: Partial<RemoteSettings> = {}): RemoteSettings {
  return {
    name: 'shop',
    url,
    login: { user: 'git', password: new Secret('of the repository shop', password), from: 'the file token' },
    ssh: null,
    away: 'wait',
    fetchMs: 20_000,
    cloneMs: 60_000,
    mostMb: 100,
    ...more,
  }
}

interface Stage {
  readonly lab: Lab
  readonly server: GitServer
  /** The repository on the far side. */
  readonly far: string
  readonly log: string[]
  readonly open: (more?: Partial<RemoteSettings>, options?: Partial<RemotesOptions>) => Remotes
  readonly with: (remotes: Remotes) => Worktrees
}

async function stage(login: string | null = `git:${password}`): Promise<Stage> {
  const lab = openLab()
  const folder = join(lab.folder, 'far')
  mkdirSync(folder)
  const far = repository(lab, { 'a.txt': 'one\n', '.env': 'SECRET=1\n' }, 'far/shop')
  const server = await openGitServer(folder, login)
  const log: string[] = []
  const opened: Remotes[] = []
  onTestFinished(async () => {
    for (const remotes of opened) await remotes.end()
    await server[Symbol.asyncDispose]()
    lab[Symbol.dispose]()
  })
  return {
    lab,
    server,
    far,
    log,
    open: (more, options) => {
      const remotes = openRemotes({
        data: lab.data,
        author,
        remotes: [settings(server.url('shop'), more)],
        log: (level, text, said) => log.push(JSON.stringify([level, text, said])),
        ...options,
      })
      opened.push(remotes)
      return remotes
    },
    with: (remotes) => lab.reopened({ remotes }),
  }
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof Failure) return error
  throw new Error(`no Failure: ${String(error)}`)
}

const mirrorsIn = (lab: Lab): readonly string[] => {
  const folder = join(lab.data, 'mirrors')
  return existsSync(folder) ? readdirSync(folder) : []
}

test('a task on a repository by URL is cloned for, worked on and kept, and its remote is given nothing', async () => {
  const { lab, far, open, with: using } = await stage()
  const remotes = open()
  const worktrees = using(remotes)
  expect(remotes.state('shop')).toMatchObject({ state: 'missing', fetchedAt: null, error: null })
  const task = await taskOn(worktrees, 'shop')
  expect(task.repository.path).toBe('shop')
  expect(task.base).toEqual({ ref: 'main', commit: git(far, 'rev-parse', 'HEAD') })
  expect(await worktrees.hidden('shop', task.base.commit, defaultPolicy)).toEqual(['.env'])
  await worktrees.open(task)
  const box = await boxOf(worktrees, task)
  expect(snapshot(box)).toEqual({ 'a.txt': 'one\n' })
  execFileSync('sh', ['-c', `echo two > ${box}/a.txt`])
  expect(await worktrees.verify(task, task.base.commit)).toEqual([])
  const { commit: candidate } = made(await worktrees.candidate(task, task.base.commit, 'Change a'))
  await worktrees.checkpoint(task, candidate)
  await worktrees.handover(task, candidate)
  const { mirror, source } = await worktrees.history(task, candidate)
  expect(source).toEqual(mirror)
  expect(mirror).toMatchObject({ tip: candidate, commits: [{ id: candidate, sound: true }] })
  const kept = join(lab.data, 'mirrors', `${task.repository.key}.git`)
  expect(git(kept, 'show', `cofferdam/${task.id}:a.txt`)).toBe('two')
  expect(git(far, 'branch', '--all')).toBe('* main')

  // A fetch takes away what the remote no longer has, and no branch of a task.
  git(far, 'branch', 'side')
  await worktrees.inspect('shop', 'side')
  git(far, 'branch', '-D', 'side')
  expect(await failureOf(worktrees.inspect('shop', 'side'))).toMatchObject({
    code: 'repository',
    message: expect.stringMatching(/^shop has no branch, tag or commit "side"/) as string,
  })
  expect(git(kept, 'rev-parse', `refs/heads/cofferdam/${task.id}`)).toBe(candidate)
  expect((await worktrees.inspect('shop', `cofferdam/${task.id}`)).commit).toBe(candidate)
  await worktrees.discard(task)
  expect(git(kept, 'for-each-ref', '--format=%(refname)')).toBe('refs/remotes/origin/main')
})

test('the credentials are on no disk, in no log and in no sentence, also where a server says them again', async () => {
  const { lab, server, log, open } = await stage()
  const basic = Buffer.from(`git:${password}`).toString('base64')
  await open().refresh('shop')
  expect(server.said.at(-1)).toBe(`Basic ${basic}`)
  const wrong = open({
    login: { user: 'git', password: new Secret('of shop', `${password}-old`), from: 'the file token' },
  })
  const refused = await failureOf(wrong.refresh('shop'))
  expect(refused).toMatchObject({ code: 'repository' })
  expect(refused.message).toMatch(
    /^The remote of shop \(http:.*\) does not take the credentials \(.*Authentication failed.*\)\. Renew what is in the file token, which repositories\.shop\.login names\.$/,
  )
  const said = [refused.message, ...log, JSON.stringify(wrong.state('shop'))].join('\n')
  for (const secret of [password, basic]) {
    expect(said).not.toContain(secret)
    const found = execFileSync('sh', ['-c', `grep -rl -e "$1" "$2" || true`, 'sh', secret, lab.data])
    expect(found.toString()).toBe('')
  }
})

test('no git that is started has the credentials in its command line', async () => {
  const { lab, open, server } = await stage()
  server.manner = 'hangs'
  const remotes = open()
  const asking = failureOf(remotes.refresh('shop', 'whole'))
  await until(() => server.asked.length > 0)
  const lines = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n')
  const ours = lines.filter((line) => line.includes(server.url('shop')))
  expect(ours.length).toBeGreaterThan(0)
  expect(lines.filter((line) => line.includes(password))).toEqual([])
  await remotes.end()
  expect((await asking).message).toMatch(/was ended/)
  expect(mirrorsIn(lab)).toEqual([])
})

interface Refused {
  readonly name: string
  readonly more?: Partial<RemoteSettings>
  readonly set?: (stage: Stage) => void
  readonly code: 'remote' | 'repository'
  readonly says: RegExp
}

const refusals: readonly Refused[] = [
  {
    name: 'wants to know who asks',
    more: { login: null },
    code: 'repository',
    says: /wants to know who asks \(.*\)\. Name the credentials as repositories\.shop\.login\.$/,
  },
  {
    name: 'has a password in a variable that is not set',
    more: { login: { user: 'git', password: null, from: 'the environment variable SHOP' } },
    code: 'repository',
    says: /^What shop is fetched with is missing: the environment variable SHOP, .* Set it/,
  },
  {
    name: 'hangs',
    more: { fetchMs: 1000 },
    set: ({ server }) => void (server.manner = 'hangs'),
    code: 'remote',
    says: /did not come to an end within 1 second, and was left\.$/,
  },
  {
    name: 'breaks off',
    set: ({ server }) => void (server.manner = 'breaks'),
    code: 'remote',
    says: /does not answer/,
  },
  {
    name: 'sends elsewhere',
    set: ({ server }) => void (server.manner = { redirects: server.url('other') }),
    code: 'repository',
    says: /sends elsewhere, which is not followed .* Write the new address as repositories\.shop\.url\.$/,
  },
  {
    name: 'has no such repository',
    set: ({ lab }) => execFileSync('mv', [join(lab.folder, 'far/shop'), join(lab.folder, 'far/gone')]),
    code: 'repository',
    says: /has no such repository, or does not show it/,
  },
  {
    name: 'is empty',
    set: ({ far }) => {
      execFileSync('rm', ['-rf', far])
      git(join(far, '..'), 'init', '-q', 'shop')
    },
    code: 'repository',
    says: /^shop has no commit yet: push something to http:/,
  },
  {
    name: 'sends too much',
    more: { mostMb: 1 },
    set: ({ far, lab }) => {
      execFileSync('dd', ['if=/dev/urandom', `of=${lab.folder}/big`, 'bs=1M', 'count=24'], {
        stdio: 'ignore',
      })
      execFileSync('mv', [`${lab.folder}/big`, `${far}/big`])
      commit(far, {})
    },
    code: 'repository',
    says: /has sent more than the 1 MiB of repositories\.shop\.fetch\.mostMb, and was left\.$/,
  },
]

test.for(refusals)('a remote that $name: a sentence, and no mirror', async ({ more, set, code, says }) => {
  const it = await stage()
  set?.(it)
  const remotes = it.open(more)
  const refused = await failureOf(remotes.refresh('shop', 'whole'))
  expect(refused.message).toMatch(says)
  expect(refused.code).toBe(code)
  expect(remotes.state('shop')).toMatchObject({ state: 'missing', error: refused.message })
  expect(mirrorsIn(it.lab)).toEqual([])
})

test('a fetch that sends too much leaves the mirror as it was', async () => {
  const { lab, far, open } = await stage()
  const remotes = open({ mostMb: 1 })
  await remotes.refresh('shop')
  const mirror = join(lab.data, 'mirrors', `${remotes.key('shop')}.git`)
  const before = git(mirror, 'for-each-ref')
  execFileSync('dd', ['if=/dev/urandom', `of=${far}/big`, 'bs=1M', 'count=4'], { stdio: 'ignore' })
  commit(far, {})
  for (let tries = 0; tries < 2; tries += 1)
    expect((await failureOf(remotes.refresh('shop'))).message).toMatch(/has sent more than the 1 MiB/)
  expect(git(mirror, 'for-each-ref')).toBe(before)
  expect(readdirSync(join(mirror, 'objects/pack')).filter((name) => name.startsWith('tmp_'))).toEqual([])
})

test('credentials are sent to nobody that a remote sends elsewhere to', async () => {
  const { lab, server, open } = await stage()
  await using other = await openGitServer(join(lab.folder, 'far'), null)
  server.manner = { redirects: other.url('').replace(/\/$/, '') }
  await failureOf(open().refresh('shop'))
  expect(other.asked).toEqual([])
})

test('a remote that does not answer keeps tasks waiting, or they begin at what was fetched last and say so', async () => {
  const { server, far, open, with: using } = await stage()
  const first = git(far, 'rev-parse', 'HEAD')
  const waits = open({ fetchMs: 5000 })
  await using(waits).inspect('shop', null)
  commit(far, { 'a.txt': 'later\n' })
  server.manner = 'breaks'
  expect(await failureOf(using(waits).inspect('shop', null))).toMatchObject({
    code: 'remote',
    message: expect.stringMatching(/does not answer.*repositories\.shop\.fetch\.away: continue/) as string,
  })
  const goesOn = await using(open({ away: 'continue' })).inspect('shop', null)
  expect(goesOn.commit).toBe(first)
  expect(goesOn.notes.join('\n')).toMatch(
    /^The remote of shop .* does not answer .* So this begins at what was fetched last, \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/,
  )
  server.manner = 'serves'
  expect((await using(waits).inspect('shop', null)).commit).toBe(git(far, 'rev-parse', 'HEAD'))
})

test('a remote that refuses is told of, also where tasks could go on', async () => {
  const { server, open, with: using } = await stage()
  await open().refresh('shop')
  const wrong = open({
    away: 'continue',
    login: { user: 'git', password: new Secret('of shop', 'another-token'), from: 'the file token' },
  })
  expect(await failureOf(using(wrong).inspect('shop', null))).toMatchObject({ code: 'repository' })
  expect(server.said.at(-1)).not.toBe('')
})

test('a branch that was forced elsewhere: new tasks begin there, and an old one keeps its base', async () => {
  const { far, open, with: using } = await stage()
  const remotes = open()
  const worktrees = using(remotes)
  const old = await taskOn(worktrees, 'shop')
  git(far, 'checkout', '-q', '--orphan', 'fresh')
  const fresh = commit(far, { 'b.txt': 'b\n' })
  git(far, 'branch', '-f', 'main', fresh)
  git(far, 'checkout', '-q', 'main')
  expect((await taskOn(worktrees, 'shop', {}, 'b')).base.commit).toBe(fresh)
  await worktrees.open(old)
  expect(snapshot(await boxOf(worktrees, old))).toEqual({ 'a.txt': 'one\n' })
})

test('a default branch that was renamed is followed', async () => {
  const { far, open, with: using } = await stage()
  const worktrees = using(open())
  expect((await worktrees.inspect('shop', null)).ref).toBe('main')
  git(far, 'branch', '-m', 'main', 'trunk')
  expect(await worktrees.inspect('shop', null)).toMatchObject({
    ref: 'trunk',
    commit: git(far, 'rev-parse', 'HEAD'),
  })
  expect(await failureOf(worktrees.inspect('shop', 'main'))).toMatchObject({ code: 'repository' })
})

test('tags, commits and names: a branch that is called as a commit is not taken for it', async () => {
  const { far, open, with: using } = await stage()
  const first = git(far, 'rev-parse', 'HEAD') as CommitId
  git(far, 'tag', '-a', '-m', 'one', 'v1')
  const second = commit(far, { 'a.txt': 'two\n' })
  git(far, 'update-ref', `refs/heads/${first}`, second)
  const worktrees = using(open())
  expect(await worktrees.inspect('shop', 'v1')).toMatchObject({ ref: 'v1', commit: first })
  expect((await worktrees.inspect('shop', first)).commit).toBe(first)
  expect((await worktrees.inspect('shop', null)).commit).toBe(second)
})

test('a branch cofferdam of the remote leaves no room for cofferdam/<id> there', async () => {
  const { far, open, with: using } = await stage()
  git(far, 'branch', 'cofferdam')
  const worktrees = using(open())
  await worktrees.inspect('shop', null)
  expect(await worktrees.branchFor('shop', id('c'))).toBe(`cofferdam-${id('c')}`)
})

test('submodules and LFS are said', async () => {
  const { far, open, with: using } = await stage()
  commit(far, { '.gitattributes': '*.bin filter=lfs -text\n' })
  git(far, 'update-index', '--add', '--cacheinfo', `160000,${git(far, 'rev-parse', 'HEAD')},lib`)
  git(far, 'commit', '-q', '-m', 'lib')
  const { notes } = await using(open()).inspect('shop', null)
  expect(notes).toEqual(['Submodules are left empty: lib.', 'Files of Git LFS are left as pointers: *.bin.'])
})

test('nothing new costs one question, and many who come at once share a fetch', async () => {
  const { server, far, open } = await stage()
  const remotes = open()
  await remotes.refresh('shop')
  const before = server.asked.filter((path) => path.includes('info/refs')).length
  await remotes.refresh('shop')
  const after = server.asked.filter((path) => path.includes('info/refs')).length
  // Git asks once without and once with credentials.
  expect(after - before).toBe(2)
  commit(far, { 'a.txt': 'new\n' })
  const asked = server.asked.length
  await Promise.all(Array.from({ length: 8 }, () => remotes.refresh('shop')))
  const questions = server.asked.slice(asked).filter((path) => path.includes('info/refs'))
  // One that begins at once and one for all who came while it went on, each of two that ask twice.
  expect(questions.length).toBeLessThanOrEqual(8)
})

test('a first clone that takes long is told of, and goes on', async () => {
  const { server, open, with: using } = await stage()
  server.manner = 'hangs'
  const remotes = open({}, { patienceMs: 1 })
  expect(await failureOf(using(remotes).inspect('shop', null))).toMatchObject({
    code: 'remote',
    message: 'shop is being cloned (begun): try again in a moment.',
  })
  expect(remotes.state('shop').state).toBe('cloning')
  await remotes.end()
})

test('what has no mirror yet is cloned at the beginning', async () => {
  const { open } = await stage()
  const remotes = open()
  remotes.begin()
  await until(() => remotes.state('shop').state === 'cloned')
  expect(remotes.state('shop').fetchedAt).not.toBeNull()
})

test('a mirror that is lost is cloned again for a task, unless its URL is another by now', async () => {
  const { lab, server, open, with: using } = await stage()
  const task = await taskOn(using(open()), 'shop')
  execFileSync('rm', ['-rf', join(lab.data, 'mirrors')])
  const moved = using(open({ url: `${server.url('shop')}/` }))
  expect(await failureOf(moved.open(task))).toMatchObject({
    code: 'repository',
    message: expect.stringMatching(/^shop has another URL in the configuration/) as string,
  })
  const again = using(open())
  await again.open(task)
  expect(snapshot(await boxOf(again, task))).toEqual({ 'a.txt': 'one\n' })
})

test('over file://, and none of what the far repository configures is run', async () => {
  const { lab, far, open, with: using } = await stage()
  git(far, 'config', 'uploadpack.packObjectsHook', `touch ${lab.folder}/ran;`)
  const worktrees = using(open({ url: `file://${far}`, login: null }))
  expect((await worktrees.inspect('shop', null)).commit).toBe(git(far, 'rev-parse', 'HEAD'))
  expect(existsSync(join(lab.folder, 'ran'))).toBe(false)
})

test('reach asks alone and changes nothing', async () => {
  const { lab, open } = await stage()
  expect(await open().reach('shop')).toMatch(/^http:.* answers, with 1 branch or tag; not cloned yet$/)
  expect(mirrorsIn(lab)).toEqual([])
  const remotes = open()
  await remotes.refresh('shop')
  expect(await remotes.reach('shop')).toMatch(/; fetched \d{4}-\d\d-\d\d \d\d:\d\d UTC$/)
})

test('a full disk is said as such, and leaves no half clone', async () => {
  const { lab, far, open } = await stage()
  execFileSync('dd', ['if=/dev/urandom', `of=${far}/big`, 'bs=1M', 'count=8'], { stdio: 'ignore' })
  commit(far, {})
  const mirrors = join(lab.data, 'mirrors')
  mkdirSync(mirrors)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', mirrors])
  try {
    const failed = await failureOf(open().refresh('shop', 'whole'))
    expect([failed.code, failed.message]).toEqual(['disk', 'The disk of the data folder is full.'])
    expect(mirrorsIn(lab)).toEqual([])
  } finally {
    execFileSync('umount', [mirrors])
  }
})

test('a name that nobody has configured', async () => {
  const { open, with: using } = await stage()
  expect(await failureOf(using(open()).inspect('shoe', null))).toMatchObject({
    code: 'repository',
    message:
      'There is no repository "shoe": give the absolute path of one, or one of the names in the configuration (shop).',
  })
})

test('the mirror is a folder of ours with nothing of the remote in its configuration', async () => {
  const { lab, open } = await stage()
  const remotes = open()
  await remotes.refresh('shop')
  const config = readFileSync(join(lab.data, 'mirrors', `${remotes.key('shop')}.git/config`), 'utf8')
  expect(config).toBe('[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n')
})

test('the name of a repository by URL is never looked for in a folder', async () => {
  const { open, with: using } = await stage()
  const task = await taskOn(using(open()), 'shop')
  await expect(sourceOf(task, 0)).rejects.toThrow(
    /^shop is a repository by URL, of which nothing is on this machine but its mirror/,
  )
})

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommitId, HostPath } from '../../src/domain/brand.ts'
import type { Remote } from '../../src/domain/delivery/forge.ts'
import { Secret } from '../../src/domain/secret.ts'
import type { Pushed, TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import { authoritiesFile } from '../../src/worktree/authorities.ts'
import { anAuthority } from '../support/authority.ts'
import { forgeToken, type TestForge, testForge } from '../support/forge.ts'
import {
  appliedIn,
  boxOf,
  commit,
  git,
  keptIn,
  type Lab,
  made,
  openLab,
  repository,
  taskOn,
  write,
} from './lab.ts'

let lab: Lab
let repo: string
let bare: string
let task: TaskPlace
let head: CommitId
beforeEach(async () => {
  lab = openLab()
  repo = repository(lab, { 'a.txt': 'one\n' })
  bare = join(lab.folder, 'ada', 'tools.git')
  mkdirSync(join(lab.folder, 'ada'))
  git(lab.folder, 'clone', '-q', '--bare', repo, bare)
  ;({ task, head } = await keptIn(lab, repo, { 'b.txt': 'two\n' }))
})
afterEach(() => lab[Symbol.dispose]())

/** As it is proposed for `main`. */
const pushTo = (worktrees: Worktrees, of: TaskPlace, commit: CommitId, remote: Remote): Promise<Pushed> =>
  worktrees.push(of, commit, remote, { into: 'main', since: of.base.commit })

const folder = (): Remote => ({ url: bare, user: 'x', token: null, network: 'public' })
const there = (): string =>
  git(bare, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/cofferdam')
const hook = (name: string, text: string): void => {
  writeFileSync(join(bare, 'hooks', name), `#!/bin/sh\n${text}\n`)
  chmodSync(join(bare, 'hooks', name), 0o755)
}

describe('a branch is pushed to a folder', () => {
  it('as it is, and once more without harm', async () => {
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
    expect(there()).toBe(`refs/heads/${task.branch} ${head}`)
    // As a process that did not live to say so: nothing is pushed again.
    hook('pre-receive', 'exit 1')
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
    expect(git(bare, 'rev-parse', 'main')).toBe(git(repo, 'rev-parse', 'main'))
  })

  it('where that holds what the work began from, also where it has gone on since', async () => {
    const clone = join(lab.folder, 'clone')
    git(lab.folder, 'clone', '-q', bare, clone)
    const theirs = commit(clone, { 'c.txt': 'theirs\n' })
    git(clone, 'push', '-q', 'origin', 'HEAD:main')
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
    expect(git(bare, 'rev-parse', 'main')).toBe(theirs)
  })

  it('with nothing that is not its own, unless that is wanted', async () => {
    commit(repo, { 'draft.txt': 'not to be shown yet\n' })
    const since = commit(repo, { 'draft.txt': 'nor this\n' })
    const { task: later, head: work } = await appliedIn(lab, repo, { 'b.txt': 'two\n' }, 'b')
    expect(await pushTo(lab.worktrees, later, work, folder())).toEqual({ kind: 'foreign', commits: 2 })
    // Also where the branch there holds what nobody here has.
    const clone = join(lab.folder, 'clone')
    git(lab.folder, 'clone', '-q', bare, clone)
    commit(clone, { 'c.txt': 'theirs\n' })
    git(clone, 'push', '-q', 'origin', 'HEAD:main')
    expect(await pushTo(lab.worktrees, later, work, folder())).toEqual({ kind: 'foreign', commits: 2 })
    expect(there()).toBe('')
    expect(() => git(bare, 'cat-file', '-e', since)).toThrow('Command failed')
    const wish = { into: 'main', since: null }
    expect(await lab.worktrees.push(later, work, folder(), wish)).toEqual({ kind: 'pushed' })
    expect(git(bare, 'show', `${later.branch}:draft.txt`)).toBe('nor this')
  })

  it('where that has the branch that it is proposed for', async () => {
    const wish = { into: 'next', since: task.base.commit }
    expect(await lab.worktrees.push(task, head, folder(), wish)).toEqual({
      kind: 'refused',
      text: `${bare} has no branch next: name another, or push it there.`,
    })
    expect(there()).toBe('')
  })

  it('forward from an earlier commit of its own', async () => {
    git(bare, 'branch', task.branch, task.base.commit)
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
    expect(there()).toContain(head)
  })

  it('and not over what somebody else has put there', async () => {
    const other = commit(repo, { 'c.txt': 'theirs\n' })
    git(repo, 'push', '-q', bare, `${other}:refs/heads/${task.branch}`)
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'elsewhere', tip: other })
    expect(there()).toContain(other)
  })

  it('and not over what comes there at that very moment', async () => {
    const other = commit(repo, { 'c.txt': 'theirs\n' })
    git(repo, 'push', '-q', bare, `${other}:refs/heads/other`)
    // Between the look and the push: who receives is told of the refs before.
    hook('pre-receive', `env -u GIT_QUARANTINE_PATH git update-ref refs/heads/${task.branch} ${other}`)
    const pushed = await pushTo(lab.worktrees, task, head, folder())
    expect(pushed).toMatchObject({ kind: 'refused', text: expect.stringContaining('somebody moved') })
    expect(there()).toContain(other)
  })

  it.each(['refs/namespaces/other', 'refs/heads/other'])('whatever has the name in %s', async (place) => {
    git(bare, 'fetch', '-q', repo, `${task.base.commit}:refs/heads/some`)
    git(bare, 'update-ref', `${place}/refs/heads/${task.branch}`, task.base.commit)
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
    expect(git(bare, 'rev-parse', `refs/heads/${task.branch}`)).toBe(head)
  })

  it.each(['heads/', 'tags/', 'remotes/', ''])(
    'unless its name is that of another there, in refs/%s',
    async (kind) => {
      const namesake = `refs/${kind}refs/heads/${task.branch}`
      git(bare, 'fetch', '-q', repo, `${task.base.commit}:refs/heads/some`)
      git(bare, 'update-ref', namesake, task.base.commit)
      expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({
        kind: 'refused',
        text: `${bare} has ${namesake}, which git takes for refs/heads/${task.branch}: remove or rename it there, then try again.`,
      })
      git(bare, 'update-ref', '-d', namesake)
      expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
    },
  )

  it('unless a hook there says no, whose words are told without what a terminal would obey', async () => {
    hook('pre-receive', String.raw`printf 'no \033[31mtasks\n  on Fridays\n' >&2; exit 1`)
    const pushed = await pushTo(lab.worktrees, task, head, folder())
    expect(pushed).toEqual({
      kind: 'refused',
      text: `The push to ${bare} came to nothing: it takes no such push (it says: "no [31mtasks on Fridays"). Mend that there, then try again.`,
    })
    expect(there()).toBe('')
    hook('pre-receive', 'exit 0')
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
  })

  it('unless its disk is full', async () => {
    hook('pre-receive', 'echo "fatal: write error: No space left on device" >&2; exit 1')
    expect(await pushTo(lab.worktrees, task, head, folder())).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining('its disk is full'),
    })
  })

  it.runIf(process.geteuid?.() === 0)('unless its disk is full, as git itself says it', async () => {
    const small = join(lab.folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small])
    try {
      git(lab.folder, 'clone', '-q', '--bare', '--template=', '--no-local', repo, join(small, 'x.git'))
      const { worktrees } = lab
      const big = await taskOn(worktrees, repo, {}, 'b')
      await worktrees.open(big)
      write(await boxOf(worktrees, big), { 'big.bin': randomBytes(2_000_000).toString('base64') })
      const { commit: work } = made(await worktrees.candidate(big, big.base.commit, 'step 1\n'))
      const pushed = await pushTo(worktrees, big, work, { ...folder(), url: join(small, 'x.git') })
      expect(pushed).toMatchObject({ kind: 'refused', text: expect.stringContaining('its disk is full') })
    } finally {
      execFileSync('umount', ['-l', small])
    }
  })

  it('and ends where a hook there hangs', async () => {
    hook('pre-receive', 'sleep 60')
    const hasty = lab.reopened({ pushMs: 500 })
    await expect(pushTo(hasty, task, head, folder())).rejects.toThrow('took longer than 0.5 s and was ended')
    expect(there()).toBe('')
  })

  it('that is there and a bare repository', async () => {
    const at = (url: string) => pushTo(lab.worktrees, task, head, { ...folder(), url })
    await expect(at(join(lab.folder, 'nowhere'))).rejects.toThrow('There is no bare repository at')
    await expect(at(repo)).rejects.toThrow('There is no bare repository at')
  })

  it.runIf(process.geteuid?.() === 0)('under the ids of its owner', async () => {
    chmodSync(join(lab.folder, 'ada'), 0o755)
    execFileSync('chown', ['-R', '10007:10007', bare])
    hook('pre-receive', `id -u > ${join(bare, 'who')}`)
    chownSync(join(bare, 'hooks', 'pre-receive'), 10_007, 10_007)
    expect(await pushTo(lab.worktrees, task, head, folder())).toEqual({ kind: 'pushed' })
    expect(readFileSync(join(bare, 'who'), 'utf8')).toBe('10007\n')
    const owners = readdirSync(bare, { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(bare, name)).uid,
    )
    expect(new Set(owners)).toEqual(new Set([10_007]))
  })
})

describe('a branch is pushed over ssh', () => {
  const key = { key: '/k/key' as HostPath, knownHosts: '/k/hosts' as HostPath }
  const url = (): string => `ssh://git@git.example.com${bare}`
  /** In the place of ssh: notes what it was called with, and does what the far end would. */
  function withSsh(script: string) {
    const path = join(lab.folder, 'bin')
    mkdirSync(path, { recursive: true })
    const text = `#!/bin/sh\necho "$@" >>${join(lab.folder, 'called')}\nfor last; do :; done\n${script}\n`
    writeFileSync(join(path, 'ssh'), text, { mode: 0o755 })
    return lab.reopened({ searchPath: `${path}:/usr/bin:/bin` })
  }

  it('with the one key, to a host that is known, and with no configuration of anybody', async () => {
    const pushing = withSsh('exec env -u GIT_CONFIG_COUNT sh -c "$last"')
    expect(await pushTo(pushing, task, head, { ...folder(), url: url(), ssh: key })).toEqual({
      kind: 'pushed',
    })
    expect(there()).toBe(`refs/heads/${task.branch} ${head}`)
    const calls = readFileSync(join(lab.folder, 'called'), 'utf8').trim().split('\n')
    expect(calls.map((call) => /git-(?:upload|receive)-pack/.exec(call)?.[0])).toEqual([
      'git-upload-pack',
      'git-receive-pack',
    ])
    for (const call of calls)
      expect(call).toMatch(
        /^-F \/dev\/null -i \/k\/key .*StrictHostKeyChecking=yes -o UserKnownHostsFile=\/k\/hosts .*git@git\.example\.com/,
      )
  })

  it.each([
    ['Host key verification failed.', 'it is not the host that its key is known of'],
    ['git@git.example.com: Permission denied (publickey).', 'it does not let this key push'],
    ['ERROR: The key you are authenticating with has been marked as read only.', 'let this key push'],
    ['ssh: connect to host git.example.com port 22: Connection refused', 'it cannot be reached'],
  ])('and told as what it means where ssh says: %s', async (said, text) => {
    const pushing = withSsh(`echo '${said}' >&2; exit 255`)
    expect(await pushTo(pushing, task, head, { ...folder(), url: url(), ssh: key })).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining(text),
    })
  })
})

describe('a branch is pushed over HTTP', () => {
  let forge: TestForge
  beforeEach(async () => {
    forge = await testForge('github', lab.folder)
  })
  afterEach(() => forge[Symbol.asyncDispose]())

  const web = (more: Partial<Remote> = {}): Remote => ({
    url: forge.remote('ada/tools.git'),
    user: 'x-access-token',
    token: new Secret('forge', forgeToken),
    network: 'loopback',
    ...more,
  })

  it('with the token, which stands in no file and in no argv', async () => {
    const seen = join(lab.folder, 'seen')
    const path = join(lab.folder, 'bin')
    mkdirSync(path)
    // All that git starts for this comes by here too, as it finds itself by the path.
    writeFileSync(
      join(path, 'git'),
      `#!/bin/sh\ncat /proc/$$/cmdline | tr '\\0' ' ' >>${seen}\nPATH=/usr/local/bin:/usr/bin:/bin exec git "$@"\n`,
    )
    chmodSync(join(path, 'git'), 0o755)
    const watched = lab.reopened({ searchPath: `${path}:/usr/bin:/bin` })
    expect(await pushTo(watched, task, head, web())).toEqual({ kind: 'pushed' })
    expect(there()).toBe(`refs/heads/${task.branch} ${head}`)
    expect(readFileSync(seen, 'utf8')).toContain('push')
    expect(readFileSync(seen, 'utf8')).not.toContain(forgeToken)
    const files = readdirSync(lab.data, { recursive: true, encoding: 'utf8' }).map((name) =>
      join(lab.data, name),
    )
    const holding = files.filter((name) => statSync(name).isFile() && readFileSync(name).includes(forgeToken))
    expect(holding).toEqual([])
  })

  it.each([
    ['does not take the token', { token: new Secret('forge', 'another-token') }],
    ['does not take the token', { token: null }],
  ])('%s', async (text, more) => {
    expect(await pushTo(lab.worktrees, task, head, web(more))).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining(text),
    })
  })

  it.each([
    [403, 'the token may not push there'],
    [404, 'there is no such repository'],
    [500, 'it cannot be reached, or does not answer'],
    [302, 'it sends whoever asks to another address'],
  ])('and a %i is told as what it means', async (status, text) => {
    let others = 0
    await using other = await testForge('github')
    other.instead = () => (others += 1) < 0
    forge.instead = (asked, response) => {
      response.writeHead(status, { location: `${other.origin}${asked.path}` }).end()
      return true
    }
    expect(await pushTo(lab.worktrees, task, head, web())).toMatchObject({
      kind: 'refused',
      text: expect.stringContaining(text),
    })
    // The token is for one host: nobody else is even asked.
    expect(others).toBe(0)
  })

  it('and ends where nobody answers', async () => {
    forge.instead = () => true
    const hasty = lab.reopened({ pushMs: 500 })
    await expect(pushTo(hasty, task, head, web())).rejects.toThrow('took longer than 0.5 s and was ended')
  })

  it('over TLS, where its authority is believed', async () => {
    using authority = anAuthority()
    await using secure = await testForge('forgejo', lab.folder, authority.vouch('IP:127.0.0.1'))
    const to = web({ url: secure.remote('ada/tools.git') })
    expect(await pushTo(lab.worktrees, task, head, to)).toMatchObject({
      kind: 'refused',
      text: expect.stringMatching(/certificate is not one that is trusted here\. .* NODE_EXTRA_CA_CERTS/),
    })
    expect(there()).toBe('')
    const authorities = authoritiesFile(lab.data, authority.file as HostPath)
    expect(await pushTo(lab.reopened({ authorities }), task, head, to)).toEqual({ kind: 'pushed' })
    expect(there()).toContain(head)
  })

  it('to this machine only where that is configured', async () => {
    await expect(pushTo(lab.worktrees, task, head, web({ network: 'private' }))).rejects.toThrow(
      'leads to 127.0.0.1, which is this machine',
    )
    await expect(
      pushTo(
        lab.worktrees,
        task,
        head,
        web({ network: 'public', url: forge.remote('x').replace('127.0.0.1', 'localhost') }),
      ),
    ).rejects.toThrow('localhost is this machine itself')
    expect(forge.asked).toEqual([])
    expect(existsSync(bare)).toBe(true)
  })

  it('to the addresses that were looked at', async () => {
    const url = forge.remote('ada/tools.git').replace('127.0.0.1', 'localhost')
    expect(await pushTo(lab.worktrees, task, head, web({ url }))).toEqual({ kind: 'pushed' })
  })
})

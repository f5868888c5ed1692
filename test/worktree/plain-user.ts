import { strict as assert } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { setgid, setgroups, setuid } from 'node:process'
import type { BoxPath, HostPath } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { openWorktrees } from '../../src/worktree/open.ts'

// A program of its own, run by plain-user.test.ts: a whole step without any right of root. All modules are loaded by
// now, so the ids can be given up for good. Arguments: a folder of that user, a repository of another.

const [folder = '', foreign = ''] = process.argv.slice(2)
const uid = 12_345
setgroups?.([])
setgid?.(uid)
setuid?.(uid)
process.chdir(folder)

const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=U', '-c', 'user.email=u@example.org', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
  }).trim()

mkdirSync('repo/src', { recursive: true })
writeFileSync('repo/a.txt', 'a\n')
writeFileSync('repo/src/b.txt', 'b\n')
git('-C', 'repo', 'init', '-q')
git('-C', 'repo', 'add', '-A')
git('-C', 'repo', 'commit', '-q', '-m', 'x')
mkdirSync('data', { mode: 0o700 })

const worktrees = openWorktrees({
  data: `${folder}/data` as HostPath,
  user: { uid, gid: uid },
  author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
  pointerTarget: '/cofferdam/git' as BoxPath,
  policyMatcher: compilePolicy,
})

await assert.rejects(
  worktrees.inspect(foreign, null),
  /belongs to another user \(uid \d+\): run this as that user/,
)
const info = await worktrees.inspect(`${folder}/repo`, null)
const task = {
  id: 'aaaaaaaaaa' as TaskId,
  repository: info,
  base: info,
  branch: 'cofferdam/aaaaaaaaaa',
  policy: defaultPolicy,
}
await worktrees.open(task)
const nextBox = (): Promise<string> => worktrees.materials(task).locate({ kind: 'worktree', path: '' })
const box = await nextBox()

// An agent that locks us out of its work.
mkdirSync(`${box}/new/in`, { recursive: true })
writeFileSync(`${box}/new/in/x.txt`, 'x\n')
writeFileSync(`${box}/src/b.txt`, 'changed\n')
chmodSync(`${box}/src/b.txt`, 0)
for (const name of ['new/in', 'new', 'src', '']) chmodSync(`${box}/${name}`, 0)
assert.deepEqual(await worktrees.verify(task, task.base.commit), [])
const candidate = await worktrees.candidate(task, task.base.commit, 'step 1\n')
assert.equal(candidate.kind, 'made')
if (candidate.kind !== 'made') throw new Error('unreachable')
assert.deepEqual(candidate.stat, { files: 2, insertions: 2, deletions: 1 })
await worktrees.checkpoint(task, candidate.commit)
await worktrees.handover(task, candidate.commit)
assert.equal(git('-C', 'repo', 'rev-parse', task.branch), candidate.commit)

// And once more, for good.
await nextBox()
mkdirSync(`${box}/locked/in`, { recursive: true })
for (const name of ['locked/in', 'locked', 'src', '']) chmodSync(`${box}/${name}`, 0)
await worktrees.restore(task, candidate.commit)
assert.deepEqual(readdirSync(box).sort(), ['.git', 'a.txt', 'new', 'src'])
mkdirSync(`${box}/locked`)
for (const name of ['locked', '']) chmodSync(`${box}/${name}`, 0)
await worktrees.discard(task)
assert.equal(existsSync(box), false)
process.stdout.write('done\n')

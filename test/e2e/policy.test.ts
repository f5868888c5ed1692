import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aRepository, git } from '../support/repository.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { until } from '../support/until.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

const worktreeOf = (id: string): string => join(plane.config.dataFolder, 'tasks', id)
const mirrorOf = (key: string): string => join(plane.config.dataFolder, 'mirrors', `${key}.git`)

describe('the path policy, end to end', () => {
  it('B14 writes to config.yaml, .env, .workspace or a git hook fail in the box itself', async () => {
    const repo = aRepository({ 'src/a.txt': 'a\n' })
    const task = await plane.run({
      repo,
      argv: sh(`
        echo evil > mine.txt
        for path in config.yaml .env .workspace/x .git/hooks/post-commit; do
          mkdir -p "$(dirname $path)" 2>/dev/null
          (echo evil > $path) 2>/dev/null && echo "wrote $path"
          mv mine.txt $path 2>/dev/null && echo "moved to $path"
          [ "$(cat $path 2>/dev/null)" = evil ] || echo "refused $path"
        done
        rm mine.txt; echo ok > ok.txt`),
    })
    const log = await plane.client.logs(task.id, 1)
    expect(log.trim().split('\n').slice(1)).toEqual([
      'refused config.yaml',
      'refused .env',
      'refused .workspace/x',
      'refused .git/hooks/post-commit',
    ])
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'ls-tree', '-r', '--name-only', task.branch).trim().split('\n')).toEqual([
      'ok.txt',
      'src/a.txt',
    ])
    expect(existsSync(join(repo, '.git/hooks/post-commit'))).toBe(false)
  })

  it('B14 a denied file in a folder of its own is reverted, the second time is FAILED, and no candidate holds it', async () => {
    const repo = aRepository()
    const agent = sh('mkdir new; echo evil > new/config.yaml; echo x > more.txt; echo "TASK_STATE: CONTINUE"')
    const task = await plane.run({ repo, argv: agent })
    expect([task.status, task.halt?.reason]).toEqual(['FAILED', 'policy'])
    expect(task.halt?.text).toContain('new/config.yaml')
    expect(task.halt?.text).toContain('rule config.yaml')
    expect(task.head).toBe(task.base.commit)
    expect(readdirSync(worktreeOf(task.id)).sort()).toEqual(['.git', 'README.md'])
    // Not even an object of it: nothing was added to the mirror at all.
    const objects = git(mirrorOf(task.repository.key), 'cat-file', '--batch-all-objects', '--batch')
    expect(objects).toContain('README.md')
    expect(objects).not.toContain('evil')
    expect(objects).not.toContain('config.yaml')
  })

  it('B14 after a violation the next prompt names path and rule, and mending it is enough', async () => {
    const repo = aRepository()
    const agent = sh(`
      if grep -q 'new/config.yaml' /cofferdam/attempt/prompt.md; then cp /cofferdam/attempt/prompt.md prompt.txt; ls > seen.txt; echo "TASK_STATE: DONE"
      else mkdir new; echo evil > new/config.yaml; echo x > more.txt; fi`)
    const task = await plane.run({ repo, argv: agent })
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])
    expect(git(repo, 'show', `${task.branch}:prompt.txt`)).toContain(
      '"new/config.yaml", which the rule `config.yaml` denies',
    )
    expect(git(repo, 'ls-tree', '-r', '--name-only', task.branch)).not.toContain('new/')
    expect(git(repo, 'show', `${task.branch}:seen.txt`)).not.toContain('more.txt')
  })

  // Walked with more tries in test/attack (A001, A057, A002, A003), and with patterns in worktree.test.ts.
  it(
    'a tracked secret is not in the box, and the branch keeps it byte for byte',
    { tags: ['long'] },
    async () => {
      const repo = aRepository({ '.env': 'SECRET=hunter2\n', 'a.txt': 'a\n' })
      const task = await plane.run({
        repo,
        argv: sh(
          'cat .env > leak.txt 2>&1; git log -p --all >> leak.txt 2>&1; git show HEAD:.env >> leak.txt 2>&1; echo b > a.txt',
        ),
      })
      expect(task.status).toBe('APPLIED')
      expect(git(repo, 'show', `${task.branch}:leak.txt`)).not.toContain('hunter2')
      expect(git(repo, 'show', `${task.branch}:.env`)).toBe('SECRET=hunter2\n')
    },
  )

  it('B15 the checkpoint holds exactly what the policy allows, and the event names what was left out', async () => {
    const repo = aRepository({ '.gitignore': 'ignored/\n', 'a.txt': 'a\n', 'run.sh': 'true\n' })
    const task = await plane.run({
      repo,
      argv: sh(`
        echo inside > inside.txt; git add -A && git -c user.name=x -c user.email=x@y commit -qm inside
        mkdir -p "new folder/deep" ignored nested; echo 1 > "new folder/deep/with space.txt"; echo 2 > "$(printf 'line\\nbreak.txt')"
        echo 3 > 'ünïcode-修复.txt'; echo 4 > ignored/build.o; ln -s a.txt link; chmod +x run.sh
        mkfifo nested/pipe; python3 -c 'import socket; socket.socket(1).bind("sock")'`),
    })
    expect(task.status).toBe('APPLIED')
    const tree = git(repo, 'ls-tree', '-r', '-z', task.branch)
      .split('\0')
      .filter(Boolean)
      .map((line) => line.replace(/^(\d+) \w+ \w+\t/, '$1 '))
    expect(tree.sort()).toEqual(
      [
        '100644 .gitignore',
        '100644 a.txt',
        '100644 inside.txt',
        '100644 line\nbreak.txt',
        '100644 new folder/deep/with space.txt',
        '100644 ünïcode-修复.txt',
        '100755 run.sh',
        '120000 link',
      ].sort(),
    )
    const made = (await plane.client.events(task.id, 0)).find((event) => event.type === 'candidate_made')
    const text = made?.text ?? ''
    expect(text.slice(text.indexOf('Left out: ')).replace(/[ .]+$/, '')).toBe(
      'Left out: ignored/ (covered by .gitignore), sock (a socket; removed), nested/pipe (a fifo; removed)',
    )
  })

  it('B14 a readonly path that is changed past the mounts is FAILED policy, and the tree is as before', async () => {
    const repo = aRepository({ 'docs/agents.md': 'rules\n' })
    // No mount can hold a symlink: the verifier alone guards this one.
    symlinkSync('docs/agents.md', join(repo, 'CLAUDE.md'))
    git(repo, 'add', 'CLAUDE.md')
    git(repo, 'commit', '-qm', 'Link the instructions')
    const task = await plane.run({ repo, argv: sh('rm CLAUDE.md; echo evil > CLAUDE.md; echo x > x.txt') })
    expect([task.status, task.halt?.reason, task.head]).toEqual(['FAILED', 'policy', task.base.commit])
    expect(task.halt?.text).toContain('CLAUDE.md')
    const worktree = worktreeOf(task.id)
    expect(readlinkSync(join(worktree, 'CLAUDE.md'))).toBe('docs/agents.md')
    expect(existsSync(join(worktree, 'x.txt'))).toBe(false)
  })

  it('B14 a denied file that stands where a mask was is FAILED policy at once, and the tree is as before', async () => {
    const repo = aRepository({ '.env': 'SECRET=hunter2\n', 'a.txt': 'a\n' })
    const started = await plane.submit({ repo, argv: sh('echo b > a.txt; touch ready; sleep 3') })
    const worktree = worktreeOf(started.id)
    await until(() => existsSync(join(worktree, 'ready')))
    rmSync(join(worktree, '.env'))
    writeFileSync(join(worktree, '.env'), 'evil\n')
    const task = await plane.settled(started.id)
    expect([task.status, task.halt?.reason, task.head]).toEqual(['FAILED', 'policy', task.base.commit])
    expect(task.halt?.text).toContain('.env')
    expect(readdirSync(worktree).sort()).toEqual(['.git', 'a.txt'])
    expect(readFileSync(join(worktree, 'a.txt'), 'utf8')).toBe('a\n')
  })

  it('a readonly file can neither be written nor moved away', { tags: ['long'] }, async () => {
    const repo = aRepository({ '.github/workflows/ci.yml': 'on: push\n', 'a.txt': 'a\n' })
    const task = await plane.run({
      repo,
      argv: sh(
        '(echo evil > .github/workflows/ci.yml) 2>err.txt || true; mkdir -p x && mv .github x/ 2>>err.txt; cat err.txt',
      ),
    })
    expect(git(repo, 'show', `${task.branch}:.github/workflows/ci.yml`)).toBe('on: push\n')
    expect(await plane.client.logs(task.id, 1)).toMatch(/Read-only file system/)
  })

  it('an allow list makes everything else readonly', { tags: ['long'] }, async () => {
    const repo = aRepository({ 'src/a.txt': 'a\n', 'docs/b.txt': 'b\n' })
    const task = await plane.run({
      repo,
      argv: sh('echo x > src/a.txt; echo x > docs/b.txt; echo x > new.txt; true'),
      allow: ['/src/'],
    })
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'diff', '--name-only', 'main', task.branch).trim()).toBe('src/a.txt')
  })
})

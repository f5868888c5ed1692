import { existsSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aRepository, git } from '../support/repository.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

describe('the path policy, end to end', () => {
  it('B14 the agent cannot write config.yaml, .env, .workspace or a git hook of the host', async () => {
    const repo = aRepository({ 'src/a.txt': 'a\n' })
    const task = await plane.run({
      repo,
      argv: sh(`
        for path in config.yaml .env .workspace/x; do (echo evil > $path) 2>/dev/null && echo "wrote $path" >> wrote.txt; done
        mkdir -p .git/hooks 2>/dev/null; (echo evil > .git/hooks/post-commit) 2>/dev/null && echo "wrote hook" >> wrote.txt
        echo ok > ok.txt`),
    })
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'ls-tree', '-r', '--name-only', task.branch).trim().split('\n')).toEqual([
      'ok.txt',
      'src/a.txt',
    ])
    expect(existsSync(join(repo, '.git/hooks/post-commit'))).toBe(false)
  })

  it('B14 a denied file in a folder of its own is reverted, and the second time is FAILED', async () => {
    const repo = aRepository()
    const agent = sh(
      'mkdir -p new; echo evil > new/config.yaml; echo x >> more.txt; cp /cofferdam/attempt/prompt.md prompt.txt; echo "TASK_STATE: CONTINUE"',
    )
    const task = await plane.run({ repo, argv: agent })
    expect([task.status, task.halt?.reason]).toEqual(['FAILED', 'policy'])
    expect(task.halt?.text).toContain('new/config.yaml')
    expect(task.halt?.text).toContain('config.yaml')
    expect(task.head).toBe(task.base.commit)
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

  it('a tracked secret is not in the box, and the branch keeps it byte for byte', async () => {
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
  })

  it('B15 the checkpoint holds exactly what the policy allows, and the event names what was left out', async () => {
    const repo = aRepository({ '.gitignore': 'ignored/\n', 'a.txt': 'a\n', 'run.sh': 'true\n' })
    const task = await plane.run({
      repo,
      argv: sh(`
        git add -A && git -c user.name=x -c user.email=x@y commit -qm inside --allow-empty
        mkdir -p "new folder/deep" ignored; echo 1 > "new folder/deep/with space.txt"; echo 2 > "$(printf 'line\\nbreak.txt')"
        echo 3 > 'ünïcode-修复.txt'; echo 4 > ignored/build.o; ln -s a.txt link; chmod +x run.sh; mkfifo pipe`),
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
        '100644 line\nbreak.txt',
        '100644 new folder/deep/with space.txt',
        '100644 ünïcode-修复.txt',
        '100755 run.sh',
        '120000 link',
      ].sort(),
    )
    const made = (await plane.client.events(task.id, 0)).find((event) => event.type === 'candidate_made')
    expect(made?.text).toContain('ignored')
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
    const worktree = join(plane.config.dataFolder, 'tasks', task.id)
    expect(readlinkSync(join(worktree, 'CLAUDE.md'))).toBe('docs/agents.md')
    expect(existsSync(join(worktree, 'x.txt'))).toBe(false)
  })

  it('a readonly file can neither be written nor moved away', async () => {
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

  it('an allow list makes everything else readonly', async () => {
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

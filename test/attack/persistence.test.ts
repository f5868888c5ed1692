import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { attack, type Witness } from './attack.ts'
import { openMarkers, pathsHolding, printOf } from './host.ts'
import { openStage, type Stage } from './stage.ts'

// What an agent leaves for a program to find that starts later: an editor, the next agent, CI, a shell.

/** Writes each path where it exists and where it does not: mounts hold the first, the verifier finds the second. */
async function guarded(stage: Stage, paths: readonly string[], { saw }: Witness): Promise<void> {
  const old = Object.fromEntries(paths.map((path) => [path, 'old\n']))
  {
    await using full = await openStage({ 'a.txt': 'a\n', ...old })
    const before = printOf(full.worktree)
    const tries = paths.flatMap((path) => [
      [`write ${path}`, `echo evil > ${path}`],
      [`replace ${path}`, `echo evil > /work/m; mv -f /work/m ${path}`],
      [`remove ${path}`, `rm -f ${path}; ! [ -e ${path} ]`],
      [`move ${path}`, `top=$(echo ${path} | cut -d/ -f1); mv "$top" moved`],
    ])
    const answers = await full.probe({
      ...(Object.fromEntries(tries) as Record<string, string>),
      tidy: 'rm -f m',
    })
    for (const what of ['write', 'replace', 'remove', 'move']) answers.refused(`${what} `)
    expect(printOf(full.worktree)).toEqual(before)
    saw(
      `Where they exist, all ${paths.length} could be read, and not written, replaced, removed or moved: the host's tree is as before.`,
    )
  }
  await stage.run(sh(paths.map((path) => `mkdir -p "$(dirname ${path})"; echo evil > ${path}`).join('; ')))
  const violations = await stage.worktrees.verify(stage.task, stage.task.base.commit)
  const named = violations.map(({ path }) => path)
  expect(paths.filter((path) => !named.some((one) => path === one || path.startsWith(`${one}/`)))).toEqual([])
  saw(`Where they do not exist, the verifier named every one that was made (${named.length}).`)
  await stage.worktrees.restore(stage.task, stage.task.base.commit)
  expect(pathsHolding(stage.worktree, 'evil')).toEqual([])
}

describe('where programs look', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ 'a.txt': 'a\n' })
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  attack(
    'A049 editor configuration',
    'Write .vscode, .idea, .devcontainer and the like, where they exist and where they do not.',
    (witness) =>
      guarded(
        stage,
        [
          '.vscode/tasks.json',
          '.vscode/settings.json',
          '.idea/workspace.xml',
          '.devcontainer/devcontainer.json',
          '.devcontainer.json',
          '.zed/tasks.json',
          'my.code-workspace',
          'sub/.vscode/tasks.json',
        ],
        witness,
      ),
  )

  attack(
    'A050 configuration of agents',
    'Write .mcp.json, .cursor, .claude, .codex, .gemini and agent instructions, where they exist and where they do not.',
    (witness) =>
      guarded(
        stage,
        [
          '.mcp.json',
          '.cursor/mcp.json',
          '.claude/settings.json',
          '.claude/commands/x.md',
          '.claude/agents/x.md',
          '.codex/config.toml',
          '.gemini/settings.json',
          '.opencode/opencode.json',
          'AGENTS.md',
          'CLAUDE.md',
          'GEMINI.md',
          '.cursorrules',
          'sub/AGENTS.md',
          '.github/copilot-instructions.md',
        ],
        witness,
      ),
  )

  attack(
    'A053 CI files',
    'Write workflows and other CI files, where they exist and where they do not.',
    (witness) =>
      guarded(
        stage,
        [
          '.github/workflows/ci.yml',
          '.github/actions/x/action.yml',
          '.gitlab-ci.yml',
          '.circleci/config.yml',
          'Jenkinsfile',
          '.drone.yml',
          'azure-pipelines.yml',
          '.woodpecker/x.yml',
          '.travis.yml',
        ],
        witness,
      ),
  )
})

describe('through the whole product', () => {
  let plane: TestPlane
  beforeAll(async () => {
    plane = await openTestPlane()
  })
  afterAll(() => plane.close())

  attack(
    'A052 files that run when the project is used',
    'Plant code in package.json scripts, Makefile, setup.py, conftest.py, .envrc, .husky, lefthook and rc files of package managers, and have the task verified, tested, diffed and handed over.',
    async ({ saw }) => {
      using marks = openMarkers()
      const touch = marks.leave('ran')
      const scripts = JSON.stringify({
        name: 'x',
        scripts: { preinstall: touch, install: touch, postinstall: touch, prepare: touch, test: touch },
      })
      const repo = aRepository({ 'a.txt': 'a\n' })
      const task = await plane.run({
        repo,
        argv: sh(`echo '${scripts}' > package.json; printf 'all:\\n\\t${touch}\\n' > Makefile
          echo "import os; os.system('${touch}')" | tee setup.py conftest.py sitecustomize.py git.py > /dev/null
          printf '#!/bin/sh\\n${touch}\\n' | tee git sh node npm docker > /dev/null; chmod +x git sh node npm docker`),
        test: 'make || true',
        yes: true,
      })
      await plane.client.diff(task.id, null)
      await plane.client.doctor()
      expect([task.status, marks.found()]).toEqual(['APPLIED', []])
      saw(
        'The task is applied; nothing that it left in the tree ran on the host, also no program named like one that the host calls.',
      )
      const guarded = await plane.run({
        repo: aRepository(),
        argv: sh(
          `mkdir -p .husky .cargo; for f in .npmrc .yarnrc .yarnrc.yml .envrc lefthook.yml .husky/pre-commit .cargo/config.toml pip.conf; do echo '${touch}' > $f; done`,
        ),
        onViolation: 'fail',
      })
      expect([guarded.status, guarded.halt?.reason]).toEqual(['FAILED', 'policy'])
      saw('Hooks and rc files of package managers are refused as such.')
    },
  )

  attack(
    'A054 poison what the next box uses',
    'In one task write a file into every folder that can be written; in another task look for any of them.',
    async ({ saw }) => {
      const repo = aRepository({ 'a.txt': 'a\n' })
      const poisonAll = `find / -xdev -type d -writable 2>/dev/null; for d in / $(awk '{print $5}' /proc/self/mountinfo) /cofferdam/* ~ ~/.cache ~/.npm /var/cache /usr/local/lib; do mkdir -p $d/poison-cofferdam 2>/dev/null && echo "poisoned $d"; done; rmdir poison-cofferdam 2>/dev/null; true`
      const first = await plane.run({ repo, argv: sh(`${poisonAll}; echo x > x.txt`) })
      expect(await plane.client.logs(first.id, 1)).toContain('poisoned /tmp')
      const look = 'find / -name "poison-cofferdam*" 2>/dev/null | grep . && echo FOUND; echo looked > y.txt'
      const second = await plane.run({
        repo,
        argv: sh(look),
        test: 'find / -name "poison-cofferdam*" 2>/dev/null | grep . && exit 1; true',
      })
      const log = await plane.client.logs(second.id, 1)
      expect([second.status, log.includes('FOUND')]).toEqual(['APPLIED', false])
      saw(
        'The first box could write in its own throwaway folders; no box of another task found anything of it.',
      )
    },
  )

  attack(
    'A055 shell configuration in the home folder',
    'Write .bashrc, .profile, .gitconfig, .npmrc and a program into the home folder, and look for them in the next step.',
    async ({ saw }) => {
      const look = 'ls -A ~; cat ~/.gitconfig ~/.config/git/config 2>/dev/null; true'
      const task = await plane.run({
        repo: aRepository(),
        argv: sh(`if [ -e second ]; then ${look}; echo TASK_STATE: DONE
          else for f in .bashrc .profile .gitconfig .npmrc; do echo evil > ~/$f; done; mkdir -p ~/.local/bin ~/.config/git; echo evil > ~/.config/git/config
            printf '#!/bin/sh\necho evil\n' > ~/.local/bin/git; chmod +x ~/.local/bin/git; ${look}; echo x > second; echo TASK_STATE: CONTINUE; fi`),
        test: `${look}; [ -z "$(ls -A ~ | grep -E "bashrc|profile|gitconfig")" ]`,
      })
      expect([task.status, task.outcome, task.spent.steps]).toEqual(['APPLIED', 'tested', 2])
      const seen = (log: string): readonly string[] =>
        log.split('\n').filter((line) => /bashrc|profile|gitconfig|npmrc|\.local|\.config|evil/.test(line))
      const [planted = '', tested = ''] = (await plane.client.logs(task.id, 1)).split('== test box')
      // By the same look: had it lasted, it would have been seen.
      expect(seen(planted)).toEqual([
        '.bashrc',
        '.config',
        '.gitconfig',
        '.local',
        '.npmrc',
        '.profile',
        'evil',
        'evil',
      ])
      expect(seen(tested)).toEqual([])
      expect(seen(await plane.client.logs(task.id, 2))).toEqual([])
      saw(
        'What was planted could be seen in the home folder of its own box; that of the next step and of the test boxes was empty again.',
      )
    },
  )

  attack(
    'A057 the policy’s own file',
    'Commit and write a cofferdam.yaml that opens everything, in the repository and in the box.',
    async ({ saw }) => {
      const open = 'policy:\n  readonly: [config.yaml, .env]\n  open: [.github/workflows]\nrepositories: {}\n'
      const repo = aRepository({
        'cofferdam.yaml': open,
        '.cofferdam/policy.yaml': open,
        '.github/workflows/ci.yml': 'on: push\n',
        '.env': 'SECRET=1\n',
      })
      const task = await plane.run({
        repo,
        argv: sh(`mkdir -p ~/.config/cofferdam; cp cofferdam.yaml ~/.config/cofferdam/; printf '${open.replaceAll('\n', '\\n')}' > cofferdam.yaml; echo '# more' >> cofferdam.yaml
          (echo evil > .github/workflows/ci.yml); (echo evil > .env); [ -s .env ] && echo "READ $(cat .env)"
          if [ -e second ]; then echo TASK_STATE: DONE; else echo x > second; echo TASK_STATE: CONTINUE; fi`),
      })
      expect(task.status).toBe('APPLIED')
      const logs = (await plane.client.logs(task.id, 1)) + (await plane.client.logs(task.id, 2))
      expect(logs).not.toContain('READ')
      expect(git(repo, 'show', `${task.branch}:.github/workflows/ci.yml`)).toBe('on: push\n')
      expect(git(repo, 'show', `${task.branch}:.env`)).toBe('SECRET=1\n')
      expect((await plane.client.task(task.id)).policyHash).toBe(task.policyHash)
      saw('Both steps ran under the policy that the task was submitted with; neither file opened anything.')
      expect(existsSync(join(repo, '.workspace'))).toBe(false)
      expect(readdirSync(repo)).not.toContain('data')
      expect(readFileSync(join(repo, 'cofferdam.yaml'), 'utf8')).toBe(open)
    },
  )
})

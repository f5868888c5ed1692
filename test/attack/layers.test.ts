import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { sh } from '../support/plane.ts'
import { user } from '../worktree/lab.ts'
import { attack } from './attack.ts'
import { printOf } from './host.ts'
import type { Answers } from './probe.ts'
import { openStage, type Stage } from './stage.ts'

// Each of the three layers by itself, with the other two switched off.

const files = {
  '.env': 'SECRET=1\n',
  'config/config.yaml': 'secret: 1\n',
  'config/open.txt': 'open\n',
  'src/code.txt': 'code\n',
  'AGENTS.md': 'Be good.\n',
  '.github/workflows/ci.yml': 'on: push\n',
}

interface Violation {
  readonly name: string
  /** As a shell command in `/work`, which fails where the mounts hold; null where no mount can. */
  readonly inBox: string | null
  /** The same done to the tree on disk, where no mount is. */
  readonly onHost: (tree: string) => void
  /** What verifier and gate have to name. */
  readonly path: string
  /** False where git objects cannot show it. */
  readonly gate: boolean
}

function put(tree: string, path: string, content = 'evil\n'): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  rmSync(join(tree, path), { force: true })
  writeFileSync(join(tree, path), content)
}

const table: readonly Violation[] = [
  {
    name: 'write a denied file that the base has',
    inBox: 'echo evil > .env',
    onHost: (tree) => put(tree, '.env'),
    path: '.env',
    gate: true,
  },
  {
    name: 'write one in a folder',
    inBox: 'echo evil > config/config.yaml',
    onHost: (tree) => put(tree, 'config/config.yaml'),
    path: 'config/config.yaml',
    gate: true,
  },
  {
    name: 'make a denied file that nobody had',
    inBox: 'echo evil > config.yaml',
    onHost: (tree) => put(tree, 'config.yaml'),
    path: 'config.yaml',
    gate: true,
  },
  {
    name: 'make one in a new folder',
    inBox: null,
    onHost: (tree) => put(tree, 'new/deep/.env'),
    path: 'new/deep/.env',
    gate: true,
  },
  {
    name: 'make one in capitals',
    inBox: null,
    onHost: (tree) => put(tree, 'src/Config.YAML'),
    path: 'src/Config.YAML',
    gate: true,
  },
  {
    name: 'make a symlink of that name',
    inBox: 'ln -sf /etc/passwd .env',
    onHost: (tree) => symlinkSync('/etc/passwd', join(tree, '.env')),
    path: '.env',
    gate: true,
  },
  {
    name: 'change a readonly file',
    inBox: 'echo evil >> AGENTS.md',
    onHost: (tree) => put(tree, 'AGENTS.md'),
    path: 'AGENTS.md',
    gate: true,
  },
  {
    name: 'remove a readonly file',
    inBox: 'rm AGENTS.md',
    onHost: (tree) => unlinkSync(join(tree, 'AGENTS.md')),
    path: 'AGENTS.md',
    gate: true,
  },
  {
    name: 'make a readonly file executable',
    inBox: 'chmod +x AGENTS.md',
    onHost: (tree) => execFileSync('chmod', ['755', join(tree, 'AGENTS.md')]),
    path: 'AGENTS.md',
    gate: true,
  },
  {
    name: 'replace a readonly file',
    inBox: 'echo evil > n; mv -f n AGENTS.md',
    onHost: (tree) => put(tree, 'AGENTS.md', 'other\n'),
    path: 'AGENTS.md',
    gate: true,
  },
  {
    name: 'add to a readonly folder',
    inBox: 'echo evil > .github/workflows/new.yml',
    onHost: (tree) => put(tree, '.github/workflows/new.yml'),
    path: '.github/workflows/new.yml',
    gate: true,
  },
  {
    name: 'move a readonly folder away',
    inBox: 'mv .github moved',
    onHost: (tree) => renameSync(join(tree, '.github'), join(tree, 'moved')),
    path: '.github/workflows/ci.yml',
    gate: true,
  },
  {
    name: 'make a readonly name that nobody had',
    inBox: null,
    onHost: (tree) => put(tree, '.vscode/tasks.json'),
    path: '.vscode/tasks.json',
    gate: true,
  },
  {
    name: 'rewrite the .git pointer',
    inBox: 'echo "gitdir: /evil" > .git',
    onHost: (tree) => put(tree, '.git', 'gitdir: /evil\n'),
    path: '.git',
    gate: false,
  },
  {
    name: 'make a nested repository',
    inBox: null,
    onHost: (tree) => put(tree, 'src/.git/config'),
    path: 'src/.git',
    gate: false,
  },
]

describe('one layer at a time', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(files)
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  const restored = async (): Promise<void> => stage.worktrees.restore(stage.task, stage.task.base.commit)
  const doOnHost = ({ onHost }: Violation): void => {
    onHost(stage.worktree)
    execFileSync('chown', ['-hR', `${user.uid}:${user.gid}`, stage.worktree])
  }

  attack(
    'A108 the mount plan alone',
    `Without verifier and gate, commit the violations that a mount can stop in a box: ${table.flatMap(({ name, inBox }) => (inBox === null ? [] : [name])).join(', ')}.`,
    async ({ saw }) => {
      await restored()
      const before = printOf(stage.worktree)
      const able = table.filter(({ inBox }) => inBox !== null)
      const answers: Answers = await stage.probe({
        ...(Object.fromEntries(able.map(({ name, inBox }) => [`try ${name}`, inBox])) as Record<
          string,
          string
        >),
        tidy: 'rm -rf n moved',
      })
      saw(answers.refused('try '))
      expect(printOf(stage.worktree)).toEqual(before)
      saw('The tree on the host, which nobody verified, is as before.')
    },
  )

  attack(
    'A109 the verifier alone',
    'Without any mount, make every violation of the table in the tree on the host, one at a time, and ask the verifier.',
    async ({ saw }) => {
      await restored()
      const clean = Object.keys(printOf(stage.worktree))
      for (const violation of table) {
        doOnHost(violation)
        const found = await stage.worktrees.verify(stage.task, stage.task.base.commit)
        expect([violation.name, found.map(({ path }) => path)]).toEqual([
          violation.name,
          expect.arrayContaining([violation.path]),
        ])
        expect(found.every(({ rule }) => rule !== '')).toBe(true)
        await restored()
        expect(await stage.worktrees.verify(stage.task, stage.task.base.commit)).toEqual([])
        expect(Object.keys(printOf(stage.worktree))).toEqual(clean)
      }
      saw(`It named path and rule of all ${table.length}, and a restore undid each.`)
    },
  )

  attack(
    'A110 the gate on the git diff alone',
    'Without any mount and without asking the verifier, make every violation that git objects can show, and ask for a commit.',
    async ({ saw }) => {
      const seen: string[] = []
      for (const violation of table) {
        await restored()
        doOnHost(violation)
        const result = await stage.worktrees.candidate(stage.task, stage.task.base.commit, 'An attack')
        if (violation.gate) {
          const paths = result.kind === 'refused' ? result.violations.map(({ path }) => path) : []
          // A denied path that the base holds is put back from the base, so its commit would not hold the change at all.
          const harmless =
            result.kind === 'made' &&
            (!result.changed || result.leftOut.some(({ path }) => path === violation.path))
          expect([violation.name, paths.includes(violation.path) || harmless]).toEqual([violation.name, true])
          seen.push(`${violation.name}: ${harmless ? 'not in the commit' : 'refused'}`)
        } else {
          expect([violation.name, result.kind]).toEqual([violation.name, 'made'])
          expect(result.kind === 'made' && result.changed).toBe(false)
          seen.push(`${violation.name}: nothing of it is in a commit`)
        }
      }
      await restored()
      saw(`${seen.join('; ')}.`)
      expect((await stage.run(sh('true'))).end).toBe('exited')
    },
  )
})

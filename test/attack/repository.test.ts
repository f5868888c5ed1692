import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { Failure } from '../../src/domain/failure.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { attack } from './attack.ts'
import { openMarkers, printOf } from './host.ts'

// What a repository, its setup and its tests bring along against the host.

const secret = 'hunter2-is-the-secret'
let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

/** Adds a file to a repository's next commit under any name and mode, also such as git would not take from a disk. */
function plant(repo: string, mode: string, name: Buffer | string, content: string): void {
  const hash = (text: string): string =>
    execFileSync('git', ['-C', repo, 'hash-object', '-w', '--stdin'], {
      input: text,
      encoding: 'utf8',
    }).trim()
  const id = mode === '160000' ? '1'.repeat(40) : hash(content)
  const input = Buffer.concat([Buffer.from(`${mode} ${id}\t`), Buffer.from(name), Buffer.from([0])])
  execFileSync('git', ['-C', repo, 'update-index', '-z', '--index-info'], { input })
}

attack(
  'A120 hostile content of a repository',
  'Register repositories whose commits hold names with newlines, escape codes and no UTF-8, names that differ in case, guarded names under such folders, gitlinks in odd places, and symlinks named .gitignore, .gitattributes and .gitmodules that lead to the host.',
  async ({ saw }) => {
    using marks = openMarkers()
    const decoy = join(marks.folder, 'decoy')
    mkdirSync(decoy)
    writeFileSync(join(decoy, 'ignore'), '*\n')
    const before = printOf(decoy)
    const escape = String.fromCodePoint(27)
    interface Row {
      readonly fill: (repo: string) => void
      /** The task's end and what it says; nothing where it is done, and its branch changes what the agent changed. */
      readonly not?: readonly [end: 'refused' | 'BLOCKED', text: RegExp]
    }
    const rows: Readonly<Record<string, Row>> = {
      'names with newlines and escape codes': {
        fill: (repo) => {
          for (const name of ['line\nbreak.txt', `${escape}[2J.txt`, `dir\n/${escape}]0;x.txt`])
            plant(repo, '100644', name, 'x')
          plant(repo, '100644', `${escape}[31m/.env`, secret)
        },
      },
      'names without UTF-8': {
        fill: (repo) => {
          plant(repo, '100644', Buffer.from([0xff, 0xfe]), 'x')
          plant(repo, '100644', Buffer.from([...Buffer.from('bad'), 0xff, ...Buffer.from('/x.txt')]), 'x')
        },
      },
      'guarded names in a folder without a UTF-8 name': {
        fill: (repo) => {
          plant(repo, '100644', Buffer.from([0xff, ...Buffer.from('/AGENTS.md')]), 'x')
          plant(repo, '100644', Buffer.from([0xff, ...Buffer.from('/.env')]), secret)
        },
        not: ['refused', /no UTF-8 .*: rename "\\377\/\.env", "\\377\/AGENTS\.md" in a commit/],
      },
      'names that differ in case': {
        fill: (repo) => {
          for (const name of ['A.txt', 'a.txt', 'Dir/x', 'dir/x', 'DIR/x']) plant(repo, '100644', name, 'x')
          for (const name of ['.Env', 'Config.Yaml']) plant(repo, '100644', name, secret)
        },
      },
      gitlinks: {
        fill: (repo) => {
          for (const name of ['sub', 'src', '-u', 'x/.claude', '.github']) plant(repo, '160000', name, '')
          plant(
            repo,
            '100644',
            '.gitmodules',
            `[submodule "sub"]\n\tpath = ../../outside\n\turl = ext::sh -c "${marks.leave('ext')}"\n\tupdate = !${marks.leave('update')}\n`,
          )
        },
      },
      'symlinks with names that git reads': {
        fill: (repo) => {
          plant(repo, '120000', '.gitignore', join(decoy, 'ignore'))
          plant(repo, '120000', '.gitattributes', '/etc/passwd')
          plant(repo, '120000', '.gitmodules', '/etc/passwd')
          plant(repo, '120000', '.github', decoy)
          plant(repo, '120000', '.claude', decoy)
          plant(repo, '120000', 'AGENTS.md', '/etc/passwd')
          plant(repo, '120000', 'package.json', '/etc/passwd')
          plant(repo, '120000', '.env', '/etc/shadow')
        },
      },
      'deep and long names': {
        fill: (repo) => {
          plant(repo, '100644', `${'d/'.repeat(1500)}x`, 'x')
          plant(repo, '100644', 'n'.repeat(255), 'x')
        },
      },
    }
    const argv = sh(`echo work > work.txt; grep -ra ${secret} /work && echo LEAK; echo looked`)
    for (const [name, { fill, not }] of Object.entries(rows)) {
      const repo = aRepository()
      fill(repo)
      git(repo, 'commit', '-q', '-m', 'Hostile')
      const task = await plane.run({ repo, argv }).catch((error: unknown) => {
        if (error instanceof Failure && error.code === 'repository') return error
        throw error
      })
      const [end, text] =
        task instanceof Failure ? ['refused', task.message] : [task.status, task.halt?.text ?? '']
      expect([name, end, text]).toEqual([name, ...(not ?? ['APPLIED', '']).map(matching)])
      if (!(task instanceof Failure)) {
        const log = await plane.client.logs(task.id, 1)
        expect([name, log.includes('looked'), log.includes('LEAK')]).toEqual([name, true, false])
        const changed = git(repo, 'for-each-ref', '--format=%(refname)', `refs/heads/${task.branch}`)
          .split('\n')
          .filter(Boolean)
          .map((branch) => git(repo, 'diff', '--name-only', '-z', 'main', branch))
        expect([name, changed]).toEqual([name, end === 'APPLIED' ? ['work.txt\0'] : []])
      }
      expect([name, printOf(decoy)]).toEqual([name, before])
      saw(
        end === 'APPLIED'
          ? `${name}: done, and the branch changes work.txt alone.`
          : `${name}: ${end}, ${text
              .replaceAll(repo, 'the repository')
              .replaceAll(/[^ -~]/g, '?')
              .slice(0, 240)}.`,
      )
    }
    expect(marks.found()).toEqual(['decoy'])
    saw('Nothing ran on the host, and the folder that the symlinks led to is untouched.')
  },
  120,
)

function matching(expected: string | RegExp): unknown {
  return typeof expected === 'string' ? expected : expect.stringMatching(expected)
}

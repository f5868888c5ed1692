import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
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
    const cases: Readonly<Record<string, (repo: string) => void>> = {
      'names with newlines and escape codes': (repo) => {
        for (const name of [
          'line\nbreak.txt',
          `${escape}[2J.txt`,
          `dir\n/${escape}]0;x.txt`,
          `${escape}[31m/.env`,
        ])
          plant(repo, '100644', name, 'x')
      },
      'names without UTF-8': (repo) => {
        plant(repo, '100644', Buffer.from([0xff, 0xfe]), 'x')
        plant(repo, '100644', Buffer.from([...Buffer.from('bad'), 0xff, ...Buffer.from('/x.txt')]), 'x')
      },
      'guarded names in a folder without a UTF-8 name': (repo) => {
        plant(repo, '100644', Buffer.from([0xff, ...Buffer.from('/AGENTS.md')]), 'x')
        plant(repo, '100644', Buffer.from([0xff, ...Buffer.from('/.env')]), secret)
      },
      'names that differ in case': (repo) => {
        for (const name of ['A.txt', 'a.txt', 'Dir/x', 'dir/x', 'DIR/x', '.Env', 'Config.Yaml'])
          plant(repo, '100644', name, secret)
      },
      gitlinks: (repo) => {
        for (const name of ['sub', 'src', '-u', 'x/.claude', '.github']) plant(repo, '160000', name, '')
        plant(
          repo,
          '100644',
          '.gitmodules',
          `[submodule "sub"]\n\tpath = ../../outside\n\turl = ext::sh -c "${marks.leave('ext')}"\n\tupdate = !${marks.leave('update')}\n`,
        )
      },
      'symlinks with names that git reads': (repo) => {
        plant(repo, '120000', '.gitignore', join(decoy, 'ignore'))
        plant(repo, '120000', '.gitattributes', '/etc/passwd')
        plant(repo, '120000', '.gitmodules', '/etc/passwd')
        plant(repo, '120000', '.github', decoy)
        plant(repo, '120000', '.claude', decoy)
        plant(repo, '120000', 'AGENTS.md', '/etc/passwd')
        plant(repo, '120000', 'package.json', '/etc/passwd')
        plant(repo, '120000', '.env', '/etc/shadow')
      },
      'deep and long names': (repo) => {
        plant(repo, '100644', `${'d/'.repeat(1500)}x`, 'x')
        plant(repo, '100644', 'n'.repeat(255), 'x')
      },
    }
    const seen: string[] = []
    for (const [name, fill] of Object.entries(cases)) {
      const repo = aRepository()
      fill(repo)
      git(repo, 'commit', '-q', '-m', 'Hostile')
      const outcome = await plane
        .run({ repo, argv: sh(`echo work > work.txt; grep -ra ${secret} /work && echo LEAK; true`) })
        .then(
          (task) => task,
          (error: unknown) => String(error),
        )
      if (typeof outcome === 'string')
        seen.push(`${name}: refused (${outcome.replaceAll(/[^ -~]/g, '?').slice(0, 160)})`)
      else {
        expect([name, outcome.status]).toEqual([name, expect.stringMatching(/APPLIED|BLOCKED|FAILED/)])
        // Case folding makes these denied; everything else that holds the word is denied by name.
        if (name !== 'names that differ in case')
          expect(await plane.client.logs(outcome.id, 1)).not.toContain('LEAK')
        if (outcome.status === 'APPLIED') {
          const changed = git(repo, 'diff', '--name-only', '-z', 'main', outcome.branch)
            .split('\0')
            .filter(Boolean)
          expect([name, changed]).toEqual([name, ['work.txt']])
          seen.push(`${name}: done, and the branch changes work.txt alone`)
        } else
          seen.push(
            `${name}: ${outcome.status}, ${outcome.halt?.text.replaceAll(/[^ -~]/g, '?').slice(0, 160) ?? ''}`,
          )
      }
      expect(printOf(decoy)).toEqual(before)
    }
    expect(marks.found()).toEqual(['decoy'])
    saw(`${seen.join('; ')}.`)
    saw('Nothing ran on the host, and the folder that the symlinks led to is untouched.')
  },
  120,
)

attack(
  'A121 what setup leaves behind',
  'Let a setup command plant programs named like those that the host calls, symlinks to the host, hooks and set-uid files in node_modules, and let the agent write there.',
  async ({ saw }) => {
    using marks = openMarkers()
    const decoy = join(marks.folder, 'decoy')
    mkdirSync(decoy)
    writeFileSync(join(decoy, 'x'), 'x')
    const before = printOf(decoy)
    const repo = aRepository({ '.gitignore': 'node_modules/\nvendor\n', 'package.json': '{"name":"x"}\n' })
    const program = `printf '#!/bin/sh\\n${marks.leave('ran')}\\n'`
    const task = await plane.run({
      repo,
      setup: `mkdir -p node_modules/.bin node_modules/pkg/.git/hooks node_modules/.github; for f in git node npm docker sh prettier tsc setpriv rm chown; do ${program} > node_modules/.bin/$f; chmod 6755 node_modules/.bin/$f; done
        ln -s ${decoy} node_modules/evil; ln -s / node_modules/root; ln -s ${decoy} vendor; ${program} > node_modules/pkg/.git/hooks/post-checkout; mkfifo node_modules/pipe; printf '[core]\\n\\tfsmonitor = ${marks.leave('fsmonitor')}\\n' > node_modules/pkg/.git/config`,
      argv: sh(
        `if [ -e second ]; then [ -e node_modules/planted ] && echo STAYED; echo TASK_STATE: DONE; else echo evil > node_modules/planted; echo evil > node_modules/.bin/git; rm -rf node_modules/pkg; ls node_modules/evil/ && echo REACHED; echo x > second; echo TASK_STATE: CONTINUE; fi`,
      ),
      test: 'echo evil > node_modules/from-test; ! ls node_modules/evil/x',
      yes: true,
    })
    const logs = (await plane.client.logs(task.id, 1)) + (await plane.client.logs(task.id, 2))
    expect(logs).not.toMatch(/STAYED|REACHED/)
    expect(printOf(decoy)).toEqual(before)
    expect(marks.found()).toEqual(['decoy'])
    saw(
      `The task ended ${task.status}${task.halt === null ? '' : ` (${task.halt.text})`}. No program of it ran on the host, its symlinks led nowhere in the box, and the next step saw nothing of what the agent had written there.`,
    )
    await plane.client.act(task.id, { act: 'stop', text: null }).catch(() => undefined)
    await plane.client.act(task.id, { act: 'discard' })
    expect(existsSync(join(plane.config.dataFolder, 'setups', task.id))).toBe(false)
    expect(printOf(decoy)).toEqual(before)
    saw('A discard removed all of it, and nothing through its symlinks.')
  },
  60,
)

attack(
  'A122 attack the test box through the candidate',
  'Commit a test that looks for denied files, credentials and a network, writes into the tree and what setup left, and leaves processes behind.',
  async ({ saw }) => {
    const repo = aRepository({
      '.env': `KEY=${secret}\n`,
      'config/config.yaml': secret,
      '.gitignore': 'node_modules/\n',
    })
    const test = `grep -ra ${secret} / --include=.env --include=config.yaml 2>/dev/null && echo LEAK; env | grep -iE 'token|secret|password|api_key' && echo LEAK
      git log -p --all 2>/dev/null | grep -a ${secret} && echo LEAK; ls -A /cofferdam; ls /cofferdam/git /cofferdam/attempt /cofferdam/channel 2>/dev/null && echo MORE
      echo evil > planted.txt; echo evil > node_modules/planted; echo evil > .env; rm -f work.txt; tail -n +3 /proc/net/dev | grep -v lo: && echo CARD
      (setsid sleep 300 &) ; true`
    const task = await plane.run({
      repo,
      setup: 'mkdir -p node_modules; echo x > node_modules/x',
      argv: sh(
        'if [ -e second ]; then ls -A . node_modules; [ -e planted.txt ] && echo STAYED; [ -e node_modules/planted ] && echo STAYED; echo TASK_STATE: DONE; else echo x > second; echo x > work.txt; echo TASK_STATE: CONTINUE; fi',
      ),
      test,
      yes: true,
    })
    expect([task.status, task.outcome]).toEqual(['APPLIED', 'tested'])
    const logs =
      (await plane.client.logs(task.id, null)) +
      (await plane.client.logs(task.id, 1)) +
      (await plane.client.logs(task.id, 2))
    expect(logs.match(/^(?:LEAK|MORE|CARD|STAYED)$/m)).toBeNull()
    expect(git(repo, 'ls-tree', '-r', '--name-only', task.branch).trim().split('\n').sort()).toEqual([
      '.env',
      '.gitignore',
      'config/config.yaml',
      'second',
      'work.txt',
    ])
    expect(git(repo, 'show', `${task.branch}:.env`)).toContain(secret)
    expect(readdirSync(join(plane.config.dataFolder, 'tasks', task.id)).sort()).toEqual([
      '.git',
      '.gitignore',
      'second',
      'work.txt',
    ])
    saw(
      'The tests found no denied content, no credential, no card and neither git, prompt nor channel; what they wrote and removed reached neither the commit nor the next step.',
    )
  },
)

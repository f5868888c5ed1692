import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { foreignPaths } from '../support/docker.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { attack } from './attack.ts'
import { openMarkers, printOf } from './host.ts'
import { user } from '../worktree/lab.ts'

// What setup and tests of a repository bring along against the host.

const secret = 'hunter2-is-the-secret'
let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

attack(
  'A121 what setup leaves behind',
  'Let a setup command plant programs named like those that the host calls, symlinks to the host, hooks and set-uid files in node_modules, and let agent and test write there.',
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
        // In one stream: what comes out of two has no order.
        `exec 2>&1; grep -c touch node_modules/.bin/git; ls -d node_modules/pkg/.git/hooks; ls node_modules/evil/ vendor/ 2>&1 && echo REACHED
        if [ -e second ]; then ls node_modules/planted node_modules/from-test && echo STAYED; echo SECOND; echo TASK_STATE: DONE; else echo evil > node_modules/planted && echo PLANTED; echo evil > node_modules/.bin/git; rm -rf node_modules/pkg; echo x > second; echo TASK_STATE: CONTINUE; fi`,
      ),
      test: 'echo evil > node_modules/from-test && ! ls node_modules/evil/x',
      yes: true,
    })
    expect([task.status, task.halt, task.outcome, task.spent.steps]).toEqual(['APPLIED', null, 'tested', 2])
    const [first, second] = [await plane.client.logs(task.id, 1), await plane.client.logs(task.id, 2)]
    // Each began with what setup had left, whole, and with nothing more.
    for (const log of [first, second])
      expect(log).toMatch(/^1\nnode_modules\/pkg\/\.git\/hooks\nls: .*evil\/.*\nls: .*vendor\/.*\n/m)
    expect([first.includes('PLANTED'), second.includes('SECOND')]).toEqual([true, true])
    expect(first + second).not.toMatch(/STAYED|REACHED/)
    const { dataFolder } = plane.config
    const kept = join(dataFolder, 'setups', task.id, 'kept')
    expect(lstatSync(join(kept, 'node_modules/.bin/git')).isFile()).toBe(true)
    expect(foreignPaths(kept, user.uid)).toBe('')
    expect(lstatSync(dataFolder).mode & 0o077).toBe(0)
    expect(printOf(decoy)).toEqual(before)
    expect(marks.found()).toEqual(['decoy'])
    saw(
      'The task was done in two steps. No program of it ran on the host, its symlinks led nowhere in the box, and the next step saw setup as it was and nothing of what agent and test had written there.',
    )
    saw(
      'On the host its set-uid programs belong to the user of the boxes, in a folder that no other user can enter.',
    )
    await plane.client.act(task.id, { act: 'discard' })
    expect(existsSync(join(dataFolder, 'setups', task.id))).toBe(false)
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

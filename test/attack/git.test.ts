import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { parseTaskRequest } from '../../src/domain/intake.ts'
import type { Task } from '../../src/domain/task.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git, layOut } from '../support/repository.ts'
import { attack } from './attack.ts'
import { openMarkers, printOf, type Markers } from './host.ts'
import { openStage } from './stage.ts'

let plane: TestPlane
beforeAll(async () => {
  plane = await openTestPlane()
})
afterAll(() => plane.close())

describe('what an agent does to git in its box', () => {
  let marks: Markers
  let repo: string
  let task: Task
  let before: Record<string, string>
  let mirrorBefore: string
  let log: string

  beforeAll(async () => {
    marks = openMarkers()
    repo = aRepository({
      'a.txt': 'a\n',
      'b.bin': 'b\n',
      '.gitattributes': '*.bin -text\n',
      'old.txt': 'old\n',
    })
    before = printOf(repo)
    mirrorBefore = git(repo, 'rev-list', '--objects', '--all')
    const hook = (name: string): string => `#!/bin/sh\n${marks.leave(name)}\n`
    const config = [
      `[core]\n\tfsmonitor = ${marks.leave('fsmonitor')}\n\tsshCommand = ${marks.leave('ssh')}\n\tpager = ${marks.leave('pager')}\n\teditor = ${marks.leave('editor')}\n\thooksPath = /work/hooks\n\taskPass = ${marks.leave('askpass')}\n\tworktree = /\n\talternateRefsCommand = ${marks.leave('alternates')}`,
      `[alias]\n\tstatus = !${marks.leave('alias')}\n\tcat-file = !${marks.leave('alias2')}`,
      `[credential]\n\thelper = !${marks.leave('credential')}`,
      `[filter "evil"]\n\tclean = ${marks.leave('clean')}\n\tsmudge = ${marks.leave('smudge')}\n\tprocess = ${marks.leave('process')}\n\trequired = true`,
      `[diff]\n\texternal = ${marks.leave('external')}\n[diff "evil"]\n\ttextconv = ${marks.leave('textconv')}\n\tcommand = ${marks.leave('diffcommand')}`,
      `[merge "evil"]\n\tdriver = ${marks.leave('merge')}\n[rebase]\n\tinstructionFormat = $(${marks.leave('rebase')})`,
      `[gpg]\n\tprogram = ${marks.leave('gpg')}\n[commit]\n\tgpgSign = true`,
      `[include]\n\tpath = /work/included\n[receive]\n\tprocReceiveRefs = refs`,
    ].join('\n')
    // Two steps and a test, so that the host verifies, commits, restores, tests, diffs and hands over after each of these.
    const script = `
      exec 2>&1 # what is said stays in the order in which it was said
      echo "@ A035"; for h in post-checkout post-commit pre-commit reference-transaction post-index-change pre-auto-gc; do
        mkdir -p .git/hooks; printf %s '${hook('hook')}' > .git/hooks/$h; chmod +x .git/hooks/$h
        mkdir -p hooks /cofferdam/git/hooks; printf %s '${hook('boxhook')}' | tee hooks/$h > /cofferdam/git/hooks/$h; chmod +x hooks/$h /cofferdam/git/hooks/$h
      done
      echo "@ A036"; printf %s "$CONFIG" >> .git/config; printf %s "$CONFIG" >> /cofferdam/git/config; printf %s "$CONFIG" > included
      printf %s "$CONFIG" > /cofferdam/git/config.worktree; echo ../evil > /cofferdam/git/commondir
      echo "@ A037"; (echo "gitdir: /work/fake" > .git); mv .git x; rm -f .git; cp -r /cofferdam/git fake; printf %s "$CONFIG" > fake/config
      rm -rf fake/hooks fake/objects fake/HEAD
      echo "@ A039"; printf '* filter=evil diff=evil merge=evil\\n' > .gitattributes; mkdir -p /cofferdam/git/info; cp .gitattributes /cofferdam/git/info/attributes
      echo changed > b.bin; echo changed >> a.txt
      echo "@ A042"; printf '[submodule "s"]\\n\\tpath = s\\n\\turl = ext::sh -c "${marks.leave('ext')}"\\n' > .gitmodules
      mkdir -p /cofferdam/git/modules/s/hooks; printf %s '${hook('module')}' > /cofferdam/git/modules/s/hooks/post-checkout; chmod +x /cofferdam/git/modules/s/hooks/post-checkout
      echo "@ A045"; rm -rf /cofferdam/git/refs /cofferdam/git/packed-refs /cofferdam/git/HEAD; echo '/cofferdam/../../../../' > /cofferdam/git/objects/info/alternates 2>/dev/null
      rm -rf /cofferdam/git/objects/*; echo "@ end"
      if [ -e second ]; then echo TASK_STATE: DONE; else echo x > second; echo TASK_STATE: CONTINUE; fi`
    const argv = ['env', `CONFIG=${config}`, ...sh(script)]
    task = await plane.run({ repo, argv, test: 'git status >/dev/null 2>&1; true', yes: true })
    log = await plane.client.logs(task.id, 1)
    await plane.client.diff(task.id, null)
    await plane.client.diff(task.id, 1)
  })
  afterAll(() => marks[Symbol.dispose]())

  const nothingRan = (): string => {
    expect(marks.found()).toEqual([])
    const ended = [task.status, task.halt?.text, task.spent.steps, log.includes('@ end')]
    expect(ended).toEqual(['APPLIED', undefined, 2, true])
    return 'The host verified, committed, restored, tested, diffed and handed over two steps of it: nothing of it ran on the host.'
  }
  const part = (number: string): string => log.split(`@ ${number}\n`)[1]?.split('\n@ ')[0] ?? ''

  attack(
    'A035 write a git hook',
    'Write hooks into .git, into the private repository and into the tree.',
    async ({ saw }) => {
      expect(part('A035')).toMatch(/Not a directory/)
      expect(readdirSync(join(repo, '.git/hooks')).filter((name) => !name.endsWith('.sample'))).toEqual([])
      saw(
        '`.git` in the box is a file, so nothing could be written below it; the repository of the host has no new hook.',
      )
      saw(nothingRan())
    },
  )

  attack(
    'A036 settings that run programs',
    'Set fsmonitor, sshCommand, pager, editor, askPass, aliases, credential helper, hooksPath, includes and worktree in the configuration of the box’s repository.',
    async ({ saw }) => {
      expect(part('A036')).toMatch(/Not a directory|nonexistent/)
      expect(printOf(repo)[join('.git', 'config')]).toBe(before[join('.git', 'config')])
      saw('The configuration of the host’s repository is byte for byte as before.')
      saw(nothingRan())
    },
  )

  attack(
    'A037 the .git pointer',
    'Rewrite, move and remove the `.git` file, and prepare a repository for it to lead to.',
    async ({ saw }) => {
      expect(part('A037').match(/read-only|busy|permission/gi)?.length).toBeGreaterThanOrEqual(3)
      expect(readFileSync(join(plane.config.dataFolder, 'tasks', task.id, '.git'), 'utf8')).toContain(
        plane.config.dataFolder,
      )
      saw(
        'In the box the pointer could not be written, moved or removed; on the host it still leads to the recorded place.',
      )
      saw(nothingRan())
    },
  )

  attack(
    'A039 filters by .gitattributes',
    'Give every file a filter with clean, smudge and process.',
    async ({ saw }) => {
      saw(nothingRan())
      expect(git(repo, 'show', `${task.branch}:b.bin`)).toBe('changed\n')
      saw('The commit holds the bytes that were on disk.')
    },
  )

  attack(
    'A040 textconv and external diff',
    'Give every file a diff driver with textconv and command, and set diff.external.',
    async ({ saw }) => {
      expect(await plane.client.diff(task.id, null)).toContain('+changed')
      saw('`task diff` shows the change as plain git does.')
      saw(nothingRan())
    },
  )

  attack(
    'A042 submodules',
    'Write a .gitmodules with ext::, an update command and options as names, and hooks of a module.',
    async ({ saw }) => {
      expect(git(repo, 'ls-tree', '-r', task.branch)).not.toContain('160000')
      saw('.gitmodules is an ordinary file of the commit; no submodule was made, fetched or entered.')
      saw(nothingRan())
      const modules = `[submodule "s"]\\n\\tpath = s\\n\\turl = ./s\\n\\tupdate = !${marks.leave('update')}\\n[submodule "-u"]\\n\\tpath = -u\\n\\turl = --upload-pack=${marks.leave('upload')}\\n`
      const worse = await plane.run({ repo, argv: sh(`printf '${modules}' > .gitmodules`), yes: true })
      expect([worse.status, worse.halt?.reason]).toEqual(['BLOCKED', 'no_change'])
      const made = (await plane.client.events(worse.id, 0)).find(({ type }) => type === 'candidate_made')
      expect(made?.text).toMatch(/No file changed.*Left out: \.gitmodules \(/)
      expect([git(repo, 'branch', '--list', worse.branch), marks.found()]).toEqual(['', []])
      saw(`One with an update command, and with options as names, was undone alone: ${made?.text ?? ''}`)
    },
  )

  attack(
    'A045 destroy refs and objects',
    'Remove all refs and objects that the box can reach, and point alternates elsewhere.',
    async ({ saw }) => {
      const spare = (path: string): boolean =>
        path.includes('cofferdam') || /^\.git(?:\/(?:objects|refs(?:\/heads)?)(?:\/.*)?)?$/.test(path)
      const now = printOf(repo)
      for (const [path, print] of Object.entries(before))
        if (!spare(path)) expect([path, now[path]]).toEqual([path, print])
      for (const path of Object.keys(before).filter(
        (path) => path.startsWith('.git/objects/') && !/objects\/..$/.test(path),
      ))
        if (!path.endsWith('pack') && !path.endsWith('info'))
          expect([path, now[path]]).toEqual([path, before[path]])
      expect(git(repo, 'fsck', '--strict', '--full')).toBe('')
      expect(git(repo, 'rev-list', '--objects', 'main')).toBe(mirrorBefore)
      saw(
        'Every ref and object of the host’s repository is as before, plus the task’s branch; git fsck finds nothing.',
      )
      saw(nothingRan())
    },
  )
})

describe('what a repository brings along', () => {
  attack(
    'A048 drivers and programs in the repository’s own configuration',
    'Register a repository whose configuration names filters, merge and diff drivers, gpg, askPass, fsmonitor, hooks, aliases and includes, and whose attributes use them.',
    async ({ saw }) => {
      using marks = openMarkers()
      const repo = aRepository({
        'a.txt': 'a\n',
        '.gitattributes': '* filter=evil diff=evil merge=evil\n',
        'sub/b.txt': 'b\n',
      })
      const config: Readonly<Record<string, string>> = {
        'filter.evil.clean': marks.leave('clean'),
        'filter.evil.smudge': marks.leave('smudge'),
        'filter.evil.process': marks.leave('process'),
        'filter.evil.required': 'true',
        'diff.evil.textconv': marks.leave('textconv'),
        'diff.evil.command': marks.leave('command'),
        'diff.external': marks.leave('external'),
        'merge.evil.driver': marks.leave('merge'),
        'rebase.instructionFormat': `$(${marks.leave('rebase')})`,
        'gpg.program': marks.leave('gpg'),
        'commit.gpgSign': 'true',
        'tag.gpgSign': 'true',
        'push.gpgSign': 'if-asked',
        'core.askPass': marks.leave('askpass'),
        'core.fsmonitor': marks.leave('fsmonitor'),
        'core.sshCommand': marks.leave('ssh'),
        'core.pager': marks.leave('pager'),
        'core.hooksPath': join(marks.folder, 'hooks'),
        'credential.helper': `!${marks.leave('credential')}`,
        'alias.status': `!${marks.leave('alias')}`,
        'uploadpack.packObjectsHook': marks.leave('packhook'),
        'core.alternateRefsCommand': marks.leave('altrefs'),
        'protocol.ext.allow': 'always',
      }
      // Written last, and by hand: git itself would run some of it.
      const lines = Object.entries(config).map(([key, value]) => {
        const [section = '', ...rest] = key.split('.')
        const name = rest.at(-1) ?? ''
        const middle = rest.slice(0, -1).join('.')
        return `[${section}${middle === '' ? '' : ` "${middle}"`}]\n\t${name} = "${value.replaceAll('"', '\\"')}"\n`
      })
      const hooks = join(repo, '.git/hooks')
      layOut(repo, { '.git/config': readFileSync(join(repo, '.git/config'), 'utf8') + lines.join('') })
      for (const folder of [hooks, join(marks.folder, 'hooks')])
        for (const hook of [
          'post-checkout',
          'post-receive',
          'pre-receive',
          'update',
          'post-update',
          'reference-transaction',
          'pre-push',
          'post-index-change',
          'push-to-checkout',
          'proc-receive',
        ]) {
          layOut(folder, { [hook]: `#!/bin/sh\n${marks.leave('hook')}\nexit 0\n` })
          execFileSync('chmod', ['755', join(folder, hook)])
        }
      writeFileSync(join(repo, 'dirty.txt'), 'uncommitted')
      const task = await plane.run({
        repo,
        argv: sh('echo b >> a.txt; echo x > x.txt'),
        test: 'grep b a.txt',
        yes: true,
      })
      expect([task.status, task.halt, task.outcome]).toEqual(['APPLIED', null, 'tested'])
      expect(await plane.client.diff(task.id, null)).toMatch(/^\+b$/m)
      expect(marks.found()).toEqual(['hooks'])
      saw('The task was done, tested, shown as a diff and handed over.')
      saw('None of the programs that the repository names, and none of its hooks, ran on the host.')
    },
  )

  attack(
    'A043 .git, .GIT, git~1 and streams in a commit',
    'Register repositories whose commits hold such names, and make them in the box.',
    async ({ saw }) => {
      using marks = openMarkers()
      const { dataFolder } = plane.config
      const tryName = async (name: string): Promise<void> => {
        const repo = aRepository()
        const blob = hashOf(repo, `#!/bin/sh\n${marks.leave('x')}\n`)
        const inner = treeOf(repo, `100755 blob ${blob}\tpost-checkout\n`)
        const hooks = treeOf(repo, `040000 tree ${inner}\thooks\n`)
        const root = rawTree(repo, name, hooks)
        const commit = git(repo, 'commit-tree', '-m', 'evil', root).trim()
        git(repo, 'update-ref', 'refs/heads/main', commit)
        const refusal = plane.submit({ repo, argv: sh('ls -la; echo x > x.txt') })
        await expect(refusal).rejects.toThrow(
          `main of ${repo} holds ${JSON.stringify(`${name}/hooks/post-checkout`)}, of which git makes no checkout (`,
        )
      }
      const ofHooks = (): readonly string[] => namedIn(dataFolder, 'post-checkout')
      const ofTasks = async (): Promise<number> => (await plane.client.tasks({})).length
      const before = [ofHooks(), await ofTasks()]
      const names = ['.git', '.GIT', 'git~1', '.git ', '.git::$INDEX_ALLOCATION', '..', '.']
      await Promise.all(names.map(tryName))
      expect(marks.found()).toEqual([])
      // Not laid out, under that name or another, in any worktree or mirror.
      expect([ofHooks(), await ofTasks()]).toEqual(before)
      saw(
        `Commits with a folder named ${names.map((name) => JSON.stringify(name)).join(', ')}: each refused before there is a task, as git makes no checkout of it. No hook was laid out on the host, and none ran.`,
      )
      await using stage = await openStage({ 'a.txt': 'a\n' })
      await stage.run(
        sh(`for n in .GIT git~1 .Git; do mkdir "$n"; mkdir "$n/hooks"; echo x > "$n/hooks/x"; done; true`),
      )
      const { violations, commit } = await stage.judge()
      expect(commit).toBeNull()
      for (const name of ['.GIT', '.Git', 'git~1']) expect(violations.join('\n')).toContain(name)
      saw(`Made in the box, they are violations: ${violations.join(', ')}.`)
    },
  )

  attack(
    'A044 hostile names of refs',
    'Start from refs with a leading dash, `..`, `@{`, newlines and spaces.',
    async ({ saw }) => {
      const repo = aRepository()
      const refs = [
        '-x',
        '--upload-pack=touch /tmp/x',
        'main..main',
        'main@{0}',
        '@{-1}',
        'a\nb',
        'a b',
        'main^{/x}:',
        ':/x',
        'HEAD:README.md',
        '',
        '../main',
        'refs/heads/../../config',
      ]
      const taken: string[] = []
      for (const ref of refs) {
        const parsed = parseTaskRequest({
          goal: 'x',
          repository: repo,
          ref,
          agent: { name: 'command', argv: ['true'] },
        })
        if (!parsed.ok) continue
        await plane.client.submit(parsed.request).then(
          () => taken.push(ref),
          () => undefined,
        )
      }
      expect(taken).toEqual([])
      saw(`All ${refs.length} were refused, at intake or when the repository was asked.`)
    },
  )
})

/** Paths below a folder that have this last name. */
function namedIn(folder: string, name: string): readonly string[] {
  const found = execFileSync('find', [folder, '-name', name], { encoding: 'utf8' })
  return found.split('\n').filter(Boolean)
}

function hashOf(repo: string, content: string): string {
  return execFileSync('git', ['-C', repo, 'hash-object', '-w', '--stdin'], {
    input: content,
    encoding: 'utf8',
  }).trim()
}

function treeOf(repo: string, lines: string): string {
  return execFileSync('git', ['-C', repo, 'mktree'], { input: lines, encoding: 'utf8' }).trim()
}

/** A tree with one folder of any name: git itself refuses to make some of them. */
function rawTree(repo: string, name: string, folder: string): string {
  const input = Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.from(folder, 'hex')])
  return execFileSync('git', ['-C', repo, 'hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], {
    input,
    encoding: 'utf8',
  }).trim()
}

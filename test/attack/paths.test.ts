import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { parseTaskRequest } from '../../src/domain/intake.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { caseInsensitiveDisk } from './disks.ts'
import { attack } from './attack.ts'
import { leftOnEngine, ownedByOthers, pathsHolding, printOf } from './host.ts'
import { python } from './probe.ts'
import { openStage, type Stage } from './stage.ts'
import { user } from '../worktree/lab.ts'
import { hostileTar, type TarEntry } from './tar.ts'

// What a box leaves in the tree for the host to fall over.

/** What a promise is refused with; a promise that is kept says so. */
async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return String(error)
  }
  throw new Error('it was not refused')
}

const secret = 'hunter2-is-the-secret'
const files = {
  'src/code.txt': 'code\n',
  'out/x.txt': 'x\n',
  'AGENTS.md': 'Be good.\n',
  '.gitignore': 'build/\n',
}

/** A folder of the host beside the worktree, which the host's own writes would reach through a symlink. */
function decoy(stage: Stage): { path: string; print(): Record<string, string> } {
  const path = join(stage.folder, 'decoy')
  mkdirSync(join(path, 'deep'), { recursive: true })
  writeFileSync(join(path, 'shadow'), `root:${secret}\n`)
  execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, path])
  return { path, print: () => printOf(path) }
}

describe('symlinks that wait for the host', () => {
  let stage: Stage
  let bait: ReturnType<typeof decoy>
  let before: Record<string, string>
  beforeAll(async () => {
    stage = await openStage({ ...files, 'tracked/readme.txt': 'x\n' })
    bait = decoy(stage)
    before = bait.print()
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  const failsClosed = async (target: string, saw: (sentence: string) => void): Promise<void> => {
    const { violations } = await (async () => {
      await stage.run(sh(`mkdir -p new && ln -s ${target} new/.env && ls -l new`))
      return stage.judge()
    })()
    expect(violations).toEqual(['created deny new/.env symlink'])
    saw('The verifier names new/.env as a symlink that was created at a denied path.')
    // Even where nobody looked at what the verifier said, the next box is not made.
    await expect(stage.run(sh(`cat new/.env; echo evil > new/.env`))).rejects.toThrow(
      /new\/\.env is a symlink/,
    )
    saw('With the symlink left where it is, the next box is refused and not started.')
    expect(leftOnEngine(stage.installation)).toEqual([])
    expect(bait.print()).toEqual(before)
    await stage.worktrees.restore(stage.task, stage.task.base.commit)
    expect(existsSync(join(stage.worktree, 'new'))).toBe(false)
    saw('Its target on the host is untouched, and a restore takes it away.')
  }

  attack(
    'A009 a denied path that is a symlink to outside',
    'Make a denied path a symlink to a file of the host, so that preparing the next box would mount it.',
    ({ saw }) => failsClosed(join(bait.path, 'shadow'), saw),
  )

  attack(
    'A011 a denied path that is a dangling symlink',
    'Make a denied path a symlink to a file of the host that does not exist, so that a mask would create it.',
    ({ saw }) => failsClosed(join(bait.path, 'not-there'), saw),
  )

  attack(
    'A013 a symlink where the host writes later',
    'Replace tracked and untracked folders by symlinks to a folder of the host; then the host judges, commits, restores and lays out masks for the next box.',
    async ({ saw }) => {
      await stage.run(
        sh(`for f in src out tracked; do rm -rf $f; ln -s ${bait.path} $f; done
          ln -s ${bait.path} build; ln -s ${bait.path}/deep linked; ln -s ${bait.path} AGENTS.md.d`),
      )
      const { commit } = await stage.judge()
      expect(bait.print()).toEqual(before)
      saw('Verifying and committing wrote nothing through the symlinks.')
      const mirror = join(stage.data, 'mirrors', `${stage.task.repository.key}.git`)
      expect(git(mirror, 'ls-tree', '-r', commit ?? '')).not.toContain('shadow')
      expect(pathsHolding(mirror, secret)).toEqual([])
      saw('The commit holds the symlinks as such and nothing of what they lead to.')
      await stage.run(sh('echo evil > src/written; echo evil > linked/written; mkdir -p out/made'))
      expect(bait.print()).toEqual(before)
      await stage.worktrees.restore(stage.task, stage.task.base.commit)
      expect(bait.print()).toEqual(before)
      expect(readFileSync(join(stage.worktree, 'src/code.txt'), 'utf8')).toBe('code\n')
      saw(
        'The next box with its masks, and a restore of all files under them, left the folder on the host as it was.',
      )
    },
  )

  const evil: readonly (readonly [string, readonly TarEntry[]])[] = [
    ['a way up', [{ name: '../escaped', type: '0' }]],
    ['an absolute name', [{ name: '/escaped', type: '0' }]],
    [
      'a file behind a symlink',
      [
        { name: 'l', type: '2', link: '..' },
        { name: 'l/escaped', type: '0' },
      ],
    ],
    [
      'a folder over a symlink',
      [
        { name: 'l', type: '2', link: '..' },
        { name: 'l/', type: '5' },
      ],
    ],
    ['a hard link out', [{ name: 'h', type: '1', link: '../decoy/shadow' }]],
    ['a hard link to an absolute path', [{ name: 'h', type: '1', link: '/etc/passwd' }]],
    ['a device', [{ name: 'd', type: '3' }]],
    ['a fifo', [{ name: 'p', type: '6' }]],
  ]
  attack(
    'A015 a hostile tar',
    `Hand back a worktree as a tar with ${evil.map(([name]) => name).join(', ')}.`,
    async ({ saw }) => {
      const tree = printOf(stage.worktree)
      for (const [name, entries] of evil) {
        const tar = hostileTar([{ name: 'good.txt', type: '0' }, ...entries])
        const unpacked = stage.worktrees.materials(stage.task).unpack({ kind: 'worktree', path: '' }, tar)
        expect([name, await refusalOf(unpacked)]).toEqual([
          name,
          expect.stringMatching(/What the engine handed back is refused/),
        ])
        expect(printOf(stage.worktree)).toEqual(tree)
      }
      expect(bait.print()).toEqual(before)
      await stage.worktrees.sweep(new Set())
      expect(pathsHolding(stage.data, 'evil')).toEqual([])
      saw(
        `All ${evil.length} archives were refused as a whole; worktree and host are as before, and no half-unpacked file is left.`,
      )
    },
  )
})

describe('what is left in the tree', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(files)
  })
  beforeEach(async () => stage.worktrees.restore(stage.task, stage.task.base.commit))
  afterAll(async () => stage[Symbol.asyncDispose]())

  attack(
    'A017 stubs and foreign files after a step',
    'After a box with many masks, look for placeholders, files of root and changes that git sees.',
    async ({ saw }) => {
      const before = printOf(stage.worktree)
      await stage.run(sh('ls -la; touch .env config.yaml .workspace 2>/dev/null; true'))
      expect(printOf(stage.worktree)).toEqual(before)
      expect(ownedByOthers(stage.worktree, [user.uid]).filter((path) => path !== '.git')).toEqual([])
      expect(git(stage.repo, 'status', '--porcelain', '--ignored')).toBe('')
      saw(
        'The worktree is byte for byte, inode for inode as before the box; no file in it is root’s; git status in the repository is empty.',
      )
    },
  )

  attack(
    'A101 spellings of denied names, judged on any disk',
    'Write names that a case-insensitive or normalising disk would take for denied ones: `.ENV`, `.eNv`, `.Git/hooks/x`, `.GIT`, `git~1`, a decomposed `é`, zero-width letters, trailing dots and spaces, an NTFS stream.',
    async ({ saw }) => {
      const names = [
        '.ENV',
        'src/.eNv',
        'src/.Git/hooks/x',
        'git~1',
        'CONFIG.YAML',
        '.env.',
        '.env ',
        '.env::$DATA',
        '.e\u200cnv',
        '.WorkSpace/x',
      ]
      const script = python(
        `import os\nfor name in ${JSON.stringify(names)}:\n    try:\n        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)\n        open(name, "w").write("evil")\n    except OSError as error: print(name, error)`,
      )
      await stage.run(sh(script))
      const { violations, commit } = await stage.judge()
      expect(commit).toBeNull()
      const named = violations.join('\n')
      const missed = names.filter((name) => {
        const written = existsSync(join(stage.worktree, name))
        return written && !named.includes(name.split('/').slice(0, 2).join('/'))
      })
      expect(missed).toEqual([])
      saw(
        `The verifier named every one of them that could be written: ${violations.length} violations, no commit.`,
      )
      await stage.worktrees.restore(stage.task, stage.task.base.commit)
      expect(readdirSync(stage.worktree).sort()).toEqual(['.git', '.gitignore', 'AGENTS.md', 'out', 'src'])
      saw('A restore took them away.')
    },
  )

  attack(
    'A024 a file system mounted inside a readonly folder',
    'Mount a file system of the host inside a readonly folder and inside the worktree, and write to it from the box.',
    async ({ saw, cannot }) => {
      const places = [join(stage.worktree, '.vscode/inner'), join(stage.worktree, 'src/inner')]
      try {
        for (const place of places) {
          mkdirSync(place, { recursive: true })
          execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, join(place, '..')])
          mountTmpfs(place)
        }
      } catch {
        cannot('This process may not mount file systems on the host.')
      }
      try {
        const outcome = await stage
          .run(
            sh('echo evil > .vscode/inner/x; echo evil > src/inner/x; cat .vscode/inner/mark src/inner/mark'),
          )
          .then(
            ({ output }) => output,
            (error: unknown) => String(error),
          )
        for (const place of places) expect(readdirSync(place)).toEqual(['mark'])
        expect(outcome).not.toContain(secret)
        saw('Nothing of the mounted file systems was seen in the box, and nothing was written to them.')
      } finally {
        for (const place of places) execFileSync('umount', [place])
        rmSync(join(stage.worktree, '.vscode'), { recursive: true, force: true })
        rmSync(join(stage.worktree, 'src/inner'), { recursive: true, force: true })
      }
    },
  )

  attack(
    'A032 sparse files, many files, deep folders',
    'Make a sparse file of 2 TB, 60,000 files where 5,000 are allowed, and folders deeper than a path is long.',
    async ({ saw }) => {
      const limits = {
        ...stage.task.policy.limits,
        diskFreeMb: 64,
        fileMb: 64,
        worktreeFiles: 5000,
        worktreeMb: 256,
      }
      const policy = { ...stage.task.policy, limits }
      const sparse = await stage.run(sh('truncate -s 2T sparse; echo "code $?"; ls -l sparse'), { policy })
      expect(sparse.output).not.toContain('code 0')
      saw('A file of 2 TB could not be made: the limit of a file’s size holds in the box.')
      const flood = await stage.run(
        sh(`python3 -c 'import os, time
for n in range(60):
    os.mkdir(f"d{n}")
    for m in range(1000): open(f"d{n}/{m}", "w").close()
time.sleep(20)'`),
        { policy },
      )
      expect(flood.end).toBe('grown')
      saw(`60,000 files ended the box: ${flood.message ?? ''}`)
      await stage.worktrees.restore(stage.task, stage.task.base.commit)
      await stage.run(
        sh(`python3 -c 'import os\nfor n in range(3000): os.mkdir("dddd"); os.chdir("dddd")'`),
        { policy },
      )
      const began = performance.now()
      expect(await stage.judge()).toEqual({ violations: [], commit: stage.task.base.commit })
      const ms = Math.round(performance.now() - began)
      // It takes as long as the machine is slow, and has an end.
      expect(ms).toBeLessThan(30_000)
      await stage.worktrees.restore(stage.task, stage.task.base.commit)
      expect(readdirSync(stage.worktree).sort()).toEqual(['.git', '.gitignore', 'AGENTS.md', 'out', 'src'])
      saw(`Folders 3,000 deep were taken away by the verifier within ${ms} ms, and are in no commit.`)
    },
  )

  attack(
    'A033 set-id files and file capabilities',
    'Leave set-uid and set-gid files, set file capabilities, and run them.',
    async ({ saw }) => {
      const answers = await stage.probe({
        make: 'cp /usr/bin/id tool && chmod 6755 tool && mkdir sticky && chmod 7777 sticky && echo x > sticky/x',
        run: './tool -u; ./tool -ru; grep -E "Cap(Eff|Prm)" /proc/self/status',
        'A033 capability by setcap': 'setcap cap_net_raw+ep tool || /sbin/setcap cap_net_raw+ep tool',
        'A033 capability by xattr': python(
          'import os, struct\nos.setxattr("tool", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))',
        ),
        'A033 to another owner': 'chown 0:0 tool',
      })
      expect(answers.get('run').out).toMatch(/^10001\n10001\nCapPrm:\t0+\nCapEff:\t0+\n$/)
      saw('A set-uid copy of a program ran with the box’s own uid and without capabilities.')
      saw(answers.refused('A033'))
      const { commit } = await stage.judge()
      expect(lstatSync(join(stage.worktree, 'tool')).mode & 0o7000).toBe(0)
      expect(lstatSync(join(stage.worktree, 'sticky')).mode & 0o6000).toBe(0)
      const mirror = join(stage.data, 'mirrors', `${stage.task.repository.key}.git`)
      expect(git(mirror, 'ls-tree', commit ?? '', 'tool')).toMatch(/^100755 /)
      saw('On the host the set-id bits are stripped, and the commit holds an ordinary executable.')
    },
  )

  attack(
    'A034 outputs that nobody may remove',
    'Leave folders without any right, world-writable files, and read-only trees; then restore and discard.',
    async ({ saw }) => {
      await stage.run(
        sh(
          'mkdir -p locked/in; echo x > locked/in/x; echo w > w.txt; chmod 666 w.txt; mkdir wide; chmod 777 wide; echo y > wide/y; chmod 000 locked/in/x locked/in; chmod 000 locked; chmod 500 src',
        ),
      )
      const { violations, commit } = await stage.judge()
      expect(violations).toEqual([])
      const mirror = join(stage.data, 'mirrors', `${stage.task.repository.key}.git`)
      const modes = git(mirror, 'ls-tree', '-r', commit ?? '')
        .split('\n')
        .map((line) => line.slice(0, 6))
      expect(new Set(modes.filter(Boolean))).toEqual(new Set(['100644']))
      expect(ownedByOthers(stage.worktree, [user.uid]).filter((path) => path !== '.git')).toEqual([])
      saw('All of it could be read and committed with ordinary modes, and none of it is another user’s.')
      await stage.worktrees.restore(stage.task, stage.task.base.commit)
      expect(readdirSync(stage.worktree).sort()).toEqual(['.git', '.gitignore', 'AGENTS.md', 'out', 'src'])
      await stage.worktrees.discard(stage.task)
      expect(existsSync(stage.worktree)).toBe(false)
      saw('A restore and a discard removed it.')
    },
  )
})

function mountTmpfs(place: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=1m,uid=${user.uid},mode=777`, 'none', place])
  writeFileSync(join(place, 'mark'), secret)
}

describe('through the whole product', () => {
  let plane: TestPlane
  beforeAll(async () => {
    plane = await openTestPlane()
  })
  afterAll(() => plane.close())

  attack(
    'A016 create a guarded path that was absent',
    'Create `.claude/settings.json` in a repository that has none, in every step.',
    async ({ saw }) => {
      const repo = aRepository()
      const task = await plane.run({
        repo,
        argv: sh(
          'mkdir -p .claude; echo evil > .claude/settings.json; echo x > x.txt; echo TASK_STATE: CONTINUE',
        ),
      })
      expect([task.status, task.halt?.reason, task.head]).toEqual(['FAILED', 'policy', task.base.commit])
      const events = await plane.client.events(task.id, 0)
      expect(events.filter(({ text }) => text.includes('.claude')).length).toBeGreaterThanOrEqual(2)
      expect(readdirSync(join(plane.config.dataFolder, 'tasks', task.id)).sort()).toEqual([
        '.git',
        'README.md',
      ])
      expect(git(repo, 'branch', '--list', task.branch)).toBe('')
      saw(`The step was undone twice and the task is FAILED: ${task.halt?.text ?? ''}`)
      saw('The worktree holds nothing of it, and the repository was given no branch.')
    },
  )

  attack(
    'A020 denied names in other spellings',
    'On a case-insensitive disk, write `.ENV`, `Config.yaml` and `.Git/hooks/x` over the masks.',
    async ({ saw, cannot }) => {
      const disk = caseInsensitiveDisk()
      if (disk === null)
        return cannot(
          'This host has no case-insensitive file system to lay a worktree on (ext4 casefold). That these spellings are denied on any disk is A101.',
        )
      const there = await openTestPlane('', disk.folder)
      try {
        const repo = aRepository({ '.env': secret, 'src/config.yaml': secret, 'a.txt': 'a' })
        const argv = sh(
          'for f in .ENV src/Config.yaml .Git/hooks/x; do (echo evil > $f); cat $f; done; echo x > x.txt',
        )
        const task = await there.run({ repo, argv })
        expect(await there.client.logs(task.id, 1)).not.toMatch(/^(?:evil|.*hunter2.*)$/m)
        if (task.status === 'APPLIED') expect(git(repo, 'show', `${task.branch}:.env`)).toBe(secret)
        saw(`No spelling read or wrote a denied file; the task ended ${task.status}.`)
      } finally {
        await there.close()
        disk[Symbol.dispose]()
      }
    },
  )

  attack(
    'A028 a folder of the agent’s choice to work in',
    'Ask for a working folder in the request, and make the folder of the next step a symlink.',
    async ({ saw }) => {
      const base = { goal: 'x', repository: '/r', agent: { name: 'command', argv: ['true'] } }
      for (const extra of [{ workdir: '/etc' }, { cwd: '/etc' }, { folder: '../..' }]) {
        const parsed = parseTaskRequest({ ...base, ...extra })
        expect(parsed.ok).toBe(false)
      }
      saw('A request with workdir, cwd or folder is refused: a task knows nothing of that name.')
      const repo = aRepository()
      const task = await plane.run({
        repo,
        argv: sh(
          'pwd -P; if [ -e second ]; then echo TASK_STATE: DONE; else cd / && rm -rf /work 2>/dev/null; ln -s /etc /work/sub; echo x > /work/second; cd /work/sub; echo TASK_STATE: CONTINUE; fi',
        ),
        test: 'pwd -P',
      })
      const logs = (await plane.client.logs(task.id, null)) + (await plane.client.logs(task.id, 1))
      expect(logs.match(/^\/\S*$/gm)?.every((line) => line === '/work')).toBe(true)
      expect([task.status, task.spent.steps]).toEqual(['APPLIED', 2])
      saw('Every box of the task began in /work, whatever the agent had made of its folder.')
    },
  )

  attack(
    'A029 ask for a mount of the host',
    'Ask for mounts in request and policy; name folders of the host in allow and readonly; make tasks on system folders and on the data folder.',
    async ({ saw }) => {
      const repo = aRepository()
      const request = { goal: 'x', repository: repo, agent: { name: 'command', argv: ['true'] } }
      for (const policy of [
        { mounts: ['/:/host'] },
        { binds: ['/var/run/docker.sock'] },
        { allow: ['/../../etc/'] },
        { allow: ['../..'] },
        { allow: ['/var/run/docker.sock'] },
        { allow: ['~/.ssh/'] },
        { deny: ['/home/me/.ssh'] },
        { readonly: ['a/../../b'] },
      ])
        expect([policy, parseTaskRequest({ ...request, policy }).ok]).toEqual([policy, false])
      saw('Mounts, binds and patterns with `..` are refused when they are asked for.')
      const explained = await plane.client.explain({
        ...mustParse({
          ...request,
          policy: { allow: ['/etc/', '/run/', '/proc/'], readonly: ['/root'] },
        }),
      })
      const boxes = JSON.stringify(explained)
      expect(boxes).not.toContain('docker.sock')
      expect(boxes).not.toMatch(/"target":"\/(?:etc|var|proc|root|host)/)
      saw(
        'Patterns that look like folders of the host mean folders of the repository: no mount leaves /work.',
      )
      const { dataFolder } = plane.config
      const parent = join(dataFolder, '..')
      for (const path of ['/', '/proc', '/var/run', '/etc', parent])
        expect(await refusalOf(plane.submit({ repo: path, argv: ['true'] }))).toBe(
          `Failure: ${path} is not in a git repository: run \`git init\` there and commit, or give another path.`,
        )
      const inner = join(dataFolder, 'inner')
      mkdirSync(inner)
      git(inner, 'init', '-q')
      git(inner, 'commit', '-q', '--allow-empty', '-m', 'x')
      const link = join(repo, '..', `link-${Date.now()}`)
      symlinkSync(inner, link)
      try {
        for (const path of [dataFolder, join(dataFolder, 'tasks'), inner, link])
          await expect(plane.submit({ repo: path, argv: ['true'] })).rejects.toThrow(
            /lies in the data folder/,
          )
      } finally {
        rmSync(link)
        rmSync(inner, { recursive: true })
      }
      saw('System folders, the data folder, its parents and a symlink into it are refused as repositories.')
    },
  )
})

function mustParse(input: unknown) {
  const parsed = parseTaskRequest(input)
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  return parsed.request
}

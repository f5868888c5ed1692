import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import type { CommitId } from '../../src/domain/brand.ts'
import { Notes } from '../support/box.ts'
import { sh } from '../support/plane.ts'
import { git } from '../support/repository.ts'
import { until } from '../support/until.ts'
import { user } from '../worktree/lab.ts'
import { attack } from './attack.ts'
import { pathsHolding, printOf } from './host.ts'
import { python } from './probe.ts'
import { openStage, type Stage } from './stage.ts'

// Trees that are made to make the host stumble, hang or work for ever.

const secret = 'hunter2-is-the-secret'
const files = {
  'src/code.txt': 'code\n',
  'package.json': '{}\n',
  '.gitignore': 'build/\n',
  'AGENTS.md': 'Be good.\n',
  'config/config.yaml': 's\n',
}
const names = ['.git', '.gitignore', 'AGENTS.md', 'config', 'package.json', 'src'] as const

describe('a hostile tree', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(files)
  })
  afterAll(async () => stage[Symbol.asyncDispose]())
  beforeEach(async () => stage.worktrees.restore(stage.task, stage.task.base.commit))

  const mirror = (): string => join(stage.data, 'mirrors', `${stage.task.repository.key}.git`)
  const restored = async (): Promise<void> => {
    await stage.worktrees.restore(stage.task, stage.task.base.commit)
    expect(readdirSync(stage.worktree).sort()).toEqual(names.filter((name) => name !== 'config'))
  }
  /** How long the host needs to judge, seconds. */
  const timed = async (): Promise<{
    seconds: number
    violations: readonly string[]
    commit: CommitId | null
    text: string
  }> => {
    const began = performance.now()
    const judged = await stage.judge().then(
      (result) => ({ ...result, text: result.commit === null ? 'no commit' : 'a commit' }),
      (error: unknown) => ({ violations: [], commit: null, text: String(error) }),
    )
    return { seconds: (performance.now() - began) / 1000, ...judged }
  }

  attack(
    'A111 swap symlinks while the host reads',
    'In a box that goes on running, exchange folders for symlinks to a folder of the host as fast as possible, while the host lists, verifies, commits and restores.',
    async ({ saw }) => {
      const decoy = join(stage.folder, 'decoy')
      mkdirSync(join(decoy, 'deep'), { recursive: true })
      writeFileSync(join(decoy, 'code.txt'), secret)
      writeFileSync(join(decoy, 'deep/code.txt'), secret)
      execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, decoy])
      const before = printOf(decoy)
      const swap = python(`import ctypes, os, time
libc = ctypes.CDLL(None)
os.makedirs("swap/deep", exist_ok=True)
open("swap/code.txt", "w").write("mine"); open("swap/deep/code.txt", "w").write("mine")
os.symlink(${JSON.stringify(decoy)}, "link")
print("up", flush=True)
end = time.time() + 3.5
count = 0
while time.time() < end:
    for one, other in ((b"swap", b"link"), (b"src", b"link")):
        libc.renameat2(-100, one, -100, other, 2); count += 1
        libc.renameat2(-100, one, -100, other, 2)
print("swapped", count)`)
      const spec = await stage.spec(sh(swap))
      const notes = new Notes()
      const running = stage.engine.run(spec, stage.materials, notes, new AbortController().signal)
      await until(() => notes.text.includes('up'))
      let rounds = 0
      let refused = 0
      for (const end = Date.now() + 3000; Date.now() < end; rounds += 1) {
        const host = [
          () => stage.worktrees.listing(stage.task),
          () => stage.judge(),
          () => stage.worktrees.restore(stage.task, stage.task.base.commit),
        ][rounds % 3]
        await host?.().catch(() => (refused += 1))
      }
      const result = await running
      await stage.engine.remove(spec.name)
      expect(result.output).toMatch(/swapped \d{3,}/)
      expect(printOf(decoy)).toEqual(before)
      expect(pathsHolding(mirror(), secret)).toEqual([])
      const blobs = git(mirror(), 'cat-file', '--batch-all-objects', '--batch')
      expect(blobs).not.toContain(secret)
      await restored()
      saw(
        `${/swapped (\d+)/.exec(result.output)?.[1] ?? '?'} swaps against ${rounds} rounds of the host (${refused} of them gave up): the folder on the host is untouched, and no git object holds its content.`,
      )
    },
    60,
  )

  attack(
    'A112 fifos and sockets in place of files that the host reads',
    'Replace .gitignore, .gitattributes, package.json and sources by fifos and sockets, beside new files, so that a reader on the host would wait for ever.',
    async ({ saw }) => {
      await stage.run(
        sh(`rm .gitignore package.json src/code.txt; for f in .gitignore .gitattributes .gitmodules package.json src/.gitignore src/code.txt pipe; do mkfifo $f; done
          python3 -c 'import socket; socket.socket(1).bind("sock")'; mkdir sub; mkfifo sub/.gitignore; echo x > sub/new.txt; echo x > new.txt`),
      )
      const { seconds, text, violations } = await timed()
      expect(seconds).toBeLessThan(10)
      saw(`Judged within ${seconds.toFixed(1)} s: ${text} ${violations.join(', ')}`)
      const key = await Promise.race([
        stage.worktrees.setupKey(stage.task, stage.task.base.commit),
        new Promise((resolve) => setTimeout(resolve, 5000, 'late')),
      ])
      expect(key).not.toBe('late')
      const listing = await stage.worktrees.listing(stage.task)
      expect(listing.folders).toContain('sub')
      await restored()
      saw('A restore put the files back.')
    },
    45,
  )

  attack(
    'A113 sparse files',
    'Leave 60 sparse files of 64 MB each, which are nothing on the disk and 4 GB to a reader, where 100 MB are allowed.',
    async ({ saw }) => {
      const limits = { ...stage.task.policy.limits, diskFreeMb: 64, fileMb: 64, worktreeMb: 100 }
      await using own = await openStage(files, { limits })
      const { end } = await own.run(sh('for i in $(seq 60); do truncate -s 64M sparse$i; done'))
      expect(end).toBe('exited')
      const began = performance.now()
      await expect(own.judge()).rejects.toThrow(/longer than 100 MiB together/)
      const seconds = (performance.now() - began) / 1000
      expect(seconds).toBeLessThan(5)
      await own.worktrees.restore(own.task, own.task.base.commit)
      expect(readdirSync(own.worktree).filter((name) => name.startsWith('sparse'))).toEqual([])
      saw(`The host refused within ${seconds.toFixed(1)} s to read them, and a restore removed them.`)
    },
  )

  attack(
    'A114 a folder of 40,000 files',
    'Leave 40,000 files in one folder, and as many in an ignored one.',
    async ({ saw }) => {
      await stage.run(
        sh(`python3 -c 'import os
for d in ("many", "build"):
    os.mkdir(d)
    for n in range(40000): open(f"{d}/{n}", "w").close()'`),
      )
      const { seconds, violations, commit } = await timed()
      expect([violations, typeof commit]).toEqual([[], 'string'])
      expect(seconds).toBeLessThan(40)
      saw(`Verified and committed within ${seconds.toFixed(1)} s; the ignored ones are not in the commit.`)
      expect(
        git(mirror(), 'ls-tree', '-r', '--name-only', commit ?? '')
          .split('\n')
          .filter((path) => path.startsWith('build/')),
      ).toEqual([])
      const began = performance.now()
      await restored()
      saw(`A restore took ${((performance.now() - began) / 1000).toFixed(1)} s.`)
    },
    120,
  )

  attack(
    'A115 loops of symlinks',
    'Leave symlinks that lead to themselves, to each other, to the root of the tree and to /proc.',
    async ({ saw }) => {
      await stage.run(
        sh(
          'ln -s loop loop; ln -s b a; ln -s a b; ln -s . self; mkdir d; ln -s .. d/up; ln -s ../d d/d; ln -s /proc/self/root proc; ln -s /dev/zero zero; ln -s /dev/stdin stdin; echo x > x.txt',
        ),
      )
      const { seconds, violations, commit } = await timed()
      expect([violations, typeof commit]).toEqual([[], 'string'])
      expect(seconds).toBeLessThan(5)
      const tree = git(mirror(), 'ls-tree', '-r', commit ?? '')
      expect(tree.match(/^120000/gm)).toHaveLength(9)
      expect(await stage.worktrees.listing(stage.task)).toMatchObject({ folders: ['d', 'src'] })
      expect((await stage.run(sh('ls'))).end).toBe('exited')
      await restored()
      saw(
        `All nine are in the commit as symlinks, judged within ${seconds.toFixed(1)} s; nothing was followed.`,
      )
    },
  )

  attack(
    'A116 names of 255 bytes, without UTF-8, with newlines',
    'Leave names at the limit, names that are no UTF-8, names that decode to the same text, with newlines and quotes, also denied ones among them.',
    async ({ saw }) => {
      const script = python(`import os
os.chdir(b"/work")
for name in (b"a" * 255, b"\\xff\\xfe.txt", b"\\xff.txt", b"\\xfe.txt", b"line\\nbreak", b"quote\\".txt", b" lead", b"trail ", b"-rf", b"--", b":(top)x", b"\\x01ctl", "\\u00e9.txt".encode(), "e\\u0301.txt".encode(), b"*", b"[a]", b"back\\\\slash"):
    open(name, "wb").write(name)
os.mkdir(b"\\xff"); open(b"\\xff/x", "w").close()`)
      await stage.run(sh(script))
      const { violations, commit } = await timed()
      expect(violations).toEqual([])
      const tree = execFileSync('git', ['-C', mirror(), 'ls-tree', '-r', '-z', '--name-only', commit ?? ''])
      for (const name of [
        Buffer.from([0xff, 0xfe, ...Buffer.from('.txt')]),
        Buffer.from([0xff, ...Buffer.from('.txt')]),
        Buffer.from([0xfe, ...Buffer.from('.txt')]),
        Buffer.from('line\nbreak'),
        Buffer.alloc(255, 'a'),
      ])
        expect(tree.includes(Buffer.concat([name, Buffer.from([0])]))).toBe(true)
      expect((await stage.run(sh('ls | wc -l'))).end).toBe('exited')
      saw(
        'All are in the commit byte for byte, the three that look the same as text too; the next box starts.',
      )
      await restored()
      await stage.run(
        sh(
          python(
            'import os\nos.chdir(b"/work")\nos.mkdir(b"\\xff")\nopen(b"\\xff/.env", "w").close()\nopen(b"\\xff/AGENTS.md", "w").close()',
          ),
        ),
      )
      const bad = await timed()
      expect(bad.violations).toEqual([
        'created deny \uFFFD/.env file',
        'created readonly \uFFFD/AGENTS.md file',
      ])
      await restored()
      saw('A denied and a readonly name in a folder without a UTF-8 name are violations, and were removed.')
    },
  )

  attack(
    'A117 games with time',
    'Change files without changing their size, and set their times back, to before 1970 and far ahead.',
    async ({ saw }) => {
      await stage.judge()
      await stage.run(
        sh(`python3 -c 'import os
s = os.stat("src/code.txt"); open("src/code.txt", "w").write("evil\\n"); os.utime("src/code.txt", ns=(s.st_atime_ns, s.st_mtime_ns))
open("old", "w").close(); os.utime("old", (-10**9, -10**9)); open("new", "w").close(); os.utime("new", (2**33, 2**33)); os.utime("package.json", (2**34, 2**34))'`),
      )
      const { commit } = await timed()
      expect(git(mirror(), 'show', `${commit ?? ''}:src/code.txt`)).toBe('evil\n')
      expect(
        git(mirror(), 'diff', '--name-only', stage.task.base.commit, commit ?? '')
          .trim()
          .split('\n'),
      ).toEqual(['new', 'old', 'src/code.txt'])
      utimesSync(join(stage.worktree, 'src'), 1, 1)
      await restored()
      expect(readFileSync(join(stage.worktree, 'src/code.txt'), 'utf8')).toBe('code\n')
      saw(
        'The change was found and committed, unchanged files were not, and a restore put the old bytes back.',
      )
    },
  )

  attack(
    'A118 extended attributes and access lists',
    'Set user attributes, a default access list that opens everything, and capabilities, on files and folders.',
    async ({ saw }) => {
      const { output } = await stage.run(
        sh(`python3 - <<'END'
import os, struct
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, 7, 0xffffffff) for tag in (1, 4, 32))
acl_user = struct.pack("<I", 2) + struct.pack("<HHI", 1, 7, 0xffffffff) + struct.pack("<HHI", 2, 7, 12345) + b"".join(struct.pack("<HHI", tag, 7, 0xffffffff) for tag in (4, 16, 32))
for name, value, path in (("user.evil", b"x" * 1000, "src/code.txt"), ("system.posix_acl_default", acl_user, "src"), ("system.posix_acl_access", acl_user, "src/code.txt"), ("system.posix_acl_default", acl_user, "."), ("security.capability", b"x" * 20, "src/code.txt"), ("trusted.overlay.opaque", b"y", "src")):
    try: os.setxattr(path, name, value); print("set", name, path)
    except OSError as error: print("refused", name, error.strerror)
END
rm src/code.txt; rm -rf config; echo x > src/new.txt`),
      )
      expect(output).toMatch(/^set system\.posix_acl_default src$/m)
      expect(output).toMatch(/refused security\.capability/)
      expect(output).toMatch(/refused trusted\.overlay/)
      const { commit } = await timed()
      expect(git(mirror(), 'ls-tree', '-r', commit ?? '')).not.toMatch(/^100(?!644|755)/m)
      await restored()
      const file = join(stage.worktree, 'src/code.txt')
      const list = execFileSync('python3', ['-c', 'import os,sys; print(*os.listxattr(sys.argv[1]))', file])
      // A folder that stayed hands its default access list down to what is made in it anew; nothing else may be left.
      expect(list.toString().trim()).toBe('system.posix_acl_access')
      expect(lstatSync(file).mode & 0o7111).toBe(0)
      expect(readFileSync(file, 'utf8')).toBe('code\n')
      saw(`${output.trim().split('\n').join('; ')}.`)
      saw(
        'After a restore the file is made anew: its user attribute is gone, and it has only the access list that its folder hands down.',
      )
      // So what such a list opens must be closed above it: neither the user that it names nor any other gets there.
      for (const uid of [12345, 65534]) {
        const reading = spawnSync('setpriv', [
          `--reuid=${uid}`,
          '--regid=65534',
          '--clear-groups',
          'cat',
          file,
        ])
        expect([uid, reading.status, String(reading.stderr)]).toEqual([
          uid,
          1,
          expect.stringContaining('Permission denied'),
        ])
      }
      expect(lstatSync(stage.data).mode & 0o077).toBe(0)
      saw(
        'Neither the user whom the list names nor another one can read the file, as nobody else can enter the data folder; commits hold ordinary modes.',
      )
    },
  )

  attack(
    'A124 folders of masks without any right',
    'Empty a folder above a mask, take every right away from it, and from the root of the tree.',
    async ({ saw }) => {
      await stage.run(sh('mkdir -p config 2>/dev/null; rm -rf config/*; chmod 000 config src .; true'))
      const { violations } = await timed()
      expect(violations).toEqual([])
      const next = await stage.run(
        sh('(echo evil > config/config.yaml); (echo evil > .env); ls -ld . config; cat src/code.txt'),
      )
      expect(next.end).toBe('exited')
      expect(existsSync(join(stage.worktree, 'config/config.yaml'))).toBe(false)
      expect(existsSync(join(stage.worktree, '.env'))).toBe(false)
      await restored()
      saw('The host could read it all again; the next box had its masks in the same places.')
    },
  )

  attack(
    'A123 the box’s own repository leads to the host',
    'Set core.worktree, alternates, commondir and worktrees in the private repository to the mirror and to folders of the host, and run two more boxes.',
    async ({ saw }) => {
      const host = mirror()
      const before = printOf(host)
      const secretBlob = execFileSync('git', ['-C', stage.repo, 'hash-object', '-w', '--stdin'], {
        input: secret,
        encoding: 'utf8',
      }).trim()
      const script = `git config core.worktree ${stage.folder}; echo "${host}/objects" > /cofferdam/git/objects/info/alternates; mkdir -p /cofferdam/git/objects/info; echo "${stage.repo}/.git/objects" >> /cofferdam/git/objects/info/alternates
        echo ${host} > /cofferdam/git/commondir; mkdir -p /cofferdam/git/worktrees/x; echo ${stage.repo}/.git > /cofferdam/git/worktrees/x/gitdir; echo ../.. > /cofferdam/git/worktrees/x/commondir
        ln -sfn ${host}/objects /cofferdam/git/objects/link; rm -rf /cofferdam/git/refs; ln -s ${host}/refs /cofferdam/git/refs; echo x > x.txt`
      await stage.run(sh(script))
      const { commit } = await timed()
      await stage.worktrees.restore(stage.task, commit ?? stage.task.base.commit)
      const { output } = await stage.run(
        sh(
          // What two streams say comes in no order.
          `exec 2>&1; git status --porcelain; git log --oneline | wc -l; git cat-file -p ${secretBlob}; ls -la /cofferdam/git; cat /cofferdam/git/config`,
        ),
      )
      expect(output).not.toContain(secret)
      expect(output).not.toContain('commondir')
      expect(output).not.toContain(stage.folder)
      expect(output.split('\n')[0]).toBe('1')
      const now = printOf(host)
      const touched = Object.keys(before).filter(
        (path) => before[path] !== now[path] && lstatSync(join(host, path)).isFile(),
      )
      // What the host itself keeps for the task may change; objects and settings may not.
      expect(touched.filter((path) => !path.startsWith('worktrees/') && !path.includes('cofferdam'))).toEqual(
        [],
      )
      await restored()
      saw(
        'The next box got a repository made anew, with one commit and a clean configuration; nothing of the host’s could be read through it, and the mirror is as it was.',
      )
    },
  )
})

attack(
  'A119 links between islands and readonly places',
  'With `allow: /src/, /lib/`, link files of one island into the other and of readonly places into islands, by name and by descriptor.',
  async ({ saw }) => {
    await using stage = await openStage(
      { 'src/a.txt': 'a\n', 'lib/b.txt': 'b\n', 'docs/c.txt': 'c\n', '.env': secret },
      { allow: ['/src/', '/lib/'] },
    )
    const before = printOf(
      stage.worktree,
      (path) => path.startsWith('src') || path.startsWith('lib') || path === '',
    )
    const answers = await stage.probe({
      'A119 readonly into an island': 'ln docs/c.txt src/c.txt && echo evil > src/c.txt',
      'A119 out of an island': 'ln src/a.txt docs/a.txt',
      'A119 over a readonly file': 'ln -f src/a.txt docs/c.txt',
      'A119 between islands': 'ln src/a.txt lib/a.txt',
      'A119 by descriptor': python(
        'import os\nfd = os.open("docs/c.txt", os.O_RDONLY)\nos.link(f"/proc/self/fd/{fd}", "src/d.txt", follow_symlinks=True)',
      ),
      'A119 a mask into an island': 'ln .env src/env && echo evil > src/env',
      'A119 rename between islands': "python3 -c \"import os; os.rename('src/a.txt', 'docs/a.txt')\"",
    })
    saw(answers.refused('A119'))
    expect(
      printOf(stage.worktree, (path) => path.startsWith('src') || path.startsWith('lib') || path === ''),
    ).toEqual(before)
    expect(lstatSync(join(stage.worktree, 'docs/c.txt')).nlink).toBe(1)
    saw('Readonly places on the host are as before, with one name for each inode.')
  },
)

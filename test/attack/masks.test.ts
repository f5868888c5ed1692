import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { git } from '../support/repository.ts'
import { attack } from './attack.ts'
import { pathsHolding, printOf } from './host.ts'
import { python, type Answers } from './probe.ts'
import { openStage, type Stage } from './stage.ts'

const secret = 'hunter2-is-the-secret'
const files = {
  '.env': `KEY=${secret}\n`,
  'config/config.yaml': `key: ${secret}\n`,
  'config/open.txt': 'open\n',
  'a/b/c/.env': `KEY=${secret}\n`,
  'a/b/c/code.txt': 'code\n',
  'deep/1/2/3/4/5/6/server.pem': `-----${secret}-----\n`,
  'deep/1/2/3/4/5/6/open.txt': 'open\n',
  'src/code.txt': 'code\n',
  'AGENTS.md': 'Be good.\n',
  '.github/workflows/ci.yml': 'on: push\n',
}

const exchange = (one: string, other: string): string =>
  python(
    `import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\nif libc.renameat2(-100, b"${one}", -100, b"${other}", 2) != 0:\n    sys.exit(os.strerror(ctypes.get_errno()))`,
  )

// Not `mv`, which copies and removes where a rename is refused; and the agent may remove what it may write.
const rename = (from: string, to: string): string =>
  python(`import os\nos.rename(${JSON.stringify(from)}, ${JSON.stringify(to)})`)

const attempts = {
  'A001 cat': `! cat .env config/config.yaml a/b/c/.env 2>&1 | grep ${secret}`,
  'A001 python': `! ${python(`print(open(".env").read())`)} 2>&1 | grep ${secret}`,
  'A001 every file': `! grep -ra ${secret} /work /cofferdam /tmp /home /proc/self/root/work 2>/dev/null | grep -v A001`,
  'A001 git': `! (git log -p --all; git show HEAD:.env; git cat-file --batch-all-objects --batch) 2>&1 | grep -a ${secret}`,
  'A002 write': 'echo evil > .env',
  'A002 append': 'echo evil >> a/b/c/.env',
  'A002 truncate': 'truncate -s 1 config/config.yaml',
  'A002 in place': 'dd if=/dev/zero of=.env bs=1 count=1 conv=notrunc',
  'A002 writable map': python('import mmap\nf = open(".env", "r+b")\nmmap.mmap(f.fileno(), 4096)'),
  'A002 a readonly file': 'echo evil >> AGENTS.md',
  'A002 a readonly folder': 'echo evil > .github/workflows/new.yml',
  'A003 unlink': 'rm -f .env; ! [ -e .env ]',
  'A003 rename away': 'mv .env gone',
  'A003 rename over': 'echo evil > mine; mv -f mine .env',
  'A003 exchange': `echo evil > mine; ${exchange('mine', '.env')}`,
  'A003 unlink a readonly file': 'rm -f AGENTS.md; ! [ -e AGENTS.md ]',
  'A003 rename a readonly file': 'mv AGENTS.md gone.md',
  'A004 config': 'mv config config2 && mkdir config && echo evil > config/config.yaml',
  'A004 .github': 'mv .github github2 && mkdir -p .github/workflows && echo evil > .github/workflows/ci.yml',
  'A004 remove and make anew': 'rm -rf config; mkdir config && echo evil > config/config.yaml',
  'A004 a symlink in its place': 'rm -rf config; ln -sT /tmp config',
  'A006 c': rename('a/b/c', 'a/b/x'),
  'A006 b': rename('a/b', 'a/x'),
  'A006 a': rename('a', 'x'),
  'A006 exchange b': `mkdir -p e; ${exchange('a/b', 'e')}`,
  'A006 exchange a': `mkdir -p e; ${exchange('a', 'e')}`,
  'A006 out of the tree': rename('a/b', '/tmp/x'),
  'A008 link a readonly file': 'ln AGENTS.md link1 && echo evil > link1',
  'A008 link a mask': 'ln .env link2 && echo evil > link2',
  'A008 link by descriptor': python(
    'import os\nfd = os.open("AGENTS.md", os.O_RDONLY)\nos.link(f"/proc/self/fd/{fd}", "link3", follow_symlinks=True)\nopen("link3", "w").write("evil")',
  ),
  'A008 through the other mount': 'ln /proc/1/root/work/AGENTS.md link4 && echo evil > link4',
  'A012 symlink': `ln -sf .env s1; ! cat s1 | grep ${secret}`,
  'A012 symlink in a folder': `ln -sf ../a/b/c/.env src/s2; ! cat src/s2 | grep ${secret}`,
  'A012 symlink by /proc': `ln -sf /proc/self/cwd/config/config.yaml s3; ! cat s3 | grep ${secret}`,
  'A012 write through': 'echo evil > s1 && false; [ ! -s .env ]',
  'A021 read': `! cat deep/1/2/3/4/5/6/server.pem | grep ${secret}`,
  'A021 write': '! (echo evil > deep/1/2/3/4/5/6/server.pem)',
  'A021 rename a folder on the way': '! mv deep/1/2/3 deep/1/2/x',
  'A025 mount': 'mount --bind src config',
  'A025 tmpfs': 'mount -t tmpfs none config',
  'A025 umount': 'umount .env',
  'A025 lazy umount': python(
    'import ctypes, sys\nsys.exit(ctypes.CDLL(None).umount2(b"/work/.env", 2) != 0)',
  ),
  'A025 user namespace': 'unshare -Urm sh -c "umount /work/.env"',
  'A025 mount namespace': 'unshare -m true',
  'A025 pivot_root': 'mkdir -p /tmp/r; pivot_root /tmp/r /tmp/r',
  'A025 chroot': 'chroot /work /bin/true',
  'A025 clone3': python(
    'import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\nargs = (ctypes.c_uint64 * 8)(0x10000000)\nsys.exit(libc.syscall(435, args, 64) == -1)',
  ),
  'A027 a copied program': 'cp /bin/sh /tmp/innocent; /tmp/innocent -c "echo evil > .env"',
  'A027 the loader': '/lib64/ld-linux-x86-64.so.2 /bin/sh -c "echo evil > .env"',
  'A027 another interpreter': `node -e 'require("fs").writeFileSync(".env", "evil")'`,
  'A027 python': python('open(".env", "w").write("evil")'),
  'A027 git':
    'git init -q /tmp/g && cd /tmp/g && echo evil > .env && git add .env && git --work-tree=/work checkout-index -f .env',
} as const

describe('masks', () => {
  let stage: Stage
  let answers: Answers
  let before: Record<string, string>
  let repositoryBefore: Record<string, string>
  let commit: string | null
  let violations: readonly string[]

  beforeAll(async () => {
    stage = await openStage(files, { deny: [...defaultPolicy.deny, '**/*.pem'] })
    before = printOf(stage.worktree)
    repositoryBefore = printOf(stage.repo)
    answers = await stage.probe(attempts)
    ;({ commit, violations } = await stage.judge())
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  const unchanged = (...paths: readonly string[]): string => {
    const now = printOf(stage.worktree)
    for (const path of paths) expect([path, now[path]]).toEqual([path, before[path]])
    return `On the host ${paths.join(', ')} ${paths.length === 1 ? 'is' : 'are'} byte for byte and inode for inode as before.`
  }
  /** Denied files are in no worktree: what counts is the repository's own and what the next commit holds. */
  const kept = (...paths: readonly string[]): string => {
    expect(printOf(stage.repo)).toEqual(repositoryBefore)
    expect([violations, commit]).toEqual([[], expect.any(String)])
    for (const path of paths) {
      expect(readFileSync(join(stage.repo, path), 'utf8')).toContain(secret)
      const mirror = join(stage.data, 'mirrors', `${stage.task.repository.key}.git`)
      expect(git(mirror, 'show', `${commit ?? ''}:${path}`)).toContain(secret)
    }
    return `In the repository and in the commit of the step, ${paths.join(', ')} ${paths.length === 1 ? 'is' : 'are'} as before.`
  }
  const says = (number: string): string => {
    const all = answers.of(number)
    for (const [name, { code, out }] of all) expect([name, code, out]).toEqual([name, 0, expect.any(String)])
    return `${all.length} ways were tried in the box, and none did it.`
  }

  attack(
    'A001 read a denied .env',
    'Read denied files by name, by search and out of git, in a box that runs as the agent does.',
    async ({ saw }) => {
      saw(says('A001'))
      expect(pathsHolding(stage.worktree, secret)).toEqual([])
      saw('No file of the worktree on the host holds the secret, so nothing could have read it.')
    },
  )

  attack(
    'A002 write a denied file',
    'Write, append to, truncate and map denied and readonly files.',
    async ({ saw }) => {
      saw(answers.refused('A002'))
      saw(unchanged('AGENTS.md', '.github/workflows/ci.yml'))
      saw(kept('.env', 'a/b/c/.env', 'config/config.yaml'))
    },
  )

  attack(
    'A003 unlink or rename a denied file',
    'Remove, rename, replace and exchange masks and readonly files.',
    async ({ saw }) => {
      saw(answers.refused('A003'))
      saw(unchanged('AGENTS.md'))
      saw(kept('.env'))
    },
  )

  attack(
    'A004 rename the parent of a denied file',
    'Rename the folder above a mask, make it anew and write the denied file there.',
    async ({ saw }) => {
      saw(answers.refused('A004'))
      expect(readdirSync(stage.worktree)).not.toContain('config2')
      expect(lstatSync(join(stage.worktree, 'config')).isDirectory()).toBe(true)
      expect(readdirSync(join(stage.worktree, 'config')).filter((name) => name === 'config.yaml')).toEqual([])
      saw(
        `On the host config is the folder that it was, without a config.yaml. ${kept('config/config.yaml')}`,
      )
    },
  )

  attack(
    'A006 rename an ancestor levels above',
    'Rename and exchange every folder above a mask.',
    async ({ saw }) => {
      saw(answers.refused('A006'))
      saw(unchanged('a', 'a/b', 'a/b/c', 'a/b/c/code.txt'))
    },
  )

  attack(
    'A008 hardlink a readonly file',
    'Make a hard link to a readonly file or a mask, and write through it.',
    async ({ saw }) => {
      saw(answers.refused('A008'))
      expect(lstatSync(join(stage.worktree, 'AGENTS.md')).nlink).toBe(1)
      saw(unchanged('AGENTS.md'))
    },
  )

  attack(
    'A012 a symlink to a denied file',
    'Read and write a denied file through symlinks.',
    async ({ saw }) => {
      saw(says('A012'))
      saw(kept('.env', 'a/b/c/.env'))
    },
  )

  attack(
    'A021 a deep match of a glob',
    'Read and write a file that `**/*.pem` denies six folders down.',
    async ({ saw }) => {
      saw(says('A021'))
      saw(kept('deep/1/2/3/4/5/6/server.pem'))
    },
  )

  attack(
    'A025 take the mounts away',
    'Mount, unmount, make namespaces, pivot and change the root.',
    async ({ saw }) => {
      saw(answers.refused('A025'))
      saw(kept('.env'))
    },
  )

  attack(
    'A027 a program under another name',
    'Write a denied file with a copied program, the loader, other interpreters and git.',
    async ({ saw }) => {
      saw(answers.refused('A027'))
      saw(kept('.env'))
    },
  )
})

describe('an allow list', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage(files, { allow: ['/src/'] })
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  attack(
    'A023 write outside the allowed paths',
    'With `allow: /src/`, write in /, /usr, the root of the worktree, a sibling folder, and through `..` and symlinks.',
    async ({ saw }) => {
      const spared = (path: string): boolean => path === '' || path === 'src' || path.startsWith('src/')
      const before = printOf(stage.worktree, spared)
      const answers = await stage.probe({
        'A023 /': 'echo x > /x',
        'A023 /usr': 'echo x > /usr/x',
        'A023 /cofferdam': 'echo x > /cofferdam/x',
        'A023 the root': 'echo x > x.txt',
        'A023 a sibling': 'echo x > config/x.txt',
        'A023 a file of a sibling': 'echo x >> config/open.txt',
        'A023 dots': 'cd src && echo x > ../config/y.txt',
        'A023 a symlink': 'ln -s ../config src/out && echo x > src/out/z.txt',
        'A023 a rename out': 'echo x > src/m && mv src/m config/m',
        'A023 a rename in': 'mv config/open.txt src/open.txt && [ ! -e config/open.txt ]',
        inside: 'echo x > src/new.txt',
      })
      saw(answers.refused('A023'))
      expect(answers.get('inside').code).toBe(0)
      expect(printOf(stage.worktree, spared)).toEqual(before)
      expect(readFileSync(join(stage.worktree, 'src/new.txt'), 'utf8')).toBe('x\n')
      saw('On the host only src/ has changed.')
    },
  )
})

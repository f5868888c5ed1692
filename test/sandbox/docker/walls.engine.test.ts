import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Listing } from '../../../src/domain/listing.ts'
import { bench, foreignPaths, type Bench } from '../../support/docker.ts'
import { aPolicy } from '../../support/task.ts'

const listing: Listing = {
  hidden: ['config/config.yaml', 'gone/secret/.env'],
  folders: ['config', '.github', '.github/workflows', 'src', 'src/deep'],
  matches: [
    { path: '.github/workflows', type: 'folder', kind: 'readonly', rule: '.github/workflows' },
    { path: 'src/AGENTS.md', type: 'file', kind: 'readonly', rule: 'AGENTS.md' },
  ],
}

// One box tries everything; each test looks at one of its lines.
const attempts: Readonly<Record<string, string>> = {
  'write to an absent .env in the root': 'echo x > .env',
  'append to an absent .env in a folder': 'echo x >> src/.env',
  'truncate a mask': 'truncate -s 1 src/.env',
  'remove a mask': 'rm -f src/.env',
  'rename a mask': 'mv src/.env src/x',
  'rename over a mask': 'echo x > y; mv -f y .env',
  'hardlink a mask': 'ln .env z',
  'change the mode of a mask': 'chmod 777 .env',
  'write a hidden file': 'echo x > config/config.yaml',
  'write a hidden file in a folder that is not there': 'mkdir -p gone/secret && echo x > gone/secret/.env',
  'make .workspace': 'mkdir .workspace || mkdir .workspace/x',
  'write a git hook': 'echo x > .git/hooks/post-commit',
  'replace the pointer': 'rm .git',
  'write a readonly file': 'echo x >> src/AGENTS.md',
  'replace a readonly file': 'echo x > n && mv -f n src/AGENTS.md',
  'write in a readonly folder': 'echo x > .github/workflows/ci.yml',
  'add to a readonly folder': 'echo x > .github/workflows/new.yml',
  'rename the parent of a mask': 'mv config config2',
  'rename the parent of a readonly folder': 'mv .github g',
  'rename an ancestor two levels up': 'mv src src2',
  'exchange a pinned folder':
    "mkdir e; python3 -c \"import ctypes,sys; l=ctypes.CDLL(None); sys.exit(l.renameat2(-100,b'src',-100,b'e',2)!=0)\"",
  'replace a pinned folder by a symlink': 'rm -rf config; ln -sT /tmp config',
  'write to the root file system': 'echo x > /etc/x',
  'write to /usr': 'touch /usr/x',
  'write the attempt folder': 'echo x > /cofferdam/attempt/prompt.md',
  'mount over something': 'mount -t tmpfs none /tmp',
  'unmount a mask': 'umount .env',
  'make a user namespace': 'unshare -Ur true',
  'write a kernel setting': 'echo 1 > /proc/sys/kernel/core_pattern',
  'write to a cgroup': 'mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/memory/x',
  'make a device': 'mknod /tmp/d c 1 3',
  'see the docker socket': 'ls /var/run/docker.sock /run/docker.sock 2>/dev/null | grep .',
  'reach an address': 'python3 -c "import socket; socket.create_connection((\'192.0.2.1\', 80), 2)"',
  'resolve a name': 'python3 -c "import socket; socket.gethostbyname(\'host.test\')"',
}

describe('the walls of an agent box', () => {
  let on: Bench
  let codes: Map<string, number>

  beforeAll(async () => {
    on = await bench()
    await on.materials.write(on.materials.worktree, {
      '.github/workflows/ci.yml': 'ci',
      'src/AGENTS.md': 'be good',
      'src/deep/code': '',
      'config/open': '',
    })
    const script = Object.values(attempts).map(
      (attempt, i) => `(${attempt}) >/dev/null 2>/tmp/err; echo "#${i} $?"`,
    )
    const spec = on.box(script.join('\n'), { listing })
    const result = await on.run(spec)
    const found = [...result.output.matchAll(/^#(\d+) (\d+)$/gm)]
    codes = new Map(Object.keys(attempts).map((name, i) => [name, Number(found[i]?.[2] ?? 0)]))
    await on.engine.remove(spec.name)
  })
  afterAll(async () => on[Symbol.asyncDispose]())

  it.each(Object.keys(attempts))('do not let it %s (B14)', (name) => {
    expect(codes.get(name)).toBeGreaterThan(0)
  })

  it('leave the readonly files as they were, and no placeholder or root-owned file behind', async () => {
    const { worktree } = on.materials
    expect(await readFile(join(worktree, '.github/workflows/ci.yml'), 'utf8')).toBe('ci')
    expect(await readFile(join(worktree, 'src/AGENTS.md'), 'utf8')).toBe('be good')
    expect(foreignPaths(worktree)).toBe('')
    expect(
      (await readdir(worktree)).filter((name) => /^(\.env|gone|\.workspace|config\.yaml)$/.test(name)),
    ).toEqual([])
    expect(await readdir(join(worktree, 'src'))).toEqual(['AGENTS.md', 'deep'])
  })
})

describe('what a box is', () => {
  let on: Bench
  beforeAll(async () => {
    on = await bench()
  })
  afterAll(async () => on[Symbol.asyncDispose]())

  it('has no capabilities, no new privileges, seccomp, its own user and only a loopback', async () => {
    const { output } = await on.run(
      on.box('id -u; id -g; cat /proc/self/status; cat /proc/net/dev; cat /proc/1/comm; cat /proc/net/route'),
    )
    expect(output).toMatch(/^10001\n10001\n/)
    for (const line of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(output).toContain(`${line}:\t0000000000000000`)
    expect(output).toMatch(/NoNewPrivs:\t1\n/)
    expect(output).toMatch(/Seccomp:\t2\n/)
    expect([...output.matchAll(/^ *(\w+):.*\d+ +\d+ +\d+ +\d+/gm)].map(([, name]) => name)).toEqual(['lo'])
    expect(output).not.toMatch(/^eth/m)
  })

  it('has the limits of its policy', async () => {
    const limits = { ...aPolicy().limits, pids: 64, openFiles: 256, fileMb: 1, tmpMb: 8 }
    const { output } = await on.run(
      on.box(
        // What two streams say comes in no order.
        'exec 2>&1; ulimit -n; ulimit -c; df -m /tmp /home/agent | tail -n +2; ' +
          'head -c 2000000 /dev/zero > big; echo "big $?"; ' +
          'head -c 20000000 /dev/zero > /tmp/big; echo "tmp $?"; ' +
          'for i in $(seq 100); do sleep 5 & done; echo "fork $?"',
        { policy: aPolicy({ limits }), fence: 2 },
      ),
    )
    expect(output).toMatch(/^256\n0\n/m)
    expect(output).toMatch(/tmpfs +8 /)
    expect(output).not.toContain('big 0')
    expect(output).not.toContain('tmp 0')
    expect(output).toMatch(/fork: (retry: )?Resource temporarily unavailable|Cannot fork/i)
  })

  it('has the private repository behind its pointer', async () => {
    const { output } = await on.run(
      on.box('cat .git; touch /cofferdam/git/x; echo $?; cat /cofferdam/attempt/prompt.md', { fence: 3 }),
    )
    expect(output).toBe('gitdir: /cofferdam/git\n0\nDo what is asked.\n')
    expect(await readdir(on.materials.git)).toEqual(['x'])
  })
})

import { execFileSync } from 'node:child_process'
import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { attack } from './attack.ts'
import { docker, sandboxImage } from '../support/docker.ts'
import { leftOnEngine } from './host.ts'
import { python, type Answers } from './probe.ts'
import { openStage, type Stage } from './stage.ts'

describe('the kernel and the container', () => {
  let stage: Stage
  let answers: Answers
  beforeAll(async () => {
    stage = await openStage({ 'a.txt': 'a\n' })
    answers = await stage.probe({
      status: 'cat /proc/self/status',
      namespaces: 'cat /proc/1/comm; ls -l /proc/self/ns; hostname; ps -e 2>/dev/null | wc -l',
      setuid: 'find / -xdev -perm /6000 -type f 2>/dev/null',
      capabilities: 'getcap -r / 2>/dev/null; find / -xdev -type f 2>/dev/null | head -0',
      'A077 su': 'su -c "id -u" | grep -x 0 || su root -c true',
      'A077 sudo': 'sudo -n true',
      'A077 ping': 'ping -c1 -W1 127.0.0.1',
      'A077 setuid call': python('import os\nos.setuid(0)'),
      'A077 setgid call': python('import os\nos.setgid(0)'),
      'A077 groups': python('import os\nos.setgroups([0])'),
      'A077 newuidmap': 'newuidmap $$ 0 0 1',
      'A079 core_pattern': 'echo "|/work/x" > /proc/sys/kernel/core_pattern',
      'A079 modprobe': 'echo /work/x > /proc/sys/kernel/modprobe',
      'A079 ip_forward': 'echo 1 > /proc/sys/net/ipv4/ip_forward',
      'A079 binfmt': 'echo x > /proc/sys/fs/binfmt_misc/register',
      'A079 sysrq': 'echo b > /proc/sysrq-trigger',
      'A079 cgroup': 'mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/memory/x',
      'A079 release_agent':
        'for f in /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/release_agent; do echo /work/x > $f && exit 0; done 2>/dev/null; exit 1',
      'A079 limits':
        'for f in /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids/pids.max; do echo max > $f && exit 0; done 2>/dev/null; exit 1',
      'A079 oom score': python('open("/proc/1/oom_score_adj", "wb", 0).write(b"-1000")'),
      'A079 uevent': 'echo x > /sys/kernel/uevent_helper',
      'A079 efi, kcore, keys': 'cat /proc/kcore > /dev/null',
      'A079 timer list': '[ -s /proc/timer_list ]',
      'A083 mem': 'ls /dev/mem /dev/kmem /dev/port',
      'A083 kmsg': 'cat /dev/kmsg',
      'A083 disks': 'ls /dev | grep -E "^(sd|vd|nvme|loop|dm-|kvm|fuse|net|vhost)"',
      'A083 mknod char': 'mknod /tmp/m c 1 1',
      'A083 mknod block': 'mknod /work/b b 8 0',
      'A083 mknod by python': python(
        'import os, stat\nos.mknod("/tmp/k", 0o600 | stat.S_IFCHR, os.makedev(1, 11))',
      ),
      'A085 sockets': 'find / -type s 2>/dev/null | grep .',
      'A085 named':
        'ls /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock /run/user/*/docker.sock /var/run/crio/crio.sock 2>/dev/null | grep .',
      'A085 tcp': python(
        'import socket, sys\nfound = [p for p in (2375, 2376, 4243, 5000, 6443, 10250) if socket.socket().connect_ex(("127.0.0.1", p)) == 0]\nsys.exit(0 if found else 1)',
      ),
      'A085 abstract sockets': 'grep -a "@" /proc/net/unix',
      'A085 vsock': python(
        'import socket\ns = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)\ns.settimeout(2)\ns.connect((2, 1024))',
      ),
      'A102 keyctl': python('import ctypes, sys\nsys.exit(ctypes.CDLL(None).syscall(250, 0, -3, 1) == -1)'),
      'A102 bpf': python('import ctypes, sys\nsys.exit(ctypes.CDLL(None).syscall(321, 0, 0, 0) == -1)'),
      'A102 perf': python(
        'import ctypes, sys\nb = (ctypes.c_char * 128)()\nb[0] = 1\nsys.exit(ctypes.CDLL(None).syscall(298, b, 0, -1, -1, 0) == -1)',
      ),
      'A102 userfaultfd': python('import ctypes, sys\nsys.exit(ctypes.CDLL(None).syscall(323, 0) == -1)'),
      'A102 io_uring': python(
        'import ctypes, sys\nb = (ctypes.c_char * 256)()\nsys.exit(ctypes.CDLL(None).syscall(425, 8, b) == -1)',
      ),
      'A102 ptrace of init': python(
        'import ctypes, sys\nsys.exit(ctypes.CDLL(None).ptrace(16, 1, 0, 0) == -1)',
      ),
      'A102 ptrace of another': python(
        'import ctypes, os, subprocess, sys\np = subprocess.Popen(["sleep", "5"])\nr = ctypes.CDLL(None).ptrace(16, p.pid, 0, 0)\np.kill()\nsys.exit(r == -1)',
      ),
      'A102 process_vm_readv': python(
        'import ctypes, sys\nsys.exit(ctypes.CDLL(None).syscall(310, 1, 0, 0, 0, 0, 0) == -1)',
      ),
      'A102 vsock': python('import socket\nsocket.socket(40, socket.SOCK_STREAM)'),
      'A102 ciphers': python('import socket\nsocket.socket(38, socket.SOCK_SEQPACKET)'),
      'A102 open_by_handle_at': python(
        'import ctypes, sys\nsys.exit(ctypes.CDLL(None).syscall(304, 0, 0, 0) == -1)',
      ),
      'A102 setns': python(
        'import os, ctypes, sys\nfd = os.open("/proc/1/ns/mnt", os.O_RDONLY)\nsys.exit(ctypes.CDLL(None).setns(fd, 0) == -1)',
      ),
      'A102 reboot': python(
        'import ctypes, sys\nsys.exit(ctypes.CDLL(None).syscall(169, 0xfee1dead, 672274793, 0x89abcdef, 0) == -1)',
      ),
      'A102 module': python('import ctypes, sys\nsys.exit(ctypes.CDLL(None).syscall(313, 0, b"", 0) == -1)'),
      'A103 environment of init': `tr '\\0' '\\n' < /proc/1/environ; true`,
      'A103 mounts': 'cut -d" " -f4,5 /proc/self/mountinfo',
      'A103 the rest':
        'cat /proc/cmdline /proc/1/cgroup /etc/hosts /etc/hostname /etc/resolv.conf /etc/mtab; id; uname -a; env',
      'A104 attempt': 'echo evil > /cofferdam/attempt/prompt.md',
      'A104 entry': 'echo evil > /cofferdam/entry',
      'A104 new': 'touch /cofferdam/x || mkdir /cofferdam/attempt/x',
      'A104 rename': 'mv /cofferdam/git /cofferdam/other',
      'A104 replace': 'rm -rf /cofferdam/attempt /cofferdam/entry',
      'A104 chmod': 'chmod 777 /cofferdam /cofferdam/attempt',
    })
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  attack(
    'A076 capabilities, no-new-privileges, seccomp',
    'Read what the kernel says of a process of the agent.',
    async ({ saw }) => {
      const status = answers.get('status').out
      for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(status).toMatch(new RegExp(`^${name}:\\t0+$`, 'm'))
      expect(status).toMatch(/^NoNewPrivs:\t1$/m)
      expect(status).toMatch(/^Seccomp:\t2$/m)
      expect(status).toMatch(/^Uid:\t10001\t10001\t10001\t10001$/m)
      expect(status).toMatch(/^Gid:\t10001\t10001\t10001\t10001$/m)
      expect(status).toMatch(/^Groups:\t(?:10001 ?)?\s*$/m)
      saw(
        'All five capability sets are empty, NoNewPrivs is 1, Seccomp is 2, the four uids and gids are 10001.',
      )
    },
  )

  attack('A077 set-uid programs', 'Run su, sudo, ping, and change uid, gid and groups.', async ({ saw }) => {
    expect(answers.get('setuid').out.trim()).toBe('')
    saw('The image holds no file with a set-uid or set-gid bit.')
    saw(answers.refused('A077'))
  })

  attack(
    'A079 settings of the kernel and cgroups',
    'Write /proc/sys, sysrq-trigger, core_pattern, cgroup files, release_agent, uevent_helper; read kcore.',
    async ({ saw }) => {
      saw(answers.refused('A079'))
    },
  )

  attack(
    'A080 an old runc',
    'Ask the posture of this engine whether its runc has known escapes (older than 1.2.8, 1.3.3), and hold it against the version that the engine tells.',
    async ({ saw, cannot }) => {
      const { Components } = await docker.version()
      const runc = Components.find(({ Name }) => Name === 'runc')?.Version
      if (runc === undefined) return cannot('This engine does not say which runc it uses.')
      const { missing } = await stage.engine.posture()
      const said = missing.filter((text) => text.includes('runc'))
      // The first of their lines without the escapes; compared by another program than ours.
      const old = isBefore(runc, '1.2.8') || (runc.startsWith('1.3.') && isBefore(runc, '1.3.3'))
      expect(said).toEqual(old ? [`runc ${runc} has known escapes: 1.2.8, 1.3.3 or newer is advised`] : [])
      saw(`The engine runs runc ${runc}; the posture says: ${said.join('; ') || 'nothing against it'}.`)
    },
  )

  attack(
    'A081 an image with volumes',
    'Run a box from an image that declares VOLUME /x, /work/y and /home/agent/z.',
    async ({ saw }) => {
      const tag = await sandboxImage()
      const parent = await docker.createContainer({ Image: tag, Cmd: ['true'], NetworkDisabled: true })
      const name = `cofferdam-attack-${stage.installation}:volumes`
      try {
        const [repo, label] = name.split(':')
        await parent.commit({ repo, tag: label, changes: 'VOLUME ["/x", "/work/y", "/home/agent/z"]' })
        const image = (await docker.getImage(name).inspect()).Id
        const outcome = await stage.run(['sh', '-c', 'echo evil > /x/f && echo wrote /x'], { image }).then(
          ({ output }) => output,
          (error: unknown) => String(error),
        )
        expect(outcome).not.toContain('wrote /x')
        expect(leftOnEngine(stage.installation)).toEqual([])
        const { Volumes } = await docker.listVolumes({ filters: { dangling: ['true'] } })
        // Boxes of other cases have labelled ones.
        const fresh = Volumes.filter(
          (volume) =>
            volume.Labels === null &&
            'CreatedAt' in volume &&
            Date.parse(String(volume.CreatedAt)) > Date.now() - 5000,
        )
        expect(fresh.map(({ Name }) => Name)).toEqual([])
        saw(`Nothing was written to a volume, and none is left. ${outcome.slice(0, 200)}`)
      } finally {
        await parent.remove({ force: true, v: true })
        await docker.getImage(name).remove({ force: true })
      }
    },
  )

  attack('A083 devices', 'Look for memory, log and disk devices, and make some.', async ({ saw }) => {
    saw(answers.refused('A083'))
  })

  attack(
    'A085 the engine’s socket',
    'Look for sockets of Docker, containerd and podman, any socket at all, and the usual TCP ports.',
    async ({ saw }) => {
      saw(answers.refused('A085'))
    },
  )

  attack(
    'A102 calls to the kernel that no agent needs',
    'keyctl, bpf, perf_event_open, userfaultfd, io_uring, ptrace, reading another process, sockets to virtual machines and to the kernel’s ciphers, open_by_handle_at, setns, reboot, module loading.',
    async ({ saw }) => {
      saw(answers.refused('A102'))
    },
  )

  attack(
    'A103 what a box can learn of the host',
    'Read /proc/1/environ, /proc/self/mountinfo, cgroup, hosts, resolv.conf and the kernel’s command line, and open the paths of the host that stand there.',
    async ({ saw }) => {
      const environment = answers.get('A103 environment of init').out
      const spec = await stage.spec(['true'])
      const { Env: ofImage } = (await docker.getImage(spec.image).inspect()).Config
      const fixed = new Map(Object.entries(spec.env))
      for (const line of ['HOSTNAME=box', ...ofImage]) {
        const [name = '', value = ''] = line.split(/=(.*)/s)
        if (!fixed.has(name)) fixed.set(name, value)
      }
      const lines = [...fixed].map(([name, value]) => `${name}=${value}`)
      expect(environment.trim().split('\n').sort()).toEqual(lines.sort())
      const told = [environment, answers.get('A103 the rest').out].join('\n')
      const found = Object.entries(hostSecrets()).filter(([, value]) => told.includes(value))
      expect(found.map(([name]) => name)).toEqual([])
      expect(told).not.toMatch(/SECRET|TOKEN|PASSWORD|API_KEY/i)
      saw('The environment is that of its spec and its image, name for name and value for value.')
      // The root paths of bind mounts are the kernel's to show: of the host's own only this installation's, and the engine's
      // init and file of the name.
      const mounts = answers.get('A103 mounts').out.trim().split('\n')
      const roots = mounts.flatMap((line) => {
        const [root = '', place = ''] = line.split(' ')
        return root === '/' || /^\/(?:proc|sys|dev)\//.test(place) || place.endsWith('/docker-init')
          ? []
          : [root]
      })
      const paths = [...new Set(roots)]
      const own = paths.filter((path) => path.includes(`/${basename(stage.folder)}/`))
      expect(own.length).toBeGreaterThan(0)
      expect(paths.filter((path) => !own.includes(path))).toEqual([
        expect.stringMatching(/\/containers\/[0-9a-f]{64}\/hostname$/),
      ])
      const opened = await stage.probe(
        Object.fromEntries(
          paths.flatMap((path) => [
            [`A103 list ${path}`, `ls -d '${path}' '${path}/..' 2>/dev/null | grep .`],
          ]),
        ),
      )
      opened.refused('A103')
      saw(
        `mountinfo names ${own.length} paths of this installation and one of the engine; none of them is there in the box.`,
      )
    },
  )

  attack(
    'A104 the box’s own files',
    'Write, replace, rename and add to what lies in /cofferdam.',
    async ({ saw }) => {
      saw(answers.refused('A104'))
    },
  )
})

/** By the version order of `sort`. */
function isBefore(version: string, other: string): boolean {
  if (version === other) return false
  const sorted = execFileSync('sort', ['-V'], { input: `${version}\n${other}\n`, encoding: 'utf8' })
  return sorted.startsWith(`${version}\n`)
}

/** Variables of this process whose values are long enough to be told from words. */
function hostSecrets(): Record<string, string> {
  const all = Object.entries(process.env).filter(
    ([name, value]) =>
      (value ?? '').length >= 12 &&
      !isOfEveryMachine(value ?? '') &&
      !/^(?:PATH|LANG|LC_|HOME|PWD|SHELL)/.test(name),
  )
  return Object.fromEntries(all.map(([name, value]) => [name, value ?? '']))
}

/** Where a system has its certificates is no secret of this one. */
function isOfEveryMachine(value: string): boolean {
  return /^\/(?:etc\/ssl|usr)\//.test(value)
}

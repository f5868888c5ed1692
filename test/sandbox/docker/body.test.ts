import type Docker from 'dockerode'
import { describe, expect, it } from 'vitest'
import { createBody, type CreateBody, type Placed } from '../../../src/sandbox/docker/body.ts'
import { differences, type Seen } from '../../../src/sandbox/docker/compare.ts'
import type { EngineHost } from '../../../src/sandbox/docker/connect.ts'
import { aBox } from '../../support/box.ts'
import { aPolicy } from '../../support/task.ts'

const host: EngineHost = {
  version: '20.10.24',
  runc: '1.1.5',
  cpus: 8,
  swapLimit: true,
  security: [],
  kernel: '6.1',
  rootFolder: '/var/lib/docker',
  socket: '/run/docker.sock',
  runtime: null,
}

function bodyOf(kind: 'agent' | 'test' | 'setup', on = host): CreateBody {
  const spec = aBox({ kind, policy: aPolicy({ deny: ['.env'] }), env: { MINE: 'a=b' } })
  const mounts = spec.mounts.map((mount): Placed => {
    const lost = mount.source.kind === 'tree' && mount.source.writes === 'discard'
    const place = lost
      ? ({ kind: 'overlay', options: 'lowerdir=/t,upperdir=/u,workdir=/w,redirect_dir=off' } as const)
      : ({ kind: 'path', path: `/data/${mount.source.kind}` } as const)
    return { ...mount, place }
  })
  return createBody(spec, mounts, 'test', on)
}

describe('the create body is exactly this for', () => {
  it.each(['agent', 'test', 'setup'] as const)('%s', async (kind) => {
    await expect(`${JSON.stringify(bodyOf(kind), null, 2)}\n`).toMatchFileSnapshot(`golden/${kind}-body.txt`)
  })

  it('a host with fewer processors than the policy allows', () => {
    expect(bodyOf('agent', { ...host, cpus: 1 }).HostConfig.NanoCpus).toBe(1e9)
  })

  it('a runtime of its own, and what the entry is to expect of it', () => {
    const body = bodyOf('agent', { ...host, runtime: 'runsc' })
    expect(body.HostConfig).toMatchObject({ Runtime: 'runsc' })
    expect(body.Entrypoint).toEqual(['/cofferdam/entry', '--own-kernel'])
    expect(bodyOf('agent', { ...host, runtime: 'crun' }).Entrypoint).toEqual(['/cofferdam/entry'])
  })

  it.each([
    [0.2, '1'],
    [12.5, '13'],
    [60, '60'],
  ])('a limit of %s seconds: the entry gets %s', (seconds, argument) => {
    expect(createBody(aBox({ seconds }), [], 'test', host).Cmd[0]).toBe(argument)
  })
})

/** What the engine says of a box that it made as asked: with all that engine 20.10 changes on the way. */
function seenOf(body: CreateBody): Seen {
  const { HostConfig, Image, ...config } = structuredClone(body)
  const mounts = HostConfig.Mounts.map((mount) =>
    mount.Type === 'bind'
      ? {
          Type: 'bind',
          Source: mount.Source,
          Destination: mount.Target,
          Mode: '',
          RW: !('ReadOnly' in mount),
          Propagation: 'rprivate',
        }
      : { Type: 'volume', Name: 'f00', Destination: mount.Target, Mode: 'z', RW: true, Propagation: '' },
  )
  const seen = {
    Id: 'f00',
    Image,
    State: { StartedAt: '0001-01-01T00:00:00Z' },
    Config: { ...config, Image, Env: [...config.Env, 'FROM_IMAGE=1'], Volumes: null, OnBuild: null },
    HostConfig: {
      ...HostConfig,
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      Links: null,
      Dns: null,
      VolumesFrom: null,
      LogConfig: {
        Config: Object.fromEntries(Object.entries(HostConfig.LogConfig.Config).reverse()),
        Type: 'json-file',
      },
      Runtime: 'runc',
      ConsoleSize: [0, 0],
      Isolation: '',
      CpuPeriod: 0,
      OomKillDisable: false,
      MemorySwappiness: null,
      MaskedPaths: [
        '/proc/asound',
        '/proc/acpi',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/sys/firmware',
      ],
      ReadonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
    Mounts: mounts.toReversed(),
  }
  return seen as unknown as Docker.ContainerInspectInfo
}

describe('the compare of what was made with what was asked for', () => {
  const body = bodyOf('agent')

  it.each(['agent', 'test', 'setup'] as const)('finds nothing where a %s box is right', (kind) => {
    expect(differences(bodyOf(kind), seenOf(bodyOf(kind)), host)).toEqual([])
  })

  it.each<[string, (seen: ReturnType<typeof loose>) => void, RegExp]>([
    ['another image', (seen) => (seen.Image = 'sha256:other'), /Image/],
    ['another user', (seen) => (seen.Config['User'] = '0:0'), /User/],
    ['another command', (seen) => (seen.Config['Cmd'] = ['sh']), /Cmd/],
    ['a lost variable', (seen) => (seen.Config['Env'] = []), /Env lacks MINE=a=b/],
    ['a lost label', (seen) => (seen.Config['Labels'] = {}), /Labels lacks/],
    ['a terminal', (seen) => (seen.Config['Tty'] = true), /Tty/],
    ['a network', (seen) => (seen.HostConfig['NetworkMode'] = 'bridge'), /NetworkMode/],
    ['a writable root', (seen) => (seen.HostConfig['ReadonlyRootfs'] = false), /ReadonlyRootfs/],
    ['kept capabilities', (seen) => (seen.HostConfig['CapDrop'] = null), /CapDrop/],
    ['more capabilities', (seen) => (seen.HostConfig['CapAdd'] = ['SYS_ADMIN']), /CapAdd/],
    ['privileges', (seen) => (seen.HostConfig['Privileged'] = true), /Privileged/],
    ['new privileges', (seen) => (seen.HostConfig['SecurityOpt'] = []), /SecurityOpt/],
    ['no memory limit', (seen) => (seen.HostConfig['Memory'] = 0), /Memory/],
    ['swap', (seen) => (seen.HostConfig['MemorySwap'] = -1), /MemorySwap/],
    ['no limit of processes', (seen) => (seen.HostConfig['PidsLimit'] = null), /PidsLimit/],
    ['a device', (seen) => (seen.HostConfig['Devices'] = [{ PathOnHost: '/dev/kvm' }]), /Devices/],
    ['the host’s processes', (seen) => (seen.HostConfig['PidMode'] = 'host'), /PidMode/],
    ['a field we do not know', (seen) => (seen.HostConfig['Wormhole'] = true), /Wormhole.*not asked for/],
    ['an unmasked path', (seen) => (seen.HostConfig['MaskedPaths'] = []), /MaskedPaths lacks \/proc\/kcore/],
    ['a tmpfs without a size', (seen) => (seen.HostConfig['Tmpfs'] = { '/tmp': 'rw' }), /Tmpfs/],
    ['a lost mount', (seen) => seen.Mounts.pop(), /the mount at .* is missing/],
    ['a mount more', (seen) => seen.Mounts.push({ Destination: '/data' }), /\/data that was not asked for/],
    [
      'a writable mask',
      (seen) => seen.Mounts.forEach((mount) => (mount['RW'] = true)),
      /mount at \/work\/\.env/,
    ],
    ['another source', (seen) => seen.Mounts.forEach((mount) => (mount['Source'] = '/etc')), /\/etc/],
  ])('finds %s', (_what, change, message) => {
    const seen = loose(seenOf(body))
    change(seen)
    expect(differences(body, seen as unknown as Seen, host).join('\n')).toMatch(message)
  })

  it('finds another runtime', () => {
    const on = { ...host, runtime: 'runsc' }
    expect(differences(bodyOf('agent', on), seenOf(bodyOf('agent', on)), on).join('\n')).toMatch(
      /Runtime is "runc", not "runsc"/,
    )
  })

  it('knows that a host without swap limits has none', () => {
    const seen = loose(seenOf(body))
    seen.HostConfig['MemorySwap'] = -1
    expect(differences(body, seen as unknown as Seen, { ...host, swapLimit: false })).toEqual([])
  })
})

type Fields = Record<string, unknown>
function loose(seen: Seen) {
  return structuredClone(seen) as unknown as {
    Image: string
    Config: Fields
    HostConfig: Fields
    Mounts: Fields[]
  }
}

import type { BoxMount, BoxSpec } from '../../domain/box.ts'
import { entryProgram, homeFolder } from '../places.ts'
import type { EngineHost } from './connect.ts'
import { boxLabels } from './labels.ts'

/** Where the engine finds what a mount shows: a path on its disk, or a copy-on-write view over folders of it. */
export type Place =
  | { readonly kind: 'path'; readonly path: string }
  /** The mount options of an overlay. */
  | { readonly kind: 'overlay'; readonly options: string }

export type Placed = BoxMount & { readonly place: Place }

const mib = 1024 * 1024

/**
 * The body of the engine's create call. Pure. Every field that could open a box is sent, also where the value is the
 * engine's default, so that the compare afterwards has something to hold on to.
 */
export function createBody(spec: BoxSpec, mounts: readonly Placed[], installation: string, host: EngineHost) {
  const { limits, user } = spec
  const memory = limits.memoryMb * mib
  return {
    Image: spec.image,
    User: `${user.uid}:${user.gid}`,
    // A runtime with a kernel of its own knows nothing of the engine's seccomp filter.
    Entrypoint: [entryProgram, ...(hasOwnKernel(host.runtime) ? ['--own-kernel'] : [])],
    // The entry takes whole seconds, and none would be no limit.
    Cmd: [String(Math.max(1, Math.ceil(limits.seconds))), spec.stdin ?? '-', '--', ...spec.argv],
    WorkingDir: spec.folder,
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: boxLabels(spec, installation),
    Hostname: 'box',
    Domainname: '',
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    StopSignal: 'SIGTERM',
    Healthcheck: { Test: ['NONE'] },
    NetworkDisabled: true,
    HostConfig: {
      AutoRemove: false,
      RestartPolicy: { Name: 'no' },
      Init: true,
      ...(host.runtime === null ? {} : { Runtime: host.runtime }),
      // No box has a network card: what it may reach it reaches over its channel.
      NetworkMode: 'none',
      Dns: [],
      DnsSearch: [],
      ExtraHosts: [],
      Links: [],
      PortBindings: {},
      PublishAllPorts: false,
      ReadonlyRootfs: true,
      Privileged: false,
      CapAdd: [],
      CapDrop: ['ALL'],
      // The engine's own seccomp profile applies, and its AppArmor profile where there is AppArmor.
      SecurityOpt: ['no-new-privileges:true'],
      PidMode: '',
      IpcMode: 'private',
      UTSMode: '',
      UsernsMode: '',
      CgroupnsMode: 'private',
      CgroupParent: '',
      Devices: [],
      DeviceRequests: [],
      DeviceCgroupRules: [],
      GroupAdd: [],
      VolumesFrom: [],
      Binds: [],
      Memory: memory,
      // Memory and swap together: no swap.
      MemorySwap: memory,
      NanoCpus: Math.round(Math.min(limits.cpus, host.cpus) * 1e9),
      CpuShares: 512,
      PidsLimit: limits.pids,
      OomScoreAdj: 500,
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'fsize', Soft: limits.fileMb * mib, Hard: limits.fileMb * mib },
        { Name: 'memlock', Soft: 65_536, Hard: 65_536 },
      ],
      ShmSize: 64 * mib,
      Tmpfs: tmpfs(spec),
      // What is read when a box ran while nobody watched; else output comes by attaching. Two files, as turning a single
      // one over would lose the end.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '2' } },
      Mounts: mounts.map((mount) => mountBody(mount, installation, spec)),
    },
  }
}

/** Whether a runtime puts a kernel of its own, a sandbox's or a virtual machine's, between a box and the machine's. */
export function hasOwnKernel(runtime: string | null): boolean {
  return runtime !== null && /^(?:runsc|gvisor|kata)/.test(runtime)
}

export type CreateBody = ReturnType<typeof createBody>

function tmpfs({ limits, user }: BoxSpec): Record<string, string> {
  // Without a size each would be half of the machine's memory; without exec native modules could not be built.
  const open = `rw,exec,nosuid,nodev,size=${limits.tmpMb}m,nr_inodes=200k`
  const small = 'rw,noexec,nosuid,nodev,size=16m,nr_inodes=10k,mode=1777'
  return {
    '/tmp': `${open},mode=1777`,
    [homeFolder]: `${open},uid=${user.uid},gid=${user.gid},mode=0700`,
    '/run': small,
    '/var/tmp': small,
  }
}

function mountBody({ target, readonly, place }: Placed, installation: string, spec: BoxSpec) {
  // The engine drops `ReadOnly: false`, so it is not sent.
  const access = readonly ? { ReadOnly: true as const } : {}
  if (place.kind === 'path')
    return {
      Type: 'bind' as const,
      Source: place.path,
      Target: target,
      ...access,
      BindOptions: { Propagation: 'rprivate', NonRecursive: true },
    }
  // A volume without a name goes with its container.
  return {
    Type: 'volume' as const,
    Target: target,
    ...access,
    VolumeOptions: {
      NoCopy: true,
      Labels: boxLabels(spec, installation),
      DriverConfig: { Name: 'local', Options: { type: 'overlay', device: 'overlay', o: place.options } },
    },
  }
}

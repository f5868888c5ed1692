import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { docker } from './docker.ts'

/** What a report was made on, in a line each. */
export type Host = Readonly<Record<string, string>>

export async function hostOf(): Promise<Host> {
  const version = await docker.version()
  const info = (await docker.info()) as {
    readonly CgroupVersion?: string
    readonly Driver: string
    readonly SecurityOptions: readonly string[] | null
    readonly DefaultRuntime: string
    readonly OperatingSystem: string
  }
  const parts = (version.Components ?? []).filter(({ Name }) => Name !== 'Engine')
  const processors = cpus()
  return {
    Engine: `Docker ${version.Version}, API ${version.ApiVersion}, ${info.Driver}, cgroup v${info.CgroupVersion ?? '?'}`,
    Runtime: `${info.DefaultRuntime}; ${parts.map(({ Name, Version }) => `${Name} ${Version}`).join(', ')}`,
    Kernel: `Linux ${release()}, ${info.OperatingSystem}`,
    Security: (info.SecurityOptions ?? []).join(', ') || 'none',
    Processors: `${processors.length} × ${processors[0]?.model.trim() ?? '?'}, ${Math.round(totalmem() / 1024 ** 3)} GiB of memory`,
    Programs: `Node ${process.versions.node}, ${execFileSync('git', ['--version'], { encoding: 'utf8' }).trim()}`,
  }
}

import { availableParallelism, homedir, tmpdir, totalmem } from 'node:os'

/** What the configuration takes from the process around it. */
export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  readonly tmp: string
  readonly cpus: number
  /** Of the machine, MiB. */
  readonly memoryMb: number
}

/** The one place that reads the environment of this process. */
export function thisProcess(): Environment {
  return {
    env: process.env,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    home: homedir(),
    tmp: tmpdir(),
    cpus: availableParallelism(),
    memoryMb: Math.floor(totalmem() / 1024 / 1024),
  }
}

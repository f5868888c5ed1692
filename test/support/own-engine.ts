import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { needRoot } from './needs.ts'

/** A Docker engine of the test's own: it can be ended and started again without touching anybody's boxes. */
export interface OwnEngine extends AsyncDisposable {
  readonly socket: string
  start(): Promise<void>
  /** SIGTERM ends its boxes in good order, SIGKILL leaves them to their shims. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  docker(...args: readonly string[]): string
}

/**
 * Starts one with the image of this name, copied from the machine's engine. `runtimes`: others that it offers beside its own,
 * by name; shell scripts that get what runc would get.
 */
export async function ownEngine(
  image: string,
  runtimes: Readonly<Record<string, string>> = {},
): Promise<OwnEngine> {
  needRoot('starting an engine of its own')
  const folder = mkdtempSync('/var/tmp/cofferdam-engine-')
  const socket = join(folder, 'd.sock')
  const root = join(folder, 'root')
  const containerdSocket = join(folder, 'containerd.sock')
  let daemon: ChildProcess | null = null

  const docker = (...args: readonly string[]): string =>
    execFileSync('docker', ['-H', `unix://${socket}`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  const options = [
    '--data-root',
    root,
    '--exec-root',
    join(folder, 'exec'),
    '--containerd',
    containerdSocket,
    '--host',
    `unix://${socket}`,
    '--pidfile',
    join(folder, 'pid'),
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    ...Object.keys(runtimes).map((name) => `--add-runtime=${name}=${join(folder, name)}`),
  ]

  /** False where the engine gave up. */
  const startOnce = async (): Promise<boolean> => {
    const log = openSync(join(folder, 'log'), 'a')
    // In a network namespace of its own: an engine without a bridge removes the one that the machine's engine uses.
    const started = spawn('unshare', ['--net', '--', 'dockerd', ...options], { stdio: ['ignore', log, log] })
    closeSync(log)
    daemon = started
    for (
      const until = Date.now() + 60_000;
      Date.now() < until && started.exitCode === null;
      await sleep(200)
    ) {
      try {
        docker('info')
        return true
      } catch {
        // Not yet.
      }
    }
    return false
  }

  const start = async (): Promise<void> => {
    if (await startOnce()) return
    throw new Error(`the engine did not start:\n${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`)
  }

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = new Promise((resolve) => daemon?.once('exit', resolve))
    daemon.kill(signal)
    await ended
  }

  // In memory, which makes its image and its end a matter of seconds.
  mkdirSync(root)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2g', 'none', root])
  for (const [name, script] of Object.entries(runtimes))
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  await startContainerd(folder, containerdSocket)
  await start()
  execFileSync('/bin/sh', ['-c', `docker save "${image}" | docker -H "unix://${socket}" load`], {
    stdio: 'ignore',
  })
  return {
    socket,
    start,
    end,
    docker,
    async [Symbol.asyncDispose]() {
      await end('SIGTERM')
      endLeftProcesses(folder)
      for (const line of readFileSync('/proc/mounts', 'utf8').split('\n').toReversed()) {
        const target = line.split(' ')[1] ?? ''
        if (target.startsWith(folder)) execFileSync('umount', ['-l', target])
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A containerd beside the engine and not below it, as on a real host, so that the engine's end is not its end. */
async function startContainerd(folder: string, socket: string): Promise<void> {
  const config = join(folder, 'containerd.toml')
  writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
  const log = openSync(join(folder, 'containerd.log'), 'a')
  const places = ['--root', join(folder, 'root/containerd'), '--state', join(folder, 'state')]
  const started = spawn('containerd', ['--config', config, '--address', socket, ...places], {
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  for (const until = Date.now() + 30_000; Date.now() < until && !existsSync(socket); await sleep(20))
    if (started.exitCode !== null) break
  if (!existsSync(socket))
    throw new Error(
      `containerd did not start: ${readFileSync(join(folder, 'containerd.log'), 'utf8').slice(-2000)}`,
    )
}

/** containerd, and shims that outlived an engine which was killed; their command lines name its folder. */
function endLeftProcesses(folder: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended in the meantime.
    }
  }
}

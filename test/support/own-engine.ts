import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
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

/** Starts one with the image of this name, copied from the machine's engine. */
export async function ownEngine(image: string): Promise<OwnEngine> {
  needRoot('starting an engine of its own')
  const folder = mkdtempSync('/var/tmp/cofferdam-engine-')
  const socket = join(folder, 'd.sock')
  let daemon: ChildProcess | null = null

  const docker = (...args: readonly string[]): string =>
    execFileSync('docker', ['-H', `unix://${socket}`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })

  const options = [
    '--data-root',
    join(folder, 'root'),
    '--exec-root',
    join(folder, 'exec'),
    '--host',
    `unix://${socket}`,
    '--pidfile',
    join(folder, 'pid'),
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
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

  // After a SIGKILL a first start may give up on the containerd of its predecessor; an init system would try again too.
  const start = async (): Promise<void> => {
    if ((await startOnce()) || (await startOnce())) return
    throw new Error(`the engine did not start:\n${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`)
  }

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = new Promise((resolve) => daemon?.once('exit', resolve))
    daemon.kill(signal)
    await ended
  }

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

/** Shims that outlived an engine which was killed; their command lines name its folder. */
function endLeftProcesses(folder: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended in the meantime.
    }
  }
}

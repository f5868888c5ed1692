import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { cp, lstat, mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-fs'
import { detach } from '../../src/domain/box.ts'
import type {
  BoxEnd,
  BoxResult,
  BoxSource,
  BoxSpec,
  BoxWatcher,
  Engine,
  Materials,
} from '../../src/domain/box.ts'
import { gatewayAddress } from '../../src/domain/egress.ts'
import { Failure } from '../../src/domain/failure.ts'
import { mostOutput } from '../../src/sandbox/docker/end.ts'
import { outputKeeper, type Output } from '../../src/sandbox/docker/output.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { fromWork } from '../../src/sandbox/places.ts'

const noPeaks = { memoryMb: null, pids: null, cpuMs: null }

/** The machine of a fake engine: it outlives the engines that look at it, as a Docker host does. */
export interface FakeHost extends AsyncDisposable {
  readonly folder: string
  readonly boxes: Map<string, FakeBox>
}

interface FakeBox {
  readonly spec: BoxSpec
  readonly installation: string
  readonly folder: string
  readonly startedAt: number
  readonly output: Output
  readonly watchers: Set<BoxWatcher>
  /** Takes the connections of its programs: the latest that looked at it. */
  accept: Materials['accept']
  running: boolean
  kill(end: BoxEnd, message: string): void
  /** Settles when the process is gone and what it wrote is handed back. */
  readonly result: Promise<BoxResult>
}

export async function fakeHost(): Promise<FakeHost> {
  const folder = await mkdtemp(join(tmpdir(), 'cofferdam-fake-'))
  const boxes = new Map<string, FakeBox>()
  return {
    folder,
    boxes,
    async [Symbol.asyncDispose]() {
      for (const box of boxes.values()) box.kill('killed', 'The host is gone.')
      await Promise.allSettled([...boxes.values()].map(({ result }) => result))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * An engine without containers: a box is a folder and a process group. It shares no path with its caller: sources come
 * and go as tar streams. Of a policy it keeps the outcome (what is readonly or denied comes back as it was, what is to be
 * lost is lost); it walls nothing off while a box runs.
 */
export function fakeEngine({ installation, host }: { installation: string; host: FakeHost }): Engine {
  const own = (): FakeBox[] => [...host.boxes.values()].filter((box) => box.installation === installation)
  return {
    async describe() {
      return 'fake'
    },
    async image() {
      return `sha256:${'0'.repeat(64)}`
    },
    async posture() {
      return { level: 'standard', missing: ['it is a fake'], engine: 'fake', seen: {}, at: Date.now() }
    },
    async run(spec, materials, watcher, signal) {
      if (signal.reason === detach) signal.throwIfAborted()
      const known = host.boxes.get(spec.name)
      if (known !== undefined && specHash(known.spec) !== specHash(spec))
        throw new Failure('engine', `There is a box ${spec.name} already, made for something else.`)
      if (known === undefined && signal.aborted) return neverRan()
      const box = known ?? (await startFake(host, installation, spec, materials))
      box.accept = (connection) => materials.accept(connection)
      return watched(box, watcher, signal)
    },
    async list() {
      return own().map(({ spec, running }) => {
        return { name: spec.name, task: spec.task, specHash: specHash(spec), running }
      })
    },
    async remove(name) {
      const box = own().find(({ spec }) => spec.name === name)
      if (box === undefined) return
      box.kill('killed', 'The box was removed.')
      await box.result
      await rm(box.folder, { recursive: true, force: true })
      host.boxes.delete(name)
    },
    async sweep() {
      // All that is made for a fake box is in its folder, which goes with it.
    },
  }
}

async function watched(box: FakeBox, watcher: BoxWatcher, signal: AbortSignal): Promise<BoxResult> {
  watcher.started(box.startedAt)
  if (box.output.bytes > 0) watcher.output(Buffer.from(box.output.text()))
  box.watchers.add(watcher)
  const detached = new Promise<never>((_, reject) => {
    const abort = (): void =>
      signal.reason === detach ? reject(signal.reason as Error) : box.kill('killed', 'The box was stopped.')
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([box.result, detached])
  } finally {
    box.watchers.delete(watcher)
  }
}

async function startFake(
  host: FakeHost,
  installation: string,
  spec: BoxSpec,
  materials: Materials,
): Promise<FakeBox> {
  const folder = join(host.folder, spec.name)
  await rm(folder, { recursive: true, force: true })
  await layOut(spec, folder, materials)
  await mkdir(join(folder, 'home'))

  const watchers = new Set<BoxWatcher>()
  const output = outputKeeper(spec.limits.outputMb * 1024 * 1024)
  const startedAt = Date.now()
  const [program = '', ...args] = spec.argv
  const relay = spec.egress === null ? null : await relayTo((connection) => box.accept(connection))
  const stdin = spec.stdin === null ? 'ignore' : openSync(join(folder, spec.stdin), 'r')
  const child = spawn(program, args, {
    cwd: join(folder, spec.folder),
    env: { ...envIn(spec, folder, relay), HOME: join(folder, 'home'), PATH: process.env['PATH'] },
    stdio: [stdin, 'pipe', 'pipe'],
    detached: true,
  })
  if (typeof stdin === 'number') closeSync(stdin)
  const take = (chunk: Buffer): void => {
    output.take(chunk)
    for (const watcher of watchers) watcher.output(chunk)
    if (output.bytes > spec.limits.outputMb * mostOutput * 1024 * 1024)
      box.kill('output', 'The box printed far more than is kept.')
  }
  child.stdout?.on('data', take)
  child.stderr?.on('data', take)

  let killed: { end: BoxEnd; message: string } | null = null
  const box: FakeBox = {
    spec,
    installation,
    folder,
    startedAt,
    output,
    watchers,
    accept: (connection) => materials.accept(connection),
    running: true,
    kill(end, message) {
      if (!box.running) return
      killed ??= { end, message }
      killGroup(child)
    },
    result: ended(child).then(async (exit): Promise<BoxResult> => {
      clearTimeout(deadline)
      relay?.close()
      killGroup(child)
      await handBack(spec, folder, materials)
      box.running = false
      return {
        ...(killed ?? outcomeOf(exit)),
        exitCode: exit.code ?? 137,
        output: output.text(),
        outputBytes: output.bytes,
        truncated: output.truncated,
        startedAt,
        endedAt: Date.now(),
        peaks: noPeaks,
      }
    }),
  }
  const deadline = setTimeout(
    () => box.kill('time', `The box was ended after its ${spec.limits.seconds} s.`),
    spec.limits.seconds * 1000,
  )
  host.boxes.set(spec.name, box)
  return box
}

/** Stands for the relay of a box and its channel: a port of its own, as fake boxes share one network. */
async function relayTo(accept: Materials['accept']): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    connection.on('error', () => undefined)
    accept(connection)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The box's environment, with its places and its proxy where they are on this machine. */
function envIn(spec: BoxSpec, folder: string, relay: Server | null): Record<string, string> {
  const address = relay?.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const entries = Object.entries(spec.env).map(([name, value]) => {
    const here = value.replace(/^\/cofferdam\//, `${folder}/cofferdam/`)
    return [name, here.replace(gatewayAddress, `127.0.0.1:${port}`)] as const
  })
  return Object.fromEntries(entries)
}

interface Exit {
  readonly code: number | null
  readonly error: string | null
}

function ended(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: error.code === 'ENOENT' ? 127 : 126, error: error.message }),
    )
    child.once('close', (code) => resolve({ code, error: null }))
  })
}

function outcomeOf({ error }: Exit): { end: BoxEnd; message: string | null } {
  return error === null
    ? { end: 'exited', message: null }
    : { end: 'not_started', message: `The command could not be started: ${error}.` }
}

/** Fetches what the box sees. Covers and pins only change what may be written, so nothing is fetched for them. */
async function layOut(spec: BoxSpec, folder: string, materials: Materials): Promise<void> {
  const work = join(folder, spec.folder)
  const [root, ...others] = spec.mounts
  if (root === undefined) return
  const fetch = async (source: BoxSource, to: string): Promise<void> => {
    await mkdir(to, { recursive: true })
    await pipeline(await materials.pack(source), tar.extract(to))
  }
  if (root.source.kind === 'tree' && root.source.writes === 'discard')
    await fetch({ kind: 'setup', path: '' }, work).catch(() => undefined) // a task without setup has none
  await fetch(root.source, work)
  // What was there before, to put back what the box may not change.
  await cp(work, join(folder, 'before'), { recursive: true, verbatimSymlinks: true })
  for (const { source, target, readonly, placeholder } of others) {
    if (['setup', 'git', 'attempt', 'agent', 'cache'].includes(source.kind))
      await fetch(source, join(folder, target))
    else if (!readonly && placeholder === 'folder') await mkdir(join(folder, target), { recursive: true })
  }
}

function isWholeWorktree(source: BoxSource): boolean {
  return source.kind === 'worktree' && source.path === ''
}

/** Gives the caller what stays of what the box wrote. */
async function handBack(spec: BoxSpec, folder: string, materials: Materials): Promise<void> {
  for (const { target, placeholder } of spec.mounts.toReversed())
    if (placeholder === 'folder') await rmdir(join(folder, target)).catch(() => undefined) // used, or never made
  const now = join(folder, spec.folder)
  const before = join(folder, 'before')
  const root = spec.mounts[0]
  if (root?.readonly === true) {
    // Only the islands are new.
    const islands = spec.mounts.filter(({ source, readonly }) => source.kind === 'worktree' && !readonly)
    for (const { target } of islands) await replace(now, before, fromWork(target) ?? '')
    await replace(before, now, '')
  }
  for (const { target, readonly, source } of spec.mounts.slice(1)) {
    const path = fromWork(target)
    if (path !== null && (readonly || source.kind === 'setup')) await replace(before, now, path)
  }
  for (const { source, target, readonly } of spec.mounts) {
    const stays = source.kind === 'git' || source.kind === 'agent' || isWholeWorktree(source)
    const kept = (source.kind === 'tree' || source.kind === 'cache') && source.writes === 'keep'
    if (kept || (stays && (!readonly || source.kind === 'worktree')))
      await materials.unpack(source, Readable.from(tar.pack(join(folder, target))))
  }
}

/** Makes `path` under `to` what it is under `from`, also where it is nothing there. */
async function replace(from: string, to: string, path: string): Promise<void> {
  await rm(join(to, path), { recursive: true, force: true })
  const there = await lstat(join(from, path)).catch(() => null)
  if (there === null) return
  await mkdir(dirname(join(to, path)), { recursive: true })
  await cp(join(from, path), join(to, path), { recursive: true, verbatimSymlinks: true })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody is left in the group.
  }
}

function neverRan(): BoxResult {
  const at = Date.now()
  const nothing = { exitCode: null, output: '', outputBytes: 0, truncated: false }
  return {
    end: 'killed',
    ...nothing,
    startedAt: at,
    endedAt: at,
    peaks: noPeaks,
    message: 'The box was stopped before it started.',
  }
}

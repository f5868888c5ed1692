import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BoxResult, BoxSpec, BoxWatcher, Materials, Peaks } from '../../domain/box.ts'
import type { Millis } from '../../domain/brand.ts'
import { Failure } from '../../domain/failure.ts'
import { specHash } from '../hash.ts'
import { awaitExit, replay } from './calls.ts'
import type { Seen } from './compare.ts'
import type { Api } from './connect.ts'
import { inspect, removeContainer, startOf } from './containers.ts'
import { diskGuard, growthGuard, hasLittleFree, writableFolders } from './disk.ts'
import { mostOutput, signalled, type Cause } from './end.ts'
import { demultiplexer, type TakeOutput } from './frames.ts'
import { readBoxLabels } from './labels.ts'
import { claimFolder, clearFolder } from './leftovers.ts'
import { outputKeeper, type Output } from './output.ts'
import { replayFilter, type ReplayFilter } from './replay-filter.ts'
import { endedFromOutside } from './outside.ts'
import { boxFolder, type Parts } from './parts.ts'
import { noPeaks, samplePeaks } from './peaks.ts'
import { neverRan, resultOf } from './result.ts'
import { startBox, type Started } from './start.ts'
import { abortOf, drained, throwIfDetached, watch, type Guard, type Watched } from './watch.ts'

// The inside deadline ends a box at its time, and kills five seconds later what did not obey; this is for when it fails.
const grace = 7000
// How long an ended box's output may take to come, and an engine that went away to come back, ms.
const replayPatience = 30_000
const returnPatience = 15_000

/** One run of one box, with all that its steps need. */
interface Run {
  readonly parts: Parts
  readonly api: Api
  readonly spec: BoxSpec
  readonly materials: Materials
  readonly watcher: BoxWatcher
  readonly signal: AbortSignal
  /** What is kept of the output. */
  readonly output: Output
  readonly filter: ReplayFilter
  /** Aborted when it has printed too much. */
  readonly flooded: AbortSignal
  peaks: () => Peaks
}

/** Runs a box to its end, as the contract of `Engine.run` says: take over what is there, else start; watch; read. */
export async function runBox(
  parts: Parts,
  spec: BoxSpec,
  materials: Materials,
  watcher: BoxWatcher,
  signal: AbortSignal,
): Promise<BoxResult> {
  const api = await parts.connect()
  const kept = spec.limits.outputMb * 1024 * 1024
  const output = outputKeeper(kept)
  const flood = new AbortController()
  const filter = replayFilter((part) => {
    output.take(part)
    watcher.output(part)
    if (output.bytes > kept * mostOutput) flood.abort()
  })
  const flooded = flood.signal
  const run: Run = {
    parts,
    api,
    spec,
    materials,
    watcher,
    signal,
    output,
    filter,
    flooded,
    peaks: () => noPeaks,
  }

  const there = await findBox(run)
  const hasChannel = spec.mounts.some(({ source }) => source.kind === 'channel')
  await using _channel = hasChannel
    ? await parts.channels.open(spec, (connection) => materials.accept(connection))
    : null
  if (there !== null) return await takeOver(run, there)
  throwIfDetached(signal)
  if (signal.aborted) return neverRan(run, 'killed')
  if (await hasLittleFree(parts.scratch, spec.limits)) return neverRan(run, 'disk')

  const started = await startBox(parts, api, spec, materials, signal)
  if (started === 'aborted') {
    throwIfDetached(signal)
    return neverRan(run, 'killed')
  }
  if (started === null) {
    const other = await inspect(api, spec.name)
    if (other === null)
      throw new Failure('engine', `The name ${spec.name} is taken on the engine: try again.`)
    return await takeOver(run, checked(run, other))
  }
  watcher.started(parts.now())
  return await finish(run, started.id, await watchStarted(run, started))
}

/** The box of this name, if it has ever run. What never started is cleared away, with what a crash left of it. */
async function findBox(run: Run): Promise<Seen | null> {
  const { parts, api, spec } = run
  if (await claimFolder(parts, spec.name)) return null
  const seen = await inspect(api, spec.name)
  if (seen !== null) {
    checked(run, seen)
    if (startOf(seen) !== null) return seen
    await removeContainer(api, seen.Id)
  }
  await clearFolder(parts, spec.name)
  await claimFolder(parts, spec.name)
  return null
}

/** Refuses a box that was made from another spec, or by somebody else. */
function checked({ spec }: Run, seen: Seen): Seen {
  if (readBoxLabels(seen.Config.Labels)?.specHash === specHash(spec)) return seen
  throw new Failure(
    'engine',
    `There is a box ${spec.name} already, and it was made for something else: remove it.`,
  )
}

async function takeOver(run: Run, seen: Seen): Promise<BoxResult> {
  const { parts, spec, watcher } = run
  const startedAt = startOf(seen)
  if (startedAt === null) throw new Failure('engine', `The box ${spec.name} was never started: try again.`)
  parts.ids.set(spec.name, seen.Id)
  // The time of one that has ended is in its result.
  if (seen.State.Running) watcher.started(startedAt)
  return goOn(run, seen, startedAt)
}

/** Watches a box that was started before, or reads what it said if it has ended. */
async function goOn(run: Run, seen: Seen, startedAt: Millis): Promise<BoxResult> {
  if (seen.State.Running) return finish(run, seen.Id, await watchAgain(run, seen, startedAt))
  const stream = await replay(run.api, seen.Id)
  listen(stream, run.filter.replay())
  await drained(stream, replayPatience)
  stream.destroy()
  return resultOf(run, seen, await causeOfEnded(run, seen), true)
}

/** A box that was killed while nobody could write why: where there is no room on the disk, it was for that. */
async function causeOfEnded({ parts, spec }: Run, seen: Seen): Promise<Cause> {
  const killed = signalled.has(seen.State.ExitCode) && !seen.State.OOMKilled
  return killed && (await hasLittleFree(parts.scratch, spec.limits)) ? 'disk' : 'exit'
}

async function watchStarted(run: Run, started: Started): Promise<Cause> {
  listen(started.stream, run.filter.live)
  const timeLeft = run.spec.limits.seconds * 1000 + grace
  const guards = guardsOf(run, started.folders, run.parts.now())
  return guarded(run, { ...started, timeLeft, guards })
}

/** Watches a box that runs already; its output comes from the beginning. */
async function watchAgain(run: Run, seen: Seen, startedAt: Millis): Promise<Cause> {
  const { api, spec, parts } = run
  const id = seen.Id
  const [stream, exit] = await Promise.all([replay(api, id), awaitExit(api, id, 'not-running')])
  listen(stream, run.filter.replay())
  const timeLeft = startedAt + spec.limits.seconds * 1000 + grace - parts.now()
  const guards = guardsOf(
    run,
    writableFolders(seen.Mounts.map(({ Type, Source, RW }) => ({ Type, Source, ReadOnly: !RW }))),
    startedAt,
  )
  return guarded(run, { id, stream, exit, timeLeft, guards })
}

/** Watches, and looks at what the box uses meanwhile. */
async function guarded(run: Run, watched: Watched): Promise<Cause> {
  const over = new AbortController()
  run.peaks = samplePeaks(run.api, watched.id, over.signal)
  try {
    return await watch(run.api, watched, run.signal)
  } finally {
    over.abort()
  }
}

function guardsOf({ parts, spec, flooded }: Run, kept: readonly string[], since: Millis): readonly Guard[] {
  return [
    diskGuard(parts.scratch, spec.limits),
    growthGuard([...kept, boxFolder(parts, spec.name)], since, spec.limits),
    async (over) => {
      await abortOf(flooded, over)
      return 'output'
    },
  ]
}

function listen(stream: Readable, take: TakeOutput): void {
  stream.on('data', demultiplexer(take))
}

/** Reads the result; where the engine went away and came back, goes on with the box as it is by now. */
async function finish(run: Run, id: string, cause: Cause): Promise<BoxResult> {
  const { seen, waited } = await inspectPatiently(run, id)
  const startedAt = seen === null ? null : startOf(seen)
  if (cause !== 'lost' || seen === null || startedAt === null) return read(run, seen, cause, waited)
  run.parts.log('the engine is back: going on with the box', {
    box: run.spec.name,
    running: seen.State.Running,
  })
  return goOn(run, seen, startedAt)
}

/** @param wasAway the engine went away when the box had ended: it ends boxes before itself, and forgets that it did */
async function read(run: Run, seen: Seen | null, cause: Cause, wasAway: boolean): Promise<BoxResult> {
  const { api, parts } = run
  const startedAt = seen === null ? null : startOf(seen)
  const outside =
    cause === 'exit' &&
    seen !== null &&
    startedAt !== null &&
    (wasAway || (await endedFromOutside(api, seen, startedAt, parts.now())))
  return resultOf(run, seen, cause, outside)
}

/** `seen` is null where the engine has lost the box, or stays away; `waited`: it did not answer at once. */
async function inspectPatiently(
  { parts, api, spec, signal }: Run,
  id: string,
): Promise<{ readonly seen: Seen | null; readonly waited: boolean }> {
  let waited = false
  for (const began = performance.now(); ; waited = true) {
    try {
      return { seen: await inspect(api, id, 5), waited }
    } catch (error) {
      throwIfDetached(signal)
      if (performance.now() - began > returnPatience || signal.aborted) return { seen: null, waited: true }
      parts.log('the engine does not answer: waiting for it', { box: spec.name, error: String(error) })
      await sleep(1000)
    }
  }
}

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { lockFolder } from '../../../control-plane/store/lock.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { birth, change } from '../../support/change.ts'
import { program, type Program } from '../../support/program.ts'
import { aTask, aTaskId } from '../../support/task.ts'
import { startChild } from './child.ts'
import { type Home, hostPath, makeHome } from './home.ts'

const nobody = 65_534
const asRoot = process.getuid?.() === 0

/** Runs `act` as a user without rights of its own, where the tests run as root. */
function withoutRights<T>(act: () => T): T {
  if (!asRoot) return act()
  process.seteuid?.(nobody)
  try {
    return act()
  } finally {
    process.seteuid?.(0)
  }
}

const filled = z.object({
  told: z.int(),
  version: z.int(),
  events: z.int(),
  code: z.string(),
  message: z.string(),
  next: z.string().nullable(),
})

function failureOf(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('the storage fails', () => {
  let filler: Program
  let holder: Program
  let home: Home

  beforeAll(() => {
    filler = program(new URL('programs/filler.ts', import.meta.url))
    holder = program(new URL('programs/holder.ts', import.meta.url))
  })
  afterAll(() => {
    filler[Symbol.dispose]()
    holder[Symbol.dispose]()
  })
  beforeEach(() => {
    home = makeHome()
  })
  afterEach(() => home[Symbol.dispose]())

  /** The task is at `version` with as many events, and can be worked on. */
  const soundAt = (version: number): void => {
    const store = openStore(home.file)
    const task = store.task(aTaskId)
    expect(task?.version).toBe(version)
    expect(store.events(aTaskId, 0, 1_000_000)).toHaveLength(version)
    if (task !== null) expect(store.write(change(task)).kind).toBe('written')
    store[Symbol.dispose]()
  }

  it('at a size limit: the write says so and nothing of it is there; it goes on when there is room', () => {
    const limited = `ulimit -f 1024; exec "$0" "$@"`
    const output = execFileSync('sh', ['-c', limited, process.execPath, filler.file, home.file])
    const said = filled.parse(JSON.parse(output.toString()))
    expect(said).toMatchObject({ code: 'disk', version: said.told, events: said.told })
    expect(said.message).toContain('nothing was changed')
    expect(said.told).toBeGreaterThan(10)
    soundAt(said.told)
  })

  // In a mount namespace of its own, so that nothing is left of it.
  const inside = (script: string, args: readonly string[] = []) =>
    spawnSync('sh', ['-c', 'exec unshare --mount sh -ec "$0" "$@"', script, 'sh', ...args])
  const canMount = asRoot && inside('mount -t tmpfs tmpfs /mnt').status === 0

  it.runIf(canMount)('on a full disk: the same (only root can mount a small one)', () => {
    const onSmallDisk = `mount -t tmpfs -o size=1m tmpfs "$3"; head -c 200000 /dev/zero >"$3/ballast"
      exec "$1" "$2" "$3/cofferdam.db" "$3/ballast"`
    const { stdout } = inside(onSmallDisk, [process.execPath, filler.file, home.folder])
    const said = filled.parse(JSON.parse(stdout.toString()))
    expect(said).toMatchObject({ code: 'disk', version: said.told, events: said.told, next: 'written' })
    expect(said.message).toContain('nothing was changed')
  })

  it('while another program holds the write lock: busy, and nothing is written', async () => {
    const store = openStore(home.file)
    store.write(birth(aTask()))
    const child = startChild(process.execPath, [holder.file, home.file])
    await child.printed(/held/)
    const failure = failureOf(() => store.write(change(aTask())))
    expect(failure.code).toBe('busy')
    expect(failure.message).toContain(home.file)
    expect(
      failureOf(() => store.heartbeat(aTaskId, 1, { leaseUntil: 1, chargeMs: 0, step: 1, attempt: 1 })).code,
    ).toBe('busy')
    expect(store.task(aTaskId)?.version).toBe(1)
    await child.kill()
    expect(store.write(change(aTask())).kind).toBe('written')
    store[Symbol.dispose]()
    soundAt(2)
  })

  it('in a folder that cannot be written: a failure that says what to do, and nothing is made', () => {
    const closed = hostPath(join(home.folder, 'closed'))
    const file = hostPath(join(closed, 'cofferdam.db'))
    mkdirSync(closed)
    if (asRoot) {
      chmodSync(home.folder, 0o755)
      chownSync(closed, nobody, nobody)
    }
    const refused = () => withoutRights(() => failureOf(() => openStore(file)))
    chmodSync(closed, 0o555)
    expect(refused()).toMatchObject({ code: 'database' })
    expect(refused().message).toContain(`Make ${closed} writable`)
    const owner = { pid: 1, startedAt: 1, what: 'run' }
    expect(withoutRights(() => failureOf(() => lockFolder(closed, owner))).code).toBe('data_folder')

    // The same with a database in it.
    chmodSync(closed, 0o755)
    withoutRights(() => openStore(file)[Symbol.dispose]())
    chmodSync(file, 0o444)
    chmodSync(closed, 0o555)
    expect(refused().message).toContain(`Make ${closed} writable`)
    chmodSync(closed, 0o755)
  })
})

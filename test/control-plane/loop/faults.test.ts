import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Change, Store } from '../../../control-plane/store/store.ts'
import type { Materials } from '../../../src/domain/box.ts'
import { Failure, type FailureCode } from '../../../src/domain/failure.ts'
import { defaultPolicy } from '../../../src/domain/policies.ts'
import type { Checkpoint, Task } from '../../../src/domain/task.ts'
import { lossCap } from '../../../src/domain/transition/table.ts'
import { change } from '../../support/change.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { until } from '../../support/until.ts'

let lab: LoopLab
beforeEach(async () => {
  lab = await loopLab()
})
afterEach(() => lab[Symbol.asyncDispose]())

const engineDown = (): never => {
  throw new Failure('engine', 'The engine does not answer.')
}

/** Leaves one more line in a file each time that it runs. */
const agent = 'echo ran >> runs.txt'

async function appliedOnce(repo: string, born: Task): Promise<void> {
  const task = await lab.settled(born.id)
  expect([task.halt?.text, task.status, task.spent.steps, task.attempt]).toEqual([undefined, 'APPLIED', 1, 1])
  expect(git(repo, 'show', `${task.branch}:runs.txt`)).toBe('ran\n')
  expect(git(repo, 'rev-list', '--count', `main..${task.branch}`).trim()).toBe('1')
}

/** Waits until the agent has said `one`. */
async function printed({ id }: Task): Promise<void> {
  await until(async () => (await lab.deps.outputs.read(id, null)).includes('one'))
}

/** Lets the storage fail once, for the first event of this type. */
function failOnce(type: string, code: FailureCode): void {
  let failed = false
  lab.faults.store = (method, args) => {
    if (failed || method !== 'write' || (args[0] as Change).event.type !== type) return
    failed = true
    throw new Failure(code, `The storage said ${code}.`)
  }
}

describe('a storage that fails in the middle', () => {
  const types: readonly string[] = [
    'begun',
    'agent_finished',
    'candidate_made',
    'tested',
    'checkpointed',
    'handed_over',
  ]
  const codes = ['busy', 'database', 'disk'] as const
  it.each(codes)('loses nothing and is tried again (%s)', async (code) => {
    const repo = aRepository()
    let failures = 0
    const failed = new Map<string, number>()
    lab.faults.store = (method, args) => {
      if (method !== 'write') return
      const { event } = args[0] as Change
      const before = failed.get(event.type) ?? 0
      // A full disk is a reason to halt, once that can be written: so that fails too.
      const halt = code === 'disk' && event.type === 'halted'
      if (!halt && (before === 1 || !types.includes(event.type))) return
      failed.set(event.type, before + 1)
      failures += 1
      throw new Failure(code, `The storage said ${code}.`)
    }
    await appliedOnce(repo, await lab.birth(repo, agent))
    failed.delete('halted')
    expect([...failed.keys()]).toEqual(types)
    expect(failures).toBeGreaterThanOrEqual(types.length)
    expect(lab.pauses.length).toBeGreaterThanOrEqual(types.length)
  })

  it('halts the task on a disk that is full for one write, and a resume goes on from what was done', async () => {
    const repo = aRepository()
    failOnce('agent_finished', 'disk')
    const born = await lab.birth(repo, agent)
    const halted = await lab.settled(born.id)
    expect([halted.status, halted.halt?.reason, halted.spent.steps]).toEqual(['BLOCKED', 'disk', 0])
    expect(halted.head).not.toBe(halted.base.commit)
    lab.deps.tasks.act(born.id, { type: 'resumed', instruction: null, budget: null }, born.createdBy)
    const task = await lab.settled(born.id)
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 1])
    expect(git(repo, 'show', `${task.branch}:runs.txt`)).toBe('ran\nran\n')
  })

  it('keeps a finished step where it is while git has no room for it, and a resume goes on with it', async () => {
    const repo = aRepository()
    let full = true
    lab.faults.worktrees = (method) => {
      if (full && method === 'candidate') throw new Failure('disk', 'The disk of the data folder is full.')
    }
    const born = await lab.birth(repo, agent)
    const halted = await lab.settled(born.id)
    expect([halted.status, halted.halt?.reason, halted.phase]).toEqual(['BLOCKED', 'disk', 'postponed'])
    expect(halted.halt?.text).toContain('What step 1 has done is left in the data folder as it is')
    // A resume that comes too early changes nothing.
    lab.deps.tasks.act(born.id, { type: 'resumed', instruction: null, budget: null }, born.createdBy)
    expect((await lab.settled(born.id)).phase).toBe('postponed')
    full = false
    lab.deps.tasks.act(born.id, { type: 'resumed', instruction: null, budget: null }, born.createdBy)
    await appliedOnce(repo, born)
  })

  it('keeps what a stopped step had done where it is while git has no room for it', async () => {
    const repo = aRepository()
    let full = true
    lab.faults.worktrees = (method) => {
      if (full && method === 'candidate') throw new Failure('disk', 'The disk of the data folder is full.')
    }
    const script = '[ -f runs.txt ] && exit; echo ran >> runs.txt; echo one; sleep 60'
    const born = await lab.birth(repo, script)
    await printed(born)
    lab.deps.tasks.act(born.id, { type: 'stopped', text: null }, born.createdBy)
    const stopped = await lab.settled(born.id)
    expect([stopped.status, stopped.phase]).toEqual(['STOPPED', 'postponed'])
    full = false
    await lab.reopen()
    expect(lab.task(born.id).phase).toBe('postponed')
    lab.deps.tasks.act(born.id, { type: 'resumed', instruction: null, budget: null }, born.createdBy)
    const task = await lab.settled(born.id)
    expect(task.status).toBe('APPLIED')
    expect(git(repo, 'show', `${task.branch}:runs.txt`)).toBe('ran\n')
  })

  it('does not run a box again for as long as its end cannot be written, and says once that it waits', async () => {
    const repo = aRepository()
    let refusals = 0
    let runs = 0
    const said: string[] = []
    lab.deps.bus.subscribe({ output: (_id, { box, text }) => void (box === 'disk' && said.push(text)) })
    lab.faults.engine = (method) => {
      if (method === 'run') runs += 1
    }
    lab.faults.store = (method, args) => {
      const isEnd =
        method === 'write' && ['agent_finished', 'halted'].includes((args[0] as Change).event.type)
      // A heartbeat that charges nothing only asks whether there is room.
      const asks = method === 'heartbeat' && (args[2] as { chargeMs: number }).chargeMs === 0
      if (refusals < 8 && (isEnd || (asks && refusals > 0))) {
        refusals += 1
        throw new Failure('disk', 'The disk is full.')
      }
    }
    await appliedOnce(repo, await lab.birth(repo, agent))
    expect([runs, refusals]).toEqual([2, 8])
    expect(said).toEqual(['The disk is full. Waiting for room on it.\n'])
  })

  it('is not asked again and again by a process that ends: the next one goes on', async () => {
    const repo = aRepository()
    const born = await lab.birth(repo, 'echo one; sleep 5; echo ran >> runs.txt')
    await printed(born)
    let asked = 0
    lab.faults.store = (method) => {
      if (method !== 'task' || asked === 1000) return
      asked += 1
      throw new Failure('database', 'The storage does not answer.')
    }
    const closed = lab.close()
    // Its task stays in flight, as after a crash.
    await expect(closed).rejects.toThrow('The storage does not answer.')
    expect(asked).toBeLessThan(10)
    lab.faults.store = () => undefined
    await lab.reopen()
    await appliedOnce(repo, born)
  })

  it('claims what waits when it can be written again', async () => {
    const repo = aRepository()
    failOnce('claimed', 'busy')
    const first = await lab.birth(repo, agent)
    expect(lab.task(first.id).status).toBe('PENDING')
    const second = await lab.birth(repo, agent)
    await appliedOnce(repo, first)
    await appliedOnce(repo, second)
  })
})

describe('a repository that does not take the branch', () => {
  it('waits for a person with the validated work, and a resume hands it over', async () => {
    const repo = aRepository()
    let tries = 0
    lab.faults.worktrees = (method) => {
      if (method === 'handover' && (tries += 1) === 1)
        throw new Failure('repository', 'It is checked out: check out another one, then resume the task.')
    }
    const born = await lab.birth(repo, `${agent}; echo TASK_STATE: DONE`)
    const halted = await lab.settled(born.id)
    expect([halted.status, halted.halt?.reason, halted.outcome]).toEqual([
      'BLOCKED',
      'repository',
      'untested',
    ])
    expect(halted.halt?.text).toContain('then resume the task')
    expect(lab.events(born.id).at(-1)?.text).toBe('The worktree is back at the last checkpoint.')
    lab.deps.tasks.act(born.id, { type: 'resumed', instruction: null, budget: null }, born.createdBy)
    await appliedOnce(repo, born)
    expect(tries).toBe(2)
  })
})

describe('a setup command that fails', () => {
  it('says that a resume tries the same again, and that another one needs a new task', async () => {
    const born = await lab.birth(aRepository(), agent, { setup: 'echo no such package; exit 3' })
    const task = await lab.settled(born.id)
    expect([task.status, task.halt]).toEqual([
      'BLOCKED',
      {
        reason: 'setup',
        text:
          'Setup failed (exit code 3). Resume tries the same again; to change it, start a new task with another ' +
          '--setup. It printed last: "no such package"',
      },
    ])
  })
})

describe('an agent that cannot be started', () => {
  it('says what to do before what the box said', async () => {
    const born = await lab.birth(aRepository(), agent, {
      agent: { name: 'command', argv: ['/no/such/program'] },
    })
    const task = await lab.settled(born.id)
    expect([task.status, task.halt?.reason]).toEqual(['FAILED', 'agent'])
    expect(task.halt?.text).toMatch(
      /^The agent did not start: mend its command and start a new task, .* The command could not be started: /,
    )
  })
})

describe('an engine that is down', () => {
  it('does not hinder a shutdown, and the next process goes on (B21)', async () => {
    const repo = aRepository()
    lab.faults.engine = engineDown
    const born = await lab.birth(repo, agent)
    await until(() => lab.pauses.length > 2)
    const began = Date.now()
    await lab.close()
    expect(Date.now() - began).toBeLessThan(2000)
    expect(lab.task(born.id)).toMatchObject({ status: 'PENDING', losses: 0, spent: { steps: 0, ms: 0 } })
    lab.faults.engine = () => undefined
    await lab.reopen()
    await appliedOnce(repo, born)
  })

  it('after it has started a box, and does not know it any more, makes no step take effect twice (B21)', async () => {
    const repo = aRepository()
    let runs = 0
    lab.faults.engine = async (method, args) => {
      if (method !== 'run') return
      runs += 1
      if (runs > 1) return
      const worktree = await (args[1] as Materials).locate({ kind: 'worktree', path: '' })
      appendFileSync(join(worktree, 'runs.txt'), 'ran\n')
      engineDown()
    }
    const born = await lab.birth(repo, agent)
    const task = await lab.settled(born.id)
    expect([task.status, task.spent.steps, task.attempt, runs]).toEqual(['APPLIED', 1, 2, 2])
    expect(git(repo, 'show', `${task.branch}:runs.txt`)).toBe('ran\n')
  })

  it('for five minutes fails the task, with what to do (B21)', async () => {
    lab.faults.engine = engineDown
    const born = await lab.birth(aRepository(), agent)
    const task = await lab.settled(born.id)
    expect([task.status, task.halt?.reason]).toEqual(['FAILED', 'engine'])
    expect(task.halt?.text).toContain('5 minutes')
    expect(lab.pauses.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(5 * 60_000)
  })

  it('is asked again and again in vain where it comes back each time, and then the task fails (B21)', async () => {
    lab.faults.engine = (method) => (method === 'run' ? engineDown() : undefined)
    const born = await lab.birth(aRepository(), agent)
    const task = await lab.settled(born.id)
    expect([task.status, task.halt?.reason, task.spent.steps]).toEqual(['FAILED', 'engine', 0])
    expect(lab.events(born.id).filter(({ type }) => type === 'lost')).toHaveLength(lossCap)
  })
})

describe('what a person says while a step is laid out', () => {
  it('is in the next prompt, once', async () => {
    const repo = aRepository()
    let steered = false
    lab.faults.engine = (method) => {
      if (method !== 'image' || steered) return
      steered = true
      lab.deps.tasks.act(born.id, { type: 'steered', text: 'use tabs' }, born.createdBy)
    }
    const script = 'cat > p$(ls p*.txt 2>/dev/null | wc -l).txt; [ -f p2.txt ] || echo TASK_STATE: CONTINUE'
    const born = await lab.birth(repo, script)
    const task = await lab.settled(born.id)
    expect([task.status, task.spent.steps]).toEqual(['APPLIED', 3])
    const said = ['p0', 'p1', 'p2'].map((name) =>
      git(repo, 'show', `${task.branch}:${name}.txt`).split('use tabs'),
    )
    expect(said.map(({ length }) => length - 1)).toEqual([0, 1, 0])
  })
})

describe('what no repository would take', () => {
  it('is undone alone, is in the next prompt, and keeps nothing else from being handed over', async () => {
    const repo = aRepository()
    const bad = String.raw`printf '[submodule "s"]\n\tpath = s\n\turl = -u./x\n' > .gitmodules`
    const script = `cat > prompt.txt; [ -f one.txt ] && exit; ${bad}; echo x > one.txt; echo TASK_STATE: CONTINUE`
    const born = await lab.birth(repo, script)
    const task = await lab.settled(born.id)
    expect([task.halt?.text, task.status, task.spent.steps]).toEqual([undefined, 'APPLIED', 2])
    expect(git(repo, 'ls-tree', '--name-only', task.branch)).not.toContain('.gitmodules')
    expect(git(repo, 'show', `${task.branch}:prompt.txt`)).toContain(
      '- ".gitmodules": git refuses it: disallowed submodule url: -u./x\n',
    )
  })
})

describe('what a halt left', () => {
  const atWork = 'echo x > x.txt; echo one; sleep 30'
  const stop = async (born: Task): Promise<void> => {
    await printed(born)
    lab.deps.tasks.act(born.id, { type: 'stopped', text: null }, born.createdBy)
  }

  it.each([
    ['worktree', 0],
    ['engine', 13],
  ] as const)('and cannot be kept is given up with a sentence (%s)', async (code, pauses) => {
    lab.faults.worktrees = (method) => {
      if (method === 'candidate') throw new Failure(code, 'It cannot be read.')
    }
    const born = await lab.birth(aRepository(), atWork)
    await stop(born)
    const task = await lab.settled(born.id)
    expect([task.status, task.head]).toEqual(['STOPPED', born.head])
    expect(lab.events(born.id).at(-1)?.text).toContain('could not be kept: It cannot be read.')
    expect(lab.pauses).toHaveLength(pauses)
    expect(rows(born).at(-1)?.state).toBe('dropped')
  })

  it.each<[Partial<Task>]>([[{ setup: 'echo one; sleep 30' }], [{ test: 'echo one; sleep 30' }]])(
    'of a preparation, %j, is nothing, and a resume starts it again',
    async (overrides) => {
      const born = await lab.birth(aRepository(), atWork, overrides)
      await stop(born)
      const task = await lab.settled(born.id)
      expect([task.status, task.head]).toEqual(['STOPPED', born.head])
      expect(lab.events(born.id).at(-1)?.text).toBe(
        'Setup or the first test was broken off; it starts again on resume.',
      )
    },
  )

  it('is kept without a file that is longer than a worktree may hold', async () => {
    const repo = aRepository()
    const policy = { ...defaultPolicy, limits: { ...defaultPolicy.limits, worktreeMb: 16 } }
    const born = await lab.birth(repo, `truncate -s 32M long.bin; ${atWork}`, { policy })
    await stop(born)
    const task = await lab.settled(born.id)
    expect([task.status, task.head === born.head]).toEqual(['STOPPED', false])
    expect(rows(born).at(-1)).toMatchObject({
      state: 'partial',
      candidate: { leftOut: [{ path: 'long.bin', why: 'longer than 16 MiB', undone: true }] },
    })
  })

  it('is kept as soon as the engine is back', async () => {
    const repo = aRepository()
    const born = await lab.birth(repo, atWork)
    let refusals = 3
    lab.faults.engine = (method) => {
      if (method !== 'remove' || refusals === 0) return
      refusals -= 1
      engineDown()
    }
    await stop(born)
    expect((await lab.settled(born.id)).head).not.toBe(born.head)
    expect(lab.pauses).toHaveLength(3)
    expect(rows(born).at(-1)?.state).toBe('partial')
  })
})

describe('another process', () => {
  /** A task whose agent is at work when its process ends. */
  async function leftAtWork(repo: string, script: string): Promise<Task> {
    const born = await lab.birth(repo, script)
    await printed(born)
    await lab.close()
    return lab.task(born.id)
  }

  it('takes the box over, says under which fences, and has its output once in order', async () => {
    const repo = aRepository()
    const left = await leftAtWork(repo, 'echo one; sleep 1; echo two; echo x > x.txt')
    expect(left.status).toBe('PENDING')
    await lab.reopen()
    const task = await lab.settled(left.id)
    expect([task.halt?.text, task.status, task.attempt, task.fence]).toEqual([undefined, 'APPLIED', 1, 2])
    const box = rows(task).at(-1)?.box?.name
    const adopted = lab.events(task.id).find(({ data }) => 'madeUnder' in data)
    expect(adopted?.data).toEqual({ box, madeUnder: 1, takenUnder: 2 })
    expect(adopted?.text).toContain('made under fence 1, goes on under 2')
    expect(await lab.deps.outputs.read(task.id, null)).toBe('== agent box, step 1, attempt 1 ==\none\ntwo\n')
  })

  it('that finds a task with which too many have died halts it, and keeps what its step had done', async () => {
    const repo = aRepository()
    const left = await leftAtWork(repo, '[ -f x.txt ] && exit 0; echo x > x.txt; echo one; sleep 30')
    const died = { status: 'RUNNING', phase: 'agent', fence: 2, losses: lossCap - 1 } as const
    lab.deps.store.write(change(left, died))
    const calls: string[] = []
    lab.faults.worktrees = async (method) => {
      if (method === 'sweep') await sleep(50)
      calls.push(method)
    }
    await lab.reopen()
    const halted = await lab.settled(left.id)
    expect([halted.status, halted.halt?.reason]).toEqual(['BLOCKED', 'crash'])
    // By one worker, and not before what is half made was swept away.
    expect([calls[0], calls.filter((method) => method === 'candidate')]).toEqual(['sweep', ['candidate']])
    expect(halted.halt?.text).toContain(`${lossCap} attempts in a row were lost`)
    expect(rows(left).at(-1)?.state).toBe('partial')
    expect(await lab.deps.engine.list()).toEqual([])
    lab.deps.tasks.act(left.id, { type: 'resumed', instruction: null, budget: null }, left.createdBy)
    const task = await lab.settled(left.id)
    expect([task.status, task.losses]).toEqual(['APPLIED', 0])
  })
})

function rows({ id }: Task): readonly Checkpoint[] {
  return lab.deps.store.checkpoints(id)
}

describe('a row that cannot be read', () => {
  const damaged = (): never => {
    throw new Failure('database', 'The task is damaged in the database: put a copy back.')
  }

  it.each(['claimed', 'begun'])(
    'fails its task after a bounded number of tries (from %s on), and a resume goes on once it is mended',
    async (type) => {
      const repo = aRepository()
      let isDamaged = false
      lab.faults.store = (method, args) => {
        if (method === 'write' && (args[0] as Change).event.type === type) isDamaged = true
        if (isDamaged && (method === 'checkpoints' || method === 'openCheckpoint')) damaged()
      }
      const born = await lab.birth(repo, agent)
      const failed = await lab.settled(born.id)
      expect([failed.status, failed.halt?.reason]).toEqual(['FAILED', 'crash'])
      expect(failed.halt?.text).toBe('The task is damaged in the database: put a copy back. Then resume.')
      expect(lab.pauses.length).toBeLessThan(20)
      lab.faults.store = () => undefined
      lab.deps.tasks.act(born.id, { type: 'resumed', instruction: null, budget: null }, born.createdBy)
      expect((await lab.settled(born.id)).status).toBe('APPLIED')
    },
  )

  it.each<keyof Store>(['task', 'write'])(
    'leaves its task alone where nothing can be recorded of it (%s)',
    async (failing) => {
      const repo = aRepository()
      let isDamaged = false
      lab.faults.store = (method, args) => {
        if (isDamaged && method === failing) damaged()
        if (method === 'write' && (args[0] as Change).event.type === 'claimed') isDamaged = true
      }
      const born = await lab.birth(repo, agent)
      await until(() =>
        lab.logged().some(({ msg }) => String(msg).includes('left alone until the next start')),
      )
      const tries = lab.pauses.length
      expect(tries).toBeLessThan(40)
      lab.faults.store = () => undefined
      const other = await lab.birth(aRepository(), agent)
      expect((await lab.settled(other.id)).status).toBe('APPLIED')
      expect(lab.task(born.id).status).toBe('RUNNING')
      await lab.reopen()
      expect((await lab.settled(born.id)).status).toBe('APPLIED')
    },
  )
})

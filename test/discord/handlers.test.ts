import { beforeEach, describe, expect, it } from 'vitest'
import { completions } from '../../src/discord/commands/complete.ts'
import { handlers } from '../../src/discord/commands/handlers.ts'
import { type CommandDeps, repositoryOf } from '../../src/discord/commands/typed.ts'
import { markOf } from '../../src/discord/telling.ts'
import type { LetterFilter } from '../../src/domain/outbox/letter.ts'
import type { MessageBook } from '../../src/domain/outbox/messages.ts'
import { aBook } from '../support/discord/book.ts'
import { aLetter } from '../support/letters.ts'
import { aMerge, anOwner, aPull, aTask, aTaskId, aTaskIdOf } from '../support/task.ts'

// What is decided by a command about a draft, by what was shown of it on Discord.

const here = 'discord:1'
let book: MessageBook
let done: unknown[]
let onItsWay: boolean

beforeEach(() => {
  book = aBook()
  done = []
  onItsWay = false
})

async function use(command: string): Promise<string> {
  const plane = {
    task: () => aTask({ status: 'DRAFT', revision: 4 }),
    act: (...given: readonly unknown[]) => {
      done.push(given)
      return Promise.resolve(aTask({ status: 'PENDING' }))
    },
    offer: (...given: readonly unknown[]) => void done.push(given),
    outbox: {
      letters: ({ destination, states = [] }: LetterFilter) =>
        onItsWay && destination === here && states.includes('waiting') ? [aLetter({})] : [],
    },
  }
  const deps: CommandDeps = {
    plane: () => plane as never,
    settings: { guild: '1', channel: '2', listen: [] } as never,
    book,
  }
  const typed = {
    text: (name: string) => (name === 'task' ? aTaskId : 'use tabs'),
    number: () => null,
    yes: () => null,
  }
  try {
    return (await handlers[command]?.(deps, { caller: anOwner, typed, key: 'k' }))?.text ?? ''
  } catch (error) {
    return String(error)
  }
}

const commands = ['task_approve', 'task_reject', 'task_suggest']

describe.each(commands)('/%s on a draft', (command) => {
  it('is about what was shown last', async () => {
    for (const seq of [1, 3]) {
      const kind = `decision:${seq}`
      const row = { destination: here, taskId: aTaskId, kind, channel: '2', message: markOf(aTaskId, kind) }
      book.put({ ...row, shown: 1, revision: seq, settled: false })
    }
    expect(await use(command)).toMatch(/is PENDING now/)
    expect(done).toEqual([[aTaskId, expect.anything(), anOwner, 3]])
  })

  it('that is about to be shown waits for that', async () => {
    onItsWay = true
    expect(await use(command)).toMatch(/has not been shown here yet: wait for its message in <#2>/)
    expect(done).toEqual([])
  })

  it('that nobody was told of here has it offered', async () => {
    expect(await use(command)).toMatch(/has not been shown here yet: wait for its message in <#2>/)
    expect(done).toEqual([[aTaskId, anOwner]])
  })
})

describe('/task_suggest on an applied task', () => {
  it('has another task change its work, as it was shown', async () => {
    const given: unknown[] = []
    const plane = {
      task: () => aTask({ status: 'APPLIED', revision: 2 }),
      review: (...all: readonly unknown[]) => {
        given.push(...all)
        return Promise.resolve({ task: aTask(), followUp: aTask({ id: aTaskIdOf(1) }), notes: [] })
      },
    }
    const deps = { plane: () => plane as never, settings: {} as never, book }
    const typed = {
      text: (name: string) => (name === 'task' ? aTaskId : 'use tabs'),
      number: () => null,
      yes: () => null,
    }
    const said = await handlers['task_suggest']?.(deps, { caller: anOwner, typed, key: 'k' })
    expect(said?.text).toContain(`Task \`${aTaskIdOf(1)}\` changes it, and is PENDING.`)
    expect(given).toEqual([
      aTaskId,
      { text: 'use tabs', comments: [], requestChanges: true, budget: {} },
      anOwner,
      2,
    ])
  })
})

it('/task_list with what needs you lists the same as the board does', async () => {
  const asked: unknown[] = []
  const plane = { tasks: (filter: unknown) => (asked.push(filter), []) }
  const deps = { plane: () => plane as never, settings: {} as never, book }
  const typed = {
    text: (name: string) => (name === 'state' ? 'needs' : null),
    number: () => null,
    yes: () => null,
  }
  await handlers['task_list']?.(deps, { caller: anOwner, typed, key: 'k' })
  expect(asked).toEqual([{ limit: 15, needsPerson: true }])
})

describe('/task_changes of a task that changes another one', () => {
  const begins = `begins with what \`${aTaskIdOf(1)}\` has changed, which is delivered with it.`

  it.each([
    ['has changed nothing', '', null, true],
    ['has changed something', '+x\n', null, true],
    ['would change all of it', '+x\n', 'main', false],
  ])('where it %s: the work before is named: %#', async (_, diff, against, isNamed) => {
    const plane = {
      task: () => aTask({ status: 'APPLIED', parentTaskId: aTaskIdOf(1) }),
      diff: () => Promise.resolve(diff),
    }
    const deps = { plane: () => plane as never, settings: {} as never, book }
    const options: Readonly<Record<string, string | null>> = { task: aTaskId, against }
    const typed = { text: (name: string) => options[name] ?? null, number: () => null, yes: () => null }
    const said = await handlers['task_changes']?.(deps, { caller: anOwner, typed, key: 'k' })
    expect((said?.text ?? '').includes(begins)).toBe(isNamed)
  })
})

describe('/task_pull_request', () => {
  it('says where to, whether as a draft, and what is accepted', async () => {
    const acts: unknown[] = []
    const plane = {
      task: () => aTask({ status: 'APPLIED' }),
      act(_: unknown, act: unknown) {
        acts.push(act)
        return Promise.resolve(
          aTask({ status: 'APPLIED', phase: 'push', delivery: 'delivering', pull: aPull() }),
        )
      },
    }
    const deps = { plane: () => plane as never, settings: {} as never, book }
    const options: Readonly<Record<string, string>> = { task: aTaskId, into: 'next', accept: 'ci' }
    const typed = { text: (name: string) => options[name] ?? null, number: () => null, yes: () => false }
    const said = await handlers['task_pull_request']?.(deps, { caller: anOwner, typed, key: 'k' })
    expect(said?.text).toBe(`Task \`${aTaskId}\` is on the way to ada/tools now.`)
    expect(acts).toEqual([{ act: 'pull-request', into: 'next', draft: false, accept: ['ci'] }])
  })
})

describe('/task_merge', () => {
  const merged = async (options: Readonly<Record<string, string>>): Promise<readonly [string, unknown]> => {
    const acts: unknown[] = []
    const plane = {
      task: () => aTask({ status: 'APPLIED' }),
      act: (_: unknown, act: unknown) => {
        acts.push(act)
        return Promise.resolve(aTask({ status: 'APPLIED', delivery: 'delivering', merge: aMerge() }))
      },
    }
    const deps = { plane: () => plane as never, settings: {} as never, book }
    const typed = {
      text: (name: string) => (name === 'task' ? aTaskId : (options[name] ?? null)),
      number: () => null,
      yes: () => null,
    }
    try {
      const said = await handlers['task_merge']?.(deps, { caller: anOwner, typed, key: 'k' })
      return [said?.text ?? '', acts[0]]
    } catch (error) {
      return [String(error), acts[0]]
    }
  }

  it('says where to and how, and what is accepted', async () => {
    expect(await merged({})).toEqual([
      `Task \`${aTaskId}\` is on the way into main now.`,
      { act: 'merge', into: null, how: null, accept: [] },
    ])
    expect((await merged({ into: 'next', how: 'squash', accept: 'lockfile, ci' }))[1]).toEqual({
      act: 'merge',
      into: 'next',
      how: 'squash',
      accept: ['ci', 'lockfile'],
    })
  })

  it('refuses a mark that there is not', async () => {
    expect(await merged({ accept: 'luck' })).toEqual([
      expect.stringContaining('There is no mark luck'),
      undefined,
    ])
  })
})

describe('/task_start with an agent', () => {
  const requested = async (own: string | null, named: string | null): Promise<unknown> => {
    let request: { readonly agent?: unknown } = {}
    const plane = {
      repositories: () => [{ path: '/shop', configured: true, agent: own }],
      agents: () => [
        { name: 'command', usual: false },
        { name: 'claude', usual: true },
      ],
      submit: (given: typeof request) => {
        request = given
        return Promise.resolve({ task: aTask(), notes: [] })
      },
    }
    const typed = {
      text: (name: string) => (name === 'goal' ? 'do it' : name === 'agent' ? named : null),
      number: () => null,
      yes: () => null,
    }
    const deps: CommandDeps = { plane: () => plane as never, settings: { channel: '2' } as never, book }
    await handlers['task_start']?.(deps, { caller: anOwner, typed, key: 'k' })
    return request.agent
  }

  it.each([
    ['none is named', 'command', null, null],
    ['it is the repository’s own, which has arguments', 'command', 'command', null],
    ['it is the usual one of a repository without its own', null, 'claude', null],
    ['it is another than the repository’s own', 'command', 'claude', { name: 'claude', argv: [] }],
  ])('has it taken from the configuration or by its name, where %s', async (_, own, named, agent) => {
    expect(await requested(own, named)).toEqual(agent)
  })
})

describe('/ask', () => {
  it.each([
    ['a question of its own', 'PENDING', null, 'The answer comes in its thread in <#2>.'],
    ['a follow-up', 'PENDING', '77', 'The answer comes in <#77>.'],
    ['a follow-up that waits', 'DRAFT', '77', 'It waits for a decision, in <#77>.'],
  ] as const)('of %s says where the answer comes', async (_, status, thread, said) => {
    const task = aTask({ kind: 'question', status, parentTaskId: thread === null ? null : aTaskIdOf(1) })
    const plane = {
      repositories: () => [{ path: '/shop', configured: true, agent: null }],
      ask: () => {
        const row = {
          destination: here,
          taskId: task.id,
          kind: 'thread',
          channel: '2',
          shown: 1,
          revision: 1,
        }
        if (thread !== null) book.put({ ...row, message: thread, settled: true })
        return Promise.resolve({ task, notes: [] })
      },
    }
    const deps: CommandDeps = {
      plane: () => plane as never,
      settings: { guild: '1', channel: '2' } as never,
      book,
    }
    const followUp = thread === null ? null : aTaskIdOf(1)
    const typed = {
      text: (name: string) => (name === 'question' ? 'Why?' : name === 'follow_up' ? followUp : null),
      number: () => null,
      yes: () => null,
    }
    const reply = await handlers['ask']?.(deps, { caller: anOwner, typed, key: 'k' })
    expect(reply?.text?.split('\n')[1]).toBe(said)
  })
})

describe('the agents that are offered', () => {
  const agents = [
    { name: 'command', usual: false, answers: false },
    { name: 'claude', usual: true, answers: false },
    { name: 'pi', usual: false, answers: true },
  ]
  const offered = (command: string): readonly string[] =>
    completions({ agents: () => agents } as never, command, 'agent', '').map(({ name }) => name)

  it('tell the usual one of tasks from that of questions', () => {
    expect(offered('task_start')).toEqual(['command', 'claude (usual)', 'pi'])
    expect(offered('ask')).toEqual(['claude', 'pi (usual)'])
  })
})

describe('a repository that is named', () => {
  const deps = {
    plane: () =>
      ({
        repositories: () =>
          ['/a/shop', '/b/tools', 'shop'].map((path) => ({ path, configured: true, agent: null })),
      }) as never,
  } as unknown as CommandDeps

  it.each([
    ['/a/shop', '/a/shop'],
    // One by URL has that name; a folder of the same name has its path.
    ['shop', 'shop'],
    ['tools', '/b/tools'],
    ['/c/other', '/c/other'],
  ])('as %s is %s', (named, found) => {
    expect(repositoryOf(deps, named)).toBe(found)
  })
})

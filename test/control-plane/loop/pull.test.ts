import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pullsOf } from '../../../control-plane/adapters.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { Misses } from '../../../control-plane/gate/misses.ts'
import { decisionsOf, press, type PressDeps } from '../../../control-plane/gate/press.ts'
import { PullFollower } from '../../../control-plane/pulls/follower.ts'
import type { Change } from '../../../control-plane/store/store.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import type { Act } from '../../../src/domain/control-plane.ts'
import type { DeliveryDefaults } from '../../../src/domain/delivery/merge.ts'
import type { PullSettings } from '../../../src/domain/delivery/pull.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { KnownSecrets } from '../../../src/domain/leak.ts'
import { deliverySaid, standingOf } from '../../../src/domain/standing.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { isAtRest, type Task } from '../../../src/domain/task.ts'
import { aBudget } from '../../support/task.ts'
import { answer, forgeProject, forgeToken, type TestForge, testForge } from '../../support/forge.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { removeAll } from '../../support/template.ts'

const owner: Caller = { actor: { kind: 'local', id: 'ada' }, role: 'owner' }

let lab: LoopLab
let forge: TestForge
let folder: string
let bare: string
let repo: string
let settings: PullSettings
beforeEach(async () => {
  lab = await loopLab()
  repo = aRepository({ 'a.txt': 'one\n' })
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-forge-'))
  mkdirSync(join(folder, 'ada'))
  bare = join(folder, 'ada', 'tools.git')
  git(folder, 'clone', '-q', '--bare', repo, bare)
  forge = await testForge('github', folder)
  settings = {
    forge: 'github',
    address: forge.address,
    project: forgeProject,
    remote: forge.remote('ada/tools.git'),
    user: 'x-access-token',
    token: new Secret('forge', forgeToken),
    tokenFrom: 'the environment variable FORGE',
    network: 'loopback',
    draft: true,
  }
  lab.pulls = (path) => pullsOf({ repositories: { [path]: { delivery: { pull: settings } } } })(path)
})
afterEach(async () => {
  await lab[Symbol.asyncDispose]()
  await forge[Symbol.asyncDispose]()
  removeAll(folder)
})

async function applied(script = 'echo new > new.txt'): Promise<Task> {
  const task = await lab.settled((await lab.birth(repo, script)).id)
  expect([task.halt, task.status]).toEqual([null, 'APPLIED'])
  return task
}

function decide({ id }: Pick<Task, 'id'>, more: Partial<Act> = {}, caller = owner): Task {
  const act = { act: 'pull-request', into: null, draft: null, accept: [], ...more } as Act
  const defaults = { budget: aBudget(), repository: () => ({ delivery: { pull: settings } }) }
  const { store, tasks, clock } = lab.deps
  return perform({ store, tasks, clock, defaults }, id, act, { caller, shown: null })
}

async function propose(task: Task, more: Partial<Act> = {}): Promise<Task> {
  decide(task, more)
  return await lab.until(task.id, isAtRest)
}

const hook = (text: string): void => {
  writeFileSync(join(bare, 'hooks', 'pre-receive'), `#!/bin/sh\n${text}\n`)
  chmodSync(join(bare, 'hooks', 'pre-receive'), 0o755)
}
const typesSince = ({ id, version }: Task): readonly string[] =>
  lab.events(id).flatMap(({ seq, type }) => (seq > version ? [type] : []))
const heads = (): string => git(bare, 'for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/heads')

describe('a pull request', () => {
  it('is the pushed branch and a draft with the task’s story, and nothing of the repository has moved', async () => {
    const task = await applied()
    const before = git(repo, 'for-each-ref')
    const open = await propose(task)
    expect([open.status, open.delivery, open.pull]).toEqual([
      'APPLIED',
      'pr_open',
      expect.objectContaining({
        number: 1,
        url: `${forge.origin}/ada/tools/pull/1`,
        pushed: task.head,
        draft: true,
        said: `Proposed for main: #1 of ada/tools, a draft (${forge.origin}/ada/tools/pull/1).`,
      }),
    ])
    expect(typesSince(task)).toEqual(['pull_decided', 'pull_pushed', 'pull_opened'])
    expect(heads()).toContain(`${task.branch} ${task.head}`)
    expect(forge.pulls).toMatchObject([{ branch: task.branch, into: 'main', draft: true }])
    expect(forge.pulls[0]?.body).toContain(task.id)
    expect(git(repo, 'for-each-ref')).toBe(before)
    expect(JSON.stringify([lab.task(task.id), lab.events(task.id), lab.logged()])).not.toContain(forgeToken)
    expect(() => decide(task)).toThrow(
      `Task ${task.id} is proposed as #1 of ada/tools: pull-request is not possible.`,
    )
    expect(() => decide(task, { act: 'merge', how: null })).toThrow('is proposed as #1')
  })

  it('goes where and as it is asked to', async () => {
    git(bare, 'branch', 'next', 'main')
    await propose(await applied(), { into: 'next', draft: false })
    expect(forge.pulls).toMatchObject([{ into: 'next', draft: false }])
  })

  it('wants the marks of the work named, a place that is configured, and a token', async () => {
    const task = await applied('mkdir -p .ci && echo x > .ci/run')
    if (task.marks?.length !== 0)
      expect(() => decide(task, { into: 'next', draft: false })).toThrow(
        `cofferdam task pull-request ${task.id} --into next --ready --accept`,
      )
    expect(() => decide(task, { into: 'cofferdam/x' })).toThrow("is a task's own branch")
    settings = { ...settings, token: null }
    expect(() => decide(task)).toThrow('There is no token for ada/tools: put one')
    const { store, tasks, clock } = lab.deps
    const act = { act: 'pull-request', into: null, draft: null, accept: [] } as const
    expect(() => perform({ store, tasks, clock }, task.id, act, { caller: owner, shown: null })).toThrow(
      `Where pull requests of ${repo} are opened is not configured`,
    )
    expect(typesSince(task)).toEqual([])
  })

  it('shows nobody what the branch had here and not there, unless an owner accepts that', async () => {
    writeFileSync(join(repo, 'plans'), 'x')
    git(repo, 'add', '-A')
    git(repo, 'commit', '-q', '-m', 'Not to be seen yet')
    const into = 'next;x'
    git(bare, 'branch', into, 'main')
    const task = await applied()
    const operator: Caller = { actor: task.createdBy, role: 'operator' }
    for (const caller of [owner, operator]) {
      decide(task, { into, accept: caller === operator ? ['foreign'] : [] }, caller)
      const refused = await lab.until(task.id, isAtRest)
      expect([refused.delivery, refused.pull?.accepted]).toEqual(['none', []])
      expect(refused.pull?.said).toContain(
        `so 1 commit would go there with it that this task has not made. Push those there first; an owner sends them along with \`cofferdam task pull-request ${task.id} --into '${into}' --accept foreign\`.`,
      )
    }
    expect([forge.pulls, heads()]).toEqual([[], expect.not.stringContaining('cofferdam')])
    expect((await propose(task, { into, accept: ['foreign'] })).delivery).toBe('pr_open')
    expect(git(bare, 'log', '--format=%s', task.branch)).toContain('Not to be seen yet')
  })

  it('is what the button does where that is configured, once', async () => {
    const { id } = await applied()
    const at = (delivery: DeliveryDefaults): PressDeps => {
      const { store, tasks, clock } = lab.deps
      const defaults = { budget: aBudget(), repository: () => ({ delivery }) }
      return { store, tasks, clock, defaults, nonceKey: () => 'k', misses: new Misses() }
    }
    const actions = (deps: PressDeps): readonly string[] =>
      decisionsOf(deps, id, owner).offer?.choices.map(({ action }) => action) ?? []
    expect(actions(at({}))).toEqual(['merge', 'discard'])
    expect(actions(at({ way: 'merge', pull: settings }))).toEqual(['merge', 'discard'])
    const deps = at({ way: 'pull-request', into: 'main', pull: settings })
    expect(actions(deps)).toEqual(['pull-request', 'discard'])
    const { offer, merge, pull } = decisionsOf(deps, id, owner)
    expect([merge, pull]).toEqual([
      { into: 'main', how: 'merge', accepts: [] },
      { forge: 'github', project: forgeProject, into: 'main', draft: true, accepts: [] },
    ])
    const [button] = offer?.choices ?? []
    press(deps, id, button?.id ?? '', null, owner)
    expect((await lab.until(id, isAtRest)).delivery).toBe('pr_open')
    expect(() => press(deps, id, button?.id ?? '', null, owner)).toThrow('has decided already (pull-request')
  })

  it.each<[string, DeliveryDefaults]>([
    ['goes into another branch', { way: 'pull-request', into: 'next' }],
    ['is no draft any more', { way: 'pull-request', into: 'main', pull: { draft: false } as PullSettings }],
    ['goes elsewhere', { way: 'pull-request', into: 'main', pull: { remote: '/x.git' } as PullSettings }],
    ['is not offered any more', { way: 'merge', into: 'main' }],
  ])('by a button that was shown before it %s is not decided, and offered anew', async (_, after) => {
    const { id } = await applied()
    const { store, tasks, clock } = lab.deps
    const at = (delivery: DeliveryDefaults): PressDeps => {
      const pull = { ...settings, ...delivery.pull }
      const defaults = { budget: aBudget(), repository: () => ({ delivery: { ...delivery, pull } }) }
      return { store, tasks, clock, defaults, nonceKey: () => 'k', misses: new Misses() }
    }
    const buttonOf = (deps: PressDeps): string => decisionsOf(deps, id, owner).offer?.choices[0]?.id ?? ''
    const old = buttonOf(at({ way: 'pull-request', into: 'main' }))
    expect(() => press(at(after), id, old, null, owner)).toThrow(
      `What this button showed has changed, and nothing was decided: look at task ${id} and press again on the new one.`,
    )
    expect([lab.task(id).delivery, lab.events(id).at(-1)?.type]).toEqual(['none', 'offered'])
    const fresh = buttonOf(at(after))
    expect(fresh).not.toBe(old)
    expect(press(at(after), id, fresh, null, owner).delivery).toBe('delivering')
    expect(() => press(at(after), id, old, null, owner)).toThrow('has decided already')
  })

  it('tells no secret that is known, whoever wrote it', async () => {
    lab.secrets = new KnownSecrets([{ name: 'forge', value: forgeToken }])
    await lab.reopen()
    const goal = `Use ${forgeToken}, fixes #7`
    const task = await lab.settled((await lab.birth(repo, 'echo x > x', { goal })).id)
    hook(`echo ${forgeToken} >&2; exit 1`)
    expect((await propose(task)).pull?.said).toContain('it says: "[redacted:forge]"')
    hook('exit 0')
    await propose(task)
    expect(forge.pulls).toHaveLength(1)
    expect(JSON.stringify(forge.pulls)).not.toContain(forgeToken)
    // Nor what stands in the commits, which refers to nothing either.
    expect(git(bare, 'log', '--format=%B', task.branch)).toContain('Use [redacted:forge], fixes #\u20607\n')
    expect(git(bare, 'log', '--format=%B', task.branch)).not.toContain(forgeToken)
  })

  it('that the remote rejects leaves the task as it was, with a sentence, and can be decided again', async () => {
    const task = await applied()
    hook('echo not on Fridays >&2; exit 1')
    const refused = await propose(task)
    expect([refused.status, refused.delivery, refused.phase]).toEqual(['APPLIED', 'none', null])
    expect(refused.pull?.said).toBe(
      `Not proposed for main: The push to ${settings.remote} came to nothing: it takes no such push (it says: "not on Fridays"). Mend that there, then try again.`,
    )
    expect(lab.deps.store.openSurface(task.id)?.actions).toEqual(['merge', 'pull-request', 'discard'])
    expect([forge.pulls, heads()]).toEqual([[], expect.not.stringContaining('cofferdam')])
    hook('exit 0')
    expect((await propose(task)).delivery).toBe('pr_open')
  })

  it('that the forge refuses leaves the task as it was, and what the forge says is told without the token', async () => {
    const task = await applied()
    forge.instead = ({ method, path }, response) => {
      if (method !== 'POST' || path.startsWith('/git/')) return false
      answer(response, 422, { message: `Draft pull requests are not supported (${forgeToken})` })
      return true
    }
    const refused = await propose(task)
    expect([refused.delivery, refused.pull?.pushed]).toEqual(['none', task.head])
    expect(refused.pull?.said).toContain(
      'takes no drafts in ada/tools. It says: "Draft pull requests are not supported ([redacted:forge])". Propose it without: with `--ready`, or always with `draft: false`',
    )
    // Nor does it stand in the log.
    expect(JSON.stringify([lab.logged(), lab.events(task.id)])).not.toContain(forgeToken)
    forge.instead = () => false
    expect((await propose(task)).delivery).toBe('pr_open')
  })

  it('is not opened where somebody has put something else under its name', async () => {
    const task = await applied()
    writeFileSync(join(repo, 'theirs'), 'x')
    git(repo, 'add', '-A')
    git(repo, 'commit', '-q', '-m', 'theirs')
    git(repo, 'push', '-q', bare, `HEAD:refs/heads/${task.branch}`)
    const refused = await propose(task)
    expect(refused.pull?.said).toContain('which is not from here: somebody has moved it')
    expect(forge.pulls).toEqual([])
  })

  it('waits for a forge that does not answer, and is given up after some tries', async () => {
    const task = await applied()
    let failing = 3
    forge.instead = ({ path }, response) => {
      if (path.startsWith('/git/') || failing-- <= 0) return false
      answer(response, 503, {})
      return true
    }
    expect((await propose(task)).delivery).toBe('pr_open')
    const other = await applied()
    failing = 100
    expect((await propose(other)).pull?.said).toContain('does not answer as it should (503)')
    expect(failing).toBe(94)
  })

  it('does not wait again and again for a forge that takes calls and says nothing', async () => {
    const task = await applied()
    let asked = 0
    forge.instead = ({ path }, response) => {
      if (path.startsWith('/git/')) return false
      asked += 1
      void lab.deps.sleep(90_000, new AbortController().signal).then(() => answer(response, 503, {}))
      return true
    }
    expect((await propose(task)).pull?.said).toContain('does not answer as it should (503)')
    expect(asked).toBe(1)
  })

  it('that a full disk is in the way of says what to do', async () => {
    const task = await applied()
    lab.faults.worktrees = (method) => {
      if (method === 'push') throw new Failure('disk', 'The disk of the data folder is full.')
    }
    expect((await propose(task)).pull?.said).toBe(
      'Not proposed for main: The disk of the data folder is full. Make room there, then try again.',
    )
  })

  it('is not opened elsewhere than was decided', async () => {
    const task = await applied()
    lab.pulls = () => null
    expect((await propose(task)).pull?.said).toContain('ada/tools is no longer what is configured')
  })
})

describe('a process that ends in the middle of a pull request', () => {
  it.each(['pull_pushed', 'pull_opened'] as const)(
    'before %s is on record leaves it to the next, and there is one',
    async (type) => {
      const task = await applied()
      let died = false
      lab.faults.store = (method, args) => {
        if (died || method !== 'write' || (args[0] as Change).event.type !== type) return
        died = true
        void lab.reopen()
        throw new Failure('database', 'It is gone.')
      }
      const open = await propose(task)
      expect([died, open.delivery, open.pull?.number]).toEqual([true, 'pr_open', 1])
      expect(typesSince(task)).toEqual(['pull_decided', 'pull_pushed', 'pull_opened'])
      expect(forge.pulls).toHaveLength(1)
    },
  )

  it('after the forge has opened it, and gives up, opens none for another branch beside it', async () => {
    git(bare, 'branch', 'next', 'main')
    const task = await applied()
    forge.instead = ({ method, path, body }, response) => {
      if (method !== 'POST' || path.startsWith('/git/')) return false
      if (forge.pulls.length === 0) {
        const [branch, into] = [String(body?.['head']), String(body?.['base'])]
        forge.pulls.push({ number: 1, branch, into, title: '', body: '', draft: true, state: 'open' })
      }
      answer(response, 422, { message: 'What was that?' })
      return true
    }
    expect((await propose(task)).delivery).toBe('none')
    forge.instead = () => false
    const refused = await propose(task, { into: 'next' })
    expect([refused.delivery, refused.pull?.said]).toEqual([
      'none',
      'Not proposed for next: #1 of ada/tools proposes this work for main already. Close it there, then try again, or propose it for main.',
    ])
    expect(forge.pulls).toHaveLength(1)
    expect((await propose(task, { into: 'main' })).pull?.number).toBe(1)
  })

  it('after the forge has opened it finds it, and opens no other', async () => {
    const task = await applied()
    let lost = 0
    forge.instead = ({ method, path, body }, response) => {
      if (method !== 'POST' || path.startsWith('/git/') || lost > 0) return false
      lost += 1
      // It is opened, and the answer does not come.
      forge.pulls.push({
        number: 1,
        branch: String(body?.['head']),
        into: String(body?.['base']),
        title: '',
        body: '',
        draft: true,
        state: 'open',
      })
      response.destroy()
      return true
    }
    const open = await propose(task)
    expect([open.delivery, open.pull?.number, forge.pulls.length]).toEqual(['pr_open', 1, 1])
  })
})

describe('an open pull request is followed', () => {
  let now = 0
  const follower = (): PullFollower =>
    new PullFollower({
      store: lab.deps.store,
      tasks: lab.deps.tasks,
      pulls: (path) => lab.pulls(path),
      clock: lab.deps.clock,
      ticks: { now: () => now, every: () => () => undefined },
      log: lab.deps.log,
      secrets: lab.deps.secrets,
    })
  const looks = (): number => forge.asked.filter(({ path }) => path.endsWith('/pulls/1')).length

  it.each([
    ['merged', 'pr_merged', '#1 of ada/tools is merged into main there.', null],
    [
      'closed',
      'pr_closed',
      '#1 of ada/tools was closed there, and is not merged.',
      ['merge', 'pull-request', 'discard'],
    ],
  ] as const)('until it is %s', async (state, delivery, said, actions) => {
    const task = await propose(await applied())
    await using one = follower()
    await one.round()
    expect([looks(), lab.task(task.id).delivery]).toEqual([1, 'pr_open'])
    const [kept] = forge.pulls
    if (kept !== undefined) kept.state = state
    now += 60_000
    await one.round()
    const after = lab.task(task.id)
    expect([after.delivery, after.pull?.said, lab.events(task.id).at(-1)?.type]).toEqual([
      delivery,
      said,
      state === 'merged' ? 'pull_merged' : 'pull_closed',
    ])
    expect(lab.deps.store.openSurface(task.id)?.actions ?? null).toEqual(actions)
    now += 3_600_000
    await one.round()
    expect(looks()).toBe(2)
    if (state === 'closed') expect((await propose(task)).pull?.number).toBe(2)
  })

  it('less and less often, and a forge that does not answer is asked again later', async () => {
    const task = await propose(await applied())
    forge.instead = (_, response) => {
      answer(response, 503, {})
      return true
    }
    await using one = follower()
    const at: number[] = []
    const start = now
    for (; now < start + 4 * 3_600_000; now += 60_000) {
      const before = looks()
      await one.round()
      if (looks() > before) at.push((now - start) / 60_000)
    }
    expect(at).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181, 211])
    const away = lab.task(task.id)
    expect([away.delivery, away.pull?.unfollowed]).toEqual([
      'pr_open',
      expect.stringMatching(/does not answer as it should \(503\).* It is looked at again\.$/),
    ])
    // Once, and only after the third look in vain.
    expect(typesSince(task)).toEqual(['pull_looked'])
    forge.instead = () => false
    if (forge.pulls[0] !== undefined) forge.pulls[0].state = 'merged'
    // Another process looks at once.
    await using next = follower()
    await next.round()
    expect(lab.task(task.id).delivery).toBe('pr_merged')
  })

  it('unless it cannot be, which is on record until it can', async () => {
    const task = await propose(await applied())
    const found = { pulls: lab.pulls, settings }
    let request = 0
    const lost: readonly (readonly [() => void, RegExp])[] = [
      [
        () => {
          forge.instead = (_, response) => {
            answer(response, 403, { message: `No. Request ID ${(request += 1)}` })
            return true
          }
        },
        /It says: "No\. Request ID 1"\. Give it that right, then try again\. It is looked at again\.$/,
      ],
      [
        () => {
          forge.instead = (_, response) => {
            answer(response, 401, {})
            return true
          }
        },
        /does not take the token: put another one in the environment variable FORGE\. It is looked at again\.$/,
      ],
      [
        () => {
          lab.pulls = () => null
        },
        /^ada\/tools at .* is no longer where pull requests of .* are opened\. Name it in the configuration again/,
      ],
      [
        () => {
          settings = { ...settings, project: 'ada/other' }
        },
        /^ada\/tools at .* is no longer where.*, or say what has become of it: `cofferdam task pull-ended \S+ --merged` or `cofferdam task pull-ended \S+ --closed`\.$/,
      ],
    ]
    await using one = follower()
    for (const [lose, why] of lost) {
      const before = lab.task(task.id)
      lose()
      for (const _again of [1, 2]) {
        await one.round()
        now += 3_600_000
      }
      const after = lab.task(task.id)
      expect([after.delivery, typesSince(before)]).toEqual(['pr_open', ['pull_looked']])
      expect(after.pull?.unfollowed).toMatch(why)
      expect(standingOf(after)).toContain('draft of a pull request open, not followed')
      expect(deliverySaid(after)).toBe(`${task.pull?.said} It is not followed: ${after.pull?.unfollowed}`)
      lab.pulls = found.pulls
      settings = found.settings
      forge.instead = () => false
      await one.round()
      now += 3_600_000
      expect([lab.task(task.id).pull, lab.events(task.id).at(-1)?.text]).toEqual([
        task.pull,
        '#1 of ada/tools is followed again.',
      ])
    }
  })

  it('and a late answer about it says nothing of the one that was opened after it', async () => {
    const task = await propose(await applied())
    let late = (): void => undefined
    forge.instead = ({ path }, response) => {
      if (!path.endsWith('/pulls/1')) return false
      late = () => answer(response, 200, { number: 1, html_url: null, state: 'closed', merged_at: null })
      return true
    }
    await using one = follower()
    const round = one.round()
    await expect.poll(looks).toBe(1)
    decide(task, { act: 'pull-ended', as: 'closed' })
    if (forge.pulls[0] !== undefined) forge.pulls[0].state = 'closed'
    const second = await propose(task)
    late()
    await round
    expect([second.pull?.number, lab.task(task.id)]).toEqual([2, second])
  })

  it('and an owner can say what has become of it, which is not asked for any more', async () => {
    const task = await propose(await applied())
    const operator: Caller = { actor: task.createdBy, role: 'operator' }
    expect(() => decide(task, { act: 'pull-ended', as: 'closed' }, operator)).toThrow(
      'is an operator, and may not say what became of the pull request of a task: an owner can do that.',
    )
    decide(task, { act: 'pull-ended', as: 'closed' })
    expect([lab.task(task.id).delivery, lab.deps.store.openSurface(task.id)?.actions]).toEqual([
      'pr_closed',
      ['merge', 'pull-request', 'discard'],
    ])
    const open = await propose(task)
    const merged = decide(task, { act: 'pull-ended', as: 'merged' })
    expect([merged.delivery, merged.pull?.said, merged.revision]).toEqual([
      'pr_merged',
      'An owner says that #1 of ada/tools is merged into main there.',
      open.revision + 1,
    ])
    expect(lab.events(task.id).at(-1)).toMatchObject({ type: 'pull_merged', actor: owner.actor })
    expect(lab.deps.store.lastDecision(task.id)?.usedAction).toBe('pull-ended')
    await using one = follower()
    await one.round()
    expect(looks()).toBe(0)
    expect(() => decide(task, { act: 'pull-ended', as: 'closed' })).toThrow(
      'is merged where it was proposed: to say what became of its pull request is not possible.',
    )
  })
})

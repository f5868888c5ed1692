import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Defaults, draftQuestion, draftTask, type SubmitDeps } from '../../control-plane/submit.ts'
import { parseQuestionRequest } from '../../src/domain/question/request.ts'
import { openAgents } from '../../src/agents/open.ts'
import type { AgentChoice } from '../../src/domain/agent.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { defaultBudget } from '../../src/domain/budget.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import { defaultPolicy, effectivePolicy } from '../../src/domain/policies.ts'
import { policyRequestSchema } from '../../src/domain/policy-request.ts'
import type { RepositoryDefaults } from '../../src/domain/repository-defaults.ts'
import type { Task } from '../../src/domain/task.ts'
import { gitFolder } from '../../src/sandbox/places.ts'
import { openWorktrees } from '../../src/worktree/open.ts'
import { requestOf, type Wanted } from '../support/plane.ts'
import { aRepository } from '../support/repository.ts'
import { aBudget, anOperator, anOwner, aTask, aTaskId, aTaskIdOf } from '../support/task.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-submit-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }

function depsOf(configured: RepositoryDefaults, named = true, more: Partial<Defaults> = {}): SubmitDeps {
  return {
    agents: new Map(openAgents()),
    clock: Date.now,
    defaults: {
      budget: defaultBudget,
      agent: null,
      answerer: null,
      policy: defaultPolicy,
      means: { memoryMb: 8192, upstreams: {}, pricesAsOf: '2026-01-31' },
      repository: () => configured,
      isNamed: () => named,
      ...more,
    },
    worktrees: openWorktrees({
      data: folder as HostPath,
      user: own,
      author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
      pointerTarget: gitFolder,
      policyMatcher: compilePolicy,
    }),
  }
}

async function drafted(
  wanted: Partial<Wanted>,
  configured: RepositoryDefaults = {},
  caller: Caller = anOwner,
  named = true,
): Promise<Task> {
  const deps = depsOf(configured, named)
  const request = requestOf({ repo: aRepository(), argv: ['make', 'fix'], ...wanted })
  return (await draftTask(deps, request, aTaskId, caller)).task
}

const makeFix = { name: 'command', argv: ['make', 'fix'] }

describe('B03 B04 a submission', () => {
  it.each<[string, Partial<Wanted>, RepositoryDefaults, Caller, readonly string[]]>([
    ['of the owner', { goal: 'Fix the database tests', test: 'npm test' }, {}, anOwner, []],
    ['of the owner with a risky goal', { goal: '修复后部署到服务器' }, {}, anOwner, ['deploy']],
    ['of the owner with a risky test', { test: 'sudo make check' }, {}, anOwner, ['privilege']],
    ['of the owner with a risky command', { argv: ['sh', '-c', 'pip install x'] }, {}, anOwner, ['install']],
    [
      'with the configured risky command',
      { argv: ['sh', '-c', 'pip install x'] },
      { agent: { name: 'command', argv: ['sh', '-c', 'pip install x'] } },
      anOwner,
      [],
    ],
    ['of another', { test: 'npm test', setup: 'npm ci' }, {}, anOperator, ['setup', 'test', 'agent']],
    [
      'of another with what is configured',
      { test: 'npm test', setup: 'npm ci' },
      { test: 'npm test', setup: 'npm ci', agent: makeFix },
      anOperator,
      [],
    ],
    [
      'of another with another agent than is configured',
      {},
      { agent: { name: 'command', argv: ['make'] } },
      anOperator,
      ['agent'],
    ],
    [
      'with everything at once',
      {
        goal: 'rm -rf /',
        test: 'sudo make',
        steps: 12,
        minutes: 25,
        egress: ['a.example.com'],
        limits: { pids: 4000 },
      },
      {},
      anOwner,
      ['privilege', 'destructive', 'steps', 'time', 'egress', 'policy'],
    ],
  ])('%s', async (_name, wanted, configured, caller, rules) => {
    const task = await drafted(wanted, configured, caller)
    expect(task.risks.map(({ rule }) => rule)).toEqual(rules)
    expect(task.status).toBe(rules.length === 0 ? 'PENDING' : 'DRAFT')
  })

  it('without an agent is refused, with what is done about it wherever it came from', async () => {
    const request = { ...requestOf({ repo: aRepository(), argv: ['make'] }), agent: null }
    await expect(draftTask(depsOf({}), request, aTaskId, anOwner)).rejects.toThrow(
      /^No agent is named or configured: name one of .*codex.*, or put one into cofferdam\.yaml, such as task: /,
    )
  })

  it('has the budget of its repository where it names none, and needs nobody for it', async () => {
    const configured = { budget: { steps: 12, seconds: 3600 } }
    const usual = await drafted({}, configured)
    expect([usual.budget, usual.risks]).toEqual([{ ...defaultBudget, ...configured.budget }, []])
    const more = await drafted({ steps: 13 }, configured)
    expect(more.risks.map(({ rule }) => rule)).toEqual(['steps'])
  })

  it.each<[string, Caller, boolean, readonly string[]]>([
    ['of the owner', anOwner, false, []],
    ['of another', anOperator, false, ['repository']],
    ['of another, where the configuration names it', anOperator, true, []],
  ])('on a repository %s', async (_name, caller, named, rules) => {
    const task = await drafted({}, { agent: makeFix }, caller, named)
    expect(task.risks.map(({ rule }) => rule)).toEqual(rules)
    expect(task.status).toBe(rules.length === 0 ? 'PENDING' : 'DRAFT')
  })

  it.each([
    ['draft: Fix the bug', 'Fix the bug', 'DRAFT'],
    ['DRAFT： Fix the bug', 'Fix the bug', 'DRAFT'],
    ['草稿：修复问题', '修复问题', 'DRAFT'],
    ['drafting plan for the parser', 'drafting plan for the parser', 'PENDING'],
  ])('B02 %j', async (goal, stripped, status) => {
    const task = await drafted({ goal })
    expect([task.goal, task.status]).toEqual([stripped, status])
  })
})

describe('a question', () => {
  const claude = { name: 'claude', argv: [] }
  const keyed = {
    means: {
      memoryMb: 8192,
      upstreams: { anthropic: { key: 'k', keyFrom: 'K', origin: null, plainHttp: false } },
      pricesAsOf: null,
    },
  } as unknown as Partial<Defaults>
  async function asked(
    more: object,
    configured: RepositoryDefaults = {},
    defaults: Partial<Defaults> = {},
    { caller = anOwner, parent = null }: { caller?: Caller; parent?: Task | null } = {},
  ): Promise<Task> {
    const repository = parent === null ? aRepository() : null
    const parsed = parseQuestionRequest({
      question: 'Why?',
      repository,
      followUp: parent?.id ?? null,
      ...more,
    })
    if (!parsed.ok) throw new Error(parsed.problems.join(' '))
    const deps = depsOf(configured, true, { ...keyed, ...defaults })
    return (await draftQuestion(deps, parsed.request, parent, aTaskId, caller)).task
  }

  it('has one step, no setup, no test and no note about that, whatever is configured for tasks', async () => {
    const task = await asked({}, { setup: 'npm ci', test: 'npm test', agent: claude })
    expect(task).toMatchObject({ kind: 'question', goal: 'Why?', setup: null, test: null, answer: null })
    expect([task.budget.steps, task.budget.seconds]).toEqual([1, defaultBudget.seconds])
    expect((await asked({ budget: { steps: 3 } }, { agent: claude })).budget.steps).toBe(3)
  })

  it.each<[string, RepositoryDefaults, Partial<Defaults>, string]>([
    ['who is configured to', { agent: makeFix }, { answerer: makeFix }, 'command'],
    ['the agent of the repository, where that has a model', { agent: claude }, { agent: makeFix }, 'claude'],
    ['the usual agent, where that has a model', {}, { agent: claude }, 'claude'],
  ])('is answered by %s', async (_, configured, defaults, name) => {
    const task = await asked({}, configured, defaults)
    expect([task.agent.name, task.status]).toEqual([name, 'PENDING'])
  })

  it('is refused where nobody can answer, and says what is missing', async () => {
    await expect(asked({}, { agent: makeFix }, { agent: claude })).rejects.toThrow(
      /^No agent that can answer is configured: name one of /,
    )
    await expect(asked({ agent: { name: 'codex' } })).rejects.toThrow(/There is no upstream "openai"/)
  })

  it('B03 passes the gate that tasks pass', async () => {
    const configured = { agent: claude }
    const rules = async (more: object, caller = anOwner): Promise<readonly string[]> =>
      (await asked(more, configured, {}, { caller })).risks.map(({ rule }) => rule)
    expect(await rules({ question: 'Run pip install x, then?' })).toEqual(['install'])
    expect(await rules({ budget: { steps: 12 } })).toEqual(['steps'])
    expect(await rules({ question: 'draft: why?' })).toEqual(['draft'])
    expect(await rules({ agent: { name: 'command', argv: ['cat'] } }, anOperator)).toEqual(['agent'])
  })

  it('B03 has the configured agent, also where an operator names it', async () => {
    const usual = { ...claude, fallback: ['codex', 'pi'] }
    const gate = async (agent: object, answerer: AgentChoice): Promise<unknown> => {
      const task = await asked({ agent }, {}, { answerer }, { caller: anOperator })
      return [task.status, task.agent]
    }
    expect(await gate({ name: 'claude' }, usual)).toEqual(['PENDING', expect.objectContaining(claude)])
    expect(await gate({ name: 'command', argv: ['cat'] }, usual)).toEqual(['DRAFT', expect.anything()])
    const program = { name: 'command', argv: ['cat'], fallback: [] }
    expect(await gate({ name: 'command', argv: ['cat', '-n'] }, program)).toEqual([
      'DRAFT',
      expect.anything(),
    ])
  })

  it('B03 that follows up one whose agent an owner chose says no more than that nobody chose it for this one', async () => {
    const agent = { name: 'command', argv: ['cat'] }
    const parent = aTask({ kind: 'question', repository: { path: aRepository(), key: 'x' }, agent })
    const { risks } = await asked({}, { agent: claude }, {}, { parent, caller: anOperator })
    expect(risks.map(({ text }) => text)).toEqual([
      'The agent "command" is not the configured one, and nobody who may approve chose it for this task.',
    ])
  })

  it('that follows another up has its repository, ref and agent, which is no reason to trust that more', async () => {
    const repo = aRepository()
    const parent = aTask({
      id: aTaskIdOf(1),
      kind: 'question',
      repository: { path: repo, key: 'x' },
      base: { ref: 'main', commit: aTask().base.commit },
      agent: { name: 'command', argv: ['sudo', 'cat'] },
    })
    const task = await asked({}, { agent: claude }, {}, { parent, caller: anOperator })
    expect([task.parentTaskId, task.repository.path, task.base.ref, task.agent.name]).toEqual([
      parent.id,
      repo,
      'main',
      'command',
    ])
    expect(task.risks.map(({ rule }) => rule)).toEqual(expect.arrayContaining(['agent']))
  })

  describe('that follows another up', () => {
    const hidden = {
      deny: ['payroll.txt'],
      readonly: ['.env'],
      egress: ['a.example.com'],
      limits: { pids: 64 },
    }
    const parentWith = (budget: Partial<Task['budget']>): Task =>
      aTask({
        id: aTaskIdOf(1),
        kind: 'question',
        repository: { path: aRepository(), key: 'x' },
        base: { ref: 'main', commit: aTask().base.commit },
        agent: claude,
        policy: effectivePolicy(policyRequestSchema.parse(hidden), defaultPolicy),
        budget: aBudget({ steps: 1, ...budget }),
      })
    const small = { seconds: 60, tokens: 1000, costUsd: 0.1 }

    it('has that one’s policy and budget, and needs no person for them', async () => {
      const task = await asked({}, { agent: claude }, {}, { parent: parentWith(small) })
      expect([task.status, task.budget]).toEqual(['PENDING', { steps: 1, ...small }])
      expect(task.policy.deny).toEqual(expect.arrayContaining(['payroll.txt', '.env']))
      expect([task.policy.egress, task.policy.except, task.policy.limits.pids]).toEqual([
        [],
        defaultPolicy.except,
        64,
      ])
    })

    it('has what it names itself on top of that', async () => {
      const named = { policy: { deny: ['x'] }, budget: { tokens: 2000 } }
      const task = await asked(named, { agent: claude }, {}, { parent: parentWith(small) })
      expect(task.policy.deny).toEqual(expect.arrayContaining(['payroll.txt', 'x']))
      expect(task.budget).toEqual({ steps: 1, ...small, tokens: 2000 })
    })

    it('has no more than is configured today', async () => {
      const budget = { ...defaultBudget, tokens: 500 }
      const parent = parentWith({ seconds: 9999, tokens: null })
      const policy = { deny: ['wages.txt'] }
      const configured = { agent: claude, policy: policyRequestSchema.parse(policy) }
      const task = await asked({}, configured, { budget }, { parent })
      expect([task.status, task.budget]).toEqual(['PENDING', { ...budget, steps: 1 }])
      expect(task.policy.deny).toEqual(expect.arrayContaining(['payroll.txt', 'wages.txt']))
    })
  })
})

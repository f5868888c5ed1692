import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { draftTask } from '../../control-plane/submit.ts'
import { openAgents } from '../../src/agents/open.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { defaultBudget } from '../../src/domain/budget.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import type { RepositoryDefaults } from '../../src/domain/repository-defaults.ts'
import type { Task } from '../../src/domain/task.ts'
import { gitFolder } from '../../src/sandbox/places.ts'
import { openWorktrees } from '../../src/worktree/open.ts'
import { requestOf, type Wanted } from '../support/plane.ts'
import { aRepository } from '../support/repository.ts'
import { anOperator, anOwner, aTaskId } from '../support/task.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-submit-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }

async function drafted(
  wanted: Partial<Wanted>,
  configured: RepositoryDefaults = {},
  caller: Caller = anOwner,
  named = true,
): Promise<Task> {
  const deps = {
    agents: openAgents(),
    clock: Date.now,
    defaults: {
      budget: defaultBudget,
      agent: null,
      policy: defaultPolicy,
      means: { memoryMb: 8192, upstreams: {}, pricesAsOf: '2026-01-31' },
      repository: () => configured,
      isNamed: () => named,
    },
    worktrees: openWorktrees({
      data: folder as HostPath,
      user: own,
      author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
      pointerTarget: gitFolder,
      policyMatcher: compilePolicy,
    }),
  }
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

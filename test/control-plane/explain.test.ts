import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { explain, type ExplainDeps } from '../../control-plane/explain.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { openAgents } from '../../src/agents/open.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { defaultBudget } from '../../src/domain/budget.ts'
import type { Explanation } from '../../src/domain/control-plane.ts'
import { Failure } from '../../src/domain/failure.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { registriesOf } from '../../src/domain/registries.ts'
import { gitFolder } from '../../src/sandbox/places.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { openWorktrees } from '../../src/worktree/open.ts'
import { requestOf, type Wanted } from '../support/plane.ts'
import { aRepository } from '../support/repository.ts'
import { anOperator, anOwner } from '../support/task.ts'

let folder: string
let store: Store
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-explain-'))
  store = openStore(join(folder, 'cofferdam.db') as HostPath)
})
afterEach(() => {
  store[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

const own = process.geteuid?.() ?? 0
const user = own === 0 ? { uid: 10_001, gid: 10_001 } : { uid: own, gid: process.getegid?.() ?? own }

/** What the package managers of a machine could be set to. */
const theRegistry = registriesOf([
  { what: 'npm registry', url: 'https://packages.test/npm/', variable: 'npm_config_registry' },
])

async function explained(
  wanted: Partial<Wanted> = {},
  image: ExplainDeps['engine']['image'] = () => Promise.resolve('sha256:there'),
  caller: Caller = anOwner,
): Promise<Explanation> {
  const deps: ExplainDeps = {
    engine: { image },
    agents: openAgents(),
    compile: compileBox,
    installation: 'test',
    user,
    registries: () => Promise.resolve(theRegistry),
    clock: Date.now,
    defaults: {
      budget: defaultBudget,
      agent: null,
      answerer: null,
      policy: defaultPolicy,
      means: { memoryMb: 8192, upstreams: {}, pricesAsOf: '2026-01-31' },
      repository: () => ({}),
      isNamed: () => false,
    },
    worktrees: openWorktrees({
      data: folder as HostPath,
      user,
      author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
      pointerTarget: gitFolder,
      policyMatcher: compilePolicy,
    }),
  }
  return explain(deps, requestOf({ repo: aRepository(), argv: ['true'], ...wanted }), caller)
}

describe('what a task would get', () => {
  it.each<[Partial<Wanted>, readonly string[]]>([
    [{}, []],
    [{ cost: 2 }, ['Its cost is counted with the prices of 2026-01-31, as cofferdam.yaml has them.']],
  ])('of %j says what its cost is counted with', async (wanted, said) => {
    const { notes } = await explained(wanted)
    expect(notes.filter((note) => note.includes('cost'))).toEqual(said)
  })

  it.each<[Partial<Wanted>, readonly string[]]>([
    [{}, ['agent']],
    [{ test: 'npm test' }, ['baseline', 'agent', 'test']],
    [{ setup: 'npm ci', test: 'npm test' }, ['setup', 'baseline', 'agent', 'test']],
  ])('%j shows every kind of box', async (wanted, kinds) => {
    const { boxes } = await explained(wanted)
    expect(boxes.map(({ kind }) => kind)).toEqual(kinds)
    expect(boxes.map(({ step }) => step)).toEqual(
      kinds.map((kind) => (kind === 'agent' || kind === 'test' ? 1 : 0)),
    )
    expect(new Set(boxes.map(({ name }) => name)).size).toBe(kinds.length)
    expect(readdirSync(join(folder, 'tasks'))).toEqual([])
  })

  it.each<[Partial<Wanted>, boolean]>([
    [{ setup: 'npm ci' }, true],
    [{ test: 'npm test' }, false],
  ])('%j says that the mounts of what setup leaves are not known yet: %j', async (wanted, says) => {
    const { notes } = await explained(wanted)
    expect(notes.some((note) => note.startsWith('What setup leaves is mounted on top'))).toBe(says)
  })

  it.each([
    ['image', 'not built yet'],
    ['engine', 'unknown: the engine does not answer'],
  ] as const)('says where there is no %s', async (code, stands) => {
    const { boxes, notes } = await explained({}, () => Promise.reject(new Failure(code, 'Mend it.')))
    expect(boxes.map(({ image }) => image)).toEqual([stands])
    expect(notes).toContain('Mend it.')
  })

  it.each<[Caller, readonly string[]]>([
    [anOwner, []],
    [anOperator, ['repository', 'test', 'agent']],
  ])('has the risks that there are where %j submits it', async (caller, rules) => {
    const { risks } = await explained({ test: 'npm test' }, undefined, caller)
    expect(risks.map(({ rule }) => rule)).toEqual(rules)
  })

  it('is not for those who may not submit it, and nothing is laid out for them', async () => {
    const asked = explained({}, undefined, { ...anOperator, role: 'viewer' })
    await expect(asked).rejects.toThrow(/may look, and start no task/)
    expect(existsSync(join(folder, 'mirrors'))).toBe(false)
  })

  it('hides no other failure', async () => {
    await expect(explained({}, () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug')
  })
})

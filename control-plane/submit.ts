import type { Agent, AgentChoice } from '../src/domain/agent.ts'
import type { TreePath } from '../src/domain/brand.ts'
import { budgetParts } from '../src/domain/budget.ts'
import type { Caller } from '../src/domain/caller.ts'
import { canonicalJson } from '../src/domain/canonical-json.ts'
import { Failure } from '../src/domain/failure.ts'
import type { TaskId } from '../src/domain/ids.ts'
import type { TaskRequest } from '../src/domain/intake.ts'
import type { QuestionRequest } from '../src/domain/question/request.ts'
import { narrowerBudget, narrowerPolicy } from '../src/domain/narrower.ts'
import { effectivePolicy, policyHash, policyProblems } from '../src/domain/policies.ts'
import { costNotes, lacking, type Means } from '../src/domain/means.ts'
import type { Policy } from '../src/domain/policy.ts'
import type { RepositoryDefaults } from '../src/domain/repository-defaults.ts'
import { assessRisk } from '../src/domain/risk/risk.ts'
import type { Budget, RiskReason, Task } from '../src/domain/task.ts'
import { counted, fewOf } from '../src/domain/text.ts'
import { unbegun } from '../src/domain/unbegun.ts'
import type { Worktrees } from '../src/domain/worktree.ts'
import { authorOf } from './gate/author.ts'

/** What a request is completed with. */
export interface Defaults {
  readonly budget: Budget
  readonly agent: AgentChoice | null
  /** Who answers questions; null is who works on tasks, where that is one with a model. */
  readonly answerer: AgentChoice | null
  readonly policy: Policy
  readonly means: Means
  /** By absolute path, or by name where it has a URL. */
  repository(path: string): RepositoryDefaults
  /** Whether the configuration names the repository with this absolute path, wherever in it. */
  isNamed(path: string): boolean
}

/** A request made ready to be a task. */
export interface Drafted {
  readonly task: Task
  readonly notes: readonly string[]
  /** Tracked files that the policy hides from the box. */
  readonly hidden: readonly TreePath[]
}

export interface SubmitDeps {
  readonly worktrees: Worktrees
  readonly defaults: Defaults
  readonly agents: ReadonlyMap<string, Pick<Agent, 'upstream'>>
  readonly clock: () => number
}

/** What makes a task a question. */
interface Asked {
  /** The question that it follows up, with its answer. */
  readonly parent: Task | null
}

/**
 * Makes a question of a request, which is a task without setup and test: the same gate, one step unless more is named, and
 * an agent that can answer. A follow-up is about what its parent was about, asks the same agent, and gets no more than its
 * parent: the policy and budget of that, within today's defaults. Rejects as `draftTask`.
 */
export function draftQuestion(
  deps: SubmitDeps,
  { question, followUp: _, ...request }: QuestionRequest,
  parent: Task | null,
  id: TaskId,
  caller: Caller,
): Promise<Drafted> {
  const wanted: TaskRequest = {
    ...request,
    goal: question,
    repository: request.repository ?? parent?.repository.path ?? '',
    ref: request.ref ?? parent?.base.ref ?? null,
    setup: null,
    test: null,
    budget: { ...request.budget, steps: request.budget.steps ?? 1 },
  }
  return draftTask(deps, wanted, id, caller, { parent })
}

/**
 * Makes a task of a request: looks at the repository, applies the operator's defaults, computes policy and risks. It is
 * not written yet; `cofferdam explain` stops here. Rejects with `Failure('bad_request' | 'repository')`.
 */
export async function draftTask(
  deps: SubmitDeps,
  request: TaskRequest,
  id: TaskId,
  caller: Caller,
  asked: Asked | null = null,
): Promise<Drafted> {
  const { defaults } = deps
  const parent = asked?.parent ?? null
  const repository = await deps.worktrees.inspect(request.repository, request.ref)
  const configured = defaults.repository(repository.path)
  const works = configured.agent ?? defaults.agent
  const usual = asked === null ? works : answererOf(deps, works)
  const wanted = request.agent ?? parent?.agent ?? usual
  const agent = agentOf(deps, wanted, asked === null ? noAgent : noAnswerer)
  const setup = request.setup === undefined ? (configured.setup ?? null) : request.setup
  const test = request.test === undefined ? (configured.test ?? null) : request.test
  const base =
    configured.policy === undefined ? defaults.policy : effectivePolicy(configured.policy, defaults.policy)
  const policy = policyOf(request, parent === null ? base : narrowerPolicy(parent.policy, base))
  const missing = lacking(policy, modelsOf(deps, agent), defaults.means)
  if (missing.length > 0) throw new Failure('bad_request', missing.join(' '))
  const usualBudget: Budget = { ...defaults.budget, ...configured.budget }
  const granted = parent === null ? usualBudget : narrowerBudget(parent.budget, usualBudget)
  const budget: Budget = { ...granted, ...budgetParts(request.budget) }
  const writer = authorOf(caller)
  const hidden = await deps.worktrees.hidden(repository.path, repository.commit, policy)
  const risks: readonly RiskReason[] = [
    ...(request.draft ? [{ rule: 'draft', text: 'It was asked for as a draft.' }] : []),
    ...assessRisk({
      goal: request.goal,
      repositoryBy: defaults.isNamed(repository.path) ? 'config' : writer,
      setup,
      setupBy: setup === configured.setup ? 'config' : writer,
      test,
      testBy: test === configured.test ? 'config' : writer,
      agent,
      agentBy: isConfigured(agent, usual) ? 'config' : writer,
      budget,
      policy,
      configured: { budget: usualBudget, policy: base },
    }),
  ]
  const now = deps.clock()
  const task: Task = {
    ...unbegun,
    id,
    kind: asked === null ? 'change' : 'question',
    status: risks.length > 0 ? 'DRAFT' : 'PENDING',
    goal: request.goal,
    request: request.goal,
    repository: { path: repository.path, key: repository.key },
    base: { ref: repository.ref, commit: repository.commit },
    head: repository.commit,
    branch: await deps.worktrees.branchFor(repository.path, id),
    agent,
    setup,
    test,
    policy,
    policyHash: policyHash(policy),
    budget,
    risks,
    parentTaskId: parent?.id ?? null,
    createdBy: caller.actor,
    createdAt: now,
    updatedAt: now,
  }
  const notes = [
    ...repository.notes,
    ...hiddenNote(hidden),
    ...(asked === null ? untestedNote(test) : []),
    ...costNotes(budget, defaults.means),
  ]
  return { task, hidden, notes }
}

const noAgent = (names: string): string =>
  `No agent is named or configured: name one of ${names} (in a shell: --agent command -- ARGV…), or put one into ` +
  'cofferdam.yaml, such as task: { agent: { name: claude } }.'

const noAnswerer = (names: string): string =>
  `No agent that can answer is configured: name one of ${names}, or put one with a model into cofferdam.yaml, such as ` +
  'ask: { agent: { name: claude } }.'

/** A program that formats or upgrades answers nothing: who works on tasks is asked only where it has a model. */
export function answererOf(
  { defaults, agents }: Pick<SubmitDeps, 'defaults' | 'agents'>,
  works: AgentChoice | null,
): AgentChoice | null {
  if (defaults.answerer !== null) return defaults.answerer
  return works !== null && agents.get(works.name)?.upstream != null ? works : null
}

/** The configured one, also where it is named, which leaves out those that may take its place. */
function isConfigured({ name, argv, fallback = [] }: AgentChoice, usual: AgentChoice | null): boolean {
  return (
    name === usual?.name &&
    canonicalJson(argv) === canonicalJson(usual.argv) &&
    fallback.every((each) => usual.fallback?.includes(each))
  )
}

/** Throws `Failure('bad_request')` where there is none, with what `missing` says of those that there are, or none of the name. */
export function agentOf(
  { agents }: Pick<SubmitDeps, 'agents'>,
  agent: AgentChoice | null,
  missing: (names: string) => string,
): AgentChoice {
  const names = [...agents.keys()].join(', ')
  if (agent === null) throw new Failure('bad_request', missing(names))
  const strange = [agent.name, ...(agent.fallback ?? [])].find((name) => !agents.has(name))
  if (strange !== undefined)
    throw new Failure('bad_request', `There is no agent "${strange}": choose one of ${names}.`)
  return agent
}

/** The upstreams of the agents that may work on a task. */
function modelsOf({ agents }: SubmitDeps, { name, fallback = [] }: AgentChoice): readonly string[] {
  return [name, ...fallback].flatMap((each) => agents.get(each)?.upstream ?? [])
}

function policyOf(request: TaskRequest, base: Policy): Policy {
  if (request.policy === null) return base
  const problems = policyProblems(request.policy, base)
  if (problems.length > 0) throw new Failure('bad_request', problems.join(' '))
  return effectivePolicy(request.policy, base)
}

function hiddenNote(hidden: readonly TreePath[]): readonly string[] {
  if (hidden.length === 0) return []
  const files = counted(hidden.length, 'tracked file is', 'tracked files are')
  return [`${files} hidden from the agent and its tests by the policy: ${fewOf(hidden)}.`]
}

function untestedNote(test: string | null): readonly string[] {
  return test === null ? ['No test command is given: the result will be untested.'] : []
}

import type { Agent, AgentResult } from '../../../src/domain/agent.ts'
import { left, usedUp } from '../../../src/domain/budget.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { composePrompt } from '../../../src/domain/prompt.ts'
import { earlierOf } from '../../../src/domain/question/follow-up.ts'
import { composeQuestionPrompt } from '../../../src/domain/question/prompt.ts'
import type { LeftOut } from '../../../src/domain/worktree.ts'
import { afterAgentError, type Now } from '../agent-error.ts'
import { agentNow, keptConversation, conversationNow, keptName, lastAgent } from '../agent-now.ts'
import { closed, instructionFor, newAttempt } from '../attempts.ts'
import { withEnded } from '../box-record.ts'
import { begin } from '../begin.ts'
import { type Attended, attendBox } from '../box-run.ts'
import { cachesRead } from '../boxes.ts'
import { egressOf } from '../egress.ts'
import { ended } from '../ended.ts'
import { printedLast } from '../said.ts'
import { type Planned, planned } from '../under-way.ts'
import { nextStep, parentOf, placeOf, rowsOfParent, type Work } from '../work.ts'

/** One turn of the agent: first its worktree and prompt are laid out, then its box is run and read. */
export async function agent(work: Work): Promise<void> {
  const row = planned(work, 'agent')
  await (row === null ? layOut(work) : run(work, row))
}

async function layOut(work: Work): Promise<void> {
  const { deps, task } = work
  const gone = usedUp(left(task))
  if (gone !== null) {
    work.report({ type: 'budget_spent', reason: gone })
    return
  }
  const place = placeOf(task)
  const step = nextStep(task)
  const instruction = instructionFor(deps.store, task, step)
  const row = newAttempt(deps.store, task, step, deps.clock(), { instruction })
  const agent = agentOf(work, step).agent
  await begin(
    work,
    row,
    async () => {
      await deps.worktrees.restore(place, task.head)
      const listing = await deps.worktrees.listing(place)
      const setupFolders = await deps.worktrees.setupFolders(place)
      const session = await openFolder(work, agent)
      const prompt = promptFor(work, step, instruction, session)
      await deps.worktrees.writeAttemptFile(place, 'prompt.md', prompt)
      const { argv, env } = agent.call(task.agent, session)
      return {
        kind: 'agent',
        argv,
        env,
        listing,
        readOnly: task.kind === 'question',
        setupFolders,
        ownFolder: agent.upstream !== null,
        caches: cachesRead(task),
        egress: egressOf('agent', task.policy, null, agent.upstream),
      }
    },
    agent.name,
  )
}

/** Lays the agent's own folder down. @returns the conversation that it goes on with; null where it begins a new one */
async function openFolder(work: Work, agent: Agent): Promise<string | null> {
  const { deps, task } = work
  if (agent.upstream === null) return null
  const known = conversationNow(agent.name, deps.store.checkpoints(task.id), rowsOfParent(work))
  const parent = known?.inherited === true ? parentOf(work) : null
  const { files } = agent.call(task.agent, null)
  const of = placeOf(parent ?? task)
  const found = await deps.worktrees.openAgentFolder(placeOf(task), files, known?.keptAs ?? null, of)
  return known !== null && found ? known.id : null
}

async function run(work: Work, begun: Planned): Promise<void> {
  const { deps } = work
  const now = agentOf(work, begun.step)
  const { agent } = now
  const reading = agent.reading()
  const result = await attendBox(work, begun, reading.line)
  if (result === null) return
  const row = withEnded(work, begun, result)
  if (await ended(work, result, row, 'agent', [closed(row, 'dropped', deps.clock())])) return
  if (result.end === 'not_started') {
    const text = `The agent did not start: ${agent.upstream === null ? 'mend its command and start a new task, or use an image that has it' : 'build the image anew with `cofferdam image build`, then start a new task'}. ${result.message ?? printedLast(result.output)}`
    work.report({ type: 'failed', reason: 'agent', text }, { checkpoints: [row] })
    return
  }
  const read = reading.end(result, promptFor(work, row.step, row.instruction, null))
  const agentResult: AgentResult = cleaned(work, {
    ...read,
    ...failureOf(result),
    ...(agent.upstream === null ? {} : { by: agent.name }),
  })
  if (await afterAgentError(work, { ...row, agent: agentResult }, now)) return
  await keepConversation(work, agent, row, agentResult)
  const said = agentResult.marker.state === 'NONE' ? 'without a marker' : `with ${agentResult.marker.state}`
  const text =
    agentResult.failure === null ? `The agent ended ${said}.` : `The agent failed: ${agentResult.failure}`
  work.report(
    { type: 'agent_finished', text },
    {
      checkpoints: [{ ...row, agent: agentResult }],
      data: {
        end: result.end,
        exitCode: result.exitCode,
        bytes: result.outputBytes,
        truncated: result.truncated,
      },
    },
  )
}

/** Why a box that did not end by itself is a step that failed; nothing for one that did: its agent's reading says. */
function failureOf({ end, message, unavailable }: Attended): Partial<AgentResult> {
  if (end === 'exited') return {}
  if (end === 'killed' && unavailable !== null)
    return { marker: { state: 'NONE' }, failure: unavailable.text, error: unavailable.kind }
  return { failure: message ?? `The box ended: ${end}.`, error: 'crash' }
}

/** A secret that stood escaped in what was printed is plain in what was read out of it. */
function cleaned({ deps }: Work, result: AgentResult): AgentResult {
  const { marker, text, failure } = result
  const clean = (said: string): string => deps.secrets.redact(said)
  return {
    ...result,
    text: clean(text),
    failure: failure === null ? null : clean(failure),
    marker: marker.state === 'BLOCKED' ? { ...marker, blockReason: clean(marker.blockReason) } : marker,
  }
}

/** Before the transition: what is on record as a conversation is there. */
async function keepConversation(
  { deps, task }: Work,
  agent: Agent,
  row: Planned,
  { session }: AgentResult,
): Promise<void> {
  if (agent.upstream === null || session === null) return
  const before = keptConversation(agent.name, deps.store.checkpoints(task.id))
  await deps.worktrees.keepConversation(
    placeOf(task),
    keptName(row),
    (path) => agent.keeps(path),
    before?.keptAs ?? null,
  )
}

/** @param session the conversation that it is said in, where that is known to be there */
function promptFor(work: Work, step: number, instruction: string | null, session: string | null): string {
  const { deps, task } = work
  if (task.kind === 'question') {
    const earlier = session === null ? earlierOf(task, (id) => deps.store.task(id)) : []
    const { steps } = task.budget
    return composeQuestionPrompt({ ...task, step, steps, left: left(task), instruction, earlier })
  }
  const last = deps.store
    .checkpoints(task.id, step - 1)
    .filter((row) => row.step >= step - 1 && row.step <= step)
  return composePrompt({
    ...task,
    step,
    steps: task.budget.steps,
    left: left(task),
    instruction,
    violations: last.findLast((row) => row.violations.length > 0)?.violations ?? [],
    undone: last.findLast((row) => row.candidate !== null)?.candidate?.leftOut.filter(isUndone) ?? [],
  })
}

function isUndone({ undone }: LeftOut): boolean {
  return undone === true
}

function agentOf(work: Work, step: number): Now {
  const { deps, task } = work
  const rows = deps.store.checkpoints(task.id)
  const attempts = rows.filter((row) => row.step === step)
  const now = agentNow(task.agent, attempts, lastAgent(rows, step))
  const agent = deps.agents.get(now.name)
  if (agent !== undefined) return { ...now, agent }
  const names = [...deps.agents.keys()].join(', ')
  throw new Failure(
    'bad_request',
    `There is no agent ${now.name} here: start a new task with one of ${names}.`,
  )
}

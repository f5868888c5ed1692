import type { Decisions } from '../../domain/decision.ts'
import type { Task } from '../../domain/task.ts'
import { laidOpen } from '../../domain/laid-open.ts'
import { get } from '../api.ts'
import { useLoaded, useNow } from '../hooks.ts'
import { Back, Link } from '../navigation.tsx'
import { Failed, Liveness, Moment, State, Title } from '../parts.tsx'
import { respelled } from '../respelled.ts'
import { type View, views } from '../route.ts'
import { firstLine, haltSaid, nameOf } from '../words.ts'
import { Acts } from './acts.tsx'
import { Answered } from './answer.tsx'
import { Budgets } from './budgets.tsx'
import { Changes } from './changes.tsx'
import { Decision } from './decision.tsx'
import { Delivery } from './delivery.tsx'
import { Egress } from './egress.tsx'
import { Output } from './output.tsx'
import { Proof } from './proof.tsx'
import { Tests } from './tests.tsx'
import { Timeline } from './timeline.tsx'
import { useTask, type Watched } from './use-task.ts'

const titles: Readonly<Record<View, string>> = {
  overview: 'Overview',
  output: 'Output',
  changes: 'Changes',
  tests: 'Tests',
  egress: 'Egress',
  proof: 'Proof',
}

/** A task, and what can be done with it. */
export function TaskPage({ id, view }: { readonly id: string; readonly view: View }) {
  const watched = useTask(id)
  const { task, error, state } = watched
  const version = task?.version
  const decisions = useLoaded(
    async () => (version === undefined ? null : await get<Decisions>(`/v1/tasks/${id}/decisions`)),
    [id, version],
  )
  if (error !== null)
    return (
      <>
        <Title>{`Task ${id}`}</Title>
        <Failed text={error.message} again={watched.retry} />
        <p>
          <Link to={{ page: 'board' }}>To the board</Link>
        </p>
      </>
    )
  if (task === null) return <p class="faint">Loading…</p>
  return (
    <>
      <Back />
      <div class="line">
        <Title part={view === 'overview' ? undefined : titles[view]}>{firstLine(task.goal, 100)}</Title>
        <Liveness state={state} />
      </div>
      <Facts task={task} />
      <Decision task={task} loaded={decisions} take={watched.take} />
      <Delivery task={task} events={watched.events} decisions={decisions} take={watched.take} />
      <Acts task={task} take={watched.take} />
      <nav class="tabs" aria-label="About this task">
        <ul>
          {viewsOf(task).map((each) => (
            <li key={each}>
              <Link to={{ page: 'task', id, view: each }} isHere={each === view}>
                {titles[each]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <section aria-label={titles[view]}>
        <Shown task={task} view={view} watched={watched} decisions={decisions.value} />
      </section>
    </>
  )
}

/** A question changes nothing, and so has nothing to test. */
const viewsOf = ({ kind }: Task): readonly View[] =>
  kind === 'question' ? views.filter((view) => view !== 'changes' && view !== 'tests') : views

function Facts({ task }: { readonly task: Task }) {
  const now = useNow()
  const { id, repository, base, branch, agent, createdBy, createdAt, step, budget, phase } = task
  const halted = haltSaid(task)
  return (
    <>
      <p class="facts">
        <State task={task} />
        {task.kind === 'question' && <span>question</span>}
        {step > 0 && (
          <span>
            step {step}/{budget.steps}
          </span>
        )}
        {phase !== null && <span>{phase}</span>}
        <span>{agent.name}</span>
        <span>
          by {nameOf(createdBy)} <Moment at={createdAt} now={now} />
        </span>
        <code>{id}</code>
      </p>
      {halted !== null && <p class="why">{respelled(halted)}</p>}
      <details>
        <summary>Where</summary>
        <dl>
          <dt>Repository</dt>
          <dd>
            <code>{repository.path}</code> at <code>{base.ref}</code> (<code>{base.commit.slice(0, 12)}</code>
            )
          </dd>
          <dt>Branch</dt>
          <dd>
            <code>{branch}</code>
          </dd>
          <dt>Test</dt>
          <dd>{task.test === null ? 'none' : <code>{laidOpen(task.test)}</code>}</dd>
          {task.setup !== null && (
            <>
              <dt>Setup</dt>
              <dd>
                <code>{laidOpen(task.setup)}</code>
              </dd>
            </>
          )}
        </dl>
      </details>
    </>
  )
}

function Shown({
  task,
  view,
  watched,
  decisions,
}: {
  readonly task: Task
  readonly view: View
  readonly watched: Watched
  readonly decisions: Decisions | null
}) {
  if (!viewsOf(task).includes(view)) return <p>A question changes nothing in its repository.</p>
  switch (view) {
    case 'overview':
      return (
        <>
          <h2>{task.kind === 'question' ? 'Question' : 'Goal'}</h2>
          <p class="words">{laidOpen(task.goal)}</p>
          <Answered task={task} />
          <Instruction task={task} />
          <h2>Budget</h2>
          <Budgets task={task} />
          <h2>Output</h2>
          <Output task={task} watched={watched} isShort />
          <h2>Timeline</h2>
          <Timeline events={watched.events} />
        </>
      )
    case 'output':
      return <Output task={task} watched={watched} />
    case 'changes':
      return <Changes task={task} events={watched.events} decisions={decisions} take={watched.take} />
    case 'tests':
      return <Tests task={task} />
    case 'egress':
      return <Egress task={task} />
    case 'proof':
      return <Proof task={task} />
  }
}

function Instruction({ task: { instruction } }: { readonly task: Task }) {
  if (instruction === null) return null
  return (
    <>
      <h2>For the next step</h2>
      <p class="words">{instruction}</p>
    </>
  )
}

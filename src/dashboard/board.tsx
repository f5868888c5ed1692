import { useEffect, useState } from 'preact/hooks'
import { deliverySaid } from '../domain/standing.ts'
import type { Status, Task } from '../domain/task.ts'
import { get, query } from './api.ts'
import { extended, type List, type Lists, placed } from './board-lists.ts'
import { useLoaded, useNow, useSending, useSettled } from './hooks.ts'
import { Link } from './navigation.tsx'
import { Liveness, Moment, Problem, State, Title } from './parts.tsx'
import { asError } from './persist.ts'
import { respelled } from './respelled.ts'
import { listen, type StreamState } from './stream.ts'
import { useMay } from './who.ts'
import { firstLine, folderName, type Group, groups, haltSaid, numberOf, reasonOf } from './words.ts'

/** So many tasks of each group are shown first, and with each further press. */
const pageSize = 20

type ByStatus = Readonly<Record<Status, number>>

/** `needing`: how many of `counts` need a person. */
interface Counts {
  readonly counts: ByStatus
  readonly needing: ByStatus
}

const pageOf = ({ statuses }: Group, cursor: string | null): Promise<List> =>
  get<List>(
    `/v1/tasks${query({ ...(statuses.length === 0 ? { needs_person: 'true' } : { status: statuses.join(','), needs_person: 'false' }), limit: pageSize, cursor })}`,
  )

async function firstPages(): Promise<Lists> {
  return Object.fromEntries(
    await Promise.all(groups.map(async (group) => [group.name, await pageOf(group, null)] as const)),
  )
}

/** All tasks by what they wait for. */
export function Board() {
  const [lists, setLists] = useState<Lists>({})
  const [error, setError] = useState<string | null>(null)
  const [state, setState] = useState<StreamState>('connecting')
  const counts = useLoaded(() => get<Counts>('/v1/counts'), [])
  const count = useSettled(counts.reload)
  useEffect(() => {
    // What changes while lists are on their way may not be in them yet.
    let meanwhile: readonly Task[] = []
    // An answer that comes after a later question counts no more.
    let asked = 0
    const load = async (): Promise<void> => {
      const mine = ++asked
      meanwhile = []
      try {
        const found = await firstPages()
        if (mine !== asked) return
        setLists(meanwhile.reduce(placed, found))
        setError(null)
      } catch (failure) {
        if (mine === asked) setError(asError(failure).message)
      }
    }
    void load()
    const stop = listen({
      address: () => '/v1/changes',
      on: {
        task: (data) => {
          const task = JSON.parse(data) as Task
          meanwhile = [...meanwhile.slice(-1000), task]
          setLists((before) => placed(before, task))
          count()
        },
      },
      state: (next) => {
        setState(next)
        // Nobody told of what happened while there was no connection.
        if (next === 'live') {
          void load()
          count()
        }
      },
    })
    return () => {
      asked += 1
      stop()
    }
  }, [])
  return (
    <>
      <div class="line">
        <Title>Board</Title>
        <Liveness state={state} />
      </div>
      <Problem text={error} />
      {counts.value !== null && isEmpty(counts.value) && <Begin />}
      <Jumps counts={counts.value} />
      <div class="board">
        {groups.map((group) => (
          <Section
            key={group.name}
            group={group}
            list={lists[group.name]}
            counts={counts.value}
            onMore={(page) =>
              setLists((before) => ({
                ...before,
                [group.name]: extended(before[group.name] ?? { tasks: [], next: null }, page),
              }))
            }
          />
        ))}
      </div>
    </>
  )
}

const isEmpty = ({ counts }: Counts): boolean => Object.values(counts).every((count) => count === 0)

/** What somebody sees who has no task yet. */
function Begin() {
  const may = useMay('start')
  return (
    <p>
      There are no tasks yet.{' '}
      {may && (
        <>
          <Link to={{ page: 'new' }}>Start one</Link>: an agent works on a goal in a box of its own, and what
          it has done comes as a branch of your repository.
        </>
      )}
    </p>
  )
}

const countOf = ({ statuses }: Group, { counts, needing }: Counts): number =>
  statuses.length === 0
    ? Object.values(needing).reduce((sum, count) => sum + count, 0)
    : statuses.reduce((sum, status) => sum + counts[status] - needing[status], 0)

/** Leads to each list where they do not stand beside each other: a long one would hide those beneath it. */
function Jumps({ counts }: { readonly counts: Counts | null }) {
  return (
    <nav class="jumps" aria-label="Lists">
      <ul>
        {groups.map((group) => (
          <li key={group.name}>
            <a href={`#${group.name}`}>
              {group.title} <Count group={group} counts={counts} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Count({ group, counts }: { readonly group: Group; readonly counts: Counts | null }) {
  return <span class="count">{counts === null ? '' : numberOf(countOf(group, counts))}</span>
}

interface SectionProps {
  readonly group: Group
  readonly list: List | undefined
  readonly counts: Counts | null
  readonly onMore: (page: List) => void
}

function Section({ group, list, counts, onMore }: SectionProps) {
  const now = useNow()
  const sending = useSending()
  const more = (): void => sending.send(async () => onMore(await pageOf(group, list?.next ?? null)))
  return (
    <section class={`group ${group.name}`} aria-labelledby={group.name}>
      <h2 id={group.name} tabIndex={-1}>
        {group.title} <Count group={group} counts={counts} />
      </h2>
      {list === undefined ? (
        <p class="faint">Loading…</p>
      ) : list.tasks.length === 0 ? (
        <p class="faint">None.</p>
      ) : (
        <ul class="cards">
          {list.tasks.map((task) => (
            <Card key={task.id} task={task} now={now} />
          ))}
        </ul>
      )}
      {list !== undefined && list.next !== null && (
        <button type="button" onClick={more} aria-disabled={sending.busy}>
          Show more of “{group.title}”
        </button>
      )}
      <Problem text={sending.error} />
    </section>
  )
}

function Card({ task, now }: { readonly task: Task; readonly now: number }) {
  const { id, kind, goal, repository, step, budget, risks, status, updatedAt } = task
  const said = haltSaid(task) ?? deliverySaid(task)
  const why =
    status === 'DRAFT' ? reasonOf(risks) : said === null ? undefined : firstLine(respelled(said), 220)
  return (
    <li class="card">
      <Link to={{ page: 'task', id, view: 'overview' }}>{firstLine(goal)}</Link>
      <p class="facts">
        <State task={task} />
        {kind === 'question' && <span>question</span>}
        <span>{folderName(repository.path)}</span>
        {step > 0 && (
          <span>
            step {step}/{budget.steps}
          </span>
        )}
        <Moment at={updatedAt} now={now} />
        <code>{id}</code>
      </p>
      {why !== undefined && <p class="why">{why}</p>}
    </li>
  )
}

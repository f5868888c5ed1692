import { render } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { get, onSignedOut, Refused, signOut, type Who } from './api.ts'
import { Ask } from './ask.tsx'
import { Board } from './board.tsx'
import { Health } from './health/page.tsx'
import { forgetKept, useSending } from './hooks.ts'
import { go, Link, useRoute } from './navigation.tsx'
import { NewTask } from './new-task.tsx'
import { Problem, Title } from './parts.tsx'
import type { Route } from './route.ts'
import { Schedules } from './schedules.tsx'
import { Search } from './search.tsx'
import { SignIn } from './sign-in.tsx'
import { TaskPage } from './task/page.tsx'
import { useMay, WhoProvider } from './who.ts'

/** `null`: nobody is signed in; `undefined`: not known yet. */
type Known = Who | null | undefined

function App() {
  const [who, setWho] = useState<Known>(undefined)
  const [away, setAway] = useState(false)
  const leaving = useSending()
  const route = useRoute()
  const [isOver, setOver] = useState(false)
  const known = useRef<Known>(undefined)
  known.current = who
  useEffect(
    () =>
      onSignedOut(() => {
        setOver((before) => before || known.current != null)
        setWho(null)
      }),
    [],
  )
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = async (): Promise<void> => {
      try {
        setWho(await get<Who>('/v1/session'))
        setAway(false)
      } catch (error) {
        setAway(true)
        if (error instanceof Refused && error.status === 401) setWho(null)
        else timer = setTimeout(() => void look(), 1000)
      }
    }
    void look()
    return () => clearTimeout(timer)
  }, [])

  if (who === undefined)
    return (
      <main class="narrow">
        <p role="status">{away ? 'The server does not answer. Trying again…' : 'Loading…'}</p>
      </main>
    )
  if (who === null)
    return (
      <SignIn
        isOver={isOver}
        onSignedIn={(next) => {
          setOver(false)
          setWho(next)
        }}
      />
    )
  const leave = (): void => {
    forgetKept()
    leaving.send(async () => {
      await signOut()
      go({ page: 'board' })
      setOver(false)
      setWho(null)
    })
  }
  return (
    <WhoProvider value={who}>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="top">
        <Link to={{ page: 'board' }} class="brand">
          Cofferdam
        </Link>
        <Pages route={route} who={who} />
        <span class="who">
          {who.actor.id} ({who.role}){' '}
          <button type="button" onClick={leave} aria-disabled={leaving.busy}>
            Sign out
          </button>
        </span>
      </header>
      <main id="main">
        <Problem text={leaving.error === null ? null : `You are still signed in. ${leaving.error}`} />
        <Page route={route} />
      </main>
    </WhoProvider>
  )
}

function Pages({ route, who }: { readonly route: Route; readonly who: Who }) {
  const pages: readonly (readonly [Route, string])[] = [
    [{ page: 'board' }, 'Board'],
    ...(who.may.includes('start')
      ? ([
          [{ page: 'new' }, 'New task'],
          [{ page: 'ask' }, 'Ask'],
        ] as const)
      : []),
    [{ page: 'search', text: '' }, 'Search'],
    [{ page: 'schedules' }, 'Schedules'],
    [{ page: 'health' }, 'Health'],
  ]
  return (
    <nav aria-label="Pages">
      <ul>
        {pages.map(([to, name]) => (
          <li key={name}>
            <Link to={to} isHere={to.page === route.page}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

/** What stands in the place of a form that this person could fill in, and not send. */
function LooksOnly({ title }: { readonly title: string }) {
  return (
    <>
      <Title>{title}</Title>
      <p>
        Your token lets you look, and start nothing. Whoever owns the data folder makes one that does with{' '}
        <code>cofferdam token create NAME --role operator</code>.{' '}
        <Link to={{ page: 'board' }}>To the board</Link>
      </p>
    </>
  )
}

function Page({ route }: { readonly route: Route }) {
  const mayStart = useMay('start')
  switch (route.page) {
    case 'board':
      return <Board />
    case 'task':
      return <TaskPage key={route.id} id={route.id} view={route.view} />
    case 'new':
      return mayStart ? <NewTask /> : <LooksOnly title="New task" />
    case 'ask':
      return mayStart ? <Ask /> : <LooksOnly title="Ask" />
    case 'search':
      return <Search key={route.text} text={route.text} />
    case 'schedules':
      return <Schedules />
    case 'health':
      return <Health />
    case 'nowhere':
      return (
        <>
          <Title>Not found</Title>
          <p>
            There is no such page. <Link to={{ page: 'board' }}>To the board</Link>
          </p>
        </>
      )
  }
}

const place = document.getElementById('app')
if (place === null) throw new Error('the page has no place for the app')
place.replaceChildren()
render(<App />, place)

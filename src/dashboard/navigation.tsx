import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { addressOf, type Route, routeOf } from './route.ts'

const here = (): Route => routeOf(location.pathname, location.search)

/** The page that the address names, as it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(here)
  useEffect(() => {
    const onChange = (): void => setRoute(here())
    addEventListener('popstate', onChange)
    return () => removeEventListener('popstate', onChange)
  }, [])
  return route
}

/** Goes to another page of the dashboard. */
export function go(route: Route): void {
  history.pushState(null, '', addressOf(route))
  dispatchEvent(new PopStateEvent('popstate'))
}

/** From a page that nobody comes to but by a link to where all of them are. */
export function Back() {
  return (
    <p class="back">
      <Link to={{ page: 'board' }}>← Board</Link>
    </p>
  )
}

interface LinkProps {
  readonly to: Route
  readonly children: ComponentChildren
  readonly class?: string
  /** Whether it is the page that is shown. */
  readonly isHere?: boolean
}

/** A link within the dashboard: it can be opened in another tab like any other. */
export function Link({ to, children, isHere = false, class: look }: LinkProps) {
  const onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    go(to)
  }
  return (
    <a href={addressOf(to)} onClick={onClick} class={look} aria-current={isHere ? 'page' : undefined}>
      {children}
    </a>
  )
}

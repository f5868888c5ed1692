// Which page an address is, and back.

export const views = ['overview', 'output', 'changes', 'tests', 'egress', 'proof'] as const
export type View = (typeof views)[number]

export type Route =
  | { readonly page: 'board' | 'schedules' | 'health' | 'new' | 'ask' }
  | { readonly page: 'search'; readonly text: string }
  | { readonly page: 'task'; readonly id: string; readonly view: View }
  | { readonly page: 'nowhere' }

const base = '/dashboard/'

export function routeOf(path: string, query: string): Route {
  const [first = '', id = '', view = 'overview', ...rest] = path.slice(base.length).split('/').filter(Boolean)
  if (first === '') return { page: 'board' }
  if (first === 'tasks' && /^[a-z2-7]{10}$/.test(id) && rest.length === 0) {
    const found = views.find((each) => each === view)
    return found === undefined ? { page: 'nowhere' } : { page: 'task', id, view: found }
  }
  if (id !== '') return { page: 'nowhere' }
  if (first === 'search') return { page: 'search', text: new URLSearchParams(query).get('q') ?? '' }
  const page = (['schedules', 'health', 'new', 'ask'] as const).find((each) => each === first)
  return page === undefined ? { page: 'nowhere' } : { page }
}

export function addressOf(route: Route): string {
  switch (route.page) {
    case 'task':
      return `${base}tasks/${encodeURIComponent(route.id)}${route.view === 'overview' ? '' : `/${route.view}`}`
    case 'search':
      return `${base}search${route.text === '' ? '' : `?q=${encodeURIComponent(route.text)}`}`
    case 'board':
    case 'nowhere':
      return base
    case 'schedules':
    case 'health':
    case 'new':
    case 'ask':
      return `${base}${route.page}`
  }
}

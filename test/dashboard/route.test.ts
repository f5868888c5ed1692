import { expect, it } from 'vitest'
import { addressOf, type Route, routeOf } from '../../src/dashboard/route.ts'

it.each<[string, Route]>([
  ['/dashboard/', { page: 'board' }],
  ['/dashboard/tasks/abcdefghij', { page: 'task', id: 'abcdefghij', view: 'overview' }],
  ['/dashboard/tasks/abcdefghij/changes', { page: 'task', id: 'abcdefghij', view: 'changes' }],
  ['/dashboard/search?q=a%20%26%20b', { page: 'search', text: 'a & b' }],
  ['/dashboard/search', { page: 'search', text: '' }],
  ['/dashboard/health', { page: 'health' }],
  ['/dashboard/new', { page: 'new' }],
])('%s is a page, and back', (address, route) => {
  const { pathname, search } = new URL(address, 'http://here')
  expect(routeOf(pathname, search)).toEqual(route)
  expect(addressOf(route)).toBe(address)
})

it.each([
  '/dashboard/tasks',
  '/dashboard/tasks/ABC',
  '/dashboard/tasks/abcdefghij/x',
  '/dashboard/health/x',
  '/dashboard/x',
])('%s is nowhere', (path) => {
  expect(routeOf(path, '')).toEqual({ page: 'nowhere' })
})

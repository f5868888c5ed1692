import type { Role } from './caller.ts'

/**
 * What a token is good for, besides what its role may do: look (`read`), start and explain tasks and ask questions (`create`), act on them
 * and decide (`decide`), tokens and the audit log (`admin`).
 */
export const scopes = ['read', 'create', 'decide', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** What a token gets that names none: all that its role can use. */
export const usualScopes: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ['read'],
  operator: ['read', 'create', 'decide'],
  owner: scopes,
}

/** What anybody may ask who reaches the address: whether the service lives, and how it is talked to. */
const open: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/openapi.json'])

/** The scope that a call needs; null where it needs no token. What is no path of the API is only looked for. */
export function scopeOf(method: string, path: string): Scope | null {
  if (open.has(path)) return null
  if (/^\/v1\/(tokens|audit)(\/|$)/.test(path)) return 'admin'
  if (method === 'GET' || method === 'HEAD') return 'read'
  if (path === '/v1/session') return 'read'
  // Who only looks on asks for this too; what listens on an address works on every task anyway.
  if (method === 'POST' && /^\/v1\/tasks\/[^/]+\/attend$/.test(path)) return 'read'
  return ['/v1/tasks', '/v1/questions', '/v1/explain'].includes(path) ? 'create' : 'decide'
}

/** Whether a call is to go on record: it changes something, or means to. */
export function isControl(method: string, path: string): boolean {
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) && path !== '/v1/explain'
}

import type { Ability } from '../domain/rights.ts'
import type { Role } from '../domain/caller.ts'
import type { Actor } from '../domain/task.ts'
import { respelled } from './respelled.ts'

/** Who looks, and what they can do that is not about one task. */
export interface Who {
  readonly actor: Actor
  readonly role: Role
  readonly may: readonly Ability[]
}

/** What the API answered in place of what was asked for; its message is the sentence for people. */
export class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Nobody answered. */
class Away extends Error {
  constructor() {
    super('The server does not answer. What you have typed is kept; try again in a moment.')
  }
}

const signedOut = new EventTarget()

/** @param act is called when the session turns out to be over. @returns what ends that */
export function onSignedOut(act: () => void): () => void {
  signedOut.addEventListener('out', act)
  return () => signedOut.removeEventListener('out', act)
}

type Headers = Readonly<Record<string, string>>

async function call(method: string, path: string, headers: Headers, body?: unknown): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const type: Headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await fetch(path, { method, headers: { ...type, ...headers }, ...json }).catch(() => null)
  if (answer === null) throw new Away()
  if (answer.ok) return answer
  if (answer.status === 401) signedOut.dispatchEvent(new Event('out'))
  throw new Refused(answer.status, await detailOf(answer))
}

async function detailOf(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => null)) as { detail?: unknown } | null
  return typeof problem?.detail === 'string'
    ? respelled(problem.detail)
    : `The server answered with ${answer.status}.`
}

/** What `path` is answered with. This server made the page too, so that its answers are what its document says. */
export async function get<T>(path: string): Promise<T> {
  return (await (await call('GET', path, {})).json()) as T
}

export async function getText(path: string): Promise<string> {
  return (await call('GET', path, {})).text()
}

export async function post<T>(path: string, body: unknown = {}, headers: Headers = {}): Promise<T> {
  return (await (await call('POST', path, headers, body)).json()) as T
}

export async function remove<T>(path: string): Promise<T> {
  return (await (await call('DELETE', path, {})).json()) as T
}

export async function signIn(token: string): Promise<Who> {
  const answer = await call('POST', '/v1/session', { authorization: `Bearer ${token}` }, {})
  return (await answer.json()) as Who
}

export async function signOut(): Promise<void> {
  await call('DELETE', '/v1/session', {})
}

/** The part of an address behind `?`; what is null is left out. */
export function query(parts: Readonly<Record<string, string | number | null>>): string {
  const given = Object.entries(parts).flatMap(([name, value]) =>
    value === null ? [] : [[name, String(value)] as [string, string]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

/** Names a submission, so that it can be sent again when no answer came. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}

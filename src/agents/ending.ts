import type { AgentErrorKind, AgentResult, Usage } from '../domain/agent.ts'
import type { BoxResult } from '../domain/box.ts'
import { readMarker } from '../domain/markers.ts'
import { lastOf } from './last.ts'
import { plainLines, sessionOf } from './lines.ts'

/** What an adapter found in the output of its agent. */
export interface Found {
  /** The name of the program, for people. */
  readonly program: string
  /** The upstream that it asks. */
  readonly upstream: string
  /** Whether the stream came to its end. */
  readonly ended: boolean
  readonly text: string
  readonly session: string | null
  readonly usage: Usage | null
  /** What the program itself calls an error; null where it has none. */
  readonly error: {
    readonly text: string
    readonly status?: number | null | undefined
    readonly turns?: boolean
  } | null
}

const longestText = 64 * 1024

/** The result of a step from what was found: the same rules for every agent. */
export function endingOf(box: BoxResult, prompt: string, found: Found): AgentResult {
  const { ended, error, usage } = found
  const session = sessionOf(found.session)
  const text = lastOf(found.text, longestText)
  const common = { text, exitCode: box.exitCode, session, usage }
  if (error === null && ended && box.exitCode === 0)
    return { ...common, marker: readMarker(text, prompt), failure: null }
  const said = saidIn(box, found)
  const kind = kindIn(box, found)
  const failure = box.message ?? sentence(kind, found, said, box.exitCode)
  return { ...common, marker: { state: 'NONE' }, failure, error: kind }
}

/** The program's own words on what went wrong: those of its protocol, where it has some, before those outside of it. */
function saidIn(box: BoxResult, { error }: Found): string {
  const words = error?.text.trim() ?? ''
  return lastOf(words === '' ? lastWords(box) : words, 2000)
}

function lastWords(box: BoxResult): string {
  return lastOf(plainLines(box.output).slice(-5).join('\n').trim(), 2000)
}

function kindIn(box: BoxResult, { error }: Found): AgentErrorKind {
  if (error?.turns === true) return 'turns'
  const words = error?.text.trim() ?? ''
  const kind = kindOf(error?.status ?? statusIn(words), words)
  const outside = lastWords(box)
  return kind === 'crash' ? kindOf(statusIn(outside), outside) : kind
}

/** `API Error: 529 {…}`, `unexpected status 401 Unauthorized`, `(status 429)`. */
function statusIn(said: string): number | null {
  const found = /\b(?:status(?: code)?|error|code|http)\W{0,4}([45]\d\d)\b|\b(4\d\d|5\d\d) (?=[A-Z{])/i.exec(
    said,
  )
  return found === null ? null : Number(found[1] ?? found[2])
}

// Also a provider that cannot be reached, or that ends in the middle.
const isDown =
  /overloaded|unavailable|server error|unable to connect|connection (?:closed|reset|refused|error)|stream (?:closed|disconnected)|socket hang up|fetch failed|api error: terminated|other side closed/i

function kindOf(status: number | null, said: string): AgentErrorKind {
  if (
    /prompt is too long|context[ _](?:window|length)|maximum context|input (?:is too long|token count)|too many (?:input )?tokens/i.test(
      said,
    )
  )
    return 'context'
  if (
    /no (?:previous |saved )?(?:conversation|session|rollout)s? (?:was )?found|session\b.{0,60}\bnot found/i.test(
      said,
    )
  )
    return 'session'
  if (/max(?:imum)?[ _]?(?:session[ _]|number of )?turns/i.test(said)) return 'turns'
  if (
    status === 401 ||
    /authentication_error|invalid (?:x-)?api[ -]key|api key not valid|unauthori[sz]ed/i.test(said)
  )
    return 'auth'
  if (status === 403 || /permission_(?:error|denied)/i.test(said)) return 'auth'
  if (status === 429 || /rate.?limit|too many requests|resource.?exhausted|quota/i.test(said))
    return 'rate_limit'
  if ((status !== null && status >= 500) || isDown.test(said)) return 'overload'
  return 'crash'
}

function sentence(
  kind: AgentErrorKind,
  { program, upstream }: Found,
  said: string,
  exitCode: number | null,
): string {
  const words = said === '' ? '' : ` ${program} says: ${said}`
  switch (kind) {
    case 'rate_limit':
      return `The provider ${upstream} limits the rate of calls.${words}`
    case 'overload':
      return `The provider ${upstream} is overloaded or down.${words}`
    case 'auth':
      return `The provider ${upstream} does not accept the key, or refuses this call: check the key, its rights and its credit, then resume.${words}`
    case 'context':
      return `The conversation grew longer than the model reads.${words}`
    case 'session':
      return `${program} does not find its conversation any more.${words}`
    case 'turns':
      return `${program} reached its own limit of turns.${words}`
    case 'crash':
      return `${program} ended with exit code ${exitCode ?? 'unknown'} before it was done.${words}`
  }
}

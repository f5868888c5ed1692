import type { IncomingMessage } from 'node:http'
import { leakRefusal } from './admit.ts'
import { chunksOf } from './body.ts'
import { JsonReader, NotJson } from './json.ts'
import { busy, denied, failed, type Refusal } from './refusal.ts'
import type { BoxContext } from './box-context.ts'
import type { Flow } from './traffic.ts'
import type { Inspected, Inspection } from './upstreams/upstream.ts'

export interface WholeBody {
  readonly chunks: readonly Buffer[]
  readonly length: number
  /** Null where the route has no body to look at. */
  readonly inspected: Inspected | null
  /** To be called when it is not needed any more. */
  release(): void
}

/** Reads a request's body to its end, looking at each piece as it comes, so that no large one stops anything else. */
export async function readBody(
  context: BoxContext,
  request: IncomingMessage,
  inspection: Inspection | null,
  flow: Flow,
): Promise<WholeBody | Refusal> {
  const { bodyMemory } = context
  const { limits } = context.network
  const chunks: Buffer[] = []
  let length = 0
  let taken = 0
  const release = (): void => {
    bodyMemory.give(taken)
    taken = 0
    chunks.length = 0
  }
  const problem = headProblem(request, inspection)
  if (problem !== null) return problem
  const scanner = context.known.scanner()
  const reader = new JsonReader((path, value) => inspection?.visit(path, value))
  const look = (chunk: Buffer): Refusal | null => {
    length += chunk.length
    if (!flow.sends(chunk.length)) return context.traffic.over
    if (inspection === null) return denied('route', 'This request has no body.', 400)
    if (length > limits.upstreamBodyBytes)
      return denied('size', `A request of more than ${limits.upstreamBodyBytes} bytes is too large.`, 413)
    if (!bodyMemory.take(chunk.length)) return busy('Too many large requests are under way. Try again.', 503)
    taken += chunk.length
    const [hit] = scanner.push(chunk)
    if (hit !== undefined) {
      context.ledger.leaked({ ...hit, way: 'up' })
      return leakRefusal(hit.secret, 'its body')
    }
    reader.write(chunk)
    chunks.push(chunk)
    return null
  }
  try {
    for await (const chunk of chunksOf(request, limits.bodyIdleMs)) {
      const refusal = look(chunk)
      if (refusal !== null) {
        release()
        return refusal
      }
    }
    if (inspection === null) return { chunks, length, inspected: null, release }
    reader.end()
    const inspected = inspection.result(length)
    if ('problem' in inspected) {
      release()
      return denied('request', inspected.problem, 400)
    }
    const { append = [] } = inspected
    for (const member of append) length += appended(chunks, member)
    return { chunks, length, inspected, release }
  } catch (error) {
    release()
    if (error instanceof NotJson) return denied('request', `The body cannot be read: ${error.message}.`, 400)
    return failed('broken', 'The request ended before its body was complete.', 400)
  }
}

/** Puts one more member at the end of a JSON object that has some, in place; returns by how many bytes it grew. */
function appended(chunks: Buffer[], member: string): number {
  const closing = '}'.charCodeAt(0)
  // The text is JSON and an object, so that the last brace is its end.
  const at = chunks.findLastIndex((chunk) => chunk.includes(closing))
  const chunk = chunks[at] ?? Buffer.alloc(0)
  const brace = chunk.lastIndexOf(closing)
  const more = Buffer.from(`,${member}`)
  chunks[at] = Buffer.concat([chunk.subarray(0, brace), more, chunk.subarray(brace)])
  return more.length
}

function headProblem({ headers }: IncomingMessage, inspection: Inspection | null): Refusal | null {
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    return denied('request', 'A compressed body cannot be looked at. Send it as it is.', 415)
  const type = headers['content-type'] ?? 'application/json'
  if (inspection !== null && !/^application\/json\s*(?:;|$)/i.test(type))
    return denied('request', 'The body has to be application/json.', 415)
  return null
}

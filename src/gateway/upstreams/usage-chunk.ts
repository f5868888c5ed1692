import { isBody } from './answer-counter.ts'
import type { Filter } from './upstream.ts'

/** An event longer than this is passed on as it is: the one that is looked for is small. */
const eventLimit = 256 * 1024

/**
 * Takes the chunk that has the usage and no choices out of a stream of Chat Completions, for a client that did not ask for
 * it: one that takes the first choice of every chunk would fail. All else goes on byte for byte, event by event.
 */
export function withoutUsageChunk(): Filter {
  // One character is one byte.
  let rest = ''
  return {
    push(chunk) {
      rest += chunk.toString('latin1')
      let out = ''
      for (;;) {
        const end = /\r?\n\r?\n/.exec(rest)
        if (end === null) break
        const length = end.index + end[0].length
        const event = rest.slice(0, length)
        if (!isUsageAlone(event)) out += event
        rest = rest.slice(length)
      }
      if (rest.length > eventLimit) {
        out += rest
        rest = ''
      }
      return Buffer.from(out, 'latin1')
    },
    end: () => Buffer.from(rest, 'latin1'),
  }
}

function isUsageAlone(event: string): boolean {
  const data = /^data:(.*)$/m.exec(event)?.[1]
  if (data === undefined) return false
  try {
    const chunk: unknown = JSON.parse(data)
    if (!isBody(chunk)) return false
    return Array.isArray(chunk['choices']) && chunk['choices'].length === 0 && isBody(chunk['usage'])
  } catch {
    return false
  }
}

import type { Duplex } from 'node:stream'
import { type Flow, whenIdle } from './traffic.ts'

/**
 * Lets bytes flow both ways until both ends are closed: each chunk is counted and handed on, nothing else. Half-closing is
 * passed on; an error, a limit or `idleMs` without a byte ends both sides.
 */
export function join(box: Duplex, outside: Duplex, flow: Flow, idleMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      box.destroy()
      outside.destroy()
    }
    const pour = (from: Duplex, to: Duplex, count: (bytes: number) => boolean): void => {
      from.on('data', (chunk: Buffer) => {
        if (!count(chunk.length)) end()
        else if (!to.write(chunk)) from.pause()
      })
      to.on('drain', () => from.resume())
      from.on('end', () => to.end())
      from.on('error', end)
      from.resume()
    }
    const stopWatch = whenIdle(flow, idleMs, end)
    let open = 2
    // What was handed to the side that stays is still delivered.
    const closed = (other: Duplex): void => {
      open -= 1
      if (open > 0) return void other.end(() => other.destroy())
      stopWatch()
      resolve()
    }
    for (const [each, other] of [
      [box, outside],
      [outside, box],
    ] as const) {
      if (each.closed) closed(other)
      else each.once('close', () => closed(other))
    }
    pour(box, outside, (bytes) => flow.sends(bytes))
    pour(outside, box, (bytes) => flow.gets(bytes))
  })
}

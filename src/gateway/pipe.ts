import type { Duplex } from 'node:stream'
import type { Flow } from './traffic.ts'

/**
 * Lets bytes flow both ways until both ends are closed: each chunk is counted and handed on, nothing else. Half-closing is
 * passed on; an error, a limit or `idleMs` without a byte ends both sides.
 */
export function join(box: Duplex, outside: Duplex, flow: Flow, idleMs: number): Promise<void> {
  return new Promise((resolve) => {
    let moved = 0
    const end = (): void => {
      box.destroy()
      outside.destroy()
    }
    const pour = (from: Duplex, to: Duplex, count: (bytes: number) => boolean): void => {
      from.on('data', (chunk: Buffer) => {
        moved += 1
        if (!count(chunk.length)) end()
        else if (!to.write(chunk)) from.pause()
      })
      to.on('drain', () => from.resume())
      from.on('end', () => to.end())
      from.on('error', end)
      from.resume()
    }
    let before = -1
    const timer = setInterval(() => {
      if (moved === before) end()
      before = moved
    }, idleMs)
    timer.unref()
    let open = 2
    // What was handed to the side that stays is still delivered.
    const closed = (other: Duplex): void => {
      open -= 1
      if (open > 0) return void other.end(() => other.destroy())
      clearInterval(timer)
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

import { describe, expect, it } from 'vitest'
import { replayFilter } from '../../../src/sandbox/docker/replay-filter.ts'

type Part = readonly [stream: number, text: string]

/** What is handed on when these parts come by attaching, and then those in each replay. */
function handed(live: readonly Part[], ...replays: readonly (readonly Part[])[]): string {
  const parts: string[] = []
  const output = replayFilter((part) => parts.push(part.toString()))
  for (const [stream, text] of live) output.live(Buffer.from(text), stream)
  for (const replayed of replays) {
    const take = output.replay()
    for (const [stream, text] of replayed) take(Buffer.from(text), stream)
  }
  return parts.join('')
}

const long = 'x'.repeat(5000)

describe('output that is given from the beginning again', () => {
  it.each<[string, readonly Part[], readonly (readonly Part[])[], string]>([
    ['after nothing', [], [[[1, 'abc']]], 'abc'],
    ['after all of it', [[1, 'abc']], [[[1, 'abc']]], 'abc'],
    ['after a part', [[1, 'ab']], [[[1, 'abcd']]], 'abcd'],
    ['in other pieces', [[1, 'abc']], [[[1, 'a'], [1, 'bcd'], [1, 'e']]], 'abcde'], // prettier-ignore
    ['twice', [[1, 'a']], [[[1, 'ab']], [[1, 'abc']]], 'abc'],
    ['with the streams in another order', [[1, 'out'], [2, 'err']], [[[2, 'err1'], [1, 'out1']]], 'outerr11'], // prettier-ignore
    ['with a stream that is new', [[1, 'out']], [[[2, 'err'], [1, 'out']]], 'outerr'], // prettier-ignore
    ['without its beginning, comes again', [[1, 'abcd']], [[[1, 'cdef']]], 'abcdcdef'],
    ['after more than is compared', [[1, long]], [[[1, `${long}end`]]], `${long}end`],
  ])('%s', (_what, live, replays, text) => {
    expect(handed(live, ...replays)).toBe(text)
  })
})

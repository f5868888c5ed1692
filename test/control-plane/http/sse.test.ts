import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { AgentProgress } from '../../../src/domain/agent.ts'
import type { Sight } from '../../../src/domain/control-plane.ts'
import { until } from '../../support/until.ts'
import { eventStream, sightFrame } from '../../../control-plane/http/sse.ts'

const quick = { heartbeatMs: 20, stallMs: 60, bufferBytes: 1000 }

const beat = 'event: beat\ndata: {"everyMs":20}\n\n'

const always = (): boolean => true

function output(text: string, progress?: readonly AgentProgress[]): Sight {
  return { kind: 'output', step: 1, box: 'agent', text, progress }
}

/** Sights as they are given, then silence until the reader has gone. */
async function* watched(sights: Iterable<Sight>, signal: AbortSignal): AsyncGenerator<Sight> {
  yield* sights
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve)
  })
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>, until: string): Promise<string> {
  let text = ''
  while (!text.includes(until)) {
    const { done, value } = await reader.read()
    if (done) return text
    text += new TextDecoder().decode(value)
  }
  return text
}

describe('a stream of sights', () => {
  it('sends output, then a heartbeat where nothing comes', async () => {
    const stream = eventStream((signal) => watched([output('one\ntwo')], signal), sightFrame, quick, always)
    const reader = stream.getReader()
    const text = await read(reader, beat)
    expect(text).toContain('event: output\ndata: {"step":1,"box":"agent","text":"one\\ntwo"}\n\n')
    expect(text).not.toContain('id:')
    await reader.cancel()
  })

  it('sends with the output what the agent did in it', async () => {
    const progress: readonly AgentProgress[] = [{ kind: 'tool', tool: 'read', text: '', paths: ['a.txt'] }]
    const stream = eventStream(
      (signal) => watched([output('one', progress)], signal),
      sightFrame,
      quick,
      always,
    )
    const reader = stream.getReader()
    expect(await read(reader, beat)).toContain(`"text":"one","progress":${JSON.stringify(progress)}}\n\n`)
    await reader.cancel()
  })

  it('ends its watching when the reader goes away', async () => {
    let ended = false
    const stream = eventStream(
      (signal) => {
        signal.addEventListener('abort', () => {
          ended = true
        })
        return watched([], signal)
      },
      sightFrame,
      quick,
      always,
    )
    await stream.cancel()
    expect(ended).toBe(true)
  })

  it('holds no more than its buffer for a reader that takes nothing, and drops it', async () => {
    let made = 0
    let isWatched = true
    async function* flood(): AsyncGenerator<Sight> {
      try {
        yield* endless()
      } finally {
        isWatched = false
      }
    }
    function* endless(): Generator<Sight> {
      for (;;) {
        made += 1
        yield output('x'.repeat(100))
      }
    }
    const stream = eventStream(() => flood(), sightFrame, quick, always)
    const reader = stream.getReader()
    await sleep(30)
    const before = made
    expect(before).toBeLessThan(20)
    await sleep(100)
    expect(made).toBe(before)
    await expect(read(reader, 'never')).rejects.toThrow('too slow')
    // It waited to be asked for the next, and hears nothing but that.
    await until(() => !isWatched)
  })

  it('lets a reader go on that is slow but takes what comes', async () => {
    const many = Array.from({ length: 100 }, (_, index) => output(`${index} ${'x'.repeat(100)}`))
    const stream = eventStream((signal) => watched(many, signal), sightFrame, quick, always)
    const reader = stream.getReader()
    for (let round = 0; round < 5; round += 1) {
      await sleep(30)
      await read(reader, 'event')
    }
    expect(await read(reader, '"99 ')).toContain('"98 ')
    await reader.cancel()
  })

  it.each(['something happens', 'nothing does'])(
    'says nothing more to a reader who is let in no more, and ends, where %s',
    async (what) => {
      let isIn = true
      let goOn = (): void => undefined
      let ended = false
      const stream = eventStream(
        async function* (signal) {
          signal.addEventListener('abort', () => {
            ended = true
          })
          yield output('before')
          await new Promise<void>((resolve) => {
            goOn = resolve
            signal.addEventListener('abort', () => resolve())
          })
          yield output('after')
        },
        sightFrame,
        quick,
        () => isIn,
      )
      const reader = stream.getReader()
      expect(await read(reader, 'before')).toContain('before')
      isIn = false
      if (what === 'something happens') goOn()
      expect(await read(reader, 'after')).not.toContain('after')
      expect(ended).toBe(true)
    },
  )

  const fails = (): never => {
    throw new Error('no disk')
  }

  it.each([
    ['it cannot be found out whether the reader is let in', { isIn: fails }],
    ['a sight cannot be written', { frameOf: fails }],
    ['watching fails', { sights: fails }],
  ])('breaks off, and watches no more, where %s', async (_where, broken) => {
    let ended = false
    const { isIn, frameOf, sights } = {
      isIn: always,
      frameOf: sightFrame,
      sights: () => [output('one')],
      ...broken,
    }
    const stream = eventStream(
      async function* (signal) {
        signal.addEventListener('abort', () => {
          ended = true
        })
        yield* watched(sights(), signal)
      },
      frameOf,
      quick,
      isIn,
    )
    await expect(read(stream.getReader(), 'one')).rejects.toThrow('no disk')
    expect(ended).toBe(true)
  })
})

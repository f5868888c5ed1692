import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Notes } from '../../support/box.ts'
import { bench, type Bench } from '../../support/docker.ts'
import { until } from '../../support/until.ts'

// What is held to a time or to a size of memory, so that nothing may run beside it.

describe('a box on the Docker engine', () => {
  let on: Bench
  beforeEach(async () => {
    on = await bench()
  })
  afterEach(async () => on[Symbol.asyncDispose]())

  it('prints 100 MB without filling our memory (B16)', async () => {
    const before = process.memoryUsage().rss
    let most = before
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)
    const spec = on.box('yes $(printf %01000d 0) | head -c 104857600; echo; echo the end')
    const deaf = { started: () => undefined, output: () => undefined }
    const result = await on.engine.run(spec, on.materials, deaf, new AbortController().signal)
    clearInterval(watch)
    expect(result).toMatchObject({
      end: 'exited',
      exitCode: 0,
      truncated: true,
      outputBytes: 104_857_600 + 9,
    })
    expect(result.output.length).toBeLessThan(321 * 1024)
    expect(result.output).toMatch(/the end\n$/)
    expect((most - before) / 1024 / 1024).toBeLessThan(100)
  })

  it('that starts two hundred processes which ignore everything is gone in half a second (B09)', async () => {
    const stop = new AbortController()
    const notes = new Notes()
    const running = on.run(
      on.box(
        `trap '' TERM; for i in $(seq 200); do (setsid sh -c "trap '' TERM; sleep 60" &); done; echo up; sleep 60`,
      ),
      notes,
      stop.signal,
    )
    await until(() => notes.text.includes('up'))
    const asked = performance.now()
    stop.abort()
    expect((await running).end).toBe('killed')
    expect(performance.now() - asked).toBeLessThan(500)
  })
})

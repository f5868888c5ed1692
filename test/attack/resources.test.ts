import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Limits } from '../../src/domain/policy.ts'
import { Notes } from '../support/box.ts'
import { sh } from '../support/plane.ts'
import { attack } from './attack.ts'
import { leftOnEngine } from './host.ts'
import { openStage, type Stage } from './stage.ts'

/** Counts output without keeping it. */
class Counter extends Notes {
  bytes = 0
  override output(chunk: Buffer): void {
    this.bytes += chunk.length
  }
}

describe('a box that takes what it can get', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ 'a.txt': 'a\n' })
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  const limited = (limits: Partial<Limits>) => ({
    policy: { ...stage.task.policy, limits: { ...stage.task.policy.limits, diskFreeMb: 64, ...limits } },
  })

  attack(
    'A086 a fork bomb',
    'Fork without end under a limit of 64 processes.',
    async ({ saw }) => {
      const delay = monitorEventLoopDelay({ resolution: 10 })
      delay.enable()
      const result = await stage.run(
        sh('b() { b | b & b; }; b; python3 -c "import os\nwhile True: os.fork()"'),
        {
          ...limited({ pids: 64 }),
          seconds: 20,
        },
      )
      delay.disable()
      const worst = Math.round(delay.percentile(99) / 1e6)
      expect([result.end, result.message]).toEqual(['pids', expect.any(String)])
      expect(worst).toBeLessThan(250)
      saw(
        `The step ended with the reason ${result.end}: ${result.message ?? ''} This process answered within ${worst} ms meanwhile (p99).`,
      )
      expect(leftOnEngine(stage.installation)).toEqual([])
      saw('No process and no box is left.')
    },
    60,
  )

  attack(
    'A088 fill memory disks and flood the log',
    'Fill /tmp and /dev/shm; print without end, in one line of 200 MB, and as NUL, invalid UTF-8 and escape codes.',
    async ({ saw }) => {
      const limits = limited({ tmpMb: 16, outputMb: 2, memoryMb: 512 })
      const fill = await stage.run(
        sh(
          'for f in /tmp/x /dev/shm/x /home/agent/x /run/x /var/tmp/x; do head -c 100000000 /dev/zero > $f 2>/dev/null && echo "filled $f"; stat -c "%n %s" $f; rm $f; done',
        ),
        limits,
      )
      expect(fill.output).not.toMatch(/^filled/m)
      saw(`Disks in memory ended at their sizes: ${fill.output.trim().split('\n').join(', ')}.`)

      const before = process.memoryUsage().rss
      let peak = 0
      const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
      const counter = new Counter()
      const flood = await stage.run(
        sh('yes "$(head -c 1000 /dev/zero | tr "\\0" x)" | head -c 1000000000'),
        limits,
        counter,
      )
      const line = await stage.run(sh('head -c 200000000 /dev/zero | tr "\\0" y'), limits, counter)
      clearInterval(timer)
      const grown = Math.round((peak - before) / 1e6)
      expect([flood.end, flood.truncated]).toEqual(['output', true])
      expect([line.end, line.truncated]).toEqual(['output', true])
      for (const { output } of [flood, line]) expect(output.length).toBeLessThan(400_000)
      // What is shown of it has a limit of its own (B16); here it is no more than what ends a box, and held nowhere.
      expect(counter.bytes).toBe(flood.outputBytes + line.outputBytes)
      for (const { outputBytes } of [flood, line]) expect(outputBytes).toBeLessThan(70 * 2 * 1024 * 1024)
      expect(grown).toBeLessThan(150)
      saw(
        `The flood of 1 GB was ended (${flood.end}) after ${Math.round(flood.outputBytes / 1e6)} MB and the line of 200 MB after ${Math.round(line.outputBytes / 1e6)} MB, of which 320 KiB each were kept; memory grew by ${grown} MB at most.`,
      )

      const odd = await stage.run(sh(`printf 'a\\000b\\377\\376c\\033[31mred\\033]0;title\\007\\n'`), limits)
      expect(odd.output).toContain('a\uFFFDb')
      expect(odd.output).not.toContain('\0')
      saw('NUL and invalid UTF-8 came as replacement marks.')
    },
    120,
  )

  attack(
    'A089 outlive the time limit',
    'Ignore SIGTERM, fork twice, make sessions, nohup, and go on for ever, under a limit of 2 seconds.',
    async ({ saw }) => {
      const script = `trap "" TERM HUP INT; (trap "" TERM; nohup setsid sh -c 'trap "" TERM HUP; while :; do sleep 1; done' >/dev/null 2>&1 &)
        python3 -c 'import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(1)
while True: time.sleep(1)'`
      const began = performance.now()
      const result = await stage.run(sh(script), { seconds: 2 })
      const seconds = (performance.now() - began) / 1000
      expect(result.end).toBe('time')
      expect(seconds).toBeLessThan(12)
      expect(leftOnEngine(stage.installation)).toEqual([])
      saw(`The box and everything in it was gone after ${seconds.toFixed(1)} s: ${result.message ?? ''}`)
    },
  )
})

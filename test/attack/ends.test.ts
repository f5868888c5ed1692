import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { BoxResult } from '../../src/domain/box.ts'
import { Notes } from '../support/box.ts'
import { sh } from '../support/plane.ts'
import { attack } from './attack.ts'
import { openStage, type Stage } from './stage.ts'

describe('a box that ends', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ 'a.txt': 'a\n' })
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  attack(
    'A096 ways to die',
    'End by itself with 0, 3, 124 to 127, 137 and 143; by a missing command; by memory; a child by memory; by time; by a stop.',
    async ({ saw }) => {
      const { policy } = stage.task
      const small = { policy: { ...policy, limits: { ...policy.limits, diskFreeMb: 64, memoryMb: 128 } } }
      const eat = 'python3 -c "x = bytearray(400000000); import time; time.sleep(5)"'
      const kill = async (): Promise<BoxResult> => {
        const spec = await stage.spec(sh('echo up; sleep 30'))
        const abort = new AbortController()
        const notes = new (class extends Notes {
          override output(): void {
            abort.abort()
          }
        })()
        const result = await stage.engine.run(spec, stage.materials, notes, abort.signal)
        await stage.engine.remove(spec.name)
        return result
      }
      const seen: Record<string, string> = {}
      const note = (name: string, { end, exitCode }: BoxResult): void => {
        seen[name] = end === 'exited' ? `exited ${exitCode}` : end
      }
      for (const code of [0, 3, 124, 125, 126, 127, 137, 143])
        note(`exit ${code}`, await stage.run(sh(`exit ${code}`)))
      note('kill itself', await stage.run(sh('kill -9 $$')))
      note('terminate itself', await stage.run(sh('kill -15 $$')))
      note('missing', await stage.run(['/no/such/program']))
      note('not executable', await stage.run(['/etc/passwd']))
      note('memory', await stage.run(sh(`exec ${eat}`), small))
      note('memory of a child', await stage.run(sh(`${eat} || exit 9`), small))
      note('memory of a child, survived', await stage.run(sh(`${eat}; exit 0`), small))
      note('time', await stage.run(sh('sleep 30'), { seconds: 1 }))
      note('stop', await kill())
      expect(seen).toEqual({
        'exit 0': 'exited 0',
        'exit 3': 'exited 3',
        'exit 124': 'exited 124',
        'exit 125': 'exited 125',
        'exit 126': 'exited 126',
        'exit 127': 'exited 127',
        'exit 137': 'exited 137',
        'exit 143': 'exited 143',
        'kill itself': 'exited 137',
        'terminate itself': 'exited 143',
        missing: 'not_started',
        'not executable': 'not_started',
        memory: 'oom',
        'memory of a child': 'oom',
        'memory of a child, survived': 'exited 0',
        time: 'time',
        stop: 'killed',
      })
      saw(
        Object.entries(seen)
          .map(([name, end]) => `${name}: ${end}`)
          .join('; ') + '.',
      )
    },
    90,
  )
})

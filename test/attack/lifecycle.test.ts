import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { Failure } from '../../src/domain/failure.ts'
import { imageTag } from '../../src/sandbox/docker/image.ts'
import { Notes } from '../support/box.ts'
import { boxesOf, running } from '../support/boxes.ts'
import { type OwnEngine, ownEngine } from '../support/own-engine.ts'
import { openTestPlane, requestOf, sh } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'
import { until } from '../support/until.ts'
import { attack } from './attack.ts'
import { leftOf, type Markers, openMarkers } from './host.ts'
import { ownServer } from './server.ts'
import { openStage } from './stage.ts'

describe('on an engine of its own', () => {
  let engine: OwnEngine
  let called: Markers
  beforeAll(async () => {
    called = openMarkers()
    // Each leaves a mark, so that it is known to have been asked.
    const runtime = (name: string, script: string): string => `${called.leave(name)}\n${script}`
    engine = await ownEngine(imageTag(), {
      broken: runtime('broken', 'echo "it does not do" >&2\nexit 1'),
      leaky: runtime(
        'leaky',
        // Docker asks for a readonly root; this one gives it away.
        `here=. ; for word; do [ "$last" = --bundle ] && here=$word; last=$word; done
[ -e "$here/config.json" ] && sed -i 's/"readonly":true/"readonly":false/' "$here/config.json"
exec runc "$@"`,
      ),
      honest: runtime('honest', 'exec runc "$@"'),
    })
  })
  afterAll(async () => {
    await engine[Symbol.asyncDispose]()
    called[Symbol.dispose]()
  })

  attack(
    'A091 the process killed, the engine restarted',
    'Kill the control plane with SIGKILL while an agent’s box runs; kill an engine with SIGKILL in the middle of a step and start it again.',
    async ({ saw }) => {
      {
        await using server = await ownServer()
        const repo = aRepository()
        const { task } = await server.client.submit(
          requestOf({ repo, argv: sh('echo try >> tries.txt; sleep 4') }),
        )
        await running(task.id, 'agent')
        const [box] = boxesOf(task.id)
        await server.kill()
        await sleep(300)
        await server.start()
        expect(boxesOf(task.id)).toEqual([box])
        const done = await server.settled(task.id)
        expect([done.status, done.spent.steps]).toEqual(['APPLIED', 1])
        expect(git(repo, 'show', `${done.branch}:tries.txt`)).toBe('try\n')
        await until(() => leftOf(server.data, task.id).length === 0)
        saw('The next process took the same box over, the step ran once, and nothing is left.')
      }
      const plane = await openTestPlane(`engine: { socket: ${engine.socket} }\n`)
      try {
        const repo = aRepository()
        const task = await plane.submit({ repo, argv: sh('echo try >> tries.txt; sleep 4') })
        await until(() => existsSync(join(plane.config.dataFolder, 'tasks', task.id, 'tries.txt')))
        await engine.end('SIGKILL')
        expect((await plane.client.task(task.id)).status).toBe('RUNNING')
        await sleep(500)
        await engine.start()
        const done = await plane.settled(task.id)
        expect([done.status, done.spent.steps]).toEqual(['APPLIED', 1])
        expect(git(repo, 'show', `${done.branch}:tries.txt`)).toBe('try\n')
        expect(engine.docker('ps', '-a', '--format', '{{.Names}}')).toBe('')
        saw(
          'After the engine was killed and started again the task was done, in one step, and no box is left. A reboot of this host was not tried.',
        )
      } finally {
        await plane.close()
      }
    },
    90,
  )

  attack(
    'A098 runtimes that are listed but do not do',
    'Have an engine list a runtime that starts nothing, one that leaves the root of a box writable, and an honest one; ask for a box by each of them, and by one that is not listed.',
    async ({ saw }) => {
      await using stage = await openStage({ 'a.txt': 'a\n' })
      const listed = JSON.parse(engine.docker('info', '--format', '{{json .Runtimes}}')) as object
      expect(Object.keys(listed)).toEqual(expect.arrayContaining(['broken', 'leaky', 'honest']))
      /** What a box by this runtime printed, or why there is none. */
      const boxBy = async (runtime: string): Promise<readonly [code: string, text: string]> => {
        const by = stage.reopen({ socketPath: engine.socket, runtime })
        const spec = await stage.spec(sh(`echo ran > by-${runtime}; echo up`))
        try {
          const { end, output } = await by.run(
            spec,
            stage.materials,
            new Notes(),
            new AbortController().signal,
          )
          return [end, output]
        } catch (error) {
          if (error instanceof Failure) return [error.code, error.message]
          throw error
        } finally {
          await stage.reopen({ socketPath: engine.socket }).remove(spec.name)
        }
      }
      const results = {
        broken: await boxBy('broken'),
        leaky: await boxBy('leaky'),
        honest: await boxBy('honest'),
        absent: await boxBy('absent'),
      }
      expect(results).toEqual({
        broken: [
          'engine',
          expect.stringMatching(
            /^The runtime broken does not do here: The Docker engine would not start a box: .* Take another runtime, or none\.$/,
          ),
        ],
        leaky: [
          'engine',
          expect.stringMatching(
            /^The runtime leaky does not do here: the root of a box can be written.* Take another runtime, or none\.$/,
          ),
        ],
        honest: ['exited', 'up\n'],
        absent: [
          'bad_config',
          expect.stringMatching(/^The Docker engine has no runtime absent: take one of /),
        ],
      })
      expect(called.found()).toEqual(['broken', 'honest', 'leaky'])
      expect(readdirSync(stage.worktree).filter((name) => name.startsWith('by-'))).toEqual(['by-honest'])
      expect(engine.docker('ps', '-a', '--format', '{{.Names}}')).toBe('')
      // The rest of the engine's words is about folders of its own.
      saw(`${results.broken[1].split(': failed to')[0] ?? ''}.`)
      saw(results.leaky[1])
      saw(results.absent[1])
      saw('By the honest one the box ran.')
      saw('None of the others ran the box, and no box or canary is left on the engine.')
    },
    60,
  )
})

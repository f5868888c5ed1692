import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Limits } from '../../src/domain/policy.ts'
import { Notes } from '../support/box.ts'
import { boxesOf } from '../support/boxes.ts'
import { docker } from '../support/docker.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository } from '../support/repository.ts'
import { until } from '../support/until.ts'
import { attack } from './attack.ts'
import { openStage, type Stage } from './stage.ts'

// Walls that this design has of its own: caches of setup boxes, growth of a worktree, placeholders, posture, memory in all.

describe('a task on a stage', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ 'a.txt': 'a\n', 'conf/b.txt': 'b\n' })
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  const limited = (limits: Partial<Limits>) => ({
    policy: { ...stage.task.policy, limits: { ...stage.task.policy.limits, diskFreeMb: 64, ...limits } },
  })

  attack(
    'A146 write to a cache from an agent’s box',
    'Give an agent’s box a cache of its repository; write, append, replace, remove and rename in it, and through links.',
    async ({ saw }) => {
      const filled = await stage.run(
        sh('echo good > /cofferdam/cache/npm/package; mkdir /cofferdam/cache/npm/d'),
        {
          kind: 'setup',
          caches: ['npm'],
        },
      )
      expect(filled.exitCode).toBe(0)
      const cache = await stage.materials.locate({ kind: 'cache', name: 'npm', writes: 'none' })
      const at = '/cofferdam/cache/npm'
      const answers = await stage.probe(
        {
          read: `cat ${at}/package`,
          'A146 write': `echo evil > ${at}/package`,
          'A146 append': `echo evil >> ${at}/package`,
          'A146 make': `echo evil > ${at}/new`,
          'A146 make in a folder': `echo evil > ${at}/d/new`,
          'A146 remove': `rm -f ${at}/package; ! [ -e ${at}/package ]`,
          'A146 replace': `echo evil > /tmp/p; mv -f /tmp/p ${at}/package`,
          'A146 rename': `mv ${at} /cofferdam/cache/other`,
          'A146 link': `ln ${at}/package /work/linked && echo evil > /work/linked`,
          'A146 through a symlink': `ln -s ${at}/package /work/s; echo evil > /work/s`,
          'A146 mode': `chmod 777 ${at} ${at}/package`,
        },
        { caches: ['npm'] },
      )
      expect(answers.get('read').out).toBe('good\n')
      saw(answers.refused('A146'))
      expect(readdirSync(cache).sort()).toEqual(['d', 'package'])
      expect(readFileSync(join(cache, 'package'), 'utf8')).toBe('good\n')
      saw('On the host the cache is as the setup box left it.')
    },
  )

  attack(
    'A148 a worktree that grows',
    'Write 400 MiB in small files, also into the private repository, where 48 MiB are allowed; and into files that have no name any more.',
    async ({ saw }) => {
      const fill = (folder: string): readonly string[] =>
        sh(
          `mkdir -p ${folder}; for n in $(seq 100); do head -c 4194304 /dev/zero > ${folder}/f$n; sleep 0.03; done; sleep 30`,
        )
      for (const folder of ['/work/x/.deep/er', '/cofferdam/git/objects/x']) {
        const began = performance.now()
        const result = await stage.run(fill(folder), limited({ worktreeMb: 48 }))
        expect([folder, result.end]).toEqual([folder, 'grown'])
        expect(result.message).toMatch(/48 MiB/)
        saw(
          `In ${folder} it was ended after ${((performance.now() - began) / 1000).toFixed(1)} s: ${result.message ?? ''}`,
        )
        await stage.worktrees.restore(stage.task, stage.task.base.commit)
      }
      const free = (): number => {
        const { bavail, bsize } = statfsSync(stage.folder)
        return Math.floor((bavail * bsize) / 1024 / 1024)
      }
      const least = free() - 200
      const result = await stage.run(
        sh(`python3 -c '
import time
held = []
for n in range(200):
    f = open("x", "wb"); held.append(f); __import__("os").unlink("x"); f.write(bytes(4 << 20)); f.flush(); time.sleep(0.03)
time.sleep(30)'`),
        limited({ worktreeMb: 48, diskFreeMb: least }),
      )
      expect([result.end, result.message]).toEqual(['disk', expect.stringMatching(/MiB/)])
      await until(() => free() > least)
      saw(
        `Files without a name ended it too, by the disk’s free space, which was given back: ${result.message ?? ''}`,
      )
      await stage.worktrees.restore(stage.task, stage.task.base.commit)
    },
    60,
  )

  attack(
    'A150 races over placeholders',
    'Tidy up after an earlier box of the task while the next one runs behind the same masks; write into a placeholder; put a folder and a symlink where the next box needs one.',
    async ({ saw }) => {
      const spin =
        'for n in $(seq 60); do (echo evil > .env) 2>/dev/null && echo BROKEN; sleep 0.02; done; touch conf/done'
      const earlier = await stage.spec(sh('true'))
      const run = (spec: typeof earlier, notes = new Notes()) =>
        stage.engine.run(spec, stage.materials, notes, new AbortController().signal)
      await run(earlier)
      const next = await stage.spec(sh(`touch conf/ready; ${spin}`))
      const going = run(next)
      await until(() => existsSync(join(stage.worktree, 'conf/ready')))
      const others = [stage.reopen(), stage.reopen(), stage.engine]
      await Promise.all(others.map((engine) => engine.remove(earlier.name)))
      await stage.reopen().sweep(new Set())
      const { output, end } = await going
      expect([end, output]).toEqual(['exited', ''])
      await stage.engine.remove(next.name)
      expect(existsSync(join(stage.worktree, '.env'))).toBe(false)
      saw(
        'The masks of the running box held while three removals and a sweep tidied up after the earlier one, and went with it.',
      )

      // What somebody has open when it is removed must not come back with content.
      const held = await stage.spec(sh('touch conf/held; sleep 20'))
      const abort = new AbortController()
      const holding = stage.engine.run(held, stage.materials, new Notes(), abort.signal)
      await until(() => existsSync(join(stage.worktree, 'conf/held')))
      const mask = openSync(join(stage.worktree, '.env'), 'r')
      abort.abort()
      await holding
      await stage.engine.remove(held.name)
      closeSync(mask)
      expect(existsSync(join(stage.worktree, '.env'))).toBe(false)

      await stage.run(sh('rm -rf conf; ln -s /etc conf; true'))
      await stage.run(sh('rm -rf conf; mkdir -p conf/.env/x; true'))
      await expect(stage.judge()).resolves.toMatchObject({ commit: null })
      await stage.worktrees.restore(stage.task, stage.task.base.commit)
      writeFileSync(join(stage.folder, 'mark'), '')
      expect(readdirSync(stage.worktree).sort()).toEqual(['.git', 'a.txt', 'conf'])
      expect(readdirSync(join(stage.worktree, 'conf'))).toEqual(['b.txt'])
      saw(
        'A folder made in a placeholder’s place was named by the verifier; nothing of any placeholder is left.',
      )
    },
  )
})

describe('through the whole product', () => {
  let plane: TestPlane
  beforeAll(async () => {
    plane = await openTestPlane('total: { memoryMb: 300 }\n')
  })
  afterAll(() => plane.close())

  const told = async (id: TaskId): Promise<string> =>
    (await plane.client.events(id, 0)).map(({ to, text }) => `${to} ${text}`).join('\n')

  attack(
    'A145 poison another repository’s cache',
    'In the setup of one repository write into the caches; look for it in the setup of another, in the agent’s and the test’s boxes, and in a setup that runs again on manifests that an agent has written.',
    async ({ saw }) => {
      const cache = '/cofferdam/cache'
      const look = `find ${cache} -name 'poison*' 2>/dev/null | sed 's/^/FOUND /'`
      const [mine, others] = [aRepository({ 'a.txt': 'a\n' }), aRepository({ 'b.txt': 'b\n' })]
      const poisoned = await plane.run({
        repo: mine,
        setup: `for d in ${cache}/npm ${cache}/pip; do echo evil > $d/poison && echo "poisoned $d"; done`,
        argv: sh(`${look}; echo evil > ${cache}/npm/poison-agent; echo x > x.txt`),
        test: `${look}; ! echo evil > ${cache}/npm/poison-test`,
        yes: true,
      })
      expect([poisoned.status, await told(poisoned.id)]).toEqual(['APPLIED', expect.any(String)])
      expect((await plane.client.logs(poisoned.id, 0)).match(/^poisoned/gm)).toHaveLength(2)
      // Its own agent's and test's boxes read them, and what they tried to write is nowhere.
      const found = (await plane.client.logs(poisoned.id, 1)).match(/^FOUND .*/gm)
      expect(found?.toSorted()).toEqual(
        ['npm', 'npm', 'pip', 'pip'].map((name) => `FOUND ${cache}/${name}/poison`),
      )
      const other = await plane.run({
        repo: others,
        setup: look,
        argv: sh(`${look}; echo x > x.txt`),
        yes: true,
      })
      expect(other.status).toBe('APPLIED')
      for (const step of [0, 1]) expect(await plane.client.logs(other.id, step)).not.toContain('FOUND')
      saw(
        'What one repository’s setup wrote was in no box of another repository; its own agent’s and test’s boxes could read it and not write there.',
      )
      const asked = await plane.run({
        repo: mine,
        setup: `${look}; [ -d ${cache}/npm ] && echo "with caches" || echo "without caches"`,
        argv: sh(
          'if [ -e package.json ]; then echo TASK_STATE: DONE; else echo "{}" > package.json; echo TASK_STATE: CONTINUE; fi',
        ),
        test: 'true',
        yes: true,
      })
      expect([asked.status, asked.halt?.text]).toEqual([
        'BLOCKED',
        expect.stringMatching(/setup has to run again/),
      ])
      await plane.client.act(asked.id, { act: 'resume', instruction: null, budget: null })
      const happened = [(await plane.settled(asked.id)).status, await told(asked.id)]
      const setups = await plane.client.logs(asked.id, 0)
      expect(setups).toMatch(/FOUND [^\n]*npm\/poison[\s\S]*with caches/)
      expect([setups.match(/with caches/g), happened]).toEqual([
        ['with caches'],
        ['APPLIED', expect.any(String)],
      ])
      expect([setups.match(/without caches/g), happened]).toEqual([
        ['without caches'],
        ['APPLIED', expect.any(String)],
      ])
      saw(
        'The next setup of the same repository had its cache again; one on manifests that an agent had written waited for a person, and then had none to fill.',
      )
    },
    120,
  )

  attack(
    'A147 a posture that the engine does not have',
    'Ask for `strong` on an engine whose canary says less; then for `standard` and `degraded`.',
    async ({ saw, cannot }) => {
      const wanted = { repo: aRepository(), argv: sh('echo x > x'), yes: true }
      const task = await plane.submit({ ...wanted, posture: 'strong' })
      const done = await plane.settled(task.id)
      if (done.status === 'APPLIED')
        return cannot('The walls of this engine are strong: it has all that can be asked for.')
      expect([done.status, done.halt?.reason]).toEqual(['BLOCKED', 'posture'])
      expect(done.halt?.text).toMatch(/wants an engine that is strong.* is (?:standard|degraded): \S/)
      expect([boxesOf(task.id), done.spent.steps, await plane.client.checkpoints(task.id)]).toEqual([
        [],
        0,
        [],
      ])
      saw(`No box of the task was made. ${done.status}: ${done.halt?.text ?? ''}`)
      // What the engine has may be asked for, and all below it; the level above it may not.
      const has = /engine that is strong.* is (standard|degraded):/.exec(done.halt?.text ?? '')?.[1]
      const standard = await plane.run({ ...wanted, posture: 'standard' })
      expect([standard.status, standard.halt?.reason]).toEqual(
        has === 'standard' ? ['APPLIED', undefined] : ['BLOCKED', 'posture'],
      )
      const degraded = await plane.run({ ...wanted, posture: 'degraded' })
      expect([degraded.status, degraded.halt]).toEqual(['APPLIED', null])
      saw(`On an engine that is ${has ?? '?'}, tasks that ask for no more than that were done.`)
    },
  )

  attack(
    'A149 a child without memory, and a flood, as a task tells them',
    'Have a child of the agent killed for its memory, and print half a gigabyte, in tasks of one step each.',
    async ({ saw }) => {
      const eat = await plane.run({
        repo: aRepository(),
        steps: 1,
        limits: { memoryMb: 96 },
        argv: sh('python3 -c "x = bytearray(300000000)" || exit 9'),
      })
      expect(await told(eat.id)).toMatch(/The box used more than its 96 MiB of memory/)
      const flood = await plane.run({
        repo: aRepository(),
        steps: 1,
        limits: { memoryMb: 96, outputMb: 1 },
        argv: sh('yes "$(head -c 1000 /dev/zero | tr "\\0" x)" | head -c 500000000; true'),
      })
      expect(await told(flood.id)).toMatch(/The box printed more than 64 MiB and was ended/)
      const log = await plane.client.logs(flood.id, 1)
      expect(log.length).toBeLessThan(1.2 * 1024 * 1024)
      expect([eat.status, flood.status].every((status) => status !== 'APPLIED')).toBe(true)
      saw(
        `The tasks say so: ${eat.status} and ${flood.status}; of the flood ${Math.round(log.length / 1024)} KiB are kept.`,
      )
    },
  )

  attack(
    'A151 more memory than the installation gives',
    'With 300 MiB for all boxes together, submit six tasks of 128 MiB to four workers, and one that asks for a terabyte, which is refused.',
    async ({ saw }) => {
      const ids: TaskId[] = []
      const wanted = { repo: aRepository(), argv: sh('sleep 0.6; echo x > x.txt'), yes: true }
      await expect(plane.submit({ ...wanted, limits: { memoryMb: 1_048_576 } })).rejects.toThrow(/300 MiB/)
      for (let n = 0; n < 6; n += 1)
        ids.push((await plane.submit({ ...wanted, limits: { memoryMb: 128 } })).id)
      let most = 0
      const over = new AbortController()
      const looking = (async () => {
        while (!over.signal.aborted) {
          const boxes = await docker.listContainers({
            filters: { label: ['cofferdam.managed=1'], status: ['running'] },
          })
          const ours = boxes.filter(({ Labels }) => ids.includes((Labels['cofferdam.task'] ?? '') as TaskId))
          const sizes = await Promise.all(
            ours.map(({ Id }) =>
              docker
                .getContainer(Id)
                .inspect()
                .then(({ HostConfig }) => (HostConfig.Memory ?? Infinity) / 1024 / 1024)
                .catch(() => 0),
            ),
          )
          most = Math.max(
            most,
            sizes.reduce((sum, size) => sum + size, 0),
          )
          await sleep(30)
        }
      })()
      const done = []
      for (const id of ids) done.push(await plane.settled(id))
      over.abort()
      await looking
      expect(done.map(({ status }) => status)).toEqual(ids.map(() => 'APPLIED'))
      expect(most).toBeGreaterThan(0)
      expect(most).toBeLessThanOrEqual(300)
      saw(
        `All were done; their boxes never had more than ${most} MiB together. The terabyte was refused when it was asked for, with the reason.`,
      )
    },
    90,
  )
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imageTag } from '../../src/sandbox/docker/image.ts'
import { type OwnEngine, ownEngine } from '../support/own-engine.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

describe('B21 an engine that goes away', () => {
  let engine: OwnEngine
  let plane: TestPlane
  beforeAll(async () => {
    engine = await ownEngine(imageTag())
    plane = await openTestPlane(`engine: { socket: ${engine.socket} }\n`)
  })
  afterAll(async () => {
    await plane.close()
    await engine[Symbol.asyncDispose]()
  })

  /** Of the task itself: the canary's box is there before it, and is called an agent's too. */
  const running = async (id: string): Promise<void> => {
    for (const until = Date.now() + 30_000; Date.now() < until;) {
      if (engine.docker('ps', '--format', '{{.Names}}').includes(`-${id}-s1-a1-agent-`)) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('no agent box came up')
  }

  async function endedWith(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const repo = aRepository()
    const task = await plane.submit({ repo, argv: sh('echo "try" >> tries.txt; sleep 6') })
    await running(task.id)
    await engine.end(signal)
    expect((await plane.client.task(task.id)).status).toBe('RUNNING')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await engine.start()
    const done = await plane.settled(task.id)
    expect([done.status, done.spent.steps]).toEqual(['APPLIED', 1])
    expect(git(repo, 'show', `${done.branch}:tries.txt`)).toBe('try\n')
    expect(engine.docker('ps', '-a', '--format', '{{.Names}}')).toBe('')
  }
  const ends = 'B21 is ended with %s in the middle of a step and started again'
  it.each(['SIGTERM'] as const)(ends, endedWith)
  // A091 of test/attack kills it the same way.
  it.each(['SIGKILL'] as const)(ends, { tags: ['long'] }, endedWith)

  it('B21 a missing image halts the task with what to run, and a resume goes on when it is there', async () => {
    engine.docker('tag', imageTag(), 'kept:1')
    engine.docker('rmi', imageTag())
    // A process that has found the image once goes on with its id.
    await plane.reopen()
    const task = await plane.run({ repo: aRepository(), argv: sh('echo x > x.txt') })
    expect([task.status, task.halt?.reason]).toEqual(['BLOCKED', 'image'])
    expect(task.halt?.text).toContain('cofferdam image build')
    engine.docker('tag', 'kept:1', imageTag())
    await plane.client.act(task.id, { act: 'resume', instruction: null, budget: null })
    expect((await plane.settled(task.id)).status).toBe('APPLIED')
  })
})

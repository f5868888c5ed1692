import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { needEngine } from '../support/needs.ts'
import { sh } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

// The built program, as a person runs it, and sqlite3 in the hands of somebody else.
const program = join(import.meta.dirname, '../../dist/program/cofferdam.js')

let folder: string
beforeAll(async () => {
  await needEngine()
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-attest-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function cofferdam(...args: readonly string[]): Promise<{ code: number; out: string }> {
  const env = { ...process.env, COFFERDAM_DATA: join(folder, 'data') }
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args], { env })
    return { code: 0, out: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout + stderr }
  }
}

it('checking makes no key', async () => {
  expect(await cofferdam('verify', 'aaaaaaaaaa')).toMatchObject({
    code: 2,
    out: expect.stringContaining('no task') as unknown,
  })
  expect(await cofferdam('verify', '--export-key')).toMatchObject({
    code: 7,
    out: expect.stringContaining('There is no attestation key here') as unknown,
  })
  expect(existsSync(join(folder, 'data', 'keys'))).toBe(false)
})

it('a task is attested as it was, and a row that is changed is named', async () => {
  const repo = aRepository({ 'a.txt': 'wrong\n', 'test.sh': 'grep -q right a.txt\n' })
  const goal = ['--repo', repo, '--goal', 'Right it', '--test', 'sh test.sh']
  const run = await cofferdam('run', ...goal, '--', ...sh('echo right > a.txt'))
  expect(run).toMatchObject({ code: 0 })
  const id = /Task ([a-z2-7]{10})/.exec(run.out)?.[1] ?? 'no id'
  expect(await cofferdam('verify', id)).toEqual({
    code: 0,
    out: `✔ Task ${id} is as it was attested: 2 attestations, each signed and in order.\n`,
  })
  const { attestations } = JSON.parse((await cofferdam('task', 'show', id, '--json')).out) as {
    attestations: readonly { hash: string; body: string }[]
  }
  const body = JSON.parse(attestations[0]?.body ?? '') as object
  expect(body).toMatchObject({ step: 1, outcome: 'kept', posture: { engine: expect.any(String) as unknown } })
  expect(body).toMatchObject({ test: { passed: true }, boxes: [{ kind: 'agent' }, { kind: 'test' }] })
  expect(git(repo, 'log', '-1', '--format=%B', `cofferdam/${id}`)).toContain(
    `Cofferdam-Attestation: ${attestations[0]?.hash ?? ''}`,
  )

  const db = new Database(join(folder, 'data', 'cofferdam.db'))
  db.exec(`UPDATE runtime_task_checkpoints SET test = json_set(test, '$.tail', 'All passed.') WHERE step = 1`)
  db.close()
  expect(await cofferdam('verify', id)).toEqual({
    code: 4,
    out: expect.stringContaining(
      'step 1, attempt 1: What runtime_task_checkpoints has of it was changed.',
    ) as unknown,
  })
})

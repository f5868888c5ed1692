import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attestor } from '../../../control-plane/attest/attestor.ts'
import { keyPlaces, openKey, type SigningKey } from '../../../control-plane/attest/key.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { parseAttestation } from '../../../src/domain/attestation.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { canonicalJson, sha256 } from '../../../src/domain/canonical-json.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { type Status, statuses } from '../../../src/domain/task.ts'
import type { Verification } from '../../../src/domain/verification/verify.ts'
import { loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { aPerson } from '../../support/task.ts'
import { type Forger, forgerOf } from './forger.ts'
import { type WholeTask, wholeTask } from './whole-task.ts'

let whole: WholeTask
let forger: Forger
let folder: string
/** That of the forger. */
let otherKey: SigningKey
beforeAll(async () => {
  whole = await wholeTask()
  forger = forgerOf(whole)
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-forger-'))
  otherKey = openKey(keyPlaces(folder as HostPath, null), () => [])
}, 60_000)
afterAll(async () => {
  forger[Symbol.dispose]()
  await whole[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const run = (sql: string) => (): void => void forger.db.exec(sql)
const attestations = () => whole.lab.deps.store.attestations(whole.task.id)

/** Signs every attestation again, with bodies that say so and hashes that fit. */
function signAgain(
  key: SigningKey,
  change: (body: Record<string, unknown>) => object = (body) => body,
): void {
  let previous: string | null = null
  const put = forger.db.prepare(
    'UPDATE attestations SET body = ?, hash = ?, key = ?, signature = ? WHERE seq = ?',
  )
  for (const { seq, body } of attestations()) {
    const said = { ...(parseAttestation(body) as unknown as Record<string, unknown>), previous, key: key.id }
    const text = canonicalJson(change(said))
    previous = sha256(text)
    put.run(text, previous, key.id, key.sign(text), seq)
  }
}

describe('a chain', () => {
  it('cut short by any number of its last attestations is found', async () => {
    for (let most = 0; most < attestations().length; most += 1)
      expect(await forger.after(run(`DELETE FROM attestations WHERE seq > ${most}`))).toMatchObject({
        holds: false,
        attestations: most,
      })
  })

  it('cut out of its middle and numbered again is found', async () => {
    const cut = run(`DELETE FROM attestations WHERE seq = 3;
      UPDATE attestations SET seq = -(seq - 1) WHERE seq > 3; UPDATE attestations SET seq = -seq WHERE seq < 0`)
    expect(await forger.foundAfter(cut)).toBe(true)
  })

  it.each([
    ['its rows kept', () => undefined],
    ['its outcome forged', (body: Record<string, unknown>) => ({ ...body, outcome: 'kept' })],
  ])('signed again as a whole by another key is found, %s', async (_, change) => {
    const known = [whole.lab.key.pem]
    const forged = (): void =>
      signAgain(otherKey, (body) => (body['kind'] === 'step' ? { ...body, ...change(body) } : body))
    for (const keys of [[], known])
      expect(await forger.after(forged, { keys })).toMatchObject({ holds: false })
    // Even for those who trust that key: the branch names other hashes.
    expect(await forger.after(forged, { keys: [otherKey.pem] })).toMatchObject({
      findings: expect.arrayContaining([
        { where: 'branch', text: expect.stringContaining('names the attestation') as unknown },
      ]) as unknown,
    })
  })

  it('whose hashes are computed again over forged bodies, without the key, is found', async () => {
    const unsigned = { ...whole.lab.key, sign: () => attestations()[0]?.signature ?? '' }
    const forged = (): void => signAgain(unsigned, (body) => ({ ...body, posture: null }))
    expect(await forger.foundAfter(forged)).toBe(true)
  })

  it('that a forger goes on with is found', async () => {
    const forged = attestor({ store: whole.lab.deps.store, key: () => otherKey, installation: 'lab' })
    const insert = forger.db.prepare('INSERT INTO attestations VALUES (?, ?, ?, ?, ?, ?)')
    const found = await forger.after(() => {
      forger.db.exec(`UPDATE runtime_task_events SET text = 'All went well.' WHERE seq = 52`)
      forger.db.exec('DELETE FROM attestations WHERE seq = 10')
      const { seq, body, hash, signature } = forged.changing().standing(whole.task)
      insert.run(whole.task.id, seq, body, hash, whole.lab.key.id, signature)
    })
    expect(found).toMatchObject({ holds: false })
  })

  it('is held against the keys that are given, and no others', async () => {
    const { pem } = whole.lab.key
    expect(await whole.check({ keys: [pem] })).toMatchObject({ holds: true })
    expect(await whole.check({ keys: [otherKey.pem, pem] })).toMatchObject({ holds: true })
    const { findings } = await whole.check({ keys: [otherKey.pem] })
    expect(findings).toHaveLength(10)
    expect(findings[0]?.text).toContain('is not trusted here')
    await expect(whole.check({ keys: ['none'] })).rejects.toThrow('no Ed25519 public key')
  })

  it('of another installation is found', async () => {
    expect(await whole.check({ installation: 'other' })).toMatchObject({ holds: false })
  })

  it('of another task in its place is found', async () => {
    await using other = await loopLab()
    const born = await other.birth(aRepository(), 'echo done >done.txt; echo TASK_STATE: DONE', {
      test: 'true',
    })
    await other.settled(born.id)
    const theirs = other.deps.store.attestations(born.id)
    expect(theirs.length).toBeGreaterThan(1)
    const insert = forger.db.prepare('INSERT INTO attestations VALUES (?, ?, ?, ?, ?, ?)')
    const found = await forger.after(
      () => {
        forger.db.exec('DELETE FROM attestations')
        for (const { seq, body, hash, key, signature } of theirs)
          insert.run(whole.task.id, seq, body, hash, key, signature)
      },
      // Even where both installations sign with one key.
      { keys: [whole.lab.key.pem, other.key.pem] },
    )
    expect(found?.findings.map(({ text }) => text)).toContain(
      'It was made for another task, place or installation.',
    )
  })
})

/** Makes the task look as it was after an event, but for its branch: everything later is taken out. */
const cutBack = (upTo: number, status: string, step: number): string => `
  DELETE FROM runtime_task_events WHERE seq > ${upTo};
  DELETE FROM attestations WHERE json_extract(body, '$.events.upTo') >= ${upTo};
  DELETE FROM runtime_task_checkpoints WHERE step > ${step};
  DELETE FROM egress_log WHERE box NOT IN (SELECT json_extract(value, '$.name')
    FROM runtime_task_checkpoints, json_each(boxes));
  UPDATE runtime_tasks SET status = '${status}', phase = 'agent', version = ${upTo}, (step, attempt, fence) =
    (SELECT step, attempt, fence FROM runtime_task_events WHERE seq = ${upTo}), head =
    (SELECT commit_id FROM runtime_task_checkpoints WHERE commit_id IS NOT NULL ORDER BY step DESC, attempt DESC LIMIT 1)`

describe('a task that is made to look as if it were not over', () => {
  it('is found by the rows that it left', async () => {
    expect(await forger.foundAfter(run(`UPDATE runtime_tasks SET status = 'RUNNING', phase = 'agent'`))).toBe(
      true,
    )
    const again = run(`
      INSERT INTO runtime_task_events SELECT task_id, 53, at, 'resumed', actor, to_status, 'PENDING', step, attempt, fence,
        'Resumed.', data FROM runtime_task_events WHERE seq = 52;
      UPDATE runtime_tasks SET status = 'PENDING', version = 53;
      UPDATE runtime_task_decisions SET used_by = json_set(used_by, '$.id', 'grace') WHERE used_by IS NOT NULL`)
    const found = await forger.after(again)
    expect(found?.findings.map(({ where }) => where)).toContainEqual(expect.stringMatching(/^decision /))
  })

  it('is found by its branch', async () => {
    const found = await forger.after(run(cutBack(19, 'RUNNING', 2)), { fresh: true })
    expect(found?.findings.map(({ where }) => where)).toEqual([
      'attestations',
      'branch',
      ...Array(4).fill(`branch in ${whole.repo}`),
    ])
  })

  it('is found by its branch, where just the last step is cut off', async () => {
    const found = await forger.after(run(cutBack(44, 'RUNNING', 4)), { fresh: true })
    expect(found?.findings.map(({ where }) => where)).toEqual([
      'attestations',
      'branch',
      `branch in ${whole.repo}`,
    ])
  })

  it('is found by the branch in the repository, where that in the mirror is set back too', async () => {
    const [, mirror = ''] = whole.places
    const ref = `refs/heads/${whole.task.branch}`
    const tip = git(mirror, 'rev-parse', ref).trim()
    git(mirror, 'update-ref', ref, `${tip}~1`)
    try {
      const found = await forger.after(run(cutBack(44, 'RUNNING', 4)), { fresh: true })
      expect(found?.findings.map(({ where }) => where)).toEqual(['attestations', `branch in ${whole.repo}`])
    } finally {
      git(mirror, 'update-ref', ref, tip)
    }
  })
})

/** Puts one more event at the end, as the control plane would have written it, and the task where it says. */
const goOn = (status: string, phase: string): string => `
  INSERT INTO runtime_task_events SELECT task_id, seq + 1, at, 'requeued', '{"kind":"system","id":"control-plane"}', to_status,
    '${status}', step, attempt, fence, 'Again.', '{}' FROM runtime_task_events ORDER BY seq DESC LIMIT 1;
  UPDATE runtime_tasks SET status = '${status}', phase = ${phase}, halt = NULL, version = version + 1,
    (step, attempt, fence) = (SELECT step, attempt, fence FROM runtime_task_events ORDER BY seq DESC LIMIT 1);`

/** Up to which event the attestations that are left go, and which step. */
function leftOf(count: number): { readonly upTo: number; readonly step: number } {
  const left = attestations()
    .slice(0, count)
    .map(({ body }) => parseAttestation(body))
  const steps = left.map((each) => (each?.kind === 'step' ? each.step : 0))
  return { upTo: Math.max(1, left.at(-1)?.events.upTo ?? 0), step: Math.max(0, ...steps) }
}

/** Ways to make a task look as if it had this status, with so many attestations left. */
function forgeries(status: Status): Readonly<Record<string, (count: number) => string>> {
  const phase = ['RUNNING', 'VALIDATING'].includes(status) ? `'agent'` : 'NULL'
  const set = `UPDATE runtime_tasks SET status = '${status}', phase = ${phase}, halt = NULL;`
  const sayIt = `UPDATE runtime_task_events SET to_status = '${status}' WHERE seq = (SELECT version FROM runtime_tasks);`
  const cut = (count: number): string => `DELETE FROM attestations WHERE seq > ${count};`
  const cutAll = (count: number): string => {
    const { upTo, step } = leftOf(count)
    return `${cutBack(upTo, status, step)}; ${cut(count)}`
  }
  return {
    'by its row alone': (count) => `${cut(count)} ${set}`,
    'by its row and its last event': (count) => `${cut(count)} ${set} ${sayIt}`,
    'by one more event': (count) => `${cut(count)} ${goOn(status, phase)}`,
    'all later rows taken out too': (count) => `${cutAll(count)} ${set}`,
    'all later rows taken out, by another last event': (count) => `${cutAll(count)} ${set} ${sayIt}`,
    'all later rows taken out, by one more event': (count) => `${cutAll(count)} ${goOn(status, phase)}`,
  }
}

describe.each(statuses)('the last attestations taken out, and the task made to look %s', (status) => {
  it.each(Object.entries(forgeries(status)))('is found, however many are left: %s', async (_, forge) => {
    const unseen: number[] = []
    for (let count = 0; count < attestations().length; count += 1)
      if (!(await forger.foundAfter(run(forge(count))))) unseen.push(count)
    expect(unseen).toEqual([])
  })
})

it('the same is found where the branches are set back with the rows', async () => {
  const [source = '', mirror = ''] = whole.places
  const ref = `refs/heads/${whole.task.branch}`
  const tip = git(mirror, 'rev-parse', ref).trim()
  const unseen: string[] = []
  git(source, 'update-ref', '-d', ref)
  try {
    for (let count = 0; count < attestations().length; count += 1) {
      const { step } = leftOf(count)
      const kept = whole.lab.deps.store
        .checkpoints(whole.task.id)
        .findLast((row) => row.step <= step && row.commit !== null)
      const head = kept?.commit ?? whole.task.base.commit
      git(mirror, 'update-ref', ref, head)
      const history = await whole.lab.worktrees.history(placeOf(whole.task), head)
      for (const status of statuses)
        for (const [how, forge] of Object.entries(forgeries(status))) {
          const found = await forger.after(run(forge(count)), { history })
          if (found?.holds === true) unseen.push(`${count} ${status} ${how}`)
        }
    }
  } finally {
    for (const place of [source, mirror]) git(place, 'update-ref', ref, tip)
  }
  expect(unseen).toEqual([])
}, 120_000)

describe('an older copy of the database in its place', () => {
  const older = async (index: number): Promise<{ readonly head: string; readonly found: Verification }> => {
    const [file] = whole.copies.slice(index)
    if (file === undefined) throw new Error('a copy for each rest')
    using store = openStore(file)
    const found = await whole.check({ store, fresh: true })
    return { head: store.task(whole.task.id)?.head ?? '', found }
  }

  it.each([0, 1, 2])('is found by the branches, which are ahead of it: that of rest %i', async (index) => {
    const { found } = await older(index)
    const places = new Set(found.findings.map(({ where }) => where))
    expect(places).toEqual(new Set(['branch', `branch in ${whole.repo}`]))
  })

  it('cannot be found where the branches are set back with it: all of it was true once', async () => {
    const [inRepository = '', inMirror = ''] = whole.places.map((place) =>
      git(place, 'rev-parse', whole.task.branch).trim(),
    )
    const [, mirror = ''] = whole.places
    const ref = `refs/heads/${whole.task.branch}`
    git(whole.repo, 'update-ref', '-d', ref)
    git(mirror, 'update-ref', ref, (await older(1)).head)
    try {
      expect((await older(1)).found).toMatchObject({ holds: true, findings: [], notes: [] })
    } finally {
      git(whole.repo, 'update-ref', ref, inRepository)
      git(mirror, 'update-ref', ref, inMirror)
    }
  })
})

describe('a task that was changed while it rested', () => {
  it.each([
    ['a cell of its row', `UPDATE runtime_tasks SET spent_ms = 1`, 'task'],
    ['a result', `UPDATE runtime_task_checkpoints SET test = NULL WHERE step = 2`, 'step 2, attempt 1'],
    ['its end', `DELETE FROM attestations WHERE seq = 10`, 'attestations'],
  ])('does not go on: %s', async (_, sql, where) => {
    const discard = (): unknown =>
      perform(whole.lab.deps, whole.task.id, { act: 'discard' }, { actor: aPerson, shown: null })
    await forger.during(run(sql), () => {
      expect(discard).toThrow(Failure)
      expect(discard).toThrow(`not as it was attested when it came to rest (${where}`)
      expect(discard).toThrow(`cofferdam verify ${whole.task.id}`)
    })
  })
})

it('is as it was after all that', async () => {
  expect((await whole.check({ fresh: true })).findings).toEqual([])
})

import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../control-plane/store/open.ts'
import { attestor } from '../../control-plane/attest/attestor.ts'
import { keyPlaces, openKey, type SigningKey } from '../../control-plane/attest/key.ts'
import { hostPath } from '../../src/config/places.ts'
import type { EgressRow } from '../../src/domain/egress.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Verification } from '../../src/domain/verification/verify.ts'
import { change } from '../support/change.ts'
import { applies } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'
import { aCheckpoint, aTime } from '../support/task.ts'

let machine: ScriptedMachine
let id: TaskId
beforeEach(async () => {
  machine = scriptedMachine(applies)
  const { out } = await machine.run(['run', '--repo', '.', '--goal', 'Mend the tests', '--', 'true'])
  id = (/Task ([a-z2-7]{10})/.exec(out)?.[1] ?? 'no id') as TaskId
})
afterEach(() => machine.remove())

const behaving = (verification: (keys: readonly string[]) => Partial<Verification>) => ({
  behaviour: { verification },
})

/** Escape sequences, a turn of the reading direction, a line end. */
const hostile = '\u001b[2J\u202Ered\u0007\nsecond'

const keyFile = (pem: string): string => {
  const file = join(machine.folder, 'some.pub')
  writeFileSync(file, pem)
  return file
}

describe('verify', () => {
  it('says that all holds, and ends with 0', async () => {
    const { code, out, error } = await machine.run(['verify', id])
    expect([code, error]).toEqual([0, ''])
    expect(out).toBe(`✔ Task ${id} is as it was attested: 2 attestations, each signed and in order.\n`)
  })

  it('says what was changed where, and ends with 4', async () => {
    const found = { holds: false, findings: [{ where: 'step 2', text: 'It was changed.' }], notes: ['Mind.'] }
    const options = behaving(() => found)
    const { code, out } = await machine.run(['verify', id], options)
    expect(code).toBe(4)
    expect(out).toBe(
      `✖ Task ${id} is not as it was attested (2 attestations):\n  step 2: It was changed.\n  ! Mind.\n` +
        'Merge nothing of it before it is clear who changed this. Keep a copy of the data folder as it is; then put a copy ' +
        'from before in its place, as docs/operating.md says, or run the goal again as a new task.\n',
    )
    const said = await machine.run(['verify', id, '--json'], options)
    expect([said.code, JSON.parse(said.out)]).toEqual([4, { task: id, attestations: 2, ...found }])
  })

  it('prints nothing that a row could do to a terminal', async () => {
    const findings = [{ where: hostile, text: hostile }]
    const { out } = await machine.run(
      ['verify', id],
      behaving(() => ({ holds: false, findings, notes: [hostile] })),
    )
    expect(out).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u)
    expect(out).toContain('red')
  })

  it('takes other keys, in the order of the command line', async () => {
    const exported = await machine.run(['verify', '--export-key'])
    expect(exported).toMatchObject({
      code: 0,
      out: expect.stringContaining('-----BEGIN PUBLIC KEY-----') as unknown,
    })
    expect(JSON.parse((await machine.run(['verify', '--export-key', '--json'])).out)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      pem: exported.out,
    })
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const two = join(machine.folder, 'other.pub')
    writeFileSync(two, other)
    let asked: readonly string[] = []
    const options = behaving((keys) => {
      asked = keys
      return {}
    })
    const { code } = await machine.run(['verify', id, '--key', keyFile(exported.out), '--key', two], options)
    expect([code, asked]).toEqual([0, [exported.out, other]])
  })

  it.each([
    ['a key that is not there', () => ['--key', join(machine.folder, 'none.pub')], 'cannot be read'],
    ['a file that is no key', () => ['--key', keyFile('none')], 'is no Ed25519 public key in PEM'],
    [
      'a private key',
      () => {
        const { privateKey } = generateKeyPairSync('ed25519')
        return ['--key', keyFile(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())]
      },
      'is no Ed25519 public key in PEM',
    ],
  ])('refuses %s', async (_, options, word) => {
    const { code, error } = await machine.run(['verify', id, ...options()])
    expect([code, error]).toEqual([2, expect.stringContaining(word)])
  })

  it('asks for a task where none is named, and refuses one that there is not', async () => {
    expect(await machine.run(['verify'])).toMatchObject({
      code: 2,
      error: expect.stringContaining('task list') as unknown,
    })
    expect(await machine.run(['verify', 'aaaaaaaaaa'])).toMatchObject({
      code: 2,
      error: expect.stringContaining('no task aaaaaaaaaa') as unknown,
    })
  })
})

const aRow = (number: number, overrides: Partial<EgressRow> = {}): EgressRow => ({
  taskId: id,
  box: 'cofferdam-agent',
  id: number,
  at: aTime,
  kind: 'tunnel',
  host: 'example.test',
  port: 443,
  method: null,
  path: null,
  verdict: 'allowed',
  rule: 'example.test',
  text: 'The policy names it.',
  address: '192.0.2.7',
  bytesUp: 10,
  bytesDown: 2000,
  ...overrides,
})

describe('task egress', () => {
  function recorded(...rows: readonly EgressRow[]): void {
    using store = openStore(hostPath(join(machine.data, 'cofferdam.db')))
    store.recordEgress(rows)
  }

  it('says so where nothing was asked for', async () => {
    expect(await machine.run(['task', 'egress', id])).toEqual({
      code: 0,
      out: '',
      error: 'No box has asked for anything so far.\n',
    })
    expect(JSON.parse((await machine.run(['task', 'egress', id, '--json'])).out)).toEqual({ egress: [] })
  })

  it('is one line for each, under its box', async () => {
    const denied = {
      verdict: 'denied',
      rule: 'no rule',
      text: 'No rule names it.',
      bytesUp: null,
      bytesDown: null,
    } as const
    const call = {
      box: 'cofferdam-test',
      kind: 'upstream',
      host: 'models',
      port: null,
      method: 'POST',
      path: '/v1/messages',
    } as const
    recorded(aRow(1), aRow(2, { ...denied, host: 'denied.example.test' }), aRow(1, call))
    const { code, out } = await machine.run(['task', 'egress', id])
    expect(code).toBe(0)
    const lines = out.split('\n').map((line) =>
      line
        .trim()
        .split(/ {2,}/)
        .slice(line.startsWith('  ') ? 1 : 0),
    )
    expect(lines).toEqual([
      ['box cofferdam-agent'],
      ['allowed', 'CONNECT example.test:443', '10 up, 2000 down', 'example.test: The policy names it.'],
      ['denied', 'CONNECT denied.example.test:443', '-', 'no rule: No rule names it.'],
      [''],
      ['box cofferdam-test'],
      ['allowed', 'POST models/v1/messages', '10 up, 2000 down', 'example.test: The policy names it.'],
      [''],
    ])
    const one = await machine.run(['task', 'egress', id, '--box', 'cofferdam-test', '--json'])
    expect(JSON.parse(one.out)).toEqual({ egress: [aRow(1, call)] })
    expect(
      JSON.parse((await machine.run(['task', 'egress', id, '--limit', '1', '--json'])).out),
    ).toMatchObject({
      egress: [{ id: 1 }],
    })
  })

  it('prints nothing that a box could do to a terminal', async () => {
    recorded(aRow(1, { host: hostile, path: hostile, rule: hostile, text: hostile, box: hostile }))
    const { out } = await machine.run(['task', 'egress', id])
    expect(out).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u)
    expect(out).toContain('red')
  })

  it.each(['0', '10001', 'x'])('refuses a limit of %s', async (limit) => {
    expect((await machine.run(['task', 'egress', id, '--limit', limit])).code).toBe(2)
  })
})

describe('task show', () => {
  it('shows the attestations of a task', async () => {
    const key = openKey(keyPlaces(hostPath(machine.data), null), () => [])
    attest(key)
    const { out } = await machine.run(['task', 'show', id])
    const [, table = ''] = /Attestations:\n((?: {2}\S.*\n)+)/.exec(out) ?? []
    expect(
      table
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/)),
    ).toEqual([
      // Made with another key than the step's, so that nothing replaces it.
      ['1', expect.stringMatching(/^[0-9a-f]{12}$/), 'the record', expect.stringContaining('up to event')],
      ['2', expect.stringMatching(/^[0-9a-f]{12}$/), 'step 1', 'kept, strong (red)'],
      ['3', expect.stringMatching(/^[0-9a-f]{12}$/), 'the record', expect.stringContaining('up to event')],
    ])
    expect(out).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u)
    expect(JSON.parse((await machine.run(['task', 'show', id, '--json'])).out)).toMatchObject({
      attestations: [{ seq: 1 }, { seq: 2, key: key.id }, { seq: 3 }],
    })
  })

  /** A step and a rest, on an engine that calls itself something hostile. */
  function attest(key: SigningKey): void {
    using store = openStore(hostPath(join(machine.data, 'cofferdam.db')))
    const task = store.task(id)
    if (task === null) throw new Error('it was made')
    const { step, changing } = attestor({ store, key: () => key, installation: 'test' })
    const checkpoint = aCheckpoint({ taskId: id, state: 'kept', endedAt: aTime + 1000 })
    const posture = { level: 'strong', engine: hostile, missing: [], seen: {}, at: 0 } as const
    store.write(change(task, {}, { checkpoint, attestation: step(task, checkpoint, posture), ...changing() }))
  }
})

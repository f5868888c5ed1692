import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeKey, keyPlaces } from '../../control-plane/attest/key.ts'
import { diagnose, namesOf } from '../../control-plane/doctor.ts'
import { openStore } from '../../control-plane/store/open.ts'
import { findDataFolder, openDataFolder } from '../../src/config/data-folder.ts'
import { hostPath } from '../../src/config/places.ts'
import type { SignedAttestation } from '../../src/domain/attestation.ts'
import type { Engine } from '../../src/domain/box.ts'
import type { Finding } from '../../src/domain/control-plane.ts'
import type { PostureLevel } from '../../src/domain/posture.ts'
import { Failure } from '../../src/domain/failure.ts'
import { versionOf } from '../../src/config/version.ts'
import { gitHere } from '../../src/worktree/git-version.ts'
import { git } from '../support/repository.ts'
import { lostTasks } from '../../control-plane/backup/lost.ts'
import type { CommitId } from '../../src/domain/brand.ts'
import type { Task } from '../../src/domain/task.ts'
import { missingFrom } from '../../src/worktree/missing.ts'
import { smallDisk } from '../attack/disks.ts'
import { needRoot } from '../support/needs.ts'
import { aPerson, aTask, aTaskIdOf, aTime } from '../support/task.ts'

const uid = process.getuid?.() ?? 0
let folder: string
let data: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-diagnose-'))
  data = join(folder, 'data')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const up: Pick<Engine, 'describe' | 'image' | 'posture'> = {
  posture: () => Promise.resolve({ level: 'strong', missing: [], engine: 'docker 1', seen: {}, at: 0 }),
  describe: () => Promise.resolve('docker 1'),
  image: () => Promise.resolve('sha256:1'),
}

/** What doctor finds, by name, after it is made sure that it left everything as it was. */
async function found(
  engine = up,
  alive = false,
  tmp = tmpdir(),
  agents: readonly string[] = [],
  path = '/usr/bin:/bin',
): Promise<Readonly<Record<string, Omit<Finding, 'name'>>>> {
  const before = picture(folder)
  const findings = await diagnose({
    engine,
    git: () => gitHere(path),
    version: versionOf(),
    agents,
    data: hostPath(data),
    tmp,
    diskFreeMb: 0,
    attestationKey: (attestedWith) => describeKey(keyPlaces(hostPath(data), null), () => attestedWith),
    find: () => findDataFolder(hostPath(data), uid),
    lost: (heads) => lostTasks(hostPath(data), heads, missingFrom),
    alive: () => alive,
  })
  expect(picture(folder)).toEqual(before)
  return Object.fromEntries(findings.map(({ name, ...rest }) => [name, rest]))
}

/** Every path below with its size, mode and time of change. */
function picture(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort((a, b) => a.localeCompare(b))
    .map((name) => {
      const { size, mode, mtimeMs } = statSync(join(root, name))
      return `${name} ${size} ${mode} ${mtimeMs}`
    })
}

/** A data folder with some tasks, as a killed process leaves it: with a log beside the database. */
async function used(count = 1, attestation?: SignedAttestation, some: Partial<Task> = {}): Promise<string> {
  await openDataFolder(hostPath(data), uid, randomBytes)
  const file = join(data, 'cofferdam.db')
  const store = openStore(hostPath(file))
  for (let number = 0; number < count; number += 1) {
    store.write({
      before: null,
      after: aTask({ ...some, id: aTaskIdOf(number) }),
      event: { type: 'submitted', actor: aPerson, text: 'Submitted.', data: {}, at: aTime },
      ...(attestation && { attestation }),
    })
  }
  cpSync(data, `${data}.killed`, { recursive: true })
  store[Symbol.dispose]()
  rmSync(data, { recursive: true })
  cpSync(`${data}.killed`, data, { recursive: true })
  rmSync(`${data}.killed`, { recursive: true })
  return file
}

describe('doctor, where no process answers', () => {
  it('says so where there is no data folder yet, and makes none', async () => {
    const { 'data folder': place, ...rest } = await found()
    expect(place).toEqual({
      state: 'ok',
      text: `${data} does not exist yet: it is made when it is first needed`,
    })
    expect(Object.keys(rest)).toEqual([
      'cofferdam',
      'engine',
      'git',
      'posture',
      'image',
      'disk',
      'attestation key',
    ])
    expect(rest['cofferdam']).toEqual({ state: 'ok', text: `${versionOf()}, on Node.js ${process.version}` })
  })

  it('counts the tasks of a killed process, of which the log has a part', async () => {
    const file = await used(3)
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    const { database } = await found()
    expect(database).toEqual({ state: 'ok', text: '3 PENDING' })
  })

  it('says that the keys are gone with which there are attestations', async () => {
    const key = 'a'.repeat(64)
    await used(1, { taskId: aTaskIdOf(0), seq: 1, body: '{}', hash: 'b'.repeat(64), key, signature: 'c' })
    expect((await found())['attestation key']).toEqual({
      state: 'problem',
      text: expect.stringContaining('Tasks here are attested with key aaaaaaaaaaaa, and'),
    })
  })

  it.each<[PostureLevel, readonly string[], Omit<Finding, 'name'>]>([
    ['strong', [], { state: 'ok', text: 'strong' }],
    [
      'standard',
      ['no AppArmor', 'no limit of swap'],
      {
        state: 'warning',
        text: 'standard: no AppArmor; no limit of swap. Tasks run here all the same, but where policy.posture wants strong: mend it for that.',
      },
    ],
    [
      'degraded',
      ['a box has routes'],
      {
        state: 'problem',
        text: 'degraded: a box has routes. Tasks are halted here until it is mended, but where policy.posture accepts degraded.',
      },
    ],
  ])('says of walls that are %s what that comes to', async (level, missing, finding) => {
    const posture = { level, missing, engine: 'docker 1', seen: {}, at: 0 }
    const findings = await found({ ...up, posture: () => Promise.resolve(posture) })
    expect(findings['posture']).toEqual(finding)
  })

  it('finds what is wrong outside, whatever else there is', async () => {
    await used()
    const engine = { ...up, describe: () => Promise.reject(new Failure('engine', 'It is down. Start it.')) }
    const findings = await found(engine)
    expect(findings['engine']).toEqual({ state: 'problem', text: 'It is down. Start it.' })
    expect(findings['database']?.state).toBe('ok')
  })

  it.each([
    ['2.34.1', 'problem'],
    ['2.37.9', 'problem'],
    ['2.38.0', 'ok'],
    ['2.47.1.windows.2', 'ok'],
    ['3.0.0', 'ok'],
  ])('says of git %s whether it can merge', async (version, state) => {
    const path = join(folder, 'bin')
    mkdirSync(path)
    writeFileSync(join(path, 'git'), `#!/bin/sh\necho git version ${version}\n`, { mode: 0o755 })
    const why = ' is too old, nothing can be merged with it: install git 2.38 or newer.'
    expect((await found(up, false, tmpdir(), [], `${path}:/usr/bin:/bin`))['git']).toEqual({
      state,
      text: `git ${version}${state === 'ok' ? '' : why}`,
    })
  })

  it('has a finding for a machine without git', async () => {
    expect((await found(up, false, tmpdir(), [], folder))['git']).toMatchObject({ state: 'problem' })
  })

  it('warns where the image has not the agent of tasks that name none: those of others run', async () => {
    const text = 'No sandbox image of this version has claude: run `cofferdam image build --agents claude`.'
    const image: Engine['image'] = (need) =>
      need?.agent === 'claude' ? Promise.reject(new Failure('image', text)) : Promise.resolve('sha256:1')
    expect((await found({ ...up, image }, false, tmpdir(), ['claude']))['image']).toEqual({
      state: 'warning',
      text,
    })
    expect((await found({ ...up, image }, false, tmpdir(), ['command']))['image']).toEqual({
      state: 'ok',
      text: 'sha256:1',
    })
    const none = (): Promise<never> => Promise.reject(new Failure('image', 'There is none.'))
    expect((await found({ ...up, image: none }, false, tmpdir(), ['claude']))['image']).toMatchObject({
      state: 'problem',
    })
  })

  it('warns of each agent that the image has not, of that for questions too', async () => {
    const image: Engine['image'] = (need) =>
      need === undefined || need.agent === 'claude'
        ? Promise.resolve('sha256:1')
        : Promise.reject(new Failure('image', `It has no ${need.agent}.`))
    const warned = async (agents: readonly string[]): Promise<unknown> =>
      (await found({ ...up, image }, false, tmpdir(), agents))['image']
    const claude = { name: 'claude', argv: [] }
    const pi = { name: 'pi', argv: [] }
    expect(await warned(namesOf(claude, null))).toEqual({ state: 'ok', text: 'sha256:1' })
    expect(await warned(namesOf(claude, pi))).toEqual({ state: 'warning', text: 'It has no pi.' })
    expect(await warned(namesOf({ ...pi, name: 'codex' }, pi))).toEqual({
      state: 'warning',
      text: 'It has no codex. It has no pi.',
    })
    expect(namesOf(pi, pi)).toEqual(['pi'])
  })

  it('names the process that holds the folder and does not answer, and leaves its database alone', async () => {
    await used()
    writeFileSync(join(data, 'owner.json'), JSON.stringify({ pid: 4242, startedAt: 1, what: 'serve' }))
    expect((await found(up, true))['process']).toMatchObject({
      state: 'warning',
      text: expect.stringContaining('Process 4242 (serve)'),
    })
    expect(Object.keys(await found(up, false))).not.toContain('process')
  })

  it.each<[string, (file: string) => void, string, RegExp]>([
    ['is no database', (file) => writeFileSync(file, 'x'.repeat(5000)), 'database', /is not a database/],
    ['is cut', (file) => truncateSync(file, 9000), 'database', /is damaged/],
    ['has lost a page', (file) => overwrite(file, 4096), 'database', /is damaged/],
    ['is gone, but not its log', (file) => rmSync(file), 'database', /its log .* is still there/],
    [
      'lies in a folder of another name',
      (file) => writeFileSync(join(file, '../installation'), '?\n'),
      'data folder',
      /installation is damaged/,
    ],
    [
      'lies in a folder that is not ours',
      (file) => rmSync(join(file, '../installation')),
      'data folder',
      /holds other things/,
    ],
  ])('has a finding for a database that %s', async (_, damage, name, sentence) => {
    const file = await used(20)
    damage(file)
    const findings = await found()
    expect(findings[name]).toEqual({ state: 'problem', text: expect.stringMatching(sentence) })
    expect(findings[name]?.text).toContain(data)
    expect(findings[name]?.text).not.toContain('cofferdam-doctor-')
    expect(findings['engine']?.state).toBe('ok')
  })

  it('has a finding for work that is gone from the mirrors, with what puts it back', async () => {
    const repository = join(folder, 'repository')
    const say = (...args: readonly string[]): string => git(folder, ...args).trim()
    say('init', '-q', '-b', 'main', repository)
    const commit = (): CommitId => {
      git(repository, 'commit', '-q', '--allow-empty', '-m', 'Go on')
      return git(repository, 'rev-parse', 'HEAD').trim() as CommitId
    }
    const [base, head] = [commit(), commit()]
    await used(1, undefined, { base: { ref: 'main', commit: base }, head })
    expect((await found())['mirrors']).toEqual({
      state: 'problem',
      text: `the commits of 1 task (${aTaskIdOf(0)}) are gone from ${data}/mirrors: a new task on the repository brings back what that has itself; for the rest put back, with the service ended, what is gone from a copy: \`cp -an COPY/mirrors/. DATA/mirrors/\`, or discard the task.`,
    })
    say('clone', '-q', '--mirror', repository, join(data, `mirrors/${aTask().repository.key}.git`))
    expect((await found())['mirrors']).toEqual({ state: 'ok', text: 'the work of all tasks is there' })
  })

  it('has a finding for a file in the way, and for a name that is too long', async () => {
    writeFileSync(data, 'in the way')
    expect((await found())['data folder']).toMatchObject({ state: 'problem' })
    data = join(data, 'below')
    expect((await found())['data folder']?.text).toContain('is no folder')
    data = join(folder, 'new', 'x'.repeat(300))
    expect((await found())['data folder']?.text).toContain('too long')
  })

  it('looks at the database where it is told to, and says where there is no room for that', async () => {
    const file = await used(20)
    needRoot('A small disk')
    using disk = smallDisk(1)
    if (disk === null) throw new Error('no disk could be mounted')
    writeFileSync(join(disk.folder, 'filler'), Buffer.alloc(1024 * 1024 - statSync(file).size))
    const { database } = await found(up, false, disk.folder)
    expect(database).toEqual({
      state: 'problem',
      text:
        `The copy of ${file} in which it is looked at could not be made in ${disk.folder}: ` +
        'make room there for as much, or name another folder with TMPDIR.',
    })
    expect(readdirSync(disk.folder)).toEqual(['filler'])
    const nowhere = join(folder, 'nowhere')
    expect((await found(up, false, nowhere))['database']?.text).toContain(`made in ${nowhere}: make room`)
    writeFileSync(join(disk.folder, 'filler'), '')
    expect((await found(up, false, disk.folder))['database']).toEqual({ state: 'ok', text: '20 PENDING' })
  })

  it.runIf(uid === 0)('has a finding for a folder of somebody else', async () => {
    await used()
    chownSync(data, 4711, 4711)
    expect((await found())['data folder']?.text).toContain('belongs to user 4711')
  })
})

/** Writes rubbish over a page, after the log that could mend it was played in. */
function overwrite(file: string, at: number): void {
  openStore(hostPath(file))[Symbol.dispose]()
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, at)
  closeSync(fd)
}

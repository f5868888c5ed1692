import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HostPath } from '../../../src/domain/brand.ts'
import { channels } from '../../../src/sandbox/docker/channel.ts'

const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
const box = { name: 'cofferdam-test-aaaaaaaaaa-s1-a1-agent-f1', user }
const other = { name: 'cofferdam-test-aaaaaaaaaa-s2-a1-agent-f1', user }
const greet = (connection: NodeJS.ReadWriteStream): void => void connection.end('hello')

describe('the socket of a box', () => {
  let runtime: HostPath
  beforeEach(() => {
    runtime = mkdtempSync(join(tmpdir(), 'cofferdam-rt-')) as HostPath
  })
  afterEach(() => rmSync(runtime, { recursive: true, force: true }))
  const connect = async (name: string): Promise<Socket> =>
    createConnection(join(await channels(runtime, 'test').folder(name), 's'))

  it('hands on what connects, as long as it is open', async () => {
    const ours = channels(runtime, 'test')
    const open = await ours.open(box, greet)
    expect(await text(await connect(box.name))).toBe('hello')
    await open[Symbol.asyncDispose]()
    await expect(text(await connect(box.name))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is for the user of the box alone', async () => {
    const ours = channels(runtime, 'test')
    const given = { uid: user.uid === 0 ? 10001 : user.uid, gid: user.gid === 0 ? 10001 : user.gid }
    await using _open = await ours.open({ name: box.name, user: given }, greet)
    const folder = await ours.folder(box.name)
    const socket = statSync(join(folder, 's'))
    expect([socket.mode & 0o777, socket.uid, socket.gid]).toEqual([0o600, given.uid, given.gid])
    expect(statSync(folder).mode & 0o777).toBe(user.uid === 0 ? 0o711 : 0o700)
    expect(statSync(join(folder, '..')).mode & 0o777).toBe(0o700)
  })

  it('is opened again where an earlier process has left it', async () => {
    const folder = await channels(runtime, 'test').folder(box.name)
    writeFileSync(join(folder, 's'), 'stale')
    await using _open = await channels(runtime, 'test').open(box, greet)
    expect(await text(await connect(box.name))).toBe('hello')
  })

  it('ends what is connected when it is closed, and does not mind what breaks off', async () => {
    const taken: NodeJS.ReadWriteStream[] = []
    const open = await channels(runtime, 'test').open(box, (connection) => taken.push(connection))
    const [gone, stays] = [await connect(box.name), await connect(box.name)]
    stays.write('x')
    gone.write('x')
    await expect.poll(() => taken.length).toBe(2)
    gone.destroy()
    const ended = new Promise((resolve) => stays.once('close', resolve))
    stays.on('error', () => undefined).resume()
    await open[Symbol.asyncDispose]()
    await ended
  })

  it('is another for each box, and goes with it alone', async () => {
    const ours = channels(runtime, 'test')
    await using _one = await ours.open(box, greet)
    await using _two = await ours.open(other, greet)
    await ours.clear(box.name)
    await ours.clear('never-was')
    expect(existsSync(join(await ours.folder(other.name), 's'))).toBe(true)
    await channels(runtime, 'foreign').folder(box.name)
    await ours.folder('left')
    await ours.sweep([other.name])
    expect(readdirSync(join(runtime, 'test'))).toHaveLength(1)
    expect(readdirSync(join(runtime, 'foreign'))).toHaveLength(1)
  })

  it('is refused where its path is too long for one', async () => {
    const far = join(runtime, 'x'.repeat(90)) as HostPath
    await expect(channels(far, 'test').open(box, greet)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('90 bytes') as string,
    })
    expect(existsSync(far)).toBe(false)
  })
})

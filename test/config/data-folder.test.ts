import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDataFolder } from '../../src/config/data-folder.ts'
import { openRuntimeFolder } from '../../src/config/runtime-folder.ts'
import { hostPath } from '../../src/config/places.ts'
import { scratch } from './support.ts'

const uid = process.getuid?.() ?? 0
const isRoot = uid === 0
const open = (path: string): ReturnType<typeof openDataFolder> =>
  openDataFolder(hostPath(path), uid, randomBytes)
const mode = (path: string): number => statSync(path).mode & 0o777

describe('the data folder', () => {
  test('that cannot be made anywhere below /proc is refused at once', async () => {
    await expect(open('/proc/x/y')).rejects.toMatchObject({
      code: 'data_folder',
      message: expect.stringContaining('/proc/x') as string,
    })
  })

  test('with a name that is too long leaves nothing behind', async () => {
    const folder = scratch()
    await expect(open(join(folder, 'new', 'x'.repeat(256)))).rejects.toMatchObject({
      code: 'data_folder',
      message: expect.stringContaining('too long') as string,
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('is made with all that is in it, for its owner alone, and says so', async () => {
    const path = join(scratch(), 'a/b/.workspace')
    const folder = await open(path)
    expect(folder).toMatchObject({ path, created: true })
    expect(folder.installation).toMatch(/^[a-z2-7]{12}$/)
    expect(readdirSync(path).sort((a, b) => a.localeCompare(b))).toEqual(['.gitignore', 'installation'])
    expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('*\n')
    expect(mode(path)).toBe(0o700)
  })

  test('is the same when it is opened again', async () => {
    const path = join(scratch(), 'd')
    const first = await open(path)
    writeFileSync(join(path, 'more'), 'x')
    expect(await open(path)).toEqual({ ...first, created: false })
  })

  test('gets one name when many open it at once', async () => {
    const path = join(scratch(), 'd')
    const folders = await Promise.all(Array.from({ length: 20 }, () => open(path)))
    expect(new Set(folders.map(({ installation }) => installation)).size).toBe(1)
    expect(folders.filter(({ created }) => created)).toHaveLength(1)
    expect(readdirSync(path).filter((name) => name.startsWith('.installation-'))).toEqual([])
  })

  test('may be an empty folder, or one whose making was interrupted', async () => {
    const path = scratch()
    chmodSync(path, 0o755)
    writeFileSync(join(path, '.gitignore'), '*\n')
    writeFileSync(join(path, '.installation-abc'), '')
    expect((await open(path)).created).toBe(false)
    expect(mode(path)).toBe(0o700)
  })

  test('is no folder that holds other things', async () => {
    const path = scratch()
    chmodSync(path, 0o755)
    writeFileSync(join(path, 'thesis.tex'), 'x')
    await expect(open(path)).rejects.toMatchObject({
      code: 'data_folder',
      message: expect.stringContaining('holds other things'),
    })
    expect([readdirSync(path), mode(path)]).toEqual([['thesis.tex'], 0o755])
  })

  test.each([
    ['a file', 'file', /is no folder|cannot be used/],
    ['below a file', 'file/below', /cannot be used \(ENOTDIR/],
  ])('is not %s', async (_name, name, sentence) => {
    const path = scratch()
    writeFileSync(join(path, 'file'), 'x')
    await expect(open(join(path, name))).rejects.toMatchObject({
      code: 'data_folder',
      message: expect.stringMatching(sentence),
    })
  })

  test.runIf(isRoot)("is not somebody else's (only root can give one away)", async () => {
    const path = scratch()
    chownSync(path, 4321, 4321)
    await expect(open(path)).rejects.toMatchObject({
      code: 'data_folder',
      message: expect.stringContaining(`belongs to user 4321, and this is user ${uid}`),
    })
  })

  test.runIf(!isRoot)('is not one that cannot be written (there is none for root)', async () => {
    const path = scratch()
    chmodSync(path, 0o500)
    await expect(open(path)).rejects.toMatchObject({ message: expect.stringContaining('cannot be written') })
    await expect(open(join(path, 'below'))).rejects.toMatchObject({
      message: expect.stringContaining('EACCES'),
    })
  })

  test('with a damaged name is refused, and the name is left as it is', async () => {
    const path = join(scratch(), 'd')
    await open(path)
    writeFileSync(join(path, 'installation'), 'short\n')
    await expect(open(path)).rejects.toMatchObject({ message: expect.stringContaining('is damaged') })
    expect(readFileSync(join(path, 'installation'), 'utf8')).toBe('short\n')
  })
})

describe('the folder for sockets', () => {
  test('is made for its owner alone, again and again', async () => {
    const path = hostPath(join(scratch(), 'r/x'))
    await openRuntimeFolder(path, uid)
    chmodSync(path, 0o755)
    await openRuntimeFolder(path, uid)
    expect(mode(path)).toBe(0o700)
  })

  test("is not somebody else's", async () => {
    const path = hostPath(scratch())
    await expect(openRuntimeFolder(path, uid + 1)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('COFFERDAM_RUNTIME'),
    })
  })
})

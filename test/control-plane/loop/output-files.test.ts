import { mkdtempSync, rmSync, truncateSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OutputFiles } from '../../../control-plane/loop/output-files.ts'
import type { BoxKind } from '../../../src/domain/box.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { aBox } from '../../support/box.ts'
import { aTaskId } from '../../support/task.ts'

let folder: string
let files: OutputFiles
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-outputs-'))
  files = new OutputFiles(folder as HostPath)
})
afterEach(() => rmSync(folder, { recursive: true }))

let clock = 1_000_000

/** A box prints its text; each box a second after the one before. */
async function prints(kind: BoxKind, step: number, attempt: number, ...text: string[]): Promise<void> {
  const spec = { ...aBox({ kind: 'setup' }), kind, step, attempt }
  const file = files.start(spec)
  for (const part of text) file.write(Buffer.from(part))
  await file.end()
  clock += 1
  const name = `s00${step}-a00${attempt}-${kind}.log`
  utimesSync(join(folder, 'logs', aTaskId, name), clock, clock)
}

const headings = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('== '))

describe('what boxes printed', () => {
  it('is shown in the order in which they ran, also where setup ran again between two steps', async () => {
    await prints('setup', 0, 1, 'one')
    await prints('baseline', 0, 2, 'two')
    await prints('agent', 1, 1, 'three')
    await prints('test', 1, 1, 'four')
    await prints('setup', 0, 3, 'five')
    await prints('agent', 2, 1, 'six')
    expect(headings(await files.read(aTaskId, null))).toEqual([
      '== setup box, step 0, attempt 1 ==',
      '== baseline box, step 0, attempt 2 ==',
      '== agent box, step 1, attempt 1 ==',
      '== test box, step 1, attempt 1 ==',
      '== setup box, step 0, attempt 3 ==',
      '== agent box, step 2, attempt 1 ==',
    ])
    expect(headings(await files.read(aTaskId, 0))).toHaveLength(3)
  })

  it('is there once where a box is taken over and gives it from the beginning again', async () => {
    await prints('agent', 1, 1, 'one\n')
    await prints('agent', 1, 1, 'one\n', 'two\n')
    expect(await files.read(aTaskId, null)).toBe('== agent box, step 1, attempt 1 ==\none\ntwo\n')
  })

  it('ends as what was printed last does, so that what comes next can be added to it', async () => {
    await prints('agent', 1, 1, 'one')
    await prints('test', 1, 1, 'two\n')
    await prints('agent', 2, 1, '50 %')
    expect(await files.read(aTaskId, null)).toBe(
      [
        '== agent box, step 1, attempt 1 ==\none\n',
        '== test box, step 1, attempt 1 ==\ntwo\n',
        '== agent box, step 2, attempt 1 ==\n50 %',
      ].join('\n'),
    )
  })

  it('is the newest of it where it is too much to be held at once, with a word on the rest', async () => {
    const mebibyte = 2 ** 20
    const printed = [9, 4, 3, 1, 4]
    for (const [index, size] of printed.entries()) {
      await prints('agent', index + 1, 1, 'x')
      const file = join(folder, 'logs', aTaskId, `s00${index + 1}-a001-agent.log`)
      truncateSync(file, size * mebibyte)
      utimesSync(file, clock, clock)
    }
    const steps = async (step: number | null): Promise<readonly (string | undefined)[]> =>
      headings(await files.read(aTaskId, step)).map((line) => /step (\d)/.exec(line)?.[1])
    // Of the first, 4 MiB would be shown: 16 in all.
    expect(await steps(null)).toEqual(['1', '2', '3', '4', '5'])
    await prints('agent', 6, 1, 'one byte more')
    expect(await steps(null)).toEqual(['2', '3', '4', '5', '6'])
    expect(await files.read(aTaskId, null)).toMatch(
      /^\[the output of 1 older box is left out: ask for one step to see it\]\n\n== agent box, step 2/,
    )
    expect(await steps(1)).toEqual(['1'])
  })

  it('is nothing for a task that has run no box', async () => {
    expect(await files.read(aTaskId, null)).toBe('')
  })
})

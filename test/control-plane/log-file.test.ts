import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { logDestination } from '../../control-plane/log-file.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-log-file-'))
  path = join(folder, 'cofferdam.log')
})
afterEach(() => rmSync(folder, { recursive: true }))

const line = (number: number): string => `${String(number).padStart(9, '0')}\n`
/** The numbers of the lines in a file. */
const linesOf = (name: string): readonly number[] =>
  readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean).map(Number)
const write = (files: number, from: number, to: number, bytes = 100): void => {
  const destination = logDestination(path, { bytes, files })
  for (let number = from; number <= to; number += 1) destination.write(line(number))
}

describe('the files of the log', () => {
  it('are moved on when one is full, and the oldest goes; no line is lost between them or cut', () => {
    write(3, 1, 47)
    expect(readdirSync(folder).toSorted()).toEqual(['cofferdam.log', 'cofferdam.log.1', 'cofferdam.log.2'])
    expect(linesOf('cofferdam.log.2')).toEqual([21, 22, 23, 24, 25, 26, 27, 28, 29, 30])
    expect(linesOf('cofferdam.log.1')).toEqual([31, 32, 33, 34, 35, 36, 37, 38, 39, 40])
    expect(linesOf('cofferdam.log')).toEqual([41, 42, 43, 44, 45, 46, 47])
  })

  it('are for their owner alone', () => {
    write(3, 1, 47)
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  })

  it('go on where another process ended, and count what is there', () => {
    write(2, 1, 7)
    write(2, 8, 12)
    expect(linesOf('cofferdam.log.1')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(linesOf('cofferdam.log')).toEqual([11, 12])
  })

  it('are moved on at the start where they are longer than they may be now', () => {
    write(2, 1, 12, 1000)
    write(2, 13, 13)
    expect(linesOf('cofferdam.log.1')).toHaveLength(12)
    expect(linesOf('cofferdam.log')).toEqual([13])
  })

  it('are removed at the start where there are more than there may be now', () => {
    write(5, 1, 49)
    expect(existsSync(`${path}.4`)).toBe(true)
    writeFileSync(`${path}.gz`, 'of somebody else')
    write(2, 50, 50)
    expect(readdirSync(folder).toSorted()).toEqual(['cofferdam.log', 'cofferdam.log.1', 'cofferdam.log.gz'])
  })

  it('may be one: it is begun anew', () => {
    write(1, 1, 12)
    expect(readdirSync(folder)).toEqual(['cofferdam.log'])
    expect(linesOf('cofferdam.log')).toEqual([11, 12])
  })

  it('that cannot be moved on take the lines all the same', () => {
    const destination = logDestination(path, { bytes: 100, files: 2 })
    // A folder with something in it is in the way.
    execFileSync('mkdir', ['-p', `${path}.1/full`])
    for (let number = 1; number <= 25; number += 1) destination.write(line(number))
    expect(linesOf('cofferdam.log')).toHaveLength(25)
  })
})

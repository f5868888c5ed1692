import { describe, expect, it } from 'vitest'
import { GrowthGauge } from '../../../src/sandbox/docker/growth.ts'

/** What the gauge says at each look, at a limit of 1600 bytes and 160 files. */
function looks(used: readonly (readonly [bytes: number, files: number])[]): readonly boolean[] {
  const gauge = new GrowthGauge({ bytes: 1600, files: 160 })
  return used.map(([bytes, files]) => gauge.isWorthAWalk({ bytes, files }))
}

describe('a walk through the files of a box is worth it', () => {
  it.each<[string, (readonly [number, number])[], boolean[]]>([
    [
      'never, where nothing is written',
      [
        [5000, 500],
        [5000, 500],
      ],
      [false, false],
    ],
    [
      'when so much was added to the disk',
      [
        [5000, 0],
        [6599, 0],
        [6600, 0],
      ],
      [false, false, true],
    ],
    [
      'when so many files were',
      [
        [0, 500],
        [0, 659],
        [0, 660],
      ],
      [false, false, true],
    ],
    [
      'also where somebody else removes as much',
      [
        [9000, 0],
        [9900, 0],
        [1000, 0],
        [1700, 0],
      ],
      [false, false, false, true],
    ],
  ])('%s', (_what, used, worth) => {
    expect(looks(used)).toEqual(worth)
  })

  it('again when what is left may be used up, and not at each look', () => {
    const gauge = new GrowthGauge({ bytes: 1600, files: 160 })
    gauge.isWorthAWalk({ bytes: 0, files: 0 })
    expect(gauge.isWorthAWalk({ bytes: 1600, files: 0 })).toBe(true)
    gauge.walked({ bytes: 600, files: 0 })
    expect(gauge.isWorthAWalk({ bytes: 2599, files: 0 })).toBe(false)
    expect(gauge.isWorthAWalk({ bytes: 2600, files: 0 })).toBe(true)
    gauge.walked({ bytes: 1599, files: 0 })
    expect(gauge.isWorthAWalk({ bytes: 2699, files: 0 })).toBe(false)
    expect(gauge.isWorthAWalk({ bytes: 2700, files: 0 })).toBe(true)
  })
})

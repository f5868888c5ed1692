/** What a number has to be: of the value itself or of its ratio to the floor. */
interface Reach {
  readonly of: 'value' | 'ratio'
  readonly limit: 'most' | 'least'
  readonly than: number
}

/** One number that was measured, with the floor that was measured beside it in the same run. */
export interface Measured {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly floor: number
  readonly reach: Reach
}

/** One entry of `.results/bench.json`. `reach` is of the ratio or of the value, as design and table say. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly floor: number
  readonly ratio: number
  readonly reach: number
  readonly met: boolean
}

export function rowOf({ name, value, unit, floor, reach }: Measured): Row {
  const ratio = value / floor
  const judged = reach.of === 'ratio' ? ratio : value
  const met = reach.limit === 'most' ? judged <= reach.than : judged >= reach.than
  return {
    name,
    value: rounded(value),
    unit,
    floor: rounded(floor),
    ratio: rounded(ratio),
    reach: reach.than,
    met,
  }
}

/** The rows as text, in columns. */
export function tableOf(measured: readonly Measured[]): string {
  const lines = [
    ['what', 'value', 'floor', 'ratio', 'reach', 'met'],
    ...measured.map((one) => {
      const row = rowOf(one)
      return [
        row.name,
        `${row.value} ${row.unit}`,
        `${row.floor} ${row.unit}`,
        `${row.ratio.toFixed(2)} ×`,
        reachText(one),
        row.met ? 'yes' : 'NO',
      ]
    }),
  ]
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${text.join('\n')}\n`
}

/** What a number has to be, such as `≤ 1.25 ×`. */
export function reachText({ unit, reach }: Measured): string {
  return `${reach.limit === 'most' ? '≤' : '≥'} ${reach.than} ${reach.of === 'ratio' ? '×' : unit}`
}

/** Three digits that mean something, and no fewer than two decimals below ten. */
function rounded(number: number): number {
  return Number(
    Math.abs(number) < 10 ? number.toFixed(2) : number.toPrecision(Math.abs(number) < 1000 ? 3 : 4),
  )
}

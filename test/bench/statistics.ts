/** The smallest value that at least the share `part` (0 to 1) of all values does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const found = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]
  if (found === undefined) throw new Error('nothing was measured')
  return found
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new Error('nothing was measured')
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/**
 * How many things workers finish per second while all of them are busy: from the moment when the last of them has
 * finished its first, to the moment when the first of them has finished its last. `finished` has for each worker the
 * times of its ends in order, milliseconds.
 */
export function steadyRate(finished: readonly (readonly number[])[]): number {
  const from = Math.max(...finished.map((times) => times[0] ?? Infinity))
  const to = Math.min(...finished.map((times) => times.at(-1) ?? -Infinity))
  const count = finished.flat().filter((time) => time > from && time <= to).length
  if (count === 0) throw new Error('the workers were never all busy at once')
  return (count * 1000) / (to - from)
}

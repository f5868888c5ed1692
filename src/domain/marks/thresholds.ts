/** Numbers of which more asks more of a test, or of its settings. */
const settingKeys =
  /\b(branches|functions|lines|statements|global|fail_under|fail-under|cov-fail-under|minimum|minimumCoverage|minimum_coverage|minimum_coverage_by_file|threshold|target|mutationScore|high|low|break|perFile|covered[-_]?ratio)\b["']?\s*[:=(,\s>]\s*["']?(\d+(?:\.\d+)?)/gi

/** What keeps tests from being found or from failing the whole. */
const loosened =
  /passWithNoTests|testPathIgnorePatterns|--deselect\b|--ignore(?:-glob)?[= ]|\bcollect_ignore|\bnorecursedirs\b|\|\|\s*true\b|\|\|\s*exit 0\b|--no-cov\b|--coverage=false|testFailureIgnore|ignoreFailures\s*=\s*true|skipTests|maven\.test\.skip|continue-on-error|--exclude-task|-x test\b|\ballow_failure\b/g

/** What of the settings of tests is weaker than it was, in words; empty where nothing is. */
export function weakerSettings(before: string, after: string): readonly string[] {
  const [was, is] = [thresholds(before), thresholds(after)]
  const lowered = [...was].flatMap(([key, numbers]) => {
    const now = is.get(key) ?? []
    if (now.length < numbers.length) return [`no longer asks for ${key} ${fewest(numbers, now)}`]
    const index = numbers.findIndex((number, at) => (now[at] ?? 0) < number)
    return index === -1 ? [] : [`lowers ${key} from ${numbers[index]} to ${now[index]}`]
  })
  const more = [...after.matchAll(loosened)].length > [...before.matchAll(loosened)].length
  return [...lowered, ...(more ? ['leaves out tests or lets them fail'] : [])]
}

/** The numbers after each key, highest first. */
function thresholds(text: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>()
  for (const [, key = '', number = ''] of text.matchAll(settingKeys)) {
    const name = key.toLowerCase()
    const numbers = found.get(name) ?? []
    numbers.push(Number(number))
    found.set(name, numbers)
  }
  for (const numbers of found.values()) numbers.sort((a, b) => b - a)
  return found
}

function fewest(numbers: readonly number[], now: readonly number[]): string {
  const left = new Set(now)
  return String(numbers.find((number) => !left.has(number)) ?? numbers.at(-1) ?? '')
}

const atLeast = /toBeGreaterThan|assertGreater|isAtLeast|isAbove|greaterThan|>=|>|GreaterOrEqual/
const atMost = /toBeLessThan|assertLess|isAtMost|isBelow|lessThan|<=|<|LessOrEqual/

/** Of lines that differ in numbers alone: how many ask less than they did. Lines are without spaces. */
export function relaxed(removed: readonly string[], added: readonly string[]): number {
  const shapes = new Map<string, { readonly lines: string[]; taken: number }>()
  for (const line of added) {
    const shape = shapeOf(line)
    const known = shapes.get(shape)
    if (known === undefined) shapes.set(shape, { lines: [line], taken: 0 })
    else known.lines.push(line)
  }
  return removed.filter((line) => {
    const known = shapes.get(shapeOf(line))
    const next = known?.lines[known.taken]
    if (known === undefined || next === undefined) return false
    known.taken += 1
    const now = numbersIn(next)
    const was = numbersIn(line)
    const falls = was.some((number, index) => (now[index] ?? number) < number)
    const rises = was.some((number, index) => (now[index] ?? number) > number)
    if (atLeast.test(line) && !atMost.test(line)) return falls
    if (atMost.test(line) && !atLeast.test(line)) return rises
    return false
  }).length
}

function shapeOf(line: string): string {
  return line.replaceAll(/\d+(?:\.\d+)?/g, '#')
}

function numbersIn(line: string): number[] {
  return [...line.matchAll(/\d+(?:\.\d+)?/g)].map(([number]) => Number(number))
}

import { counted } from '../text.ts'
import { type Change, type Mark, named } from './mark.ts'
import { isTest, isTestSetting, languageOf } from './test-files.ts'
import { readTest, type TestContent } from './test-lines.ts'
import { relaxed, weakerSettings } from './thresholds.ts'

/** A change of a file with tests, read. */
export interface TestChange {
  readonly change: Change
  readonly before: TestContent
  readonly after: TestContent
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

const empty: TestContent = { skips: 0, cases: 0, assertions: [] }

/** Marks for tests that are deleted or hold less than before. What went from one test file into another is not lost. */
export function testMarks(tests: readonly TestChange[]): readonly Mark[] {
  // Lines that came into test files make up for those that others lost.
  const arrived = new Map<string, number>()
  for (const { added } of tests) for (const line of added) arrived.set(line, (arrived.get(line) ?? 0) + 1)
  return tests.flatMap((test) => {
    const text = lossOf(test, arrived)
    return text === null ? [] : [{ rule: 'tests', path: test.change.path, text }]
  })
}

/** Null where there are no tests in it. */
export function readTestChange(change: Change): TestChange | null {
  return holdsTests(change) ? readChange(change) : null
}

function holdsTests({ path, from, before, after, what }: Change): boolean {
  if (what === 'added') return isTest(path)
  // Rust's tests stand in the code.
  return (
    isTest(from) ||
    isTest(path) ||
    (languageOf(from) === 'rust' && /#\[(?:\w+::){0,4}test\b/.test(before ?? after ?? ''))
  )
}

function readChange(change: Change): TestChange {
  const read = (text: string | null, path: string): TestContent =>
    text === null ? empty : readTest(text, languageOf(path) ?? 'other')
  const before = read(change.before, change.from)
  const after = isLost(change) ? empty : read(change.after, change.path)
  return {
    change,
    before,
    after,
    removed: without(before.assertions, after.assertions),
    added: without(after.assertions, before.assertions),
  }
}

/** Also of one that is moved to where nothing runs it, and of one with a link in its place, which runs something else. */
function isLost({ path, from, what, after }: Change): boolean {
  return what === 'deleted' || after === null || (isTest(from) && !isTest(path))
}

/** What a test file lost, as a sentence; null where it holds as much as before. */
function lossOf(
  { change, before, after, removed, added }: TestChange,
  arrived: Map<string, number>,
): string | null {
  const { path, what } = change
  if (what === 'added') return null
  let moved = 0
  for (const line of removed) {
    const there = arrived.get(line) ?? 0
    if (there === 0) continue
    arrived.set(line, there - 1)
    moved += 1
  }
  if (isLost(change)) {
    const all = before.assertions.length > 0 && moved === before.assertions.length
    const held = before.assertions.length === 0 && before.cases === 0
    return all || held ? null : `The test ${named(path)} is deleted.`
  }
  const assertions = before.assertions.length - after.assertions.length - moved
  const cases = moved > 0 ? 0 : before.cases - after.cases
  const skips = after.skips - before.skips
  const looser = relaxed(removed, added)
  const losses = [
    ...(skips > 0 ? [`skips more than before (${counted(skips, 'mark')} such as skip or only)`] : []),
    ...(cases > 0 ? [`has ${counted(cases, 'case')} fewer`] : []),
    ...(assertions > 0 ? [`has ${counted(assertions, 'assertion')} fewer`] : []),
    ...(looser > 0 ? [`asks less in ${counted(looser, 'line')}`] : []),
  ]
  return losses.length === 0 ? null : `The test ${named(path)} ${losses.join(', and ')}.`
}

/** Marks for settings of tests that ask less than before. */
export function settingMarks({ path, from, before, after }: Change): readonly Mark[] {
  if (before === null || !(isTestSetting(path) || isTestSetting(from))) return []
  const weaker = weakerSettings(before, after ?? '')
  return weaker.length === 0
    ? []
    : [
        {
          rule: 'tests',
          path,
          text: `${named(path)} weakens the tests: it ${weaker.slice(0, 5).join(', ')}.`,
        },
      ]
}

/** What is in `lines` and not in `others`, each as often as it is more. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}

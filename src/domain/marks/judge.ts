import type { TreePath } from '../brand.ts'
import { type Change, type Mark, named, sortedMarks } from './mark.ts'
import { pathMarks } from './paths.ts'
import { isScriptManifest, scriptsMark } from './scripts.ts'
import { isTest, isTestSetting, languageOf } from './test-files.ts'
import { readTestChange, settingMarks, type TestChange, testMarks } from './tests.ts'

/** Whether it takes more than its path to judge a change. */
export function wantsContent(path: TreePath): boolean {
  return isTest(path) || isTestSetting(path) || isScriptManifest(path) || languageOf(path) === 'rust'
}

/** A change as far as it can be judged by itself. */
export interface Studied {
  readonly marks: readonly Mark[]
  readonly test: TestChange | null
}

/** Takes up to some 0.1 s for a file of the largest size that is read. */
export function study(change: Change): Studied {
  const { unread: missing } = change
  return {
    marks: [
      ...pathMarks(change),
      ...(missing === true ? unread(change) : [...scripts(change), ...settingMarks(change)]),
    ],
    test: missing === true ? null : readTestChange(change),
  }
}

/** Every reason why work wants an owner's word before it is delivered; none where it wants none. */
export function judge(studied: readonly Studied[]): readonly Mark[] {
  const tests = studied.flatMap(({ test }) => (test === null ? [] : [test]))
  return sortedMarks([...studied.flatMap(({ marks }) => marks), ...testMarks(tests)])
}

function scripts(change: Change): readonly Mark[] {
  const mark = scriptsMark(change)
  return mark === null ? [] : [mark]
}

function unread({ path }: Change): readonly Mark[] {
  const text = `${named(path)} is too large to be judged: look at what it changes.`
  return [{ rule: 'unread', path, text }]
}

import type { TestLanguage } from './test-files.ts'

// What a line of a test is, by its language. Counting is enough: what is fewer afterwards was taken away.

/** Words that keep a test, or all but some tests, from being run. */
const skips: Readonly<Record<TestLanguage, RegExp>> = {
  js: /\b(?:describe|it|test|suite|context|specify|bench)(?:\.\w+){0,4}\.(?:skip|only|todo|fixme|fails|failing|skipIf|runIf)\b|(?<![.\w])(?:x(?:it|describe|test|context|specify)|f(?:it|describe|context))\s*\(|\b(?:this|t|ctx|context)\.skip\(|\b(?:skip|only|todo)\s*:\s*(?:true|['"`])|\btest\.(?:skip|fixme|fail|slow)\(|process\.exit\(0?\)/g,
  python:
    /@(?:\w+\.){0,6}(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure)\b|\bpytest\.(?:skip|xfail|importorskip)\(|\bself\.skipTest\(|\braise\s+(?:unittest\.)?SkipTest\b|\bmark\.(?:skip|xfail)|\bcollect_ignore|__test__\s*=\s*False|\b(?:sys|os)\._?exit\(0?\)/g,
  go: /\b[tb]\.Skip(?:f|Now)?\(|\/\/go:build ignore|\bos\.Exit\(0\)/g,
  ruby: /^[ \t]*(?:skip|pending)\b|\b(?:x|f)(?:it|describe|context|specify|example)\b|\b(?:skip|pending|focus):\s|,\s*:(?:skip|focus|pending)\b/gm,
  rust: /#\[ignore\b|#\[cfg\((?:any\(\)|FALSE)\)\]/g,
  jvm: /@(?:Disabled|Ignore)\b|\bassum(?:e|ing)\w*\s*\(|\.config\(enabled\s*=\s*false|(?<![.\w])x(?:it|describe|test|context)\s*[({"]/g,
  cs: /\bSkip\s*=\s*"|\[(?:Ignore|Explicit)\b|\bAssert\.(?:Ignore|Inconclusive)\b|<Ignore\b/g,
  other:
    /\bmarkTest(?:Skipped|Incomplete)\b|\bXCTSkip|@(?:tag|moduletag|describetag)\s+:?skip|\bskip(?:_all)?\s*(?:=>|:|\()|^[ \t]*skip\b|@(?:skip|wip|ignore)\b|\bGTEST_SKIP\b|\bDISABLED_\w|\[!(?:mayfail|shouldfail)\]|\[\.\]/gm,
}

const assertions =
  /\b(?:assert\w*|expect\w*|should(?:_\w+)?|require\.(?!resolve|cache|main)\w+|t\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow|deepEqual|equal|is|ok|throws|true|false|same|match)|XCTAssert\w*|ASSERT_\w+|EXPECT_\w+|REQUIRE\w*|CHECK\w*|verify|is_deeply|refute\w*|must_\w+)\s*[!(.({]|\bassert\s+\S|\b(?:assert|refute)_\w+\s+\S|^[ \t]*(?:Then|And)\s|\bshould\s+\w|\b(?:to|not_to|to_not)\s+(?:eq|be|match|include|raise|have)\w*|\[\[? .* \]\]?$/

/** An assertion that always holds, or nearly. */
const hollow =
  /\bexpect\((?:true|false|1|0|null|undefined|'[^']*'|"[^"]*")\)|\bassert(?:_?true|_?that|\.ok|\.isTrue)?!?\s*[( ]\s*(?:true|1|1 == 1|True)\s*[),]?\s*$|\bassert(?:True|Equals?|_equal|\.equal|\.strictEqual)\s*\(\s*(\w+)\s*,\s*\1\s*\)|\bassert\s+(?:True|1)\b|\.(?:toBeDefined|toBeTruthy|not\.toThrow|not\.toBeNull|not\.toBeUndefined)\(\)|\bassertIsNotNone\(|\bassert\s+\w+\s+is not None\s*$|\bexpect\.anything\(\)\)|\bassertNotNull\(/i

const cases: Readonly<Record<TestLanguage, RegExp>> = {
  js: /(?<![.\w])(?:it|test|specify)(?:\.(?!skip|todo|only)\w+(?:\([^()\n]{0,200}\))?){0,4}\s*[(`]/g,
  python: /^[ \t]*(?:async\s+)?def\s+test\w*\s*\(/gm,
  go: /^func\s+(?:Test|Fuzz|Example)\w*\s*\(|\bt\.Run\(/gm,
  ruby: /^[ \t]*(?:it|specify|example|test|scenario)\s+['"]|^[ \t]*def\s+test_/gm,
  rust: /#\[(?:\w+::){0,4}(?:test|rstest|test_case)\b/g,
  jvm: /@(?:Test|ParameterizedTest|RepeatedTest|Property)\b|(?<![.\w])(?:it|test|should)\s*\(\s*"/g,
  cs: /\[(?:Fact|Theory|Test|TestCase|TestMethod)\b/g,
  other:
    /\bfunc(?:tion)?\s+test\w*\s*\(|^[ \t]*test\s+["']|\bTEST(?:_\w+)?\s*\(|\bTEST_CASE\s*\(|^[ \t]*Scenario|@test\b|\bdeftest\b/gm,
}

/** What a test file holds. */
export interface TestContent {
  readonly skips: number
  readonly cases: number
  /** The lines that hold something to be true, each without its spaces. */
  readonly assertions: readonly string[]
}

export function readTest(text: string, language: TestLanguage): TestContent {
  const code = withoutComments(text, language)
  const lines = code.split('\n').filter((line) => line.length <= 2000)
  return {
    skips: count(code, skips[language]),
    cases: count(code, cases[language]),
    assertions: lines
      .filter((line) => assertions.test(line) && !hollow.test(line))
      .map((line) => line.replaceAll(/\s+/g, '')),
  }
}

const hash: ReadonlySet<TestLanguage> = new Set(['python', 'ruby'])

/** What is commented out does not count. Go's build tags are comments and do. */
function withoutComments(text: string, language: TestLanguage): string {
  if (hash.has(language)) return text.replaceAll(/^[ \t]*#.*$/gm, '')
  return text
    .replaceAll(/^[ \t]*\/\*[\s\S]*?(?:\*\/|$(?![\s\S]))/gm, '')
    .replaceAll(/^[ \t]*\/\/(?!go:build).*$/gm, '')
}

function count(text: string, pattern: RegExp): number {
  let found = 0
  for (const _ of text.matchAll(pattern)) found += 1
  return found
}

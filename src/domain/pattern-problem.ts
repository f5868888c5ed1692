/** What is wrong with a pattern of a policy, as the end of a sentence that names it; null where nothing is. */
export function patternProblem(pattern: string): string | null {
  const problem = checks.find(({ wrong }) => wrong(pattern))
  return problem?.text ?? null
}

const checks: readonly { readonly wrong: (pattern: string) => boolean; readonly text: string }[] = [
  { wrong: (pattern) => /^[\s/]*$/.test(pattern), text: 'is empty: name a file, a folder or a pattern' },
  { wrong: (pattern) => pattern.length > 1000, text: 'is longer than 1,000 characters: shorten it' },
  {
    wrong: (pattern) => /\p{Cc}/u.test(pattern),
    text: 'holds a control character: remove it',
  },
  {
    wrong: (pattern) => pattern.startsWith('!'),
    text: 'begins with "!", which patterns here do not know: list the exception under "except"',
  },
  {
    wrong: (pattern) => /^\/.*[^/]\/+[^/]|^~|^[a-z]:[\\/]/i.test(pattern),
    text: 'looks like an absolute path: write it as seen from the top of the repository, such as "secrets/key.pem"',
  },
  {
    wrong: (pattern) => /(?:^|\/)\.{1,2}(?:\/|$)|\/\//.test(pattern),
    text: 'holds "..", "." or an empty part: write it as seen from the top of the repository',
  },
  {
    wrong: (pattern) => (/\\*$/.exec(pattern)?.[0].length ?? 0) % 2 === 1,
    text: 'ends with a backslash: remove it',
  },
  {
    // An escaped slash divides for git and not for a reader, and `a\b` may be meant as a path: either would deny less than it seems to.
    wrong: (pattern) => /(?<!\\)(?:\\\\)*\\[^*?[\]\\#!^ -]/.test(pattern),
    text: 'holds a backslash that nothing needs: remove it, and write "/" between folders',
  },
  {
    wrong: (pattern) => unescaped(pattern).includes('[:'),
    text: 'holds "[:", which patterns here do not know: list the characters, such as "[a-z]"',
  },
  {
    wrong: (pattern) => unescaped(pattern).replaceAll(bracket, '').includes('['),
    text: 'opens a "[" that no "]" closes: close it, or write "\\["',
  },
  {
    wrong: (pattern) => insides(pattern).some((inside) => inside.includes('/')),
    text: 'holds a "/" between "[" and "]", where none can match: write one pattern for each folder',
  },
  {
    wrong: (pattern) => insides(pattern).some((inside) => [...inside.matchAll(/(.)-(.)/gsu)].some(oddRange)),
    text: 'holds a range other than of digits, small letters or capitals, in their order: list the characters',
  },
]

/** A class of characters; the first of them may itself be a `]`. */
const bracket = /\[(?:[!^][^]|[^!^])[^\]]*\]/gu

/** Escaped characters stand for themselves everywhere, so none of them opens, closes or divides anything. */
function unescaped(pattern: string): string {
  return pattern.replaceAll(/\\./gsu, '\0')
}

function insides(pattern: string): string[] {
  return (unescaped(pattern).match(bracket) ?? []).map((found) => found.replace(/^\[[!^]?/, '').slice(0, -1))
}

/** Case is folded away, so a range over both cases would shrink, and one in the wrong order matches next to nothing. */
function oddRange([range, from = '', to = '']: readonly string[]): boolean {
  return from > to || !/^(?:\d-\d|[a-z]-[a-z]|[A-Z]-[A-Z])$/.test(range ?? '')
}

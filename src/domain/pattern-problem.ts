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
  { wrong: openBracket, text: 'opens a "[" that no "]" closes: close it, or write "\\["' },
]

function openBracket(pattern: string): boolean {
  const plain = pattern.replaceAll(/\\./g, '')
  // The first character of a class may itself be a `]`.
  return plain.replaceAll(/\[(?:[!^][^]|[^!^])[^\]]*\]/g, '').includes('[')
}

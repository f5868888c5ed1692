import { type Conversation, finish, run, say, type Turn, turn, write } from './script.ts'

/** The failing test of the quickstart's example (`deploy/example`), and the edit that mends it. */
const fixes = [
  ['test_total_counts_every_line', 'lines[1:]', 'lines'],
  ['test_discounted_rounds_half_up', '(100 - percent)) // 100', '(100 - percent) + 50) // 100'],
] as const

/**
 * A model that mends the example of the quickstart, one failing test a step: it looks, writes, runs the tests, and goes by
 * what it is told of them. It says of itself that it is a script.
 */
export function receipts({ tools, items }: Conversation): Turn {
  if (tools.length === 0) return turn(say('A title'))
  const at = items.findLastIndex(({ by, text }) => by === 'user' && text.includes('TASK_STATE'))
  const failing = failingIn(items[at]?.text ?? '')
  const results = items.slice(at + 1).filter(({ by }) => by === 'result')
  switch (results.length) {
    case 0:
      return turn(
        say(
          `[scripted] The prompt tells of ${failing.length} failing: ${failing.join(', ') || 'none'}. I read the source.`,
        ),
        run('cat receipt.py'),
      )
    case 1: {
      const source = results[0]?.text ?? ''
      const fix = fixes.find(([test, wrong]) => failing.includes(test) && source.includes(wrong))
      if (fix === undefined)
        return finish(
          '[scripted] This is nothing that the script knows.',
          'BLOCKED\nBLOCK_REASON: The script of the model has no answer to this.',
        )
      const [test, wrong, right] = fix
      const whole = `${source.slice(source.indexOf('"""')).replace(wrong, right).trimEnd()}\n`
      return turn(
        say(`[scripted] For ${test}, "${wrong}" becomes "${right}".`),
        write('/work/receipt.py', whole),
      )
    }
    case 2:
      return turn(run('python3 -m unittest'))
    default:
      return finish('[scripted] One more is mended.', failing.length > 1 ? 'CONTINUE' : 'DONE')
  }
}

/** The tests that fail by a prompt. What the last step left to do is newer than what failed before the first one. */
function failingIn(prompt: string): readonly string[] {
  const newest = /^## The last step failed$[^]*?(?=^## )/m.exec(prompt)?.[0] ?? prompt
  return [...new Set([...newest.matchAll(/(?:FAIL|ERROR): (test_\w+)/g)].map(([, name = '']) => name))]
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startVitest } from 'vitest/node'
import { hostOf } from '../../support/host.ts'
import { allCases } from '../cases.ts'
import { page, sum, table, whyNotPublished } from './page.ts'
import { AttackReporter } from './reporter.ts'
import { rowsOf } from './row.ts'

// npm run attack [-- --publish] [files]: runs the attack suite, prints a line for each case and writes .results/attack.json;
// with --publish docs/attack-report.md too, where all cases ran and none failed. Exits with 1 where one failed, or where the
// page was asked for and is not written.

const given = process.argv.slice(2)
const publish = given.includes('--publish')
const filters = given.filter((word) => !word.startsWith('--'))

const reporter = new AttackReporter()
// Other tests are of the same projects.
const files = filters.map((file) => (file.startsWith('test/attack/') ? file : `test/attack/${file}`))
const vitest = await startVitest('test', files.length === 0 ? ['test/attack/'] : files, {
  run: true,
  watch: false,
  project: ['engine', 'alone'],
  reporters: ['default', reporter],
})
await vitest.close()

const rows = rowsOf(reporter.ran, filters.length === 0 ? allCases : [])
const host = await hostOf()
mkdirSync('.results', { recursive: true })
writeFileSync('.results/attack.json', `${JSON.stringify(rows, null, 2)}\n`)
const notPublished = publish ? whyNotPublished(rows, filters) : null
if (publish && notPublished === null) {
  mkdirSync('docs', { recursive: true })
  writeFileSync(join('docs', 'attack-report.md'), page(rows, host, new Date().toISOString().slice(0, 10)))
}
const lines = [
  ...table(rows, process.stdout.columns ?? 200),
  '',
  ...Object.entries(host).map(([name, text]) => `${name}: ${text}`),
  sum(rows),
  ...(notPublished === null ? [] : [notPublished]),
]
process.stdout.write(`\n${lines.join('\n')}\n`)
if (notPublished !== null || rows.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1

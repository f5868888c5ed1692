import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { sentencesIn, wordsIn } from '../support/sentences.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8')

/** What the runbook sets off, each on a line. */
const quotes = [...runbook.matchAll(/^> (.+)$/gm)].map(([, text = '']) => text)

/** Files that are about what is wrong with an installation: each of their sentences is an alarm. */
const alarms = new Set([
  'control-plane/attest/key.ts',
  'control-plane/doctor.ts',
  'control-plane/http/socket.ts',
  'control-plane/ready.ts',
  'control-plane/store/database.ts',
  'control-plane/store/failures.ts',
  'control-plane/store/lock.ts',
  'control-plane/store/orphans.ts',
  'src/cli/commands/serve.ts',
  'src/config/data-folder.ts',
  'src/discord/bot.ts',
  'src/domain/same-place.ts',
  'src/sandbox/docker/canary/folders.ts',
  'src/sandbox/docker/canary/judge.ts',
  'src/sandbox/docker/canary/posture.ts',
  'src/sandbox/docker/connect.ts',
  'src/sandbox/docker/failures.ts',
  'src/sandbox/docker/image/find.ts',
])

/** Statements of SQL, and what stands beside an alarm or is none. */
const others =
  /^(?:SELECT|PRAGMA|INSERT|work on all tasks|begin when another process|Working on the tasks|for \S+; do|data, sockets and|the work of all tasks is there|seccomp|cofferdam: nonces|Discord is (?:being )?connected\.|… MiB free in|Discord is connected as …\.|Where|The connection was|The API is at|The dashboard is at|a repository was …|cofferdam: This is a bug|wait for a canary|tell what a canary|make a canary|start a canary|show its image)/

const sources = ['control-plane', 'src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ file: `${folder}/${name}`, said: sentencesIn(join(root, folder, name)) })),
)

/** Every sentence of the program that gives alarm: those of these files, and what any other logs as a warning or an error. */
const given = sources.flatMap(({ file, said }) =>
  said
    .filter(({ text, of }) => (alarms.has(file) && wordsIn(text) >= 4) || isLogged(text, of))
    .filter(({ text }) => !others.test(text))
    .map(({ text }) => ({ file, text })),
)

/** What is printed at a terminal ends with a line. */
function isLogged(text: string, of: string): boolean {
  return ['warn', 'error', 'log'].includes(of) && !text.endsWith('\n')
}

it('every alarm of the program has an entry in docs/runbook.md', () => {
  expect(given.length).toBeGreaterThan(80)
  const missing = given.filter(({ text }) => !quotes.some((quote) => text.includes(quote)))
  expect(missing).toEqual([])
})

it('what docs/runbook.md sets off is said by the program', () => {
  const texts = sources.flatMap(({ said }) => said.map(({ text }) => text))
  expect(quotes.filter((quote) => !texts.some((text) => text.includes(quote)))).toEqual([])
})

it('an entry that is set off twice, or one that holds another, is none', () => {
  expect(quotes.filter((quote, at) => quotes.indexOf(quote) !== at)).toEqual([])
})

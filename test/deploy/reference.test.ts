import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { httpApp } from '../../control-plane/http/app.ts'
import { openMetrics } from '../../control-plane/metrics.ts'
import { openStore } from '../../control-plane/store/open.ts'
import { hostPath } from '../../src/config/places.ts'
import { applies, ScriptedPlane } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'
import { anOwner } from '../support/task.ts'
import { configuration, exits, metrics, news, patterns, routes, tableOf, transitions } from './reference.ts'

/** Every command with its arguments, and every option that is not one of all commands. */
async function commands(machine: ScriptedMachine, path: readonly string[] = []): Promise<string[][]> {
  const { out } = await machine.run([...path, '--help'])
  const [, usage = '', about = ''] = /^Usage: (.+)\n\n([^]*?)\n\n/.exec(out) ?? []
  const [, inner = ''] = /\nCommands:\n([^]*?)(?:\n\n|$)/.exec(out) ?? []
  const names = [...inner.matchAll(/^ {2}([a-z]+(?:-[a-z]+)*)/gm)].map(([, name = '']) => name)
  const own = names.length > 0 ? [] : [[`\`${usage.replace(' [options]', '')}\``, optionsIn(out), about]]
  const below: string[][] = []
  for (const name of names.filter((each) => each !== 'help'))
    below.push(...(await commands(machine, [...path, name])))
  return [...own, ...below]
}

const ofAll = new Set(['--data', '--config', '--server', '--json', '--help'])

function optionsIn(help: string): string {
  const [, text = ''] = /\nOptions:\n([^]*?)(?:\n\n|$)/.exec(help) ?? []
  return [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !ofAll.has(name))
    .map((name) => `\`${name}\``)
    .join(' ')
}

it('docs/reference.md is what the program says of itself', async () => {
  const machine = scriptedMachine(applies)
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-reference-'))
  const plane = new ScriptedPlane(folder, applies)
  const app = httpApp(plane, { caller: () => anOwner, report: () => undefined })
  using store = openStore(hostPath(join(folder, 'metrics.db')))
  using measured = openMetrics({ store, bus: new Bus(), clock: Date.now })
  try {
    const table = tableOf(['command', 'options', 'what it does'], await commands(machine))
    const parts: readonly (readonly [string, string, string])[] = [
      [
        'Commands',
        'All take `--data`, `--config` and `--json`; those that look at tasks or decide about them take `--server` as well. `cofferdam --version` says which version it is.',
        table,
      ],
      ['Exit codes', 'Of every command.', exits()],
      [
        'Configuration',
        'Keys of `cofferdam.yaml`; `NAME` is one of yours. `deploy/cofferdam.example.yaml` has them as a file.',
        configuration(),
      ],
      ['What is kept from boxes', 'Patterns of a policy that says nothing else.', patterns()],
      [
        'Changes of state',
        'Of the rows that fit, the first counts. `cofferdam explain --table` prints them.',
        transitions(),
      ],
      [
        'Routes',
        'Of the HTTP API; `/openapi.json` has their inputs, answers and errors.',
        routes(await (await app.request('/openapi.json')).json()),
      ],
      ['Events', 'That webhooks are told of.', news()],
      ['Metrics', 'Of `/metrics`.', metrics(await measured.text())],
    ]
    const text = [
      '# Reference',
      'Made of the program itself, by `npx vitest run test/deploy/reference.test.ts --update`.',
      ...parts.flatMap(([head, about, body]) => [`## ${head}`, about, body]),
    ].join('\n\n')
    await expect(`${text}\n`).toMatchFileSnapshot('../../docs/reference.md')
  } finally {
    plane[Symbol.dispose]()
    machine.remove()
    rmSync(folder, { recursive: true, force: true })
  }
})

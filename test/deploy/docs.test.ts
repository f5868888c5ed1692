import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { defaultBudget } from '../../src/domain/budget.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { commands } from '../../src/discord/commands/definitions.ts'
import { possibleActs } from '../../src/domain/transition/apply.ts'
import { deliveries, haltReasons } from '../../src/domain/task.ts'
import { installationLabels } from '../../src/sandbox/docker/labels.ts'
import { aRepository, git } from '../support/repository.ts'
import { aTask } from '../support/task.ts'
import { applies } from '../support/scripted-plane.ts'
import { type ScriptedMachine, scriptedMachine } from '../support/scripted-world.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (name: string): string => readFileSync(join(root, name), 'utf8')
const operating = read('docs/operating.md')

/** Pages that are written by hand; the others are made by programs. */
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter(
      (name) =>
        name.endsWith('.md') && !['attack-report.md', 'bench-report.md', 'reference.md'].includes(name),
    )
    .map((name) => `docs/${name}`),
]

/** What people read, and the sources, whose messages name commands as well. */
const texts = [
  ...pages,
  'sandbox-image/README.md',
  ...readdirSync(join(root, 'deploy'), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => `deploy/${name}`),
  ...['src', 'control-plane'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  ),
]

/** The commands that a text quotes: in backticks, on a line of their own, in what a script says or a unit starts. */
function commandsIn(text: string): readonly string[] {
  const quoted = [
    ...text.matchAll(/`cofferdam ((?:--)?[a-z][^`\\\n]*)/g),
    ...text.matchAll(/^ *cofferdam ((?:--)?[a-z][^\n]*)$/gm),
    ...text.matchAll(/\bnote ["'] *cofferdam ([^"\n]*)/g),
    ...text.matchAll(/^ExecStart=\S*\/cofferdam (.*)$/gm),
    ...text.matchAll(/`((?:task|image) [a-z]+\b[^`\n]*)`/g),
  ]
  return quoted.flatMap(([, command = '']) => command.split(/; +cofferdam /))
}

let machine: ScriptedMachine
beforeAll(() => {
  machine = scriptedMachine(applies)
})
afterAll(() => machine.remove())

/** What the program does not know of a command: null where it knows all of it. */
async function unknownIn(command: string): Promise<string | null> {
  const [own = ''] = command.split(/ -- | -h\b/)
  const names =
    own
      .match(/^(?:[a-z]+(?:-[a-z]+)*\b ?){0,2}/)?.[0]
      .split(' ')
      .filter((name) => name !== '') ?? []
  const { out } = await machine.run([...names, '--help'])
  const [, path = '', more = ''] = /^Usage: cofferdam((?: [a-z]+(?:-[a-z]+)*)*) (\[.*)/.exec(out) ?? []
  const known = path.split(' ').filter((name) => name !== '')
  // A word after the name of a command may be the first of its arguments; after that of a group it is a command.
  if (names.length > known.length && more.endsWith('[command]')) return names.join(' ')
  const options = own.match(/(?<=^|[\s[])--[a-z-]+/g) ?? []
  return options.find((option) => !new RegExp(`${option}\\b`).test(out)) ?? null
}

describe('a quoted command', () => {
  it.each([
    ['task egress ID', null],
    ['egress ID', 'egress'],
    ['task grow ID', 'task grow'],
    ['task pull-request ID [--ready]', null],
    ['task pull-requests ID', 'task pull-requests'],
    ['task resume ID [--steps N]', null],
    ['task resume ID [--policy P]', '--policy'],
    ['run --repo . -- npx --write', null],
    ['--help', null],
  ])('"%s": unknown is %j', async (command, unknown) => {
    expect(await unknownIn(command)).toBe(unknown)
  })

  it('is one of the program', async () => {
    const found = texts.flatMap((name) => commandsIn(read(name)).map((command) => ({ name, command })))
    expect(found.length).toBeGreaterThan(60)
    const wrong: string[] = []
    for (const { name, command } of found) {
      const unknown = await unknownIn(command)
      if (unknown !== null) wrong.push(`${name}: cofferdam ${command} (${unknown})`)
    }
    expect(wrong).toEqual([])
  })
})

describe.each(pages)('what %s names of the tree', (name) => {
  it('is there', () => {
    const paths = [...read(name).matchAll(/`((?:control-plane|deploy|sandbox-image|src|test)\/[^`\s]*)`/g)]
      .map(([, path = '']) => path)
      .concat(
        [...read(name).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) =>
          join(dirname(name), path),
        ),
      )
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

/** As GitHub names it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')

it('a link to a heading leads to one', () => {
  const names = [...pages, 'docs/reference.md']
  const links = names.flatMap((name) =>
    [...read(name).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].map(
      ([, file = '', heading = '']) => `${file === '' ? name : join(dirname(name), file)}#${heading}`,
    ),
  )
  const headings = new Set(
    names.flatMap((name) =>
      [...read(name).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => `${name}#${anchorOf(text)}`),
    ),
  )
  expect(links.length).toBeGreaterThan(20)
  expect(links.filter((link) => !headings.has(link))).toEqual([])
})

it('every page is linked from the README', () => {
  const linked = new Set([...read('README.md').matchAll(/\]\((docs\/[^)#]+)/g)].map(([, path]) => path))
  expect(pages.filter((page) => page !== 'README.md' && !linked.has(page))).toEqual([])
})

describe('docs/operating.md', () => {
  it('leads to each of its parts at its top', () => {
    const [top = '', ...parts] = operating.split(/^## /m)
    const links = new Set([...top.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor))
    expect(
      parts.map((part) => anchorOf(part.split('\n')[0] ?? '')).filter((part) => !links.has(part)),
    ).toEqual([])
  })

  it('says of review and delivery only what each surface has, and leaves out no act on applied work', () => {
    const [, part = ''] = operating.split('### What can be done where\n')
    const [table = ''] = part.split('\n### ')
    const columns = table
      .split('\n')
      .flatMap((row) => (row.startsWith('|') ? [row.split('|').map((cell) => cell.trim())] : []))
    expect(columns.filter((cells) => cells.length !== columns[0]?.length)).toEqual([])
    const named = (at: number, pattern: RegExp): readonly string[] => [
      ...new Set(
        columns.flatMap((cells) => [...(cells[at] ?? '').matchAll(pattern)].map(([, name = '']) => name)),
      ),
    ]
    const routes = read('docs/reference.md')
    const gone = named(3, /`((?:GET|POST|DELETE) \/[a-z-]+(?:\/N)?)`/g).filter((route) => {
      const [method, path] = route.replace('/N', '/{review}').split(' ')
      return !routes.includes(`| ${method} | \`/v1/tasks/{id}${path}\` |`)
    })
    expect(gone).toEqual([])
    const ofBot: ReadonlySet<string> = new Set(commands.map(({ name }) => name))
    expect(named(5, /`\/(\w+)`/g).filter((name) => !ofBot.has(name))).toEqual([])
    const acts = (['none', 'merged', 'pr_open'] as const).flatMap((delivery) =>
      possibleActs(aTask({ status: 'APPLIED', delivery })),
    )
    for (const act of new Set(acts)) {
      expect(named(2, /`task ([a-z-]+) ID/g)).toContain(act)
      expect(named(3, /`POST \/([a-z-]+)/g)).toContain(act)
      expect(named(5, /`\/task_(\w+)`/g)).toContain(act.replaceAll('-', '_'))
    }
  })

  it('explains every reason of a halt once', () => {
    const [, table = ''] = /^\| halt .*\n((?:\|.*\n)+)/m.exec(operating) ?? []
    const explained = [...table.matchAll(/^\| `([a-z_]+)` +\|/gm)].map(([, reason]) => reason)
    expect(explained).toHaveLength(haltReasons.length)
    expect(new Set(explained)).toEqual(new Set(haltReasons))
  })

  it('has the defaults that there are', () => {
    const row = (what: string): string =>
      operating.split('\n').find((line) => line.startsWith(`| ${what} `)) ?? 'no such row'
    const { limits } = defaultPolicy
    const { concurrency } = loadConfig({}, { ...thisProcess(), env: {}, home: '/nobody' })
    const numbers: readonly (readonly [string, readonly number[]])[] = [
      ['steps of a task', [defaultBudget.steps]],
      ['minutes of its boxes', [defaultBudget.seconds / 60]],
      ['a box', [limits.memoryMb, limits.cpus, limits.pids]],
      ['a worktree', [limits.worktreeMb, limits.worktreeFiles]],
      ['a test, a setup', [limits.testSeconds, limits.setupSeconds]],
      ['the disk', [limits.diskFreeMb]],
      ['tasks at once', [concurrency]],
    ]
    for (const [what, expected] of numbers)
      expect([what, row(what).match(/\d+/g)?.map(Number)]).toEqual([what, expected])
  })
})

it('the page on concepts explains each word of a delivery once', () => {
  const [, part = ''] = read('docs/concepts.md').split('## What becomes of the work')
  const [table = ''] = part.split('\n## ')
  const explained = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, word]) => word)
  expect(explained).toHaveLength(deliveries.length)
  expect(new Set(explained)).toEqual(new Set(deliveries))
})

it('docs/deployment.md goes to a newer commit, back, and forward again with git as it is in a clone', () => {
  const [, upgrade = '', back = ''] = read('docs/deployment.md').split(
    /^## Another version$|^### Back to .*$|^## Taking it away$/m,
  )
  /** What of the commands of a part is git's, on this machine and for a container. */
  const ways = (part: string): readonly string[] =>
    [...part.matchAll(/^```sh\n([^]*?)^```$/gm)]
      .map(([, block = '']) =>
        [...block.matchAll(/^git (?:switch|pull)\b.*?(?= && (?:QUICKSTART|docker)|$)/gm)].join('\n'),
      )
      .filter((way) => way !== '')
  const origin = aRepository()
  const old = git(origin, 'rev-parse', 'HEAD').trim()
  const clone = join(machine.folder, 'clone')
  git(origin, 'clone', '-q', origin, clone)
  const obeys = (script: string, commit: string): void => {
    const lines = script.replaceAll('COMMIT', commit)
    execFileSync('bash', ['-ec', lines], { cwd: clone, stdio: 'ignore' })
  }
  expect([ways(upgrade).length, ways(back).length]).toEqual([2, 2])
  for (const [at, way] of ways(upgrade).entries()) {
    git(origin, 'commit', '-q', '--allow-empty', '-m', 'Go on')
    const newest = git(origin, 'rev-parse', 'HEAD')
    obeys(way, '')
    expect(git(clone, 'rev-parse', 'HEAD')).toBe(newest)
    obeys(ways(back)[at] ?? '', old)
    expect(git(clone, 'rev-parse', 'HEAD').trim()).toBe(old)
  }
})

/** The units that are installed, each with the name that it has then. */
const units = readdirSync(join(root, 'deploy')).filter((name) => /\.(?:service|timer)$/.test(name))

it('docs/deployment.md takes away every unit, and every box before the images', () => {
  const [, away = ''] = read('docs/deployment.md').split('## Taking it away\n')
  const [boxes, images] = [away.indexOf('docker rm '), away.indexOf('docker image rm ')]
  expect(away.slice(boxes, images)).toContain(`label=${Object.keys(installationLabels('any'))[0] ?? ''})`)
  expect(units.length).toBeGreaterThan(3)
  for (const unit of units) {
    const folder = unit.includes('-user') ? '~/.config/systemd/user' : '/etc/systemd/system'
    const path = `${folder}/${unit.replace('-user', '')}`
    expect(away.replace(/(\S+)\{(\w+),(\w+)\}/g, '$1$2 $1$3')).toContain(path)
  }
})

it('docs/deployment.md brings the units of another version before the service starts, in both directions', () => {
  const page = read('docs/deployment.md')
  const starts = page.match(/^.*\n(?=systemctl start cofferdam$)/gm) ?? []
  const [, own = ''] = /^# {3}(cp \S+ \S+)/m.exec(read('deploy/cofferdam.service')) ?? []
  expect(starts).toEqual([`${own} && systemctl daemon-reload\n`, `${own} && systemctl daemon-reload\n`])
  const [, upgrade = ''] = page.split('## Another version\n')
  expect(units.filter((unit) => !upgrade.split('### Back to')[0]?.includes(`deploy/${unit}`))).toEqual([])
})

it.each(['README.md', 'docs/operating.md'])('%s says what a token is where nothing is said', async (page) => {
  const { out } = await machine.run(['token', 'create', '--help'])
  const [role, expires] = [...out.matchAll(/\(default: "(\w+)"\)/g)].map(([, value = '']) => value)
  const said = read(page).replaceAll(/\s+/g, ' ')
  expect(said).toContain(
    `good for ${expires?.replace(/d$/, ' days') ?? ''} unless \`--expires\` says otherwise, and an ${role ?? ''}'s unless \`--role\` does`,
  )
})

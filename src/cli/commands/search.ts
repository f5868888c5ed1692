import { existsSync, realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { parseQuery } from '../../domain/search/query.ts'
import { searchLimits, type SearchRequest } from '../../domain/search/search.ts'
import { withControlPlane } from '../connection.ts'
import { searchLines } from '../render/search.ts'
import { firstLine } from '../render/text.ts'
import { timeOf } from '../since.ts'
import {
  common,
  type CommonOptions,
  limitOf,
  print,
  printJson,
  type Shell,
  statusesOf,
  targetOf,
} from './common.ts'

interface SearchOptions extends CommonOptions {
  readonly repo?: string
  readonly status?: string
  readonly since?: string
  readonly until?: string
  readonly limit: string
}

export function searchCommand(program: Command, shell: Shell): void {
  common(
    program
      .command('search <words...>')
      .description(
        'tasks by what you remember: goal, instructions, events, what agents said, test output, paths, commits',
      ),
  )
    .option('--repo <path>', 'only of this repository')
    .option('--status <list>', 'only those, such as BLOCKED,FAILED')
    .option('--since <time>', 'made since then: 12h, 3d, 2w, or 2026-01-31')
    .option('--until <time>', 'made before then')
    .option('--limit <n>', 'show this many at most', String(searchLimits.usual))
    .action(async (words: readonly string[], options: SearchOptions) => {
      const { world } = shell
      const request = requestOf(words, options, shell)
      const answer = await withControlPlane(targetOf(shell, options, 'search'), (client) =>
        client.search(request),
      )
      if (options.json === true) printJson(world, answer)
      else if (answer.hits.length > 0) print(world, searchLines(answer, world.now(), world.terminal))
      else print(world, [nothing(request.text, options, answer.behind)])
      shell.end('done')
    })
}

function requestOf(words: readonly string[], options: SearchOptions, { world }: Shell): SearchRequest {
  const { repo, since, until } = options
  const now = world.now()
  return {
    // Words that the shell has kept together stand side by side.
    text: words.length === 1 ? (words[0] ?? '') : words.map(together).join(' '),
    limit: limitOf(options.limit, searchLimits.most),
    ...statusesOf(options.status),
    ...(repo === undefined ? {} : { repository: realPath(resolve(world.around.cwd, repo)) }),
    ...(since === undefined ? {} : { since: timeOf(since, now) }),
    ...(until === undefined ? {} : { until: timeOf(until, now, '--until') }),
  }
}

function together(word: string): string {
  return /\s/.test(word) && !word.includes('"') ? `"${word}"` : word
}

/** Tasks have the real path of their repository, which may be gone by now. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path
}

function nothing(text: string, { repo, status, since, until }: SearchOptions, behind: number): string {
  if (parseQuery(text).length === 0) return 'There is no word to look for: give letters or digits.'
  const filtered = [repo, status, since, until].some((option) => option !== undefined)
  const where = filtered ? 'No task that is meant by the options' : 'No task'
  const more = behind > 0 ? ` ${behind} are not in the search index yet: try again in a minute.` : ''
  return `${where} has all of: ${firstLine(text, 200)}${more}`
}

import type { Command } from 'commander'
import { parseQuery } from '../../domain/search/query.ts'
import { searchLimits, type SearchRequest } from '../../domain/search/search.ts'
import { withControlPlane } from '../connection.ts'
import { searchLines } from '../render/search.ts'
import { firstLine } from '../render/text.ts'
import { common, type CommonOptions, print, printJson, type Shell, targetOf } from './common.ts'
import { isFiltered, limitOf, type TaskFilterOptions, taskFilterOf, taskFilters } from './filters.ts'

interface SearchOptions extends CommonOptions, TaskFilterOptions {
  readonly limit: string
}

export function searchCommand(program: Command, shell: Shell): void {
  const search = program
    .command('search <words...>')
    .description(
      'tasks and questions by what you remember: goal, instructions, events, what agents said or answered, test output, paths, commits',
    )
  taskFilters(common(search))
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
  return {
    // Words that the shell has kept together stand side by side.
    text: words.length === 1 ? (words[0] ?? '') : words.map(together).join(' '),
    limit: limitOf(options.limit, searchLimits.most),
    ...taskFilterOf(options, world),
  }
}

function together(word: string): string {
  return /\s/.test(word) && !word.includes('"') ? `"${word}"` : word
}

function nothing(text: string, options: SearchOptions, behind: number): string {
  if (parseQuery(text).length === 0) return 'There is no word to look for: give letters or digits.'
  const where = isFiltered(options) ? 'No task that is meant by the options' : 'No task'
  const more = behind > 0 ? ` ${behind} are not in the search index yet: try again in a minute.` : ''
  return `${where} has all of: ${firstLine(text, 200)}${more}`
}

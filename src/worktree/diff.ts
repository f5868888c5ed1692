import type { CommitId, TreeId } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { mirrorOf } from './layout.ts'
import { refuseLost } from './lost.ts'
import type { Site } from './site.ts'

const mostBytes = 8 * 1024 * 1024

/** A diff for people; what is over the cap is cut at a line, with a mark. */
export async function diffText(
  site: Site,
  task: TaskPlace,
  from: CommitId,
  to: CommitId | TreeId,
): Promise<string> {
  const place = { gitDir: mirrorOf(site.data, task.repository.key) }
  const args = ['diff-tree', '-p', '--no-color', '--no-textconv', '--no-ext-diff', '--find-renames', from, to]
  const answer = await site.git.ask(place, args, { mostBytes, cut: true })
  if (answer.code !== 0) {
    await refuseLost(site, task, to)
    await site.git.run(place, args)
  }
  const text = answer.out.toString('utf8')
  if (!answer.cut) return text
  return `${text.slice(0, text.lastIndexOf('\n') + 1)}[cut: the diff is longer than 8 MiB]\n`
}

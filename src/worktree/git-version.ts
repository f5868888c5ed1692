import { Failure } from '../domain/failure.ts'
import { openGit, usualPath } from './git.ts'

/** The oldest that merges without a checkout (`merge-tree --write-tree`), and takes no bare repository that lies in a worktree. */
const oldest = [2, 38] as const

/** Which git is here, in words. Rejects with `Failure('worktree')` where there is none, or one that is too old to merge with. */
export async function gitHere(searchPath: string = usualPath): Promise<string> {
  const git = openGit({ searchPath, author: { name: 'nobody', email: 'nobody@localhost' } })
  const said = (await git.line(null, ['--version'])).replace(/^git version /, 'git ')
  const [, major = 0, minor = 0] = (/^git (\d+)\.(\d+)/.exec(said) ?? []).map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return said
  throw new Failure(
    'worktree',
    `${said} is too old, nothing can be merged with it: install git ${oldest.join('.')} or newer.`,
  )
}

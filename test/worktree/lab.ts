import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { BoxPath, CommitId, HostPath } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import type { Policy } from '../../src/domain/policy.ts'
import type { CandidateResult, TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import { openWorktrees } from '../../src/worktree/open.ts'
import type { WorktreesOptions } from '../../src/worktree/site.ts'
import { remembered } from '../support/remembered.ts'
import { fromTemplate, headOf, removeAll, withoutUpkeep } from '../support/template.ts'

/** A scratch folder with a data folder in it; removed at the end of the test. */
export interface Lab extends Disposable {
  readonly folder: string
  readonly data: HostPath
  readonly worktrees: Worktrees
  /** The same data folder as another process would see it: nothing is known but what is on disk. */
  reopened(more?: Partial<WorktreesOptions>): Worktrees
}

export const author = { name: 'Cofferdam', email: 'cofferdam@localhost' }

/** The ids of worktrees and boxes: another user's where the tests run as root, as on a server. */
const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
export const user = self.uid === 0 ? { uid: 10_001, gid: 10_001 } : self

export function openLab(more: Partial<WorktreesOptions> = {}): Lab {
  const folder = freeFolder()
  const data = join(folder, 'data') as HostPath
  mkdirSync(data, { mode: 0o700 })
  const reopened = (again: Partial<WorktreesOptions> = {}): Worktrees =>
    openWorktrees({
      data,
      user,
      author,
      pointerTarget: '/cofferdam/git' as BoxPath,
      policyMatcher: compilePolicy,
      ...more,
      ...again,
    })
  return {
    folder,
    data,
    worktrees: reopened(),
    reopened,
    [Symbol.dispose]: () => removeAll(folder),
  }
}

let above: string | null = null

/** Where no lab is now, though one was: what is remembered of a folder holds for the same path alone. */
function freeFolder(): string {
  if (above === null) {
    const made = mkdtempSync(join(tmpdir(), 'cofferdam-worktree-'))
    process.once('exit', () => removeAll(made))
    above = made
  }
  for (let count = 0; ; count += 1) {
    const folder = join(above, String(count))
    if (existsSync(folder)) continue
    mkdirSync(folder)
    // Others must reach repositories in it: some tests run git as another user.
    for (const each of [above, folder]) chmodSync(each, 0o755)
    return folder
  }
}

export type Files = Readonly<Record<string, string>>

export function write(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
}

/** Plain git, as a user would call it, without any configuration but its own. */
export function git(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1e8,
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'U',
      GIT_AUTHOR_EMAIL: 'u@example.org',
      GIT_COMMITTER_NAME: 'U',
      GIT_COMMITTER_EMAIL: 'u@example.org',
    },
  }).trim()
}

/** A repository with one commit of these files on `main`. */
export function repository(lab: Lab, files: Files, name = 'repo'): string {
  const folder = join(lab.folder, name)
  fromTemplate(`lab ${JSON.stringify(files)}`, folder, (template) => {
    git(template, 'init', '-q', '-b', 'main')
    commit(template, files)
  })
  // That of a template is its owner's alone.
  chmodSync(folder, 0o755)
  return folder
}

export function commit(folder: string, files: Files): CommitId {
  write(folder, files)
  git(folder, 'add', '-A', '-f')
  git(folder, ...withoutUpkeep, 'commit', '-q', '--allow-empty', '-m', 'work')
  return headOf(folder) as CommitId
}

export const id = (letter: string): TaskId => letter.repeat(10) as TaskId

/** What intake would make of a repository. */
export async function taskOn(
  worktrees: Worktrees,
  repo: string,
  policy: Partial<Policy> = {},
  letter = 'a',
): Promise<TaskPlace> {
  const info = await worktrees.inspect(repo, null)
  return {
    id: id(letter),
    repository: { path: info.path, key: info.key },
    base: { ref: info.ref, commit: info.commit },
    branch: await worktrees.branchFor(repo, id(letter)),
    policy: { ...defaultPolicy, ...policy },
  }
}

/** The worktree, as an agent's box gets it. */
export function boxOf(worktrees: Worktrees, task: TaskPlace): Promise<string> {
  return worktrees.materials(task).locate({ kind: 'worktree', path: '' })
}

export function made(result: CandidateResult): Extract<CandidateResult, { kind: 'made' }> {
  if (result.kind === 'made') return result
  throw new Error(`refused: ${JSON.stringify(result.violations)}`)
}

/** Every file and symlink under a folder with its mode and content, the root's `.git` apart. */
export function snapshot(folder: string, at = ''): Record<string, string> {
  const all: Record<string, string> = {}
  for (const name of readdirSync(join(folder, at)).sort()) {
    const path = at === '' ? name : `${at}/${name}`
    if (path === '.git') continue
    const stats = lstatSync(join(folder, path))
    if (stats.isDirectory()) Object.assign(all, { [`${path}/`]: '' }, snapshot(folder, path))
    else if (stats.isSymbolicLink()) all[path] = 'symlink'
    else all[path] = `${(stats.mode & 0o111) === 0 ? '' : 'x '}${readFileSync(join(folder, path), 'utf8')}`
  }
  return all
}

/** A task whose work is these files, handed over to the source. */
export function appliedIn(
  { folder, worktrees }: Lab,
  repo: string,
  work: Files,
  letter = 'a',
): Promise<{ readonly task: TaskPlace; readonly head: CommitId }> {
  const make = async () => {
    const { task, head } = await madeIn(worktrees, repo, work, letter)
    await worktrees.handover(task, head)
    return { task, head }
  }
  // What is large is not copied to be remembered.
  if (Object.values(work).some(({ length }) => length > 1024 * 1024)) return make()
  return remembered(JSON.stringify(['applied', repo, work, letter]), folder, make)
}

/** The same, not handed over yet. */
export function keptIn(
  { folder, worktrees }: Lab,
  repo: string,
  work: Files,
): Promise<{ readonly task: TaskPlace; readonly head: CommitId }> {
  return remembered(JSON.stringify(['kept', repo, work]), folder, () => madeIn(worktrees, repo, work))
}

async function madeIn(
  worktrees: Worktrees,
  repo: string,
  work: Files,
  letter = 'a',
): Promise<{ readonly task: TaskPlace; readonly head: CommitId }> {
  const task = await taskOn(worktrees, repo, {}, letter)
  await worktrees.open(task)
  write(await boxOf(worktrees, task), work)
  const { commit: head } = made(await worktrees.candidate(task, task.base.commit, 'step 1\n'))
  await worktrees.checkpoint(task, head)
  return { task, head }
}

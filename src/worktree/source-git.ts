import { simpleGit, type SimpleGit } from 'simple-git'
import type { CommitId } from '../domain/brand.ts'
import { Failure, messageOf } from '../domain/failure.ts'
import { quotedInline } from '../domain/shell.ts'
import type { GitSettings } from './git.ts'
import { hardenedEnv } from './hardening.ts'
import { tracking } from './remote/listing.ts'
import { sourcePlace, type Source } from './source.ts'

/**
 * Short questions to a user's repository, under its owner's ids. The library refuses settings that could make git run
 * something; ours are the same settings with values that forbid it, so they are let through by name.
 */
export function askSource(settings: GitSettings, source: Source): SimpleGit {
  const place = sourcePlace(source)
  const env = {
    ...hardenedEnv(settings.searchPath, settings.author),
    GIT_DIR: place.gitDir,
    ...(place.workTree === undefined ? {} : { GIT_WORK_TREE: place.workTree }),
  }
  return simpleGit({
    baseDir: '/',
    timeout: { block: 60_000 },
    allowEnvironment: Object.keys(env),
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigEnvCount: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeEditor: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeGpgProgram: true,
      allowUnsafeHooksPath: true,
      allowUnsafePager: true,
      allowUnsafeProtocolOverride: true,
      allowUnsafeSshCommand: true,
    },
    ...(source.owner === null ? {} : { spawnOptions: source.owner }),
  }).env(env)
}

/** The commit that a ref names, and the name a person knows it by: the branch for `HEAD`. */
export async function resolveRef(
  git: SimpleGit,
  source: Source,
  asked: string | null,
): Promise<{ ref: string; commit: CommitId }> {
  const ref = asked ?? 'HEAD'
  // Git accepts no such name; a leading dash would be an option.
  if (ref === '' || ref.startsWith('-') || /[\0-\x20\x7f]/.test(ref))
    throw new Failure('repository', `${JSON.stringify(ref)} is no name of a branch, tag or commit.`)
  for (const name of namesOf(source, ref)) {
    const found = await commitOf(git, source, name)
    if (found !== null) return { ...found, ref: name === ref ? found.ref : ref }
  }
  throw await noCommit(git, source, ref)
}

/** A branch of the remote goes before what is in its mirror beside it, but nobody may give one the name of a commit. */
function namesOf({ remote }: Source, ref: string): readonly string[] {
  return remote === true && !/^[0-9a-f]{40,64}$/i.test(ref) ? [`${tracking}${ref}`, ref] : [ref]
}

async function commitOf(
  git: SimpleGit,
  source: Source,
  ref: string,
): Promise<{ ref: string; commit: CommitId } | null> {
  // Both in one process. Of one name that it is given alone, git says better what is wrong with it.
  const args =
    ref === 'HEAD'
      ? ['HEAD^{commit}', '--abbrev-ref', 'HEAD']
      : ['--verify', '--end-of-options', `${ref}^{commit}`]
  try {
    const [commit = '', name = ref] = (await git.revparse(args)).split('\n')
    return { ref: name, commit: commit as CommitId }
  } catch (error) {
    if (/Needed a single revision|unknown revision/.test(messageOf(error))) return null
    throw new Failure('repository', `${source.top} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

async function noCommit(git: SimpleGit, source: Source, ref: string): Promise<Failure> {
  if (source.remote === true)
    return new Failure(
      'repository',
      `${source.top} has no branch, tag or commit ${JSON.stringify(ref)}, as it was fetched just now: name another.`,
    )
  const any = await git.raw(['for-each-ref', '--count=1']).catch(() => '')
  return new Failure(
    'repository',
    any === '' && ref === 'HEAD'
      ? `${source.top} has no commit yet: commit something there first.`
      : `${source.top} has no branch, tag or commit ${JSON.stringify(ref)}: \`git -C ${quotedInline(source.top)} branch --all\` lists what there is.`,
  )
}

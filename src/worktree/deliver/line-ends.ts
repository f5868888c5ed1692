import { writeFile } from 'node:fs/promises'
import type { CommitId, HostPath } from '../../domain/brand.ts'
import { fewOf } from '../../domain/text.ts'
import { readBlobs } from '../blobs.ts'
import { dress } from '../dress.ts'
import { readText } from '../files.ts'
import { at } from '../layout.ts'
import { nulled, parts, type RawPath, textOf } from '../raw.ts'
import type { Site } from '../site.ts'
import { freshTrash, removeMeanwhile } from '../throw-away.ts'
import { differencesOf } from './differences.ts'
import { Refused, type Target } from './target.ts'

/** More than this is not looked at, bytes. */
const mostBytes = 256 * 1024 * 1024

/**
 * Refuses work with CRLF in files of which the repository says that git stores LF. It is stored as it is, so that git
 * would take these files for changed in any checkout, and no later merge could move that.
 * @param mirror holds both commits
 * @param folder the checkout that is to follow
 */
export async function refuseLineEnds(
  site: Site,
  mirror: HostPath,
  target: Target,
  folder: HostPath,
  to: CommitId,
): Promise<void> {
  const { source, branch } = target
  const crlf = await withCrlf(site, mirror, target.tip, to)
  if (crlf.length === 0) return
  const wrong = await storedWithLf(site, mirror, target, to, crlf)
  if (wrong.length === 0) return
  throw new Refused(
    `The branch ${branch} of ${source.top} is checked out in ${folder}, and the work has CRLF in files whose attributes say text (${fewOf(wrong.map(textOf))}), which git would show there as changed for good: ` +
      'have their lines end with LF in the work, or check out another branch there, then try again.',
  )
}

/** The files that are new or other in the second commit, and have CRLF there. */
async function withCrlf(
  site: Site,
  mirror: HostPath,
  from: CommitId,
  to: CommitId,
): Promise<readonly RawPath[]> {
  const place = { gitDir: mirror }
  const written = (await differencesOf(site, place, from, to)).flatMap(({ path, mode, after }) =>
    after !== null && mode.startsWith('100') ? [{ path, after }] : [],
  )
  const ids = written.map(({ after }) => after)
  const blobs = await readBlobs(site.git, place, ids, { mostBytes, cut: true })
  return written.filter(({ after }) => blobs.get(after)?.includes('\r\n')).map(({ path }) => path)
}

/** Those of which git stores LF alone, by the attributes that the commit has, and that its repository has beside them. */
async function storedWithLf(
  site: Site,
  mirror: HostPath,
  { source }: Target,
  commit: CommitId,
  paths: readonly RawPath[],
): Promise<readonly RawPath[]> {
  // The mirror itself has attributes that go before all others.
  const scratch = freshTrash(site.data)
  try {
    await dress(scratch, commit.length === 40 ? 'sha1' : 'sha256')
    await writeFile(at(scratch, 'info/attributes'), readText(at(source.commonDir, 'info/attributes')) ?? '')
    const place = { gitDir: scratch, index: at(scratch, 'index') }
    const env = { GIT_OBJECT_DIRECTORY: at(mirror, 'objects') }
    await site.git.run(place, ['read-tree', commit], { env })
    const args = ['check-attr', '--cached', '-z', '--stdin', 'text', 'crlf', 'eol']
    // Path, attribute and value, one after the other, for each of them.
    const words = parts(await site.git.run(place, args, { env, input: nulled(paths) }))
    return paths.filter((_, index) => {
      const [text, crlf, eol] = [2, 5, 8].map((which) => words[9 * index + which])
      return isText(text, crlf, eol)
    })
  } finally {
    removeMeanwhile(scratch)
  }
}

/** With `auto` git leaves a file alone that is stored with CRLF. `crlf` is the old name of `text`. */
function isText(text = '', crlf = '', eol = ''): boolean {
  const said = [text, crlf].find((value) => ['set', 'unset', 'input', 'auto'].includes(value))
  return said === undefined ? eol === 'lf' || eol === 'crlf' : said === 'set' || said === 'input'
}

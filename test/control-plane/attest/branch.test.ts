import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { perform } from '../../../control-plane/gate/act.ts'
import { git } from '../../support/repository.ts'
import { aPerson } from '../../support/task.ts'
import { type WholeTask, wholeTask } from './whole-task.ts'

let whole: WholeTask
beforeAll(async () => {
  whole = await wholeTask()
}, 60_000)
afterAll(async () => whole[Symbol.asyncDispose]())

type Change = (gitDir: string, ref: string) => void

/** What is found at each place after something happened to it there; then it is as it was. */
async function found(change: Change, places = whole.places): Promise<readonly (readonly string[])[]> {
  const ref = `refs/heads/${whole.task.branch}`
  const all: (readonly string[])[] = []
  for (const place of places) {
    const tip = git(place, 'rev-parse', ref).trim()
    change(place, ref)
    try {
      const { findings } = await whole.check({ fresh: true })
      all.push(findings.map(({ where, text }) => `${where}: ${text}`))
    } finally {
      git(place, 'update-ref', ref, tip)
      for (const name of git(place, 'for-each-ref', '--format=%(refname)', 'refs/replace')
        .split('\n')
        .filter(Boolean))
        git(place, 'update-ref', '-d', name)
      for (const file of ['info/grafts', 'shallow']) rmSync(join(place, file), { force: true })
    }
  }
  return all
}

const inBoth = (text: RegExp): readonly unknown[] => [
  [expect.stringMatching(new RegExp(`^branch in ${whole.repo}: ${text.source}`))],
  [expect.stringMatching(new RegExp(`^branch: ${text.source}`))],
]

/** A commit whose bytes are those of another one, changed. */
function rewritten(gitDir: string, of: string, change: (body: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-commit-'))
  try {
    writeFileSync(join(folder, 'commit'), change(git(gitDir, 'cat-file', 'commit', of)))
    return git(gitDir, 'hash-object', '-t', 'commit', '-w', join(folder, 'commit')).trim()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('a branch', () => {
  it.each([1, 2, 4])('that was moved back by %i is found', async (count) => {
    expect(await found((place, ref) => git(place, 'update-ref', ref, `${ref}~${count}`))).toEqual(
      inBoth(/It was moved back to [0-9a-f]{12}: the commit of step \d, attempt \d is not on it\.$/),
    )
  })

  it.each<[string, (body: string, place: string) => string]>([
    ['another message', (body) => body.replace('\n\n', '\n\nBetter: ')],
    ['another author', (body) => body.replace(/^author [^<]*/m, 'author Nobody ')],
    ['another time', (body) => body.replace(/^committer (.*>) \d+/m, 'committer $1 1')],
    ['another attestation', (body) => body.replace(/[0-9a-f]{64}/, 'f'.repeat(64))],
    ['no attestation', (body) => body.replace(/\n.*[0-9a-f]{64}.*\n$/, '\n')],
    ['an attestation twice', (body) => body.replace(/(\n.*[0-9a-f]{64}.*)\n$/, '$1$1\n')],
    [
      'another tree',
      (body, place) =>
        body.replace(
          /^tree .*/,
          `tree ${git(place, 'rev-parse', `${whole.task.base.commit}^{tree}`).trim()}`,
        ),
    ],
    ['another parent', (body) => body.replace(/^parent .*/m, `parent ${whole.task.base.commit}`)],
    ['two parents', (body) => body.replace(/^author/m, `parent ${whole.task.base.commit}\nauthor`)],
    ['one more header', (body) => body.replace('\n\n', '\nnote x\n\n')],
  ])('whose last commit has %s is found', async (_, change) => {
    const forged: Change = (place, ref) =>
      git(
        place,
        'update-ref',
        ref,
        rewritten(place, ref, (body) => change(body, place)),
      )
    const [mirror] = await found(forged, whole.places.slice(1))
    expect(mirror).toEqual([expect.stringMatching(/^branch: Its commit [0-9a-f]{12} is not that of step \d/)])
  })

  it('with a changed commit in its middle, and those on top made anew, is found', async () => {
    const change: Change = (place, ref) => {
      let parent = rewritten(place, `${ref}~2`, (body) => body.replace('\n\n', '\n\nBetter: '))
      for (const on of [`${ref}~1`, ref])
        parent = rewritten(place, on, (body) => body.replace(/^parent .*/m, `parent ${parent}`))
      git(place, 'update-ref', ref, parent)
    }
    expect(await found(change)).toEqual(inBoth(/Its commit [0-9a-f]{12} is not that of step 4, attempt 1/))
  })

  it('whose objects are replaced for those who look is found', async () => {
    const commit: Change = (place, ref) =>
      git(
        place,
        'replace',
        ref,
        rewritten(place, ref, (body) => `${body}more\n`),
      )
    const blob: Change = (place, ref) => git(place, 'replace', '-f', `${ref}:done.txt`, `${ref}:one.txt`)
    for (const change of [commit, blob])
      expect(await found(change)).toEqual(inBoth(/.* what it consists of is missing, damaged or replaced\.$/))
  })

  it.each<[string, (place: string, tip: string) => void]>([
    [
      'grafted',
      (place, tip) => writeFileSync(join(place, 'info/grafts'), `${tip} ${whole.task.base.commit}`),
    ],
    ['cut off', (place, tip) => writeFileSync(join(place, 'shallow'), `${tip}\n`)],
  ])('whose history is %s for those who look is found', async (_, change) => {
    const all = await found((place, ref) => change(place, git(place, 'rev-parse', ref).trim()))
    for (const each of all) expect(each).not.toEqual([])
  })

  it('that has more on top is found in the mirror, and is a note in the repository, where people work', async () => {
    const [source, mirror] = await found((place, ref) => {
      const tree = git(place, 'rev-parse', `${ref}^{tree}`).trim()
      git(place, 'update-ref', ref, git(place, 'commit-tree', '-p', ref, '-m', 'More', tree).trim())
    })
    expect(source).toEqual([])
    expect(mirror).toEqual([expect.stringContaining('It has 1 commit after the last attested one')])
  })

  it('that is gone is found in the mirror, and is a note in the repository, where people merge', async () => {
    const [source, mirror] = await found((place, ref) => git(place, 'update-ref', '-d', ref))
    expect(source).toEqual([])
    expect(mirror).toEqual([expect.stringMatching(/^branch: It is gone, and with it the commit of step 2/)])
  })
})

it('is as it was after all that', async () => {
  expect(await whole.check({ fresh: true })).toMatchObject({ findings: [], notes: [] })
})

it('a discarded task holds, and says that its branch is gone', async () => {
  perform(whole.lab.deps, whole.task.id, { act: 'discard' }, { actor: aPerson, shown: null })
  await whole.lab.worktrees.discard(whole.task)
  expect(await whole.check({ fresh: true })).toMatchObject({
    holds: true,
    attestations: 11,
    notes: [expect.stringContaining('discarded')],
  })
})

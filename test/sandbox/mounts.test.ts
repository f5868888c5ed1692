import { assert, array, constantFrom, property, record, uniqueArray, type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agentHome } from '../../src/domain/agent.ts'
import type { BoxMount } from '../../src/domain/box.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import type { Policy } from '../../src/domain/policy.ts'
import { isOpenFolder, type Listing } from '../../src/domain/listing.ts'
import { mountPlan } from '../../src/sandbox/mounts.ts'
import { fromWork } from '../../src/sandbox/places.ts'
import { aRequest, emptyListing } from '../support/box.ts'
import { aPolicy } from '../support/task.ts'

function plan(policy: Policy, listing: Listing, setupFolders: readonly string[] = []): readonly BoxMount[] {
  return mountPlan(aRequest({ policy, listing, setupFolders }))
}

/** The paths of the worktree that a plan covers, in order. */
function covered(mounts: readonly BoxMount[]): string[] {
  return mounts.filter(({ source, readonly }) => readonly && isCover(source.kind)).map(pathOf)
}
function pins(mounts: readonly BoxMount[]): string[] {
  return mounts.filter(({ why }) => why === 'pin').map(pathOf)
}
function pathOf({ target }: BoxMount): string {
  return fromWork(target) ?? target
}
function isIsland({ why }: BoxMount): boolean {
  return why.startsWith('allow')
}
function isCover(kind: string): boolean {
  return kind.startsWith('empty-') || kind === 'worktree'
}
function folder(path: string, kind: 'readonly' | 'deny', rule = path): Listing['matches'][number] {
  return { path, type: 'folder', kind, rule }
}

describe('the mount plan of a question', () => {
  const listing = {
    ...emptyListing,
    folders: ['src', 'src/deep'],
    matches: [folder('src/deep/keys', 'deny'), folder('.husky', 'readonly')],
    hidden: ['a/config.yaml'],
  }

  it('lets nothing of the repository be written, whatever the policy allows', () => {
    const policy = aPolicy({ deny: ['.env', 'keys', 'config.yaml'], allow: ['src/**', 'new.txt'] })
    const mounts = mountPlan(aRequest({ policy, listing, ownFolder: true, readOnly: true }))
    expect(mounts.filter(({ readonly }) => !readonly).map(({ target }) => target)).toEqual([agentHome])
    expect(mounts.map(({ target, why }) => `${target} ${why}`)).toEqual([
      '/work worktree',
      '/work/src/deep/keys deny src/deep/keys',
      '/work/.git pointer',
      '/cofferdam/git private git',
      '/cofferdam/attempt prompt',
      '/cofferdam/agent settings, conversations',
    ])
  })

  it('needs nothing made on the host', () => {
    const mounts = mountPlan(aRequest({ listing, readOnly: true }))
    expect(mounts.filter(({ placeholder }) => placeholder !== undefined)).toEqual([])
  })
})

describe('the mount plan', () => {
  it('masks absent names in the root, and leaves folders that hide nothing free to be moved', () => {
    const mounts = plan(aPolicy({ deny: ['.env'] }), { ...emptyListing, folders: ['a', 'a/b'] })
    expect(covered(mounts)).toEqual(['.env'])
    expect(pins(mounts)).toEqual([])
    expect(mounts.filter(({ placeholder }) => placeholder === 'file')).toHaveLength(1)
  })

  it('masks absent names in folders that are pinned anyway', () => {
    const listing = { ...emptyListing, folders: ['a', 'a/b', 'c'], matches: [folder('a/b/keys', 'deny')] }
    const mounts = plan(aPolicy({ deny: ['.env', 'keys'] }), listing)
    expect(covered(mounts)).toEqual(['.env', 'keys', 'a/.env', 'a/keys', 'a/b/.env', 'a/b/keys'])
    expect(pins(mounts)).toEqual(['a', 'a/b'])
  })

  it('masks at most 200 absent names', () => {
    const matches = Array.from({ length: 150 }, (_, i) => folder(`f${i}/deep/keys`, 'deny', 'keys'))
    const mounts = plan(aPolicy({ deny: ['.env', 'keys'] }), { ...emptyListing, matches })
    expect(mounts.filter(({ placeholder }) => placeholder === 'file')).toHaveLength(200)
  })

  it('masks everything that is there, however much', () => {
    const matches = Array.from({ length: 500 }, (_, i) => folder(`x${i}`, 'deny', 'x*'))
    expect(covered(plan(aPolicy({ deny: ['x*'] }), { ...emptyListing, matches }))).toHaveLength(500)
  })

  it('masks a hidden folder as a whole, and makes the folders above it', () => {
    const listing = { ...emptyListing, hidden: ['a/secrets/k1', 'a/secrets/k2'] }
    const mounts = plan(aPolicy({ deny: ['/a/secrets/'] }), listing)
    expect(covered(mounts)).toEqual(['a/secrets'])
    expect(mounts.find(({ why }) => why === 'pin')).toMatchObject({
      target: '/work/a',
      placeholder: 'folder',
    })
  })

  it('never puts a second .git anywhere', () => {
    const mounts = plan(aPolicy({ deny: ['**/.git', '.GIT'] }), { ...emptyListing, folders: ['sub'] })
    expect(mounts.map(pathOf).filter((path) => path.toLowerCase().includes('.git'))).toEqual(['.git'])
    expect(mounts.find(({ target }) => target === '/work/.git')?.source.kind).toBe('pointer')
  })

  it('masks nothing below what is covered already', () => {
    const listing = { ...emptyListing, folders: ['ro', 'ro/in'], matches: [folder('ro', 'readonly')] }
    expect(covered(plan(aPolicy({ deny: ['.env'], readonly: ['ro'] }), listing))).toEqual(['ro', '.env'])
  })

  it('leaves what setup left alone', () => {
    const listing = { ...emptyListing, folders: ['node_modules', 'node_modules/a'] }
    const mounts = plan(aPolicy({ deny: ['.env'] }), listing, ['node_modules'])
    expect(covered(mounts)).toEqual(['.env'])
    expect(mounts.at(-1)).toMatchObject({
      source: { kind: 'setup', path: 'node_modules' },
      target: '/work/node_modules',
      placeholder: 'folder',
    })
  })

  it.each([
    ['symlink', 'deny'],
    ['other', 'deny'],
    ['other', 'readonly'],
  ] as const)('refuses a %s that is %s, by name', (type, kind) => {
    const listing = { ...emptyListing, matches: [{ path: 'a/.env', type, kind, rule: '.env' }] }
    expect(() => plan(aPolicy(), listing)).toThrow(
      expect.objectContaining({ code: 'worktree', message: expect.stringContaining('a/.env') as string }),
    )
  })

  it('leaves a readonly symlink to the verifier', () => {
    const listing = {
      ...emptyListing,
      matches: [{ path: 'CLAUDE.md', type: 'symlink', kind: 'readonly', rule: 'CLAUDE.md' }] as const,
    }
    expect(covered(plan(aPolicy({ deny: [] }), listing))).toEqual([])
  })

  describe('under an allow list', () => {
    const listing: Listing = {
      hidden: ['docs/.env'],
      folders: ['docs', 'src', 'src/.github', 'src/lib'],
      matches: [
        folder('docs', 'readonly', 'not in the allow list'),
        folder('src/.github', 'readonly', '.github'),
      ],
    }
    const mounts = plan(aPolicy({ allow: ['src/**', 'new/', 'a/file.txt'], deny: ['.env'] }), listing)
    const shown = mounts.map((mount) => `${pathOf(mount)} ${mount.readonly ? 'ro' : 'rw'} ${mount.why}`)

    it('is readonly with writable islands, and covers and pins are in the islands alone', () => {
      expect(shown.slice(0, -3)).toEqual([
        ' ro worktree',
        'new rw allow',
        'src rw allow',
        'a/file.txt rw allow, written in place only',
        'src/.github ro readonly .github',
        'src/.env ro deny .env',
      ])
    })

    it('has an island for each file that a pattern opens on its own, the topmost 200', () => {
      const writable = Array.from({ length: 250 }, (_, i) => `${i < 200 ? '' : 'docs/'}n${i}.md`)
      const many = plan(aPolicy({ allow: ['*.md'] }), { ...emptyListing, folders: ['docs'], writable })
      const islands = many.filter(isIsland)
      expect(islands.map(pathOf).sort()).toEqual(writable.slice(0, 200).sort())
      expect(new Set(islands.map(({ readonly, why }) => `${readonly} ${why}`))).toEqual(
        new Set(['false allow, written in place only']),
      )
    })

    it('has one island for a file that is named and found', () => {
      const named = { ...emptyListing, writable: ['README.md', 'docs/README.md'] }
      const islands = plan(aPolicy({ allow: ['README.md'] }), named).filter(isIsland)
      expect(islands.map(pathOf)).toEqual(['README.md', 'docs/README.md'])
    })

    it('makes an island that is not there', () => {
      expect(mounts.filter(isIsland).map(({ placeholder }) => placeholder)).toEqual([
        'folder',
        undefined,
        'file',
      ])
    })
  })
})

const name = constantFrom('a', 'b', 'src', '.env', 'config.yaml', '.github', 'x.md', 'node_modules')
const path = array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const pattern = constantFrom(
  '.env',
  'config.yaml',
  '.github',
  '/src/a',
  'a/**',
  '*.md',
  '**/b',
  'b/',
  '/a/b/**',
)

/** A policy and the listing of a tree under it, made as the worktree makes it. */
const situation = record({
  files: uniqueArray(path, { maxLength: 12 }),
  tracked: uniqueArray(path, { maxLength: 4 }),
  allow: uniqueArray(pattern, { maxLength: 2 }),
  deny: uniqueArray(pattern, { maxLength: 3 }),
  readonly: uniqueArray(pattern, { maxLength: 3 }),
  setupFolders: uniqueArray(constantFrom<string>('node_modules', 'a/node_modules'), { maxLength: 2 }),
}).map(({ files, tracked, setupFolders, ...lists }) => {
  const policy = aPolicy(lists)
  const matcher = compilePolicy(policy)
  const folders = new Set(files.flatMap((file) => above(file)))
  const plainFiles = files.filter(
    (file) => !folders.has(file) && above(file).every((f) => !files.includes(f)),
  )
  const all = [...folders].map((path) => ({ path, type: 'folder' as const }))
  const entries = [...all, ...plainFiles.map((path) => ({ path, type: 'file' as const }))]
  const judged = entries.map((entry) => ({
    ...entry,
    verdict: matcher.verdict(entry.path, entry.type === 'folder'),
  }))
  const stopped = new Set(judged.filter(({ verdict }) => verdict.kind !== 'none').map(({ path }) => path))
  const seen = judged.filter((entry) => !above(entry.path).some((folder) => stopped.has(folder)))
  const listing: Listing = {
    hidden: tracked.filter(
      (file) =>
        matcher.verdict(file, false).kind === 'deny' &&
        above(file).every((folder) => !plainFiles.includes(folder)),
    ),
    folders: seen.filter(({ type }) => type === 'folder').map((entry) => entry.path),
    matches: seen.flatMap(({ path, type, verdict }) =>
      verdict.kind === 'none' ? [] : [{ path, type, kind: verdict.kind, rule: verdict.rule }],
    ),
    writable: seen
      .filter(({ path, type, verdict }) => {
        const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
        return type === 'file' && verdict.kind === 'none' && !isOpenFolder(matcher, parent)
      })
      .map((entry) => entry.path),
  }
  return { policy, matcher, listing, setupFolders, there: new Set(seen.map((entry) => entry.path)) }
})

type Situation = typeof situation extends Arbitrary<infer T> ? T : never

/** Whether a path lies where the box may write, covers apart. */
function isOpen(path: string, policy: Policy, mounts: readonly BoxMount[]): boolean {
  const islands = new Set(mounts.filter(isIsland).map(pathOf))
  return policy.allow.length === 0 || [path, ...above(path)].some((place) => islands.has(place))
}

function above(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'))
}

describe('for any tree and policy, the mount plan', () => {
  const holds = (claim: (mounts: readonly BoxMount[], given: Situation) => void): void =>
    assert(
      property(situation, (given) => claim(plan(given.policy, given.listing, given.setupFolders), given)),
      { numRuns: 1000 },
    )

  it('has no target twice', () => {
    holds((mounts) => {
      expect(new Set(mounts.map(({ target }) => target)).size).toBe(mounts.length)
    })
  })

  it('has parents before children', () => {
    holds((mounts) => {
      const order = mounts.map(pathOf)
      const early = order.filter((path, i) => above(path).some((folder) => order.indexOf(folder) > i))
      expect(early).toEqual([])
    })
  })

  it('has a mount at every folder above a cover that could be renamed', () => {
    holds((mounts, { policy }) => {
      const writable = new Set(mounts.filter((mount) => !mount.readonly).map(pathOf))
      const folders = covered(mounts).flatMap(above)
      expect(folders.filter((path) => isOpen(path, policy, mounts) && !writable.has(path))).toEqual([])
    })
  })

  it('covers every match that could be written, and every denied one', () => {
    holds((mounts, { policy, listing, setupFolders }) => {
      const covers = new Set(covered(mounts))
      const bare = listing.matches.filter(
        ({ path, kind }) =>
          (kind === 'deny' || isOpen(path, policy, mounts)) &&
          ![path, ...above(path)].some((place) => setupFolders.includes(place)) &&
          !covers.has(path),
      )
      expect(bare).toEqual([])
    })
  })

  it('lets every file be written that the policy opens', () => {
    holds((mounts, { policy, listing, setupFolders }) => {
      const shut = (listing.writable ?? []).filter(
        (path) =>
          !isOpen(path, policy, mounts) &&
          ![path, ...above(path)].some((place) => setupFolders.includes(place)),
      )
      expect(shut).toEqual([])
    })
  })

  it('opens nothing that the policy does not', () => {
    holds((mounts, { matcher }) => {
      const writable = mounts.filter(({ source, readonly }) => source.kind === 'worktree' && !readonly)
      for (const mount of writable) {
        const path = pathOf(mount)
        expect(matcher.verdict(path, mount.placeholder !== 'file').kind).not.toBe('deny')
        if (isIsland(mount) && mount.placeholder !== 'file')
          expect(matcher.verdict(`${path}/anything`, false).kind).toBe('none')
      }
    })
  })

  it('makes placeholders only where nothing is, and denied ones only for denied names', () => {
    holds((mounts, { there, matcher }) => {
      const made = mounts.filter(
        ({ placeholder, source }) => placeholder !== undefined && source.kind !== 'setup',
      )
      const denied = (path: string): boolean =>
        [true, false].some((folder) => matcher.verdict(path, folder).kind === 'deny')
      expect(made.filter((mount) => !isIsland(mount) && there.has(pathOf(mount)))).toEqual([])
      expect(
        made
          .filter(({ why }) => why.startsWith('deny '))
          .map(pathOf)
          .filter((path) => !denied(path)),
      ).toEqual([])
    })
  })
})

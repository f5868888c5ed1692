import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import type { Source } from './source.ts'

/**
 * So long an answer may be used again, ms. `settled`: one of which the stamps tell all but what a configuration includes
 * from other files. `passing`: one that also says what no stamp tells of, such as work that is not committed.
 */
const longestMs = { settled: 60_000, passing: 2000 } as const
/** So long a repository is taken to lie where it was found, ms. */
const sourceMs = 100
/** A list of hidden files may be long. */
const most = 50

interface Look {
  readonly stamp: string
  readonly at: number
  readonly longest: number
  readonly answer: Promise<unknown>
  /** Whether it is being asked again. */
  followed?: true
}

/**
 * Remembers for a moment what questions to users' repositories came to, so that many tasks at once do not start the same
 * processes for each. An answer is used again for a while, and only while the refs that it may depend on,
 * the configuration and the index are the same files.
 */
export class Looks {
  readonly #looks = new Map<string, Look>()
  readonly #sources = new Map<string, { readonly at: number; readonly found: Promise<Source> }>()
  readonly #clock: () => number

  /** `clock`: milliseconds that only go up. */
  constructor(clock = (): number => performance.now()) {
    this.#clock = clock
  }

  /** Where the repository of a path lies: one submission asks for it several times. What fails is not remembered. */
  async sourceAt(path: string, find: () => Promise<Source>): Promise<Source> {
    const now = this.#clock()
    const known = this.#sources.get(path)
    if (known !== undefined && now - known.at < sourceMs) return await known.found
    if (this.#sources.size >= most) this.#sources.clear()
    const found = find()
    this.#sources.set(path, { at: now, found })
    found.catch(() => {
      if (this.#sources.get(path)?.found === found) this.#sources.delete(path)
    })
    return await found
  }

  /** `ref`: what the answer depends on by name. What fails is not remembered. */
  async recall<T>(
    source: Source,
    ref: string,
    [lasts, question]: readonly [keyof typeof longestMs, string],
    look: () => Promise<T>,
  ): Promise<T> {
    const stamp = stampOf(source, ref)
    if (stamp === null) return await look()
    const now = this.#clock()
    const longest = longestMs[lasts]
    for (const [name, each] of this.#looks) if (now - each.at >= each.longest) this.#looks.delete(name)
    const key = JSON.stringify([source.gitDir, ref, question])
    const known = this.#looks.get(key)
    if (known?.stamp !== stamp)
      return (await this.#ask(key, { stamp, at: now, longest, answer: look() }).answer) as T
    // In time, so that where many ask nobody waits for it.
    if (now - known.at >= longest / 2 && !known.followed) {
      known.followed = true
      const next: Look = { stamp, at: now, longest, answer: look() }
      next.answer.then(
        () => this.#ask(key, next),
        () => undefined,
      )
    }
    return (await known.answer) as T
  }

  #ask(key: string, look: Look): Look {
    if (this.#looks.size >= most) this.#looks.clear()
    this.#looks.set(key, look)
    look.answer.catch(() => {
      if (this.#looks.get(key) === look) this.#looks.delete(key)
    })
    return look
  }
}

/** Where git looks for a name, in its order. */
const places = ['', 'refs/', 'refs/tags/', 'refs/heads/', 'refs/remotes/']
const others = [
  'packed-refs',
  'config',
  'config.worktree',
  'index',
  'shallow',
  'reftable/tables.list',
  'info/exclude',
]

/** Null where the answer may depend on other files than these: `HEAD~2`, `main@{upstream}`. */
function stampOf({ gitDir, commonDir, owner }: Source, ref: string): string | null {
  if (!/^[\w./-]+$/.test(ref)) return null
  const names = [...others, ...places.map((place) => place + ref)]
  const head = headOf(gitDir)
  const target = /^ref: (\S+)\s*$/.exec(head)?.[1]
  if (target !== undefined) names.push(target)
  const folders = new Set([gitDir, commonDir])
  const files = [...folders].flatMap((folder) => names.map((name) => fileStamp(`${folder}/${name}`)))
  return JSON.stringify([owner?.uid, head, ...files])
}

/** What git cannot read as it stands is git's to complain of. */
function headOf(gitDir: string): string {
  try {
    // It may be a pipe that nobody writes into.
    const fd = openSync(`${gitDir}/HEAD`, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const bytes = Buffer.alloc(1000)
      return bytes.toString('utf8', 0, readSync(fd, bytes))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

/** Git puts a new file in the place of an old one: another inode, and another time. */
function fileStamp(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  return found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`
}

/** What a remote has. */
export interface Listing {
  /** Branches and tags with the objects that they name, by their full names. */
  readonly refs: ReadonlyMap<string, string>
  /** The branch that it calls its own, by its short name; null where it names none that it has. */
  readonly head: string | null
}

/** Reads what `git ls-remote --symref` prints. */
export function listingOf(out: string): Listing {
  const refs = new Map<string, string>()
  let named: string | null = null
  for (const text of out.split('\n')) {
    const [value = '', name = ''] = text.split('\t')
    if (name === 'HEAD' && value.startsWith('ref: ')) named = value.slice('ref: '.length)
    // A name with ^{} is what a tag comes to.
    else if (/^refs\/(?:heads|tags)\//.test(name) && !name.endsWith('^{}') && /^[0-9a-f]{40,64}$/.test(value))
      refs.set(name, value)
  }
  const head = named?.startsWith(branches) === true && refs.has(named) ? named.slice(branches.length) : null
  return { refs, head }
}

const branches = 'refs/heads/'
/** Where the branches of a remote are in its mirror: those of tasks are its `refs/heads`. */
export const tracking = 'refs/remotes/origin/'

/** The name in the mirror of what a remote has. */
export function trackedAs(ref: string): string {
  return ref.startsWith(branches) ? tracking + ref.slice(branches.length) : ref
}

/** What is fetched. What the remote no longer has goes from those places, and from no other. */
export const refspecs = [`+${branches}*:${tracking}*`, '+refs/tags/*:refs/tags/*'] as const

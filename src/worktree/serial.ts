/** Runs what has the same key one after the other, in the order of the calls. */
export type Serial = <T>(key: string, work: () => Promise<T>) => Promise<T>

export function serial(): Serial {
  const last = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const before = last.get(key) ?? Promise.resolve()
    const result = before.then(work, work)
    const settled = result
      .catch(() => undefined)
      .finally(() => {
        if (last.get(key) === settled) last.delete(key)
      })
    last.set(key, settled)
    return result
  }
}

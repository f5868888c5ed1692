import { type Inputs, useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { asError, persist, type Persisting } from './persist.ts'

/** What is being loaded. What was there stays until something newer comes. */
export interface Loaded<T> {
  readonly value: T | null
  readonly error: Error | null
  readonly reload: () => void
}

/**
 * Loads a value, again whenever one of `inputs` changes or `reload` is called, and until it comes off where the server is
 * away.
 */
export function useLoaded<T>(load: () => Promise<T>, inputs: Inputs): Loaded<T> {
  const [found, setFound] = useState<{ readonly value: T | null; readonly error: Error | null }>({
    value: null,
    error: null,
  })
  // An answer that comes after a later question counts no more.
  const asked = useRef(0)
  const loading = useRef<Persisting | null>(null)
  const end = (): void => {
    asked.current++
    loading.current?.end()
  }
  const reload = useCallback(() => {
    end()
    const mine = asked.current
    loading.current = persist(
      async () => {
        const value = await load()
        if (mine === asked.current) setFound({ value, error: null })
      },
      (error) => setFound((before) => ({ ...before, error })),
    )
  }, inputs)
  useEffect(() => {
    reload()
    return end
  }, [reload])
  return { ...found, reload }
}

const prefix = 'cofferdam:'

/**
 * A text that a person types, kept in the browser until it was sent: a reload, a session that is over or a server that is
 * away take nothing of it.
 * @param usual what stands there before anything is typed, and is not kept
 */
export function useKept(name: string, usual = ''): readonly [string, (text: string) => void] {
  const [text, setText] = useState(() => localStorage.getItem(prefix + name) ?? usual)
  const keep = (next: string): void => {
    setText(next)
    try {
      if (next === '' || next === usual) localStorage.removeItem(prefix + name)
      else localStorage.setItem(prefix + name, next)
    } catch {
      // The browser has no room for it, or lets nothing be kept: it can be sent all the same.
    }
  }
  return [text, keep]
}

/** Whether something was typed there that was not sent. */
export const isKept = (name: string): boolean => (localStorage.getItem(prefix + name) ?? '') !== ''

/** Forgets all that was typed: another person may sit here next. */
export function forgetKept(): void {
  for (const name of Object.keys(localStorage)) if (name.startsWith(prefix)) localStorage.removeItem(name)
}

/** The time, as often as it matters to what says how long ago something was. */
export function useNow(everyMs = 15_000): number {
  const [, setLooks] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setLooks((looks) => looks + 1), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  // Not that of the last look: what has come since would be said to come in a moment.
  return Date.now()
}

/** Something that is sent: whether it is on its way, and why it was not taken. */
export interface Sending {
  readonly busy: boolean
  readonly error: string | null
  readonly send: (work: () => Promise<void>) => void
}

export function useSending(): Sending {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const send = (work: () => Promise<void>): void => {
    if (busy) return
    setBusy(true)
    setError(null)
    work()
      .catch((failure: unknown) => setError(asError(failure).message))
      .finally(() => setBusy(false))
  }
  return { busy, error, send }
}

/** Calls `act` once things have been quiet for a moment, and after a while at the latest. */
export function useSettled(act: () => void, ms = 250): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const latest = useRef(act)
  latest.current = act
  useEffect(() => () => clearTimeout(timer.current), [])
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      latest.current()
    }, ms)
  }, [ms])
}

import { get, Refused } from './api.ts'

/** `over`: there is nothing more to come of this stream. */
export type StreamState = 'connecting' | 'live' | 'lost' | 'over'

export interface Listening {
  /** Where the stream is, from the last on that was seen. */
  readonly address: () => string
  /** What is done with each kind of event. */
  readonly on: Readonly<Record<string, (data: string) => void>>
  readonly state: (state: StreamState) => void
  /** Whether all was seen that will ever come. */
  readonly isOver?: () => boolean
}

const firstWaitMs = 500
const longestWaitMs = 10_000

/** A server sends a beat where nothing else has come for so long, until its first one says how long that is, ms. */
const usualBeatMs = 15_000
/** So much later than it is due may the second beat be, ms. */
const lateMs = 1000

/**
 * Listens to a stream of the API until it is over or the returned function is called. The browser comes back by itself with
 * `Last-Event-ID` where a connection breaks; where it gives up, as when a proxy answers for a server that is away, and where
 * two beats have not come, as no connection breaks when a server hangs or a network is gone, a new stream begins after the
 * last event that was seen. A page that nobody sees holds no connection, and so waits for no beat with timers that sleep.
 */
export function listen({ address, on, state, isOver = () => false }: Listening): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined
  let beatMs = usualBeatMs
  let waitMs = firstWaitMs
  let ended = false
  let told: StreamState = 'connecting'

  const tell = (next: StreamState): void => {
    told = next
    state(next)
  }
  const heard = (): void => {
    clearTimeout(silence)
    silence = setTimeout(
      () => {
        tell('lost')
        open()
      },
      2 * beatMs + lateMs,
    )
  }
  const close = (): void => {
    clearTimeout(timer)
    clearTimeout(silence)
    source?.close()
    source = null
  }
  const end = (): void => {
    ended = true
    close()
    document.removeEventListener('visibilitychange', onVisibility)
    removeEventListener('online', open)
  }
  const again = (): void => {
    close()
    timer = setTimeout(() => void comeBack(), waitMs)
    waitMs = Math.min(longestWaitMs, waitMs * 2)
  }
  const comeBack = async (): Promise<void> => {
    // It may be asked for long, too.
    heard()
    // An EventSource does not say why it was refused.
    const refused = await get('/v1/session').then(
      () => false,
      (error: unknown) => error instanceof Refused && error.status === 401,
    )
    if (refused) end()
    if (source === null) open()
  }
  function open(): void {
    close()
    if (ended) return
    if (told !== 'lost') tell('connecting')
    if (document.visibilityState === 'hidden') return
    heard()
    const mine = new EventSource(address())
    source = mine
    mine.addEventListener('open', () => {
      waitMs = firstWaitMs
      heard()
      tell('live')
    })
    mine.addEventListener('error', () => {
      if (source !== mine) return
      if (isOver()) {
        tell('over')
        return end()
      }
      tell('lost')
      if (mine.readyState === EventSource.CLOSED) again()
    })
    for (const [name, act] of Object.entries(on))
      mine.addEventListener(name, (event: MessageEvent<string>) => {
        heard()
        act(event.data)
      })
    mine.addEventListener('beat', (event: MessageEvent<string>) => {
      beatMs = (JSON.parse(event.data) as { readonly everyMs: number }).everyMs
      heard()
    })
  }
  function onVisibility(): void {
    if (document.visibilityState === 'hidden') close()
    else if (source === null) open()
  }
  document.addEventListener('visibilitychange', onVisibility)
  addEventListener('online', open)
  open()
  return end
}

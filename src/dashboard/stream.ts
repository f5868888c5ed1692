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

/**
 * Listens to a stream of the API until it is over or the returned function is called. The browser comes back by itself with
 * `Last-Event-ID` where a connection breaks; where it gives up, as when a proxy answers for a server that is away, a new
 * stream begins after the last event that was seen. A page that nobody sees holds no connection.
 */
export function listen({ address, on, state, isOver = () => false }: Listening): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let waitMs = firstWaitMs
  let ended = false

  const close = (): void => {
    clearTimeout(timer)
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
    // An EventSource does not say why it was refused.
    const refused = await get('/v1/session').then(
      () => false,
      (error: unknown) => error instanceof Refused && error.status === 401,
    )
    if (refused) end()
    if (!ended) open()
  }
  function open(): void {
    close()
    if (ended || document.visibilityState === 'hidden') return
    const mine = new EventSource(address())
    source = mine
    mine.addEventListener('open', () => {
      waitMs = firstWaitMs
      state('live')
    })
    mine.addEventListener('error', () => {
      if (source !== mine) return
      if (isOver()) {
        state('over')
        return end()
      }
      state('lost')
      if (mine.readyState === EventSource.CLOSED) again()
    })
    for (const [name, act] of Object.entries(on))
      mine.addEventListener(name, (event: MessageEvent<string>) => act(event.data))
  }
  function onVisibility(): void {
    if (document.visibilityState === 'hidden') close()
    else if (source === null) open()
  }
  document.addEventListener('visibilitychange', onVisibility)
  addEventListener('online', open)
  state('connecting')
  open()
  return end
}

import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'

/** Requests over a unix socket, on connections that are kept. */
export interface Load extends AsyncDisposable {
  /** @returns answers in a second, while every connection always has one request under way for `ms` */
  readonly busy: (path: string, ms: number) => Promise<number>
  /** One answer, read to its end. */
  readonly get: (path: string) => Promise<void>
  /**
   * Sends `perSecond` requests a second for `ms`, whether or not the ones before are answered.
   * @returns how long each took from the moment when it was due, ms: one that waits behind another counts its wait
   */
  readonly steady: (
    request: (index: number) => { readonly path: string; readonly body: string },
    perSecond: number,
    ms: number,
  ) => Promise<readonly number[]>
}

export function load(socketPath: string, connections: number): Load {
  const pool = new Pool('http://cofferdam', { connections, pipelining: 1, socketPath })
  const send = async (path: string, body: string | null): Promise<void> => {
    const answer = await pool.request({
      path,
      method: body === null ? 'GET' : 'POST',
      ...(body === null ? {} : { body, headers: { 'content-type': 'application/json' } }),
    })
    if (answer.statusCode >= 300)
      throw new Error(`${path} answered ${answer.statusCode}: ${await answer.body.text()}`)
    for await (const _ of answer.body);
  }
  return {
    async busy(path, ms) {
      let answers = 0
      const begun = performance.now()
      const one = async (): Promise<void> => {
        while (performance.now() - begun < ms) {
          await send(path, null)
          answers += 1
        }
      }
      await Promise.all(Array.from({ length: connections }, one))
      return (answers * 1000) / (performance.now() - begun)
    },
    get: (path) => send(path, null),
    async steady(request, perSecond, ms) {
      const begun = performance.now()
      const count = Math.round((ms / 1000) * perSecond)
      return await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const due = begun + (index * 1000) / perSecond
          await sleep(due - performance.now())
          const { path, body } = request(index)
          await send(path, body)
          return performance.now() - due
        }),
      )
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  }
}

import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { deferred } from '../../src/domain/deferred.ts'
import type { Finding } from '../../src/domain/control-plane.ts'
import { messageOf } from '../../src/domain/failure.ts'
import { damagedFile } from './failures.ts'

export type PagesFound = Omit<Finding, 'name'>

/** Text, as that of log-player.ts. Readonly: it never plays the log, which is left to the connections that write. */
const script = `
const { parentPort, workerData } = require('node:worker_threads')
const Database = require(workerData.library)
let db
try {
  db = new Database(workerData.file, { readonly: true, fileMustExist: true })
  parentPort.postMessage({ damage: db.pragma('quick_check(1)', { simple: true }) })
} catch (error) {
  const isDamage = /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)
  parentPort.postMessage({ [isDamage ? 'damage' : 'failed']: error.message })
} finally {
  db?.close()
}
`

/**
 * Reads every page of an open database once, in a thread of its own, so that neither the start nor a request waits for it: a
 * damaged page is otherwise only seen by who happens to need it.
 */
export class PageCheck implements Disposable {
  /** What is known so far. */
  found: PagesFound = { state: 'ok', text: 'its pages are being read' }
  /** Resolves to what was found in the end; never rejects. */
  readonly ended: Promise<PagesFound>
  readonly #worker: Worker | null

  constructor(file: string) {
    const { promise, resolve } = deferred<PagesFound>()
    this.ended = promise
    const end = (found: PagesFound): void => {
      this.found = found
      resolve(found)
    }
    const failed = (why: string): void =>
      end({ state: 'warning', text: `whether ${file} is damaged could not be looked at (${why})` })
    this.#worker = begin(file, failed)
    this.#worker?.on('message', (said: { readonly damage: string } | { readonly failed: string }) => {
      if ('failed' in said) failed(said.failed)
      else if (said.damage === 'ok') end({ state: 'ok', text: 'every page of it is sound' })
      else
        end({ state: 'problem', text: damagedFile(file, said.damage.replaceAll(/\s*\n\s*/g, ' ')).message })
    })
    this.#worker?.on('error', (error) => failed(messageOf(error)))
    this.#worker?.unref()
  }

  [Symbol.dispose](): void {
    void this.#worker?.terminate()
  }
}

function begin(file: string, failed: (why: string) => void): Worker | null {
  try {
    const library = createRequire(import.meta.url).resolve('better-sqlite3')
    return new Worker(script, {
      eval: true,
      workerData: { file, library },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    })
  } catch (error) {
    failed(messageOf(error))
    return null
  }
}
